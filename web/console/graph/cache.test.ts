import { cacheExchange } from "@urql/exchange-graphcache";
import { Client, type Exchange, makeResult, type Operation } from "urql";
import { expect, test } from "vitest";
import { filter, makeSubject, map, merge, pipe } from "wonka";
import {
  MessageEventsDocument,
  SendMessageDocument,
  SessionEventsDocument,
} from "../session/operations";
import { cacheConfig } from "./cache";
import { BranchMessagesDocument, SessionTreeDocument } from "./operations";

const BRANCH = "br_1";
const SESSION = "se_1";

const STEP = {
  __typename: "Step",
  id: "st_1",
  confidence: null,
  content: { __typename: "QuestionStep", question: "Which one?", choices: ["A", "B"] },
};

function message(position: number, changes: object = {}) {
  return {
    __typename: "BranchMessage",
    id: `me_${position}`,
    position,
    role: "USER",
    state: "COMPLETE",
    body: `Message ${position}`,
    model: null,
    failure: null,
    createdAt: "2026-01-01T00:00:00Z",
    branch: { __typename: "Branch", id: BRANCH, messageCount: position, unreadCount: 0 },
    author: null,
    attachments: [],
    usage: null,
    step: STEP,
    suggestedFork: null,
    suggestedArticles: [],
    alternatives: [],
    ...changes,
  };
}

function listed(...positions: number[]) {
  const edges = positions.map((position) => ({
    __typename: "BranchMessageEdge",
    cursor: String(position),
    node: message(position),
  }));
  const pageInfo = { __typename: "PageInfo", hasPreviousPage: false, startCursor: null };
  return {
    branch: {
      __typename: "Branch",
      id: BRANCH,
      revivals: [],
      messages: { __typename: "BranchMessageConnection", edges, pageInfo },
    },
  };
}

/** A console's client whose server says what it is told to. */
function consoleOf(answer: (operation: Operation) => object) {
  const events = makeSubject<object>();
  const far: Exchange = () => (operations) => {
    const asked = pipe(
      operations,
      filter(({ kind }) => kind === "query" || kind === "mutation"),
      map((operation) => makeResult(operation, { data: answer(operation) })),
    );
    let following: Operation | undefined;
    const told = pipe(
      merge([
        pipe(
          operations,
          filter((operation) => {
            if (operation.kind === "subscription") following = operation;
            return false;
          }),
          map(() => ({})),
        ),
        events.source,
      ]),
      map((event) => makeResult(following as Operation, { data: { sessionChanged: event } })),
    );
    return merge([asked, told]);
  };
  const client = new Client({
    url: "/",
    preferGetMethod: false,
    exchanges: [cacheExchange(cacheConfig()), far],
  });
  return { client, tell: events.next };
}

function bodies(client: Client): string[] | undefined {
  const read = client.readQuery(BranchMessagesDocument, { id: BRANCH });
  return read?.data?.branch?.messages.edges.map(({ node }) => node.body);
}

async function load(client: Client): Promise<void> {
  await client
    .query(BranchMessagesDocument, { id: BRANCH }, { requestPolicy: "network-only" })
    .toPromise();
}

test("what was sent and its reply are there at once, and the events that tell of them change nothing", async () => {
  const { client, tell } = consoleOf(({ kind }) =>
    kind === "query"
      ? listed(1)
      : {
          sendBranchMessage: {
            __typename: "SendBranchMessageSuccess",
            sentMessage: message(2),
            reply: message(3, { role: "ASSISTANT", state: "PENDING", body: "" }),
            session: null,
          },
        },
  );
  await load(client);
  client.subscription(MessageEventsDocument, { sessionId: SESSION }).subscribe(() => {});
  await client.mutation(SendMessageDocument, { input: {} as never }).toPromise();
  expect(bodies(client)).toEqual(["Message 1", "Message 2", ""]);
  tell({ __typename: "MessageAdded", cursor: "1", message: message(2) });
  expect(bodies(client)).toEqual(["Message 1", "Message 2", ""]);
  const finished = message(3, { role: "ASSISTANT", body: "Answered" });
  tell({ __typename: "MessageFinished", cursor: "2", message: finished });
  expect(bodies(client)).toEqual(["Message 1", "Message 2", "Answered"]);
});

test("a list that was asked for before a message was said does not take it away", async () => {
  const { client, tell } = consoleOf(() => listed(1));
  await load(client);
  client.subscription(MessageEventsDocument, { sessionId: SESSION }).subscribe(() => {});
  tell({ __typename: "MessageAdded", cursor: "1", message: message(2) });
  await load(client);
  expect(bodies(client)).toEqual(["Message 1", "Message 2"]);
});

test("a fork adds its branches to the tree once", async () => {
  const row = (id: string) => ({
    __typename: "Branch",
    id,
    label: id,
    description: null,
    order: 1,
    depth: 1,
    status: "UNTRIED",
    statusReason: null,
    statusChangedAt: null,
    likelihood: null,
    archivedAt: null,
    version: 1,
    messageCount: 0,
    unreadCount: 0,
    parent: { __typename: "Branch", id: BRANCH },
    forkPoint: { __typename: "ForkPoint", id: "fp_1" },
  });
  const { client, tell } = consoleOf(() => ({
    session: { __typename: "AiSession", id: SESSION, branches: [row(BRANCH)], forkPoints: [] },
  }));
  await client.query(SessionTreeDocument, { id: SESSION }).toPromise();
  client.subscription(SessionEventsDocument, { sessionId: SESSION }).subscribe(() => {});
  const forked = {
    __typename: "BranchForked",
    cursor: "1",
    actor: null,
    forkPoint: {
      __typename: "ForkPoint",
      id: "fp_1",
      reason: "Two causes",
      createdAt: "2026-01-01T00:00:00Z",
      parent: { __typename: "Branch", id: BRANCH },
      afterMessage: null,
      createdBy: null,
      session: {
        __typename: "AiSession",
        id: SESSION,
        isBranching: true,
        branchCount: 3,
        version: 2,
      },
    },
    branches: [row("br_2"), row("br_3")],
  };
  tell(forked);
  tell(forked);
  const tree = client.readQuery(SessionTreeDocument, { id: SESSION })?.data?.session;
  expect(tree?.branches.map(({ id }) => id)).toEqual([BRANCH, "br_2", "br_3"]);
  expect(tree?.forkPoints.map(({ id }) => id)).toEqual(["fp_1"]);
});

test("what the server says is not there is known to be missing", async () => {
  const { client } = consoleOf(() => ({ session: null }));
  const answer = await client
    .query(SessionTreeDocument, { id: SESSION }, { requestPolicy: "cache-and-network" })
    .toPromise();
  expect(answer.data).toEqual({ session: null });
});
