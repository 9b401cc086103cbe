import { useCallback, useSyncExternalStore } from "react";

/** What was typed on each branch and is not sent yet; it outlives the page and the server. */
const PREFIX = "flowpilot.draft.";
const listeners = new Set<() => void>();

function keep(branchId: string, text: string): void {
  if (text) localStorage.setItem(PREFIX + branchId, text);
  else localStorage.removeItem(PREFIX + branchId);
  for (const listener of listeners) listener();
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useDraft(branchId: string): [string, (text: string) => void] {
  const text = useSyncExternalStore(listen, () => localStorage.getItem(PREFIX + branchId) ?? "");
  return [text, useCallback((changed: string) => keep(branchId, changed), [branchId])];
}

/** The message has come although its answer was lost: it need not be sent again. */
export function forgetSent(branchId: string, body: string): void {
  if (localStorage.getItem(PREFIX + branchId)?.trim() === body) keep(branchId, "");
}

/** Puts it into the composer, after what is there, and the cursor behind it. */
export function suggestReply(branchId: string, text: string): void {
  const before = localStorage.getItem(PREFIX + branchId) ?? "";
  keep(branchId, before.trim() ? `${before.trimEnd()}\n${text}` : text);
  focusComposer();
}

export const COMPOSER_ID = "composer";

export function focusComposer(): void {
  document.getElementById(COMPOSER_ID)?.focus();
}
