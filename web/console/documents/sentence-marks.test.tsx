import { cleanup, render } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Markdown } from "../ui/markdown";
import { markSentences } from "./sentence-marks";

afterEach(cleanup);

/** What is marked as each sentence, and the sentences after which sources are noted. */
function marked(text: string, ...sentences: [text: string, note?: string][]) {
  const plugins = [
    () => markSentences(sentences.map(([each, note = each]) => ({ text: each, note }))),
  ];
  const { container } = render(
    <Markdown text={text} plugins={plugins} components={{ sup: Note, span: Piece }} />,
  );
  const texts = new Map<string, string>();
  for (const piece of container.querySelectorAll<HTMLElement>("[data-of]")) {
    const of = piece.dataset.of ?? "";
    texts.set(of, `${texts.get(of) ?? ""}${piece.textContent}`);
  }
  const noted = [...container.querySelectorAll<HTMLElement>("[data-noted]")];
  return {
    texts: Object.fromEntries(texts),
    noted: noted.map(({ dataset }) => Number(dataset.noted)),
    whole: container.textContent,
  };
}

type Props = { node?: { properties: Record<string, unknown> } | undefined };

function Piece({ node, children }: Props & { children?: React.ReactNode }) {
  return <span data-of={String(node?.properties.dataSentence)}>{children}</span>;
}

function Note({ node }: Props) {
  return <sup data-noted={String(node?.properties.dataSentence)} />;
}

test("sentences keep their signs, and headings are none", () => {
  const { texts, whole } = marked(
    '## It works\n\n"It works", said Dr. Amato (twice). Then it broke!\n\n1. It works.',
    ['"It works", said Dr. Amato (twice).'],
    ["Then it broke!"],
    ["It works."],
  );
  expect(texts).toEqual({
    0: '"It works", said Dr. Amato (twice).',
    1: "Then it broke!",
    2: "It works.",
  });
  expect(whole?.replace(/\s+/g, " ")).toContain("Dr. Amato (twice). Then it broke!");
});

test("a sentence goes through emphasis, code and links", () => {
  const { texts } = marked(
    "Port **25** of `relay` is [open](https://relay.example/). Done.",
    ["Port **25** of `relay` is [open](https://relay.example/)."],
    ["Done."],
  );
  expect(texts).toEqual({ 0: "Port 25 of relay is open.", 1: "Done." });
});

test("what cannot be found is left out, and the next one is found all the same", () => {
  const { texts } = marked(
    "```sh\nping relay\n```\n\nThe relay answered at once.",
    ["```sh"],
    ["ping relay"],
    ["```"],
    ["The relay answered at once."],
  );
  expect(texts).toEqual({ 1: "ping relay", 3: "The relay answered at once." });
});

test("neighbours in one block that rest on the same are noted once", () => {
  const { noted } = marked(
    "One. Two. Three.\n\n- Four.\n- Five.",
    ["One.", "a"],
    ["Two.", "a"],
    ["Three.", "b"],
    ["Four.", "b"],
    ["Five.", "b"],
  );
  expect(noted).toEqual([1, 2, 3, 4]);
});

test("letters of all scripts count", () => {
  const { texts } = marked(
    "Ключ не подошёл. 完了した。 تم الإصلاح.",
    ["Ключ не подошёл."],
    ["完了した。"],
    ["تم الإصلاح."],
  );
  expect(texts).toEqual({ 0: "Ключ не подошёл.", 1: "完了した。", 2: "تم الإصلاح." });
});
