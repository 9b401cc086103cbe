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

interface Position {
  leaf: number;
  offset: number;
}

/** Where a sentence is, with the signs around it; `to` is behind its end. */
interface Span {
  sentence: number;
  from: Position;
  to: Position;
}

const BLOCKS = ["p", "li", "td", "th", "pre", "blockquote"];
const HEADING = /^h[1-6]$/;
const LETTERS = /[\p{L}\p{N}]/gu;
const SIGN = /^[^\s\p{L}\p{N}]/u;
const LINK_TARGETS = /\]\([^)]*\)/g;
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
  const at: Position[] = [];
  let letters = "";
  leaves.forEach(({ child }, leaf) => {
    for (const { 0: letter, index: offset } of child.value.matchAll(LETTERS)) {
      letters += letter;
      for (const _ of letter.split("")) at.push({ leaf, offset });
    }
  });
  let start = 0;
  return sentences.flatMap(({ text }, sentence) => {
    const told = text.replace(LINK_TARGETS, "]").match(LETTERS)?.join("") ?? "";
    const found = letters.startsWith(told, start)
      ? start
      : told.length < UNMISTAKABLE
        ? -1
        : letters.indexOf(told, start);
    const [from, to] = [at[found], at[found + told.length - 1]];
    if (!told || !from || !to) return [];
    start = found + told.length;
    return [{ sentence, from: startOf(leaves, from), to: endOf(leaves, to) }];
  });
}

/** Before the signs that stand before its first letter. */
function startOf(leaves: Leaf[], { leaf, offset }: Position): Position {
  const before = leaves[leaf]?.child.value.slice(0, offset) ?? "";
  return { leaf, offset: before.search(/\S*$/) };
}

/** Behind the signs that follow its last letter, also where emphasis ends between them. */
function endOf(leaves: Leaf[], { leaf, offset }: Position): Position {
  const [here, next] = [leaves[leaf], leaves[leaf + 1]];
  const value = here?.child.value ?? "";
  const end = value.length - value.slice(offset).replace(/^\S[^\s\p{L}\p{N}]*/u, "").length;
  const goesOn = end === value.length && here?.block === next?.block;
  return goesOn && next && SIGN.test(next.child.value)
    ? endOf(leaves, { leaf: leaf + 1, offset: 0 })
    : { leaf, offset: end };
}

/** A leaf as text between sentences and pieces of sentences. */
function cut({ child }: Leaf, place: number, spans: Span[], noted: Set<Span>): Child[] {
  const { value } = child;
  const pieces: Child[] = [];
  let done = 0;
  for (const span of spans) {
    if (span.from.leaf > place || span.to.leaf < place) continue;
    const isFirst = span.from.leaf === place;
    const isLast = span.to.leaf === place;
    const start = isFirst ? Math.max(done, span.from.offset) : done;
    const end = isLast ? span.to.offset : value.length;
    if (start > done) pieces.push(text(value.slice(done, start)));
    pieces.push(element("span", span.sentence, [text(value.slice(start, end))]));
    if (isLast && noted.has(span)) pieces.push(element("sup", span.sentence, []));
    done = end;
  }
  if (done < value.length) pieces.push(text(value.slice(done)));
  return pieces;
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
