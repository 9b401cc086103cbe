import type { ReactNode, RefObject } from "react";
import { hasShortcuts, useShortcuts } from "./shortcuts";

/** Marks the one link of a row on which the keyboard stands. */
export const ROW_LINK = { "data-row": "" };

/** `j` and `k` walk the rows of a table from anywhere, the arrow keys once one stands on a row. */
export function useRowKeys(table: RefObject<HTMLElement | null>): void {
  const walk = (steps: number) => (event: KeyboardEvent) => {
    const isWithin = table.current?.contains(document.activeElement) ?? false;
    if (event.key.startsWith("Arrow") && !isWithin) return;
    event.preventDefault();
    step(table.current, steps);
  };
  useShortcuts({ j: walk(1), k: walk(-1), ArrowDown: walk(1), ArrowUp: walk(-1) });
}

function step(table: HTMLElement | null, steps: number): void {
  const links = [...(table?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
  const row = document.activeElement?.closest("tr");
  const here = links.findIndex((link) => row?.contains(link));
  const next = here < 0 ? 0 : Math.min(Math.max(here + steps, 0), links.length - 1);
  links[next]?.focus();
  links[next]?.closest("tr")?.scrollIntoView({ block: "nearest" });
}

/** What the keys do, for those who have them. */
export function KeyHints({ keys }: { keys: [string[], string][] }) {
  if (!hasShortcuts()) return null;
  return (
    <p className="hidden flex-wrap gap-x-4 gap-y-1 text-xs text-ink-3 md:flex">
      {keys.map(([names, meaning]) => (
        <span key={meaning}>
          {names.map((name) => (
            <Key key={name}>{name}</Key>
          ))}
          {meaning}
        </span>
      ))}
    </p>
  );
}

function Key({ children }: { children: ReactNode }) {
  return (
    <kbd className="mr-1 inline-block min-w-5 rounded border border-line px-1 text-center font-sans">
      {children}
    </kbd>
  );
}
