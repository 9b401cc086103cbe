import { expect, test } from "vitest";
import { changedSince } from "./changes";
import { sentence } from "./happening";
import type { HappeningFragment } from "./operations";
import type { MomentOfSession } from "./use-moment";

type BranchThen = MomentOfSession["branches"][number];

function branch(id: string, changes: Partial<BranchThen> = {}): BranchThen {
  return {
    label: id,
    status: "UNTRIED",
    isActive: false,
    likelihood: null,
    branch: { id, depth: 1 },
    ...changes,
  };
}

test("branches stand out that came or changed between two moments, in either direction", () => {
  const before = { branches: [branch("a"), branch("b")] };
  const after = { branches: [branch("a"), branch("b", { status: "DEAD_END" }), branch("c")] };
  expect([...changedSince(before, after)]).toEqual(["b", "c"]);
  expect([...changedSince(after, before)]).toEqual(["b"]);
  expect(changedSince(undefined, after).size).toBe(0);
});

test("what was said is told by its beginning", () => {
  const message = { id: "m", role: "USER", body: "x".repeat(400), branch: { id: "b", label: "B" } };
  const told = sentence({
    __typename: "MessageAdded",
    actor: null,
    message,
  } as HappeningFragment);
  expect(told).toMatch(/^A message was written on “B”: x{280}…$/);
});

test("a status is told with its reason, if there is one", () => {
  const changed = {
    __typename: "BranchStatusChanged",
    actor: null,
    status: "DEAD_END",
    branch: { id: "b", label: "B" },
  };
  const because = { ...changed, reason: "It answers." } as HappeningFragment;
  expect(sentence(because)).toBe("“B” became a dead end: It answers.");
  expect(sentence({ ...changed, reason: null } as HappeningFragment)).toBe("“B” became a dead end");
});
