/** Which stretch of the prompt a message is of: what siblings share, what stays, and what is new each time. */
export function partOf(place: number, shared: number, settled: number) {
  if (place < shared) return { begin: 0, words: "Shared with every sibling of the branch" };
  if (place < settled) return { begin: shared, words: "Settled: begins each later prompt of it" };
  return { begin: Math.max(shared, settled), words: "New for this answer" };
}
