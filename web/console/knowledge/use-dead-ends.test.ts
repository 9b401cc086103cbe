import { expect, test } from "vitest";
import { endedBy } from "./use-dead-ends";

const FIRST = { at: "2026-01-01T10:00:00Z", reason: "first" };
const SECOND = { at: "2026-01-01T12:00:00Z", reason: "second" };

test("a revival ends the last dead end before it", () => {
  expect(endedBy([FIRST, SECOND], "2026-01-01T11:00:00Z")).toBe(FIRST);
  expect(endedBy([FIRST, SECOND], "2026-01-01T13:00:00Z")).toBe(SECOND);
  expect(endedBy([FIRST], "2026-01-01T09:00:00Z")).toBeUndefined();
});
