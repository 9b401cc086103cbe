import type { DiffLine } from "./diff-lines";

/** Of two texts that the server does not both have, line by line; what was removed stands before what took
 * its place. By the longest common subsequence: documents have at most 1,000 lines. */
export function lineDiff(from: string, to: string): DiffLine[] {
  const [old, now] = [from.split("\n"), to.split("\n")];
  const common = commonLengths(old, now);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && old[i] === now[j]) {
      lines.push({ change: "SAME", text: old[i++] ?? "" });
      j++;
    } else if (
      j >= now.length ||
      (i < old.length && (common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0))
    ) {
      lines.push({ change: "REMOVED", text: old[i++] ?? "" });
    } else {
      lines.push({ change: "ADDED", text: now[j++] ?? "" });
    }
  }
  return lines;
}

/** How many lines the rests from `i` and from `j` on have in common. */
function commonLengths(old: string[], now: string[]): Uint16Array[] {
  const lengths = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i--) {
    const [row, below] = [lengths[i], lengths[i + 1]];
    if (!row || !below) continue;
    for (let j = now.length - 1; j >= 0; j--) {
      row[j] =
        old[i] === now[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return lengths;
}
