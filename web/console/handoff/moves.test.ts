import { expect, test } from "vitest";
import { heldOf, isPutDownBy, movesOf } from "./moves";
import type { HandoffLineFragment, SessionHeadFragment } from "./operations";

const erin = { id: "erin", displayName: "Erin" };
const sam = { id: "sam", displayName: "Sam" };
const engineer = (id: string) => ({ id, role: "ENGINEER" as const });
const lead = { id: "lena", role: "LEAD" as const };
const key = { id: "key", role: null };

function session(
  status: SessionHeadFragment["status"],
  assignee = erin,
  handedOffBy: typeof erin | null = null,
  state: HandoffLineFragment["state"] = "OPEN",
) {
  const openHandoff = handedOffBy && {
    id: "ha_1",
    state,
    intent: "ESCALATE" as const,
    priority: "NORMAL" as const,
    waitingSince: "2026-01-01T10:00:00Z",
    handedOffBy,
  };
  return { status, assignee, openHandoff };
}

function claim(changes: Partial<HandoffLineFragment> = {}): HandoffLineFragment {
  return { id: "ha_1", state: "CLAIMED", claimEndedAt: null, ...changes } as HandoffLineFragment;
}

const sorted = (moves: Set<string>) => [...moves].sort();

test("in an active session its assignee and leads write, and others look", () => {
  const active = session("ACTIVE");
  expect(sorted(movesOf(active, undefined, engineer("erin")))).toEqual([
    "abandon",
    "handOff",
    "linkTicket",
    "resolve",
  ]);
  expect(movesOf(active, undefined, lead)).toContain("reassign");
  expect(sorted(movesOf(active, undefined, engineer("sam")))).toEqual([]);
});

test("what waits is claimed by any person, and taken back by whoever put it down or may write in it", () => {
  const waiting = session("ESCALATED", erin, sam);
  expect(sorted(movesOf(waiting, undefined, engineer("bo")))).toEqual(["claim"]);
  expect(movesOf(waiting, undefined, engineer("sam"))).toContain("takeBack");
  expect(movesOf(waiting, undefined, engineer("sam"))).not.toContain("resolve");
  expect(movesOf(waiting, undefined, engineer("erin"))).toContain("takeBack");
  expect(movesOf(waiting, undefined, lead)).toContain("takeBack");
  expect(movesOf(waiting, undefined, key)).not.toContain("claim");
  expect(isPutDownBy(waiting, engineer("sam"))).toBe(true);
  expect(isPutDownBy(waiting, lead)).toBe(false);
});

test("what somebody else has just claimed is offered to nobody, before its session is told of", () => {
  const taken = session("ESCALATED", erin, sam, "CLAIMED");
  expect(sorted(movesOf(taken, undefined, engineer("bo")))).toEqual([]);
});

test("a claim is given back by whoever holds it, or by a lead", () => {
  const active = session("ACTIVE", sam);
  const held = heldOf([claim({ id: "ha_0", claimEndedAt: "2026-01-01T11:00:00Z" }), claim()]);
  expect(held?.id).toBe("ha_1");
  expect(movesOf(active, held, engineer("sam"))).toContain("giveBack");
  expect(movesOf(active, held, lead)).toContain("giveBack");
  expect(movesOf(active, held, engineer("erin"))).not.toContain("giveBack");
  expect(movesOf(active, undefined, engineer("sam"))).not.toContain("giveBack");
});

test("what is over is reopened, and still linked to a ticket", () => {
  for (const status of ["RESOLVED", "ABANDONED"] as const) {
    expect(sorted(movesOf(session(status), undefined, lead))).toEqual(["linkTicket", "reopen"]);
    expect(sorted(movesOf(session(status), undefined, engineer("sam")))).toEqual([]);
  }
});
