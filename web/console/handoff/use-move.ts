import { useEffect } from "react";
import { type AnyVariables, type TypedDocumentNode, useClient } from "urql";
import { type Action, useAction } from "../graph/use-action";
import { SessionNowDocument } from "./operations";

/** An action on a session. Where it has changed since the viewer looked, it is loaded again, so that a
 * repeat is about what is seen then. */
export function useMove<Data, Variables extends AnyVariables>(
  document: TypedDocumentNode<Data, Variables>,
  sessionId: string,
): Action<Data, Variables> {
  const client = useClient();
  const action = useAction(document);
  const isStale = action.refusal?.kind === "StaleVersionError";
  useEffect(() => {
    if (!isStale) return;
    const now = client.query(
      SessionNowDocument,
      { id: sessionId },
      { requestPolicy: "network-only" },
    );
    void now.toPromise();
  }, [client, isStale, sessionId]);
  return action;
}
