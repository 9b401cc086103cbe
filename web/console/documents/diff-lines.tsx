import type { LineChange } from "./operations";

export interface DiffLine {
  change: LineChange;
  text: string;
}

const LOOKS: Record<LineChange, { sign: string; word: string; row: string; mark: string }> = {
  SAME: { sign: "", word: "", row: "text-ink-2", mark: "" },
  REMOVED: {
    sign: "−",
    word: "Removed: ",
    row: "bg-dead-end-soft",
    mark: "bg-dead-end/25 text-ink line-through decoration-dead-end",
  },
  ADDED: { sign: "+", word: "Added: ", row: "bg-solved-soft", mark: "bg-solved/25 text-ink" },
};

/** What changed, by sign and colour; within a line that took another's place, the words that differ. */
export function DiffLines({ lines, label }: { lines: DiffLine[]; label: string }) {
  const counterparts = counterpartsOf(lines);
  return (
    <ol aria-label={label} className="overflow-hidden rounded border">
      {lines.map(({ change, text }, place) => {
        const look = LOOKS[change];
        const other = counterparts.get(place);
        const [before, changed, after] = other === undefined ? [text, "", ""] : split(text, other);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is known by its place
          <li key={place} className={`flex gap-2 px-2 py-0.5 ${look.row}`}>
            <span
              aria-hidden
              className={`w-3 shrink-0 text-center font-mono select-none ${change === "ADDED" ? "text-solved" : "text-dead-end"}`}
            >
              {look.sign}
            </span>
            <span dir="auto" className="min-w-0 flex-1 whitespace-pre-wrap">
              <span className="sr-only">{look.word}</span>
              {before}
              {changed && <mark className={`rounded-[3px] ${look.mark}`}>{changed}</mark>}
              {after}
              {text === "" && <br />}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/** Of lines added after removed ones, the first took the place of the first, and so on. */
function counterpartsOf(lines: DiffLine[]): Map<number, string> {
  const pairs = new Map<number, string>();
  let start = 0;
  while (start < lines.length) {
    const removed = runOf(lines, start, "REMOVED");
    const added = runOf(lines, start + removed, "ADDED");
    for (let each = 0; each < Math.min(removed, added); each++) {
      const [old, now] = [start + each, start + removed + each];
      pairs.set(old, lines[now]?.text ?? "");
      pairs.set(now, lines[old]?.text ?? "");
    }
    start += removed + added || 1;
  }
  return pairs;
}

function runOf(lines: DiffLine[], start: number, change: LineChange): number {
  let end = start;
  while (lines[end]?.change === change) end++;
  return end - start;
}

/** A line as what it begins with like the other one, what differs, and what it ends with like it; in whole
 * words. Nothing is told apart where nothing is alike. */
export function split(line: string, other: string): [string, string, string] {
  const [words, others] = [line.split(/(?<=\s)/), other.split(/(?<=\s)/)];
  const shorter = Math.min(words.length, others.length);
  let head = 0;
  while (head < shorter && words[head] === others[head]) head++;
  let tail = 0;
  while (tail < shorter - head && words.at(-1 - tail) === others.at(-1 - tail)) tail++;
  if (head + tail === 0) return [line, "", ""];
  const end = words.length - tail;
  return [
    words.slice(0, head).join(""),
    words.slice(head, end).join(""),
    words.slice(end).join(""),
  ];
}
