import type { DocumentsQuery, WholeDocumentFragment } from "./operations";

export type Sentence = WholeDocumentFragment["sentences"][number];
export type Message = Sentence["sources"][number];
export type Branch = NonNullable<DocumentsQuery["session"]>["branches"][number];

/** Something recorded that sentences rest on. */
export type Source = { key: string; sentences: number[] } & (
  | { kind: "message"; message: Message }
  /** Null where the sentence does not tell which one. */
  | { kind: "branch"; branch: Branch | null }
  | { kind: "summary" }
  | { kind: "absence" }
);

export interface Grounds {
  /** In the order in which the text first rests on them. */
  sources: Source[];
  /** For each sentence the places of its sources, from 0. */
  of: number[][];
  /** Places of the sentences that nothing recorded supports. */
  unsupported: number[];
}

export function groundsOf(sentences: Sentence[], branches: Branch[]): Grounds {
  const sources: Source[] = [];
  const of = sentences.map((sentence, place) =>
    sourcesOf(sentence, branches).map((source) => {
      const known = sources.findIndex(({ key }) => key === source.key);
      if (known < 0) return sources.push({ ...source, sentences: [place] }) - 1;
      sources[known]?.sentences.push(place);
      return known;
    }),
  );
  const unsupported = sentences.flatMap(({ basis }, place) => (basis === "NONE" ? [place] : []));
  return { sources, of, unsupported };
}

function sourcesOf({ text, basis, sources }: Sentence, branches: Branch[]): Source[] {
  const found: Source[] = sources.map((message) => ({
    kind: "message",
    key: message.id,
    message,
    sentences: [],
  }));
  if (basis === "BRANCH_STATUS") {
    const branch = branchBehind(text, branches);
    found.unshift({ kind: "branch", key: branch?.id ?? "branch", branch, sentences: [] });
  }
  if (basis === "RESOLUTION_SUMMARY") {
    found.unshift({ kind: "summary", key: "summary", sentences: [] });
  }
  if (basis === "ABSENCE") found.push({ kind: "absence", key: "absence", sentences: [] });
  return found;
}

/** The one whose label or reason the sentence tells. */
function branchBehind(text: string, branches: Branch[]): Branch | null {
  const told = branches.filter(
    ({ label, statusReason }) =>
      text.includes(label) ||
      (statusReason && (text.includes(statusReason) || statusReason.includes(text))),
  );
  return told.length === 1 ? (told[0] ?? null) : null;
}
