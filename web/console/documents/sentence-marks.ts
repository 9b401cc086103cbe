import type { ExtraProps } from "react-markdown";

type Element = NonNullable<ExtraProps["node"]>;
type Child = Element["children"][number];
type Parent = { type: string; children: Child[] };

export interface MarkedSentence {
  text: string;
  /** What it rests on: of neighbours in one block that rest on the same, only the last is noted. */
  note: string;
}

/** A run of text in the document, and the block that it is in. */
interface Leaf {
  parent: Parent;
  child: Child & { value: string };
  block: Parent;
}

/** Where a sentence's letters are: from the leaf and offset of the first to those of the last, and after. */
interface Span {
  sentence: number;
  from: { leaf: number; offset: number };
  to: { leaf: number; offset: number };
}

const BLOCKS = ["p", "li", "td", "th", "pre", "blockquote"];
const HEADING = /^h[1-6]$/;
const LETTERS = /[\p{L}\p{N}]/gu;
/** Letters of a sentence that cannot be found elsewhere by accident. */
const UNMISTAKABLE = 12;

/** Wraps each sentence of a document in `<span data-sentence="0">`, and closes it with a `<sup>` where its
 * sources are noted. Only letters and digits are compared, in their order: the server's sentences still
 * have the marks of inline Markdown, and none of its headings. */
export function markSentences(sentences: MarkedSentence[]) {
  return (root: Parent): void => {
    const leaves: Leaf[] = [];
    collect(root, root, leaves);
    const spans = placed(sentences, leaves);
    const isNoted = (place: number) => {
      const [span, next] = [spans[place], spans[place + 1]];
      if (!span || !next) return true;
      return (
        leaves[span.to.leaf]?.block !== leaves[next.from.leaf]?.block ||
        sentences[span.sentence]?.note !== sentences[next.sentence]?.note
      );
    };
    const noted = new Set(spans.filter((_, place) => isNoted(place)));
    leaves.forEach((leaf, place) => {
      const pieces = cut(leaf, place, spans, noted);
      leaf.parent.children.splice(leaf.parent.children.indexOf(leaf.child), 1, ...pieces);
    });
  };
}

function collect(parent: Parent, block: Parent, leaves: Leaf[]): void {
  for (const child of parent.children) {
    if ("value" in child && child.type !== "comment") leaves.push({ parent, child, block });
    else if (child.type === "element" && !HEADING.test(child.tagName)) {
      collect(child, BLOCKS.includes(child.tagName) ? child : block, leaves);
    }
  }
}

function placed(sentences: MarkedSentence[], leaves: Leaf[]): Span[] {
  const at: { leaf: number; offset: number }[] = [];
  let letters = "";
  leaves.forEach(({ child }, leaf) => {
    for (const { 0: letter, index: offset } of child.value.matchAll(LETTERS)) {
      letters += letter;
      for (const _ of letter.split("")) at.push({ leaf, offset });
    }
  });
  let start = 0;
  return sentences.flatMap(({ text }, sentence) => {
    const told = text.match(LETTERS)?.join("") ?? "";
    const found = letters.startsWith(told, start)
      ? start
      : told.length < UNMISTAKABLE
        ? -1
        : letters.indexOf(told, start);
    const [from, to] = [at[found], at[found + told.length - 1]];
    if (!told || !from || !to) return [];
    start = found + told.length;
    return [{ sentence, from, to }];
  });
}

/** A leaf as text between sentences and pieces of sentences, with the signs around their letters. */
function cut({ child }: Leaf, place: number, spans: Span[], noted: Set<Span>): Child[] {
  const { value } = child;
  const pieces: Child[] = [];
  let done = 0;
  for (const span of spans) {
    if (span.from.leaf > place || span.to.leaf < place) continue;
    const isFirst = span.from.leaf === place;
    const isLast = span.to.leaf === place;
    const start = isFirst ? Math.max(done, beforeSigns(value, span.from.offset)) : done;
    const end = isLast ? afterSigns(value, span.to.offset) : value.length;
    if (start > done) pieces.push(text(value.slice(done, start)));
    pieces.push(element("span", span.sentence, [text(value.slice(start, end))]));
    if (isLast && noted.has(span)) pieces.push(element("sup", span.sentence, []));
    done = end;
  }
  if (done < value.length) pieces.push(text(value.slice(done)));
  return pieces;
}

function beforeSigns(value: string, offset: number): number {
  return offset - (/\S*$/.exec(value.slice(0, offset))?.[0].length ?? 0);
}

function afterSigns(value: string, offset: number): number {
  return offset + (/^\S*/.exec(value.slice(offset))?.[0].length ?? 0);
}

function text(value: string): Child {
  return { type: "text", value };
}

function element(tagName: string, sentence: number, children: Child[]): Child {
  return {
    type: "element",
    tagName,
    properties: { dataSentence: sentence },
    children: children as Element["children"],
  };
}
