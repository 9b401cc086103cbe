import { expect, test } from "vitest";
import { withHandoff } from "../graph/cache";
import type { QueueQuery, QueueRowFragment } from "../graph/operations";
import { inPlace } from "../ui/held-rows";

function handoff(id: string, changes: Partial<QueueRowFragment> = {}): QueueRowFragment {
  return {
    id,
    state: "OPEN",
    priority: "NORMAL",
    waitingSince: "2026-01-01T10:00:00Z",
    ...changes,
  } as QueueRowFragment;
}

function queueOf(...handoffs: QueueRowFragment[]): QueueQuery["queue"] {
  const edges = handoffs.map((node) => ({ cursor: node.id, node }));
  return {
    eventCursor: "1",
    edges,
    pageInfo: { hasNextPage: false, endCursor: null },
  };
}

const idsOf = (queue: ReturnType<typeof queueOf>) => queue.edges.map(({ node }) => node.id);

test("what is handed off takes its place: elevated first, then the longest waiting", () => {
  const queue = queueOf(
    handoff("a", { waitingSince: "2026-01-01T10:00:00Z" }),
    handoff("b", { waitingSince: "2026-01-01T12:00:00Z" }),
  );
  const later = withHandoff(queue, handoff("c", { waitingSince: "2026-01-01T11:00:00Z" }));
  expect(idsOf(later)).toEqual(["a", "c", "b"]);
  const urgent = withHandoff(
    later,
    handoff("d", { priority: "ELEVATED", waitingSince: "2026-01-01T13:00:00Z" }),
  );
  expect(idsOf(urgent)).toEqual(["d", "a", "c", "b"]);
});

test("an event that is told twice counts once", () => {
  const once = withHandoff(queueOf(), handoff("a"));
  expect(withHandoff(once, handoff("a"))).toEqual(once);
});

test("a row that is pointed at stays where it is, and so does what was claimed meanwhile", () => {
  const claimed = handoff("b", { state: "CLAIMED" });
  const now = [handoff("new", { priority: "ELEVATED" }), handoff("a"), claimed, handoff("c")];
  expect(
    inPlace(["a", "b", "c"], now, ({ state }) => state === "OPEN").map(({ id }) => id),
  ).toEqual(["a", "b", "c", "new"]);
});
