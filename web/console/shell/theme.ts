import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "flowpilot.theme";

const listeners = new Set<() => void>();

export function theme(): Theme {
  return (localStorage.getItem(KEY) as Theme | null) ?? "system";
}

export function useTheme(): Theme {
  return useSyncExternalStore(listen, theme);
}

export function chooseTheme(chosen: Theme): void {
  localStorage.setItem(KEY, chosen);
  applyTheme();
  for (const listener of listeners) listener();
}

export function applyTheme(): void {
  const chosen = theme();
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
