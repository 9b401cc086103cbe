import { useCallback, useRef, useState } from "react";
import { type AnyVariables, type CombinedError, type TypedDocumentNode, useMutation } from "urql";

/** What the server said no to, in its words. */
export interface Refusal {
  message: string;
  /** Which input it is about, as `options.0.label`, if it is about one. */
  fields: { path: string; message: string }[];
  /** The whole of it, for those who want to know more than its words. */
  kind: string;
}

type Answer<Data> = Exclude<Data[keyof Data], string | undefined>;
export type Success<Data> = Exclude<Answer<Data>, { __typename: `${string}Error` }>;

export interface Action<Data, Variables> {
  /** Null where it was refused; then `refusal` says why. */
  run: (variables: Variables) => Promise<Success<Data> | null>;
  refusal: Refusal | null;
  clear: () => void;
  isBusy: boolean;
}

/** One mutation, and the place where it was refused. A second call while one is under way does nothing. */
export function useAction<Data, Variables extends AnyVariables>(
  document: TypedDocumentNode<Data, Variables>,
): Action<Data, Variables> {
  const [, execute] = useMutation(document);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const busy = useRef(false);
  const run = useCallback(
    async (variables: Variables): Promise<Success<Data> | null> => {
      if (busy.current) return null;
      busy.current = true;
      setIsBusy(true);
      setRefusal(null);
      const { data, error } = await execute(variables);
      busy.current = false;
      setIsBusy(false);
      const refused = refusalOf(data, error);
      setRefusal(refused);
      return refused ? null : (answerOf(data) as Success<Data>);
    },
    [execute],
  );
  return { run, refusal, clear: useCallback(() => setRefusal(null), []), isBusy };
}

export function refusalOf(data: unknown, error: CombinedError | undefined): Refusal | null {
  if (error) return { message: inWords(error), fields: [], kind: "failure" };
  const answer = answerOf(data) as
    | { __typename?: string; message?: string; fields?: { path: string[]; message: string }[] }
    | undefined;
  if (!answer?.__typename?.endsWith("Error")) return null;
  return {
    message: answer.message ?? "",
    fields: (answer.fields ?? []).map(({ path, message }) => ({ path: path.join("."), message })),
    kind: answer.__typename,
  };
}

/** Why a request came to nothing, for a person. */
export function inWords(error: CombinedError): string {
  if (!error.networkError) return error.graphQLErrors[0]?.message ?? error.message;
  return "The server could not be reached. Nothing you typed is lost; try again.";
}

function answerOf(data: unknown): unknown {
  return Object.entries((data ?? {}) as Record<string, unknown>).find(
    ([name]) => name !== "__typename",
  )?.[1];
}
