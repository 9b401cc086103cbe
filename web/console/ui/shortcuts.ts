import { useEffect, useEffectEvent } from "react";

const STORED = "flowpilot.shortcuts";
const TYPED_INTO = "input, textarea, select, [contenteditable]";
const IN_FRONT = "[role=dialog], [role=alertdialog], [role=menu], [role=listbox]";

/** Whether single letters act. They can be switched off: who speaks to the machine types some by accident. */
export function hasShortcuts(): boolean {
  return localStorage.getItem(STORED) !== "off";
}

export function chooseShortcuts(isOn: boolean): void {
  localStorage.setItem(STORED, isOn ? "on" : "off");
}

/** What a key does on this page, while nobody types and nothing stands in front of it. */
export function useShortcuts(actions: Record<string, (event: KeyboardEvent) => void>): void {
  const act = useEffectEvent((event: KeyboardEvent) => {
    const action = actions[event.key];
    if (!action || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.length === 1 && !hasShortcuts()) return;
    if ((event.target as Element).closest?.(TYPED_INTO) || document.querySelector(IN_FRONT)) return;
    action(event);
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => act(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}
