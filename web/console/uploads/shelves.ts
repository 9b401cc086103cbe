import { type Change, changed, listOf, storedOf, type UploadList } from "./upload-list";

/** The files of each place that they were added at, as a branch's composer. They go on there while one looks
 * elsewhere; those that are stored are there again when the page is loaded anew. */
const PREFIX = "flowpilot.files.";
const shelves = new Map<string, UploadList>();
const listeners = new Set<() => void>();

export function shelf(place: string): UploadList {
  const known = shelves.get(place);
  if (known) return known;
  const kept = listOf(JSON.parse(localStorage.getItem(PREFIX + place) ?? "[]"));
  shelves.set(place, kept);
  return kept;
}

export function changeShelf(place: string, change: Change): void {
  const list = changed(shelf(place), change);
  shelves.set(place, list);
  const stored = storedOf(list.uploads);
  if (stored.length > 0) localStorage.setItem(PREFIX + place, JSON.stringify(stored));
  else localStorage.removeItem(PREFIX + place);
  for (const listener of listeners) listener();
}

export function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
