export type Theme = "system" | "light" | "dark";

const KEY = "flowpilot.theme";

export function theme(): Theme {
  return (localStorage.getItem(KEY) as Theme | null) ?? "system";
}

export function chooseTheme(chosen: Theme): void {
  localStorage.setItem(KEY, chosen);
  applyTheme();
}

export function applyTheme(): void {
  const chosen = theme();
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}
