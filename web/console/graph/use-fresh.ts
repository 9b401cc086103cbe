import { useCallback, useEffect } from "react";
import { type AnyVariables, type TypedDocumentNode, useQuery } from "urql";
import type { Reading } from "./use-live";

const RETRY_MS = 2_000;

/** A query that nothing keeps live: what is known shows at once, and is asked for again each time that its
 * page is opened, after `reload`, and while the server could not be reached. */
export function useFresh<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  pause = false,
): Reading<Data> {
  const [answer, execute] = useQuery({
    query,
    variables,
    pause,
    requestPolicy: "cache-and-network",
  });
  const reload = useCallback(() => execute({ requestPolicy: "network-only" }), [execute]);

  const isCutOff = answer.error?.networkError !== undefined && !answer.fetching;
  useEffect(() => {
    if (!isCutOff) return;
    const timer = window.setTimeout(reload, RETRY_MS);
    return () => window.clearTimeout(timer);
  }, [isCutOff, reload]);

  return {
    data: answer.data,
    error: answer.error,
    isLoading: answer.data === undefined && answer.error === undefined,
    reload,
  };
}
