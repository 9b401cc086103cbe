import { useCallback, useEffect, useEffectEvent, useState } from "react";
import {
  type AnyVariables,
  type CombinedError,
  createRequest,
  type TypedDocumentNode,
  useClient,
  useQuery,
} from "urql";
import { answeredCursor, forgetCursor } from "./cursors";

const RETRY_MS = 2_000;

export interface Reading<Data> {
  data: Data | undefined;
  error: CombinedError | undefined;
  isLoading: boolean;
  reload: () => void;
}

interface Live<Data> extends Reading<Data> {
  /** From where on events are followed; other subscriptions to the same may begin there, too. */
  after: string | undefined;
}

interface Options<Data, Variables extends AnyVariables, Event, EventVariables> {
  /** Its root field has an `eventCursor`. */
  query: TypedDocumentNode<Data, Variables>;
  variables: Variables;
  events: TypedDocumentNode<Event, EventVariables & { after?: string | null }>;
  eventVariables: EventVariables;
  onEvent?: (event: Event) => void;
  /** The feed begins anew: what only events kept right is out of date. */
  onReset?: () => void;
  pause?: boolean;
}

/** A query, and then what happens from its cursor on: nothing is missed in between, and each event is
 * applied to the cache, from which the query is read. Where the feed has to begin anew, so does the query. */
export function useLive<
  Data,
  Variables extends AnyVariables,
  Event,
  EventVariables extends object,
>({
  query,
  variables,
  events,
  eventVariables,
  onEvent,
  onReset,
  pause = false,
}: Options<Data, Variables, Event, EventVariables>): Live<Data> {
  const client = useClient();
  const [answer, execute] = useQuery({
    query,
    variables,
    pause,
    requestPolicy: "cache-and-network",
  });
  const [from, setFrom] = useState<{ key: number; cursor: string } | null>(null);

  const key = answer.operation?.key ?? 0;
  const isSettled = !answer.stale && !answer.fetching && answer.data !== undefined;
  const cursor = isSettled && !answer.error ? answeredCursor(key) : undefined;
  if (cursor !== undefined && from?.key !== key) setFrom({ key, cursor });

  const [feedError, setFeedError] = useState<CombinedError>();
  const begin = useCallback(() => {
    setFeedError(undefined);
    forgetCursor(key);
    setFrom(null);
    execute({ requestPolicy: "network-only" });
  }, [key, execute]);
  const act = useEffectEvent((event: Event) => {
    if (typeOf(event) !== "FeedReset") return onEvent?.(event);
    onReset?.();
    begin();
  });

  const after = from?.key === key ? from.cursor : undefined;
  const feed =
    pause || after === undefined ? null : createRequest(events, { ...eventVariables, after });
  const feedKey = feed?.key;
  // Not useSubscription: it hears what came while the page is drawn, when nothing may be done about it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for all of the request
  useEffect(() => {
    if (!feed) return;
    return client.executeSubscription(feed).subscribe(({ data, error }) => {
      setFeedError(error);
      if (data) act(data);
    }).unsubscribe;
  }, [client, feedKey]);

  // A feed that was refused, as when the viewer's minute is used up, begins anew as well.
  const isCutOff = !answer.fetching && (answer.error?.networkError ?? feedError) !== undefined;
  useEffect(() => {
    if (!isCutOff) return;
    const timer = window.setTimeout(begin, RETRY_MS);
    return () => window.clearTimeout(timer);
  }, [isCutOff, begin]);

  return {
    data: answer.data,
    error: answer.error ?? feedError,
    after,
    isLoading: answer.data === undefined && answer.error === undefined,
    reload: begin,
  };
}

/** Of the one event that a result of a subscription holds. */
export function typeOf(data: unknown): string | undefined {
  const event = Object.values((data ?? {}) as Record<string, unknown>)[0];
  return (event as { __typename?: string } | undefined)?.__typename;
}
