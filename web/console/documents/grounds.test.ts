import { expect, test } from "vitest";
import { type Branch, groundsOf, type Message, type Sentence } from "./grounds";

const message = (id: string) => ({ id, branch: { id: "b", label: "Trunk" } }) as Message;

function sentence(text: string, basis: Sentence["basis"], ...ids: string[]): Sentence {
  return { text, basis, sources: ids.map(message) };
}

const branches: Branch[] = [
  { id: "b1", label: "Firmware", status: "DEAD_END", statusReason: "The maker ended updates." },
  { id: "b2", label: "Relay", status: "SOLVED", statusReason: "Three scans arrived." },
];

test("sources are numbered as the text comes to them, each once", () => {
  const { sources, of } = groundsOf(
    [
      sentence("It failed.", "MESSAGES", "m1"),
      sentence("It still fails.", "MESSAGES", "m2", "m1"),
      sentence("It was resolved.", "RESOLUTION_SUMMARY"),
    ],
    branches,
  );
  expect(sources.map(({ key }) => key)).toEqual(["m1", "m2", "summary"]);
  expect(of).toEqual([[0], [1, 0], [2]]);
  expect(sources[0]?.sentences).toEqual([0, 1]);
});

test("a sentence that rests on nothing has no source and is counted", () => {
  const { of, unsupported } = groundsOf(
    [sentence("Restarted twice.", "NONE"), sentence("Nothing was recorded.", "ABSENCE")],
    branches,
  );
  expect(unsupported).toEqual([0]);
  expect(of).toEqual([[], [0]]);
});

test("what became of a branch is told where the sentence names one, and of none where it names two", () => {
  const { sources } = groundsOf(
    [
      sentence("Given up: the maker ended updates", "BRANCH_STATUS"),
      sentence("Relay, and not Firmware.", "BRANCH_STATUS"),
      sentence("Relay: it worked.", "BRANCH_STATUS", "m1"),
    ],
    branches,
  );
  expect(sources.map(({ key }) => key)).toEqual(["branch", "b2", "m1"]);
});
