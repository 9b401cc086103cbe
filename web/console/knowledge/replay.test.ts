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

test("what has become of a thing since is not told of its beginning", () => {
  const at = (minute: number) => `2026-01-01T10:0${minute}:00Z`;
  const happened = (minute: number, __typename: string, more: object) =>
    sentence({
      __typename,
      actor: null,
      occurredAt: at(minute),
      ...more,
    } as unknown as HappeningFragment);
  const branch = { id: "b", label: "B" };

  const merge = { id: "m", branch, undoneAt: at(5) };
  expect(happened(1, "FindingMergeChanged", { merge })).toBe("Findings were brought into “B”");
  expect(happened(5, "FindingMergeChanged", { merge })).toBe(
    "Findings that had been brought into “B” were taken back",
  );

  const proposal = { id: "p", branch, state: "ACCEPTED", decidedAt: at(5) };
  expect(happened(1, "RevivalProposalChanged", { proposal })).toBe(
    "“B” was put in doubt as a dead end",
  );
  expect(happened(5, "RevivalProposalChanged", { proposal })).toBe(
    "The proposal to bring “B” back was accepted",
  );

  const secondOpinion = { id: "o", state: "FAILED", finishedAt: at(5) };
  expect(happened(1, "SecondOpinionChanged", { secondOpinion })).toBe(
    "A second opinion was asked for",
  );
  expect(happened(5, "SecondOpinionChanged", { secondOpinion })).toBe("A second opinion failed");

  const findings = [
    { id: "f", claim: "It is new.", withdrawnAt: null },
    { id: "g", claim: "It is old.", withdrawnAt: at(5) },
  ];
  expect(happened(1, "FindingsChanged", { branch, findings })).toBe(
    "Findings of “B” came: It is new. It is old.",
  );
  expect(happened(5, "FindingsChanged", { branch, findings })).toBe(
    "Findings of “B” came: It is new. Withdrawn: It is old.",
  );
});

test("a file is handed in by a person and read by the assistant", () => {
  const event = { __typename: "UploadChanged", upload: { id: "u", filename: "a.log" } };
  const actor = { id: "p", displayName: "Ada" };
  expect(sentence({ ...event, actor } as HappeningFragment)).toBe("File “a.log” was handed in");
  expect(sentence({ ...event, actor: null } as HappeningFragment)).toBe(
    "The assistant was reading file “a.log”",
  );
});
