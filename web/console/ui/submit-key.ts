import type { KeyboardEvent } from "react";

/** Ctrl or Cmd with Enter sends the form that one types into, as its button would. */
export function submitByKey(event: KeyboardEvent<HTMLFormElement>): void {
  if (!isSubmitKey(event)) return;
  event.preventDefault();
  event.currentTarget.querySelector<HTMLButtonElement>("[type=submit]")?.click();
}

export function isSubmitKey({ key, ctrlKey, metaKey }: KeyboardEvent): boolean {
  return key === "Enter" && (ctrlKey || metaKey);
}
