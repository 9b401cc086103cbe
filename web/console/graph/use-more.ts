import { useState } from "react";
import { type AnyVariables, type CombinedError, type TypedDocumentNode, useClient } from "urql";

export interface More<Variables> {
  load: (variables: Variables) => void;
  isBusy: boolean;
  error: CombinedError | undefined;
}

/** A list's next page; the cache joins it to those before. */
export function useMore<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
): More<Variables> {
  const client = useClient();
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<CombinedError>();

  async function load(variables: Variables): Promise<void> {
    setIsBusy(true);
    const answer = await client.query(query, variables, { requestPolicy: "network-only" });
    setError(answer.error);
    setIsBusy(false);
  }

  return { load: (variables) => void load(variables), isBusy, error };
}
