/** A briefing from the record repeats the engineer's notes on a line of their own, after a word for what they are.
 * Where they are shown beside it, that is said once. */
export function withoutNotes(briefing: string, notes: string | null): string {
  const at = notes ? briefing.indexOf(notes) : -1;
  if (!notes || at < 0) return briefing;
  const begin = briefing.lastIndexOf("\n", at) + 1;
  const end = at + notes.length;
  const isAlone =
    /^(\w+: )?$/.test(briefing.slice(begin, at)) && /^(\n|$)/.test(briefing.slice(end));
  return isAlone ? (briefing.slice(0, begin) + briefing.slice(end + 1)).trim() : briefing;
}
