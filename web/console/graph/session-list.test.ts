import { cacheExchange } from "@urql/exchange-graphcache";
import { Client, fetchExchange, subscriptionExchange } from "urql";
import { expect, test } from "vitest";
import { SessionsEventsDocument } from "../sessions/operations";
import { cacheConfig } from "./cache";
import { SessionsDocument } from "./operations";

const PAGE = 2;

function session(number: number) {
  return {
    __typename: "AiSession",
    id: `s${number}`,
    status: "ACTIVE",
    problemSummary: null,
    problemDomain: null,
    psaTicketId: null,
    branchCount: 1,
    createdAt: new Date(number * 1000).toISOString(),
    updatedAt: new Date(number * 1000).toISOString(),
    intake: { __typename: "Intake", text: "It does not work." },
    assignee: { __typename: "User", id: "u", displayName: "Somebody" },
    team: null,
  };
}

/** Lists sessions as the server does, newest first, and tells of those that begin. */
class Sessions {
  numbers: number[];
  client: Client;
  tell: (event: unknown) => void = () => {};

  constructor(...numbers: number[]) {
    this.numbers = numbers;
    this.client = new Client({
      url: "http://flowpilot.example/graphql",
      preferGetMethod: false,
      fetch: async (_, init) => {
        const { variables } = JSON.parse(String(init?.body));
        return Response.json({ data: { sessions: this.page(variables.after) } });
      },
      exchanges: [
        cacheExchange(cacheConfig()),
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: () => ({
            subscribe: (sink) => {
              this.tell = (event) => sink.next({ data: { sessionsChanged: event } });
              return { unsubscribe: () => {} };
            },
          }),
        }),
      ],
    });
  }

  page(after: string | undefined) {
    const rest = this.numbers.filter((number) => !after || number < Number(after));
    const shown = rest.slice(0, PAGE);
    return {
      __typename: "AiSessionConnection",
      eventCursor: "1",
      edges: shown.map((number) => ({
        __typename: "AiSessionEdge",
        cursor: String(number),
        node: session(number),
      })),
      pageInfo: {
        __typename: "PageInfo",
        hasNextPage: rest.length > PAGE,
        endCursor: shown.length ? String(shown.at(-1)) : null,
      },
    };
  }

  begin(number: number): void {
    this.numbers.unshift(number);
    this.tell({ __typename: "SessionStarted", cursor: "2", session: session(number) });
  }
}

/** What the page shows, now and later. */
function watch({ client }: Sessions) {
  const seen = { ids: [] as string[], endCursor: "" as string | null | undefined };
  const show = client
    .query(SessionsDocument, { filter: {} }, { requestPolicy: "cache-and-network" })
    .subscribe(({ data }) => {
      seen.ids = data?.sessions.edges.map(({ node }) => node.id) ?? [];
      seen.endCursor = data?.sessions.pageInfo.endCursor;
    });
  const events = client.subscription(SessionsEventsDocument, { filter: {} }).subscribe(() => {});
  return {
    seen,
    end() {
      show.unsubscribe();
      events.unsubscribe();
    },
  };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

async function showMore({ client }: Sessions, after: string | null | undefined): Promise<void> {
  const variables = { filter: {}, after: after ?? null };
  await client.query(SessionsDocument, variables, { requestPolicy: "network-only" });
  await settled();
}

test("a session that begins goes on top, and the pages that were loaded stay", async () => {
  const sessions = new Sessions(9, 8, 7, 6, 5, 4);
  const page = watch(sessions);
  await settled();
  expect(page.seen.ids).toEqual(["s9", "s8"]);
  await showMore(sessions, page.seen.endCursor);
  expect(page.seen.ids).toEqual(["s9", "s8", "s7", "s6"]);
  sessions.begin(10);
  await settled();
  expect(page.seen.ids).toEqual(["s10", "s9", "s8", "s7", "s6"]);
  await showMore(sessions, page.seen.endCursor);
  expect(page.seen.ids).toEqual(["s10", "s9", "s8", "s7", "s6", "s5", "s4"]);
});

test("a list that is read anew begins anew, without a gap before a page of an earlier time", async () => {
  const sessions = new Sessions(9, 8, 7, 6);
  const before = watch(sessions);
  await settled();
  await showMore(sessions, before.seen.endCursor);
  before.end();
  sessions.numbers.unshift(12, 11, 10);
  const page = watch(sessions);
  await settled();
  expect(page.seen.ids).toEqual(["s12", "s11"]);
  await showMore(sessions, page.seen.endCursor);
  expect(page.seen.ids).toEqual(["s12", "s11", "s10", "s9"]);
});
