import type { Fetcher, FetcherParams, Observable } from "@graphiql/toolkit";
import type { DocumentNode, ExecutionResult } from "graphql";
import { createClient } from "graphql-ws";

import type { Auth } from "../shared/auth";
import { withChosenFile } from "../shared/files";
import { ENDPOINT, isUnauthenticated } from "../shared/http";

/** The name under which GraphiQL asks for the schema. */
const INTROSPECTION = "IntrospectionQuery";

/** Newest first; older ones are dropped so that a busy feed does not slow the editor down. */
const EVENTS_KEPT = 100;

interface Sink {
  next(value: unknown): void;
  complete(): void;
}

/** In place of the server's refusal, which the page would show before anybody did anything. `data`
 * is there because GraphiQL asks once more when an answer has none. */
const NO_SCHEMA_YET = {
  data: null,
  hint: "Sign in above to load the schema, then run this query.",
};

/** Queries and mutations go over HTTP, subscriptions over one socket each. */
export function createFetcher(auth: Auth): Fetcher {
  return (operation, options) => {
    if (options?.documentAST && isSubscription(options.documentAST, operation.operationName)) {
      const feed = { subscribe: (sink: Sink) => ({ unsubscribe: follow(auth, operation, sink) }) };
      return feed as unknown as Observable<ExecutionResult>;
    }
    const headers = options?.headers as Record<string, string> | undefined;
    const answer = withChosenFile(operation)
      .then((ready) => auth.run(ready, headers))
      .then((response) => {
        const isRefused = isUnauthenticated(response) && !auth.state().identity;
        return isRefused && operation.operationName === INTROSPECTION ? NO_SCHEMA_YET : response;
      });
    return answer as Promise<ExecutionResult>;
  };
}

function isSubscription(document: DocumentNode, name: string | null | undefined): boolean {
  const operations = document.definitions.filter((node) => node.kind === "OperationDefinition");
  const chosen = operations.find((node) => node.name?.value === name) ?? operations[0];
  return chosen?.operation === "subscription";
}

/** The result pane shows one value, so the feed is shown as a value that grows: its state and the
 * events so far. A lost socket is not reopened behind the reader's back: to go on without a gap,
 * the last cursor belongs into `after`. Returns what ends it. */
function follow(auth: Auth, operation: FetcherParams, sink: Sink): () => void {
  const events: ExecutionResult[] = [];
  let received = 0;
  const show = (state: string): void => sink.next({ state, received, newestFirst: [...events] });
  const client = createClient({
    url: new URL(ENDPOINT, window.location.href.replace(/^http/, "ws")).href,
    connectionParams: () => auth.header(),
    retryAttempts: 0,
    on: { connected: () => show("listening") },
  });
  const unsubscribe = client.subscribe(operation, {
    next(event) {
      received += 1;
      events.unshift(event as ExecutionResult);
      events.splice(EVENTS_KEPT);
      show("listening");
    },
    error(reason) {
      show(`ended: ${explain(reason)}`);
      sink.complete();
    },
    complete() {
      show("ended by the server");
      sink.complete();
    },
  });
  return unsubscribe;
}

function explain(reason: unknown): string {
  if (reason instanceof CloseEvent) {
    return `the connection closed (${reason.code}${reason.reason ? ` ${reason.reason}` : ""})`;
  }
  if (Array.isArray(reason)) return reason.map((error) => (error as Error).message).join("; ");
  return reason instanceof Error ? reason.message : "the connection failed";
}
