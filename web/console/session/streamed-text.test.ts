import { expect, test } from "vitest";
import { streamedText } from "./streamed-text";

const snapshot = (text: string) => ({ __typename: "MessageSnapshot" as const, text, offset: 0 });
const delta = (text: string, offset: number) => ({
  __typename: "MessageDelta" as const,
  text,
  offset,
});

test("deltas go on from the snapshot", () => {
  const pieces = [snapshot("The "), delta("MX ", 4), delta("record", 7)];
  expect(pieces.reduce(streamedText, "")).toBe("The MX record");
});

test("offsets count characters, not units", () => {
  expect([snapshot("🖨️ is "), delta("out", 6)].reduce(streamedText, "")).toBe("🖨️ is out");
});

test("what came twice or too early is left out", () => {
  const pieces = [snapshot("ab"), delta("b", 1), delta("d", 3), delta("c", 2)];
  expect(pieces.reduce(streamedText, "")).toBe("abc");
});

test("a snapshot after a cut takes the place of everything", () => {
  expect([snapshot("half of"), snapshot("half of it")].reduce(streamedText, "")).toBe("half of it");
});
