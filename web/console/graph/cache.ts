import type { Cache, CacheExchangeOpts, ResolveInfo, Variables } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { stringifyVariables } from "urql";
import {
  BranchMessagesDocument as BranchMessages,
  type BranchMessagesQuery,
  MessageBodyFragmentDoc as MessageBody,
  type MessageBodyFragment,
  QueueDocument as Queue,
  type QueueQuery,
  type QueueRowFragment,
  type SessionListRowFragment,
  SessionsDocument as Sessions,
  SessionTreeDocument as SessionTree,
  type SessionTreeQuery,
} from "./operations";
import { KEYS, SCHEMA } from "./schema";
import { withSession } from "./session-list";

/** Where events and answers grow a list that the cache holds. Everything else they bring is written over
 * what is known of the same objects, without a word here. */
export function cacheConfig(): CacheExchangeOpts {
  const told = new ToldMessages();
  return {
    schema: SCHEMA,
    keys: KEYS,
    resolvers: {
      Query: {
        session: (_, { id }, cache) => known(cache, "session", "AiSession", id),
        branch: (_, { id }, cache) => known(cache, "branch", "Branch", id),
        sessions: relayPagination(),
        queue: relayPagination(),
        kbArticles: relayPagination(),
      },
    },
    updates: {
      Query: { sessions: beginAnew, queue: beginAnew, kbArticles: beginAnew },
      Branch: {
        messages(result, { before }, cache) {
          const { id, messages } = result as NonNullable<BranchMessagesQuery["branch"]>;
          if (before) updateMessages(cache, id, (known) => withEarlier(known, messages));
          else told.complete(cache, id, messages);
        },
      },
      Mutation: {
        sendBranchMessage({ sendBranchMessage: sent }, _, cache) {
          const answer = sent as { sentMessage?: MessageBodyFragment; reply?: MessageBodyFragment };
          for (const message of [answer.sentMessage, answer.reply]) {
            if (message) told.add(cache, message);
          }
        },
        forkBranch({ forkBranch: forked }, _, cache) {
          const answer = forked as Partial<Forked>;
          if (answer.forkPoint) addFork(cache, answer as Forked);
        },
      },
      Subscription: {
        sessionChanged({ sessionChanged: event }, _, cache) {
          const change = event as { __typename: string } & Forked & {
              message: MessageBodyFragment;
            };
          // Other subscriptions to the same session ask for other parts of its events.
          if (change.__typename === "MessageAdded" && change.message)
            told.add(cache, change.message);
          if (change.__typename === "BranchForked" && change.branches) addFork(cache, change);
        },
        queueChanged({ queueChanged: event }, { filter }, cache) {
          const { handoff } = event as { handoff?: QueueRowFragment };
          if (handoff) grow(() => updateQueue(cache, filter, handoff));
        },
        sessionsChanged({ sessionsChanged: event }, { filter }, cache) {
          const { session } = event as { session?: SessionListRowFragment };
          if (session) grow(() => updateSessions(cache, filter, session));
        },
      },
    },
  };
}

/** The object of that id, which any query may have brought, unless the server has said that there is none. */
function known(cache: Cache, field: string, __typename: string, id: unknown) {
  return cache.resolve("Query", field, { id: String(id) }) === null ? null : { __typename, id };
}

/** Messages that events and answers have told of. A list that was asked for before one of them was said may
 * arrive after it, and would take it away again. */
class ToldMessages {
  #positions = new Map<string, Map<string, number>>();

  add(cache: Cache, message: MessageBodyFragment): void {
    const branchId = message.branch.id;
    const positions = this.#positions.get(branchId) ?? new Map<string, number>();
    this.#positions.set(branchId, positions.set(message.id, message.position));
    updateMessages(cache, branchId, (known) => withMessage(known, message));
  }

  complete(cache: Cache, branchId: string, { edges }: Messages): void {
    const last = edges.at(-1)?.node.position ?? 0;
    const listed = new Set(edges.map(({ node }) => node.id));
    for (const [id, position] of this.#positions.get(branchId) ?? []) {
      if (position <= last || listed.has(id)) continue;
      const message = cache.readFragment(MessageBody, { __typename: "BranchMessage", id });
      if (message) updateMessages(cache, branchId, (known) => withMessage(known, message));
    }
  }
}

/** A first page that is read anew begins its list anew. Pages that were read after an older one would leave a
 * gap, or show what has gone since. */
function beginAnew(_: unknown, args: Variables, cache: Cache, { fieldName }: ResolveInfo): void {
  if (args.after || isGrowing) return;
  for (const field of cache.inspectFields("Query")) {
    if (field.fieldName !== fieldName || !field.arguments?.after) continue;
    if (listOf(field.arguments) === listOf(args)) {
      cache.invalidate("Query", fieldName, field.arguments);
    }
  }
}

let isGrowing = false;

/** An event adds to a list that goes on. */
function grow(add: () => void): void {
  isGrowing = true;
  try {
    add();
  } finally {
    isGrowing = false;
  }
}

function listOf(args: Variables): string {
  return stringifyVariables({ ...args, after: undefined });
}

type Messages = NonNullable<BranchMessagesQuery["branch"]>["messages"];
type Tree = NonNullable<SessionTreeQuery["session"]>;

interface Forked {
  forkPoint: Tree["forkPoints"][number] & { session: { id: string } };
  branches: Tree["branches"];
}

function updateMessages(cache: Cache, id: string, change: (known: Messages) => Messages): void {
  cache.updateQuery({ query: BranchMessages, variables: { id } }, (data) =>
    data?.branch
      ? { ...data, branch: { ...data.branch, messages: change(data.branch.messages) } }
      : data,
  );
}

export function withEarlier(known: Messages, earlier: Messages): Messages {
  const ids = new Set(known.edges.map(({ node }) => node.id));
  const added = earlier.edges.filter(({ node }) => !ids.has(node.id));
  return { ...known, edges: [...added, ...known.edges], pageInfo: earlier.pageInfo };
}

/** An event may tell of what an answer has brought already. */
export function withMessage(known: Messages, message: MessageBodyFragment): Messages {
  if (known.edges.some(({ node }) => node.id === message.id)) return known;
  const edge = { __typename: "BranchMessageEdge", cursor: message.id, node: message };
  const edges = [...known.edges, edge].sort((a, b) => a.node.position - b.node.position);
  return { ...known, edges } as Messages;
}

function addFork(cache: Cache, { forkPoint, branches }: Forked): void {
  const variables = { id: forkPoint.session.id };
  cache.updateQuery({ query: SessionTree, variables }, (data) =>
    data?.session ? { ...data, session: withFork(data.session, forkPoint, branches) } : data,
  );
}

export function withFork(
  tree: Tree,
  forkPoint: Tree["forkPoints"][number],
  branches: Tree["branches"],
): Tree {
  return {
    ...tree,
    branches: united(tree.branches, branches),
    forkPoints: united(tree.forkPoints, [forkPoint]),
  };
}

function united<Item extends { id: string }>(known: Item[], more: Item[]): Item[] {
  const ids = new Set(known.map(({ id }) => id));
  return [...known, ...more.filter(({ id }) => !ids.has(id))];
}

function updateQueue(cache: Cache, filter: unknown, handoff: QueueRowFragment): void {
  const variables = { filter: filter as never };
  cache.updateQuery({ query: Queue, variables }, (data) =>
    data ? { ...data, queue: withHandoff(data.queue, handoff) } : data,
  );
}

function updateSessions(cache: Cache, filter: unknown, session: SessionListRowFragment): void {
  const variables = { filter: filter as never };
  cache.updateQuery({ query: Sessions, variables }, (data) =>
    data ? { ...data, sessions: withSession(data.sessions, session, variables.filter) } : data,
  );
}

/** What has left the queue keeps its row, with its new state: the page says what became of it. */
export function withHandoff(
  queue: QueueQuery["queue"],
  handoff: QueueRowFragment,
): QueueQuery["queue"] {
  const isKnown = queue.edges.some(({ node }) => node.id === handoff.id);
  if (isKnown || handoff.state !== "OPEN") return queue;
  const edge = { __typename: "QueueEdge", cursor: handoff.id, node: handoff };
  const edges = [...queue.edges, edge].sort((a, b) => inQueueOrder(a.node, b.node));
  return { ...queue, edges } as QueueQuery["queue"];
}

/** Elevated first, then the longest waiting, as the server has it. */
export function inQueueOrder(a: QueueRowFragment, b: QueueRowFragment): number {
  return (
    Number(b.priority === "ELEVATED") - Number(a.priority === "ELEVATED") ||
    Date.parse(a.waitingSince) - Date.parse(b.waitingSince)
  );
}
