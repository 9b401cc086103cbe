import { expect, test } from "vitest";
import { split } from "./diff-lines";
import { lineDiff } from "./line-diff";

const SIGNS = { SAME: " ", REMOVED: "-", ADDED: "+" };

function told(from: string, to: string): string[] {
  return lineDiff(from, to).map(({ change, text }) => `${SIGNS[change]}${text}`);
}

test("removed lines stand before what took their place, and common ones stay", () => {
  expect(told("a\nb\nc\nd", "a\nx\ny\nd\ne")).toEqual([" a", "-b", "-c", "+x", "+y", " d", "+e"]);
});

test("both texts can be read out of the difference", () => {
  const [from, to] = ["one\n\ntwo\nthree\ntwo", "zero\none\ntwo\n\nthree"];
  const lines = lineDiff(from, to);
  const without = (change: string) =>
    lines.flatMap((line) => (line.change === change ? [] : [line.text])).join("\n");
  expect(without("ADDED")).toBe(from);
  expect(without("REMOVED")).toBe(to);
});

test("within a line the words that differ are told apart", () => {
  expect(split("Port 25 is open.", "Port 587 is open.")).toEqual(["Port ", "25 ", "is open."]);
  expect(split("no no", "no no no")).toEqual(["no ", "", "no"]);
  expect(split("Port 25", "Something else")).toEqual(["Port 25", "", ""]);
});
