import { renderHook, waitFor } from "@testing-library/react";
import { cacheExchange } from "@urql/exchange-graphcache";
import type { ReactNode } from "react";
import { Client, type Exchange, fetchExchange, makeResult, type Operation, Provider } from "urql";
import { expect, test, vi } from "vitest";
import { filter, makeSubject, map, merge, mergeMap, pipe, takeUntil, tap } from "wonka";
import { QueueEventsDocument } from "../queue/operations";
import { cacheConfig } from "./cache";
import { cursorExchange } from "./cursors";
import { QueueDocument } from "./operations";
import { useLive } from "./use-live";

/** A server whose queue is empty and whose events the test tells. */
function site() {
  const events = makeSubject<object>();
  const followed: Operation[] = [];
  const ask = vi.fn(async () => {
    const pageInfo = { __typename: "PageInfo", hasNextPage: false, endCursor: null };
    const eventCursor = `ev_${ask.mock.calls.length}`;
    const queue = { __typename: "QueueConnection", eventCursor, edges: [], pageInfo };
    return Response.json({ data: { queue } });
  });
  const feed: Exchange =
    ({ forward }) =>
    (operations) =>
      merge([
        pipe(
          operations,
          filter(({ kind }) => kind !== "subscription"),
          forward,
        ),
        pipe(
          operations,
          filter(({ kind }) => kind === "subscription"),
          tap((operation) => followed.push(operation)),
          mergeMap((operation) =>
            pipe(
              events.source,
              map((event) => makeResult(operation, { data: { queueChanged: event } })),
              takeUntil(
                pipe(
                  operations,
                  filter(({ kind, key }) => kind === "teardown" && key === operation.key),
                ),
              ),
            ),
          ),
        ),
      ]);
  const client = new Client({
    url: "http://server/graphql",
    preferGetMethod: false,
    fetch: ask as unknown as typeof fetch,
    exchanges: [cacheExchange(cacheConfig()), cursorExchange, feed, fetchExchange],
  });
  return { client, ask, followed, tell: events.next };
}

const VARIABLES = { filter: {} };

function follow(client: Client, onEvent: (event: unknown) => void, onReset: () => void) {
  const wrapper = ({ children }: { children: ReactNode }) => (
    <Provider value={client}>{children}</Provider>
  );
  return renderHook(
    () =>
      useLive({
        query: QueueDocument,
        variables: VARIABLES,
        events: QueueEventsDocument,
        eventVariables: VARIABLES,
        onEvent,
        onReset,
      }),
    { wrapper },
  );
}

test("events are followed from the answer's cursor on", async () => {
  const { client, ask, followed, tell } = site();
  const onEvent = vi.fn();
  const { result } = follow(client, onEvent, vi.fn());
  await waitFor(() => expect(followed).toHaveLength(1));
  expect(followed[0]?.variables).toEqual({ filter: {}, after: "ev_1" });
  expect(result.current.after).toBe("ev_1");
  tell({ __typename: "HandoffCreated", cursor: "ev_9", handoff: null });
  await waitFor(() => expect(onEvent).toHaveBeenCalledTimes(1));
  expect(ask).toHaveBeenCalledTimes(1);
});

test("where the feed begins anew the query is asked again, and followed from there", async () => {
  const { client, ask, followed, tell } = site();
  const onEvent = vi.fn();
  const onReset = vi.fn();
  follow(client, onEvent, onReset);
  await waitFor(() => expect(followed).toHaveLength(1));
  tell({ __typename: "FeedReset", cursor: "ev_5" });
  await waitFor(() => expect(followed).toHaveLength(2));
  expect(onReset).toHaveBeenCalledTimes(1);
  expect(onEvent).not.toHaveBeenCalled();
  expect(ask).toHaveBeenCalledTimes(2);
  expect(followed[1]?.variables).toEqual({ filter: {}, after: "ev_2" });
});
