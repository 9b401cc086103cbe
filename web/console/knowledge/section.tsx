import { ChevronRight } from "lucide-react";
import { type ReactNode, useId, useState } from "react";

const KEY = "flowpilot.knowledge";

/** A part of the panel that folds; whether it was folded is remembered, for all sessions. */
export function Section({
  id,
  title,
  count,
  actions,
  children,
}: {
  /** Under which it is remembered. */
  id: string;
  title: string;
  count?: number | undefined;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const [isOpen, setIsOpen] = useState(() => remembered()[id] ?? true);
  const panel = useId();

  function toggle(): void {
    setIsOpen(!isOpen);
    localStorage.setItem(KEY, JSON.stringify({ ...remembered(), [id]: !isOpen }));
  }

  return (
    <section aria-label={title} className="border-b px-4 py-2 last:border-b-0">
      <header className="flex min-h-8 items-center gap-1">
        <h2 className="min-w-0 flex-1">
          <button
            type="button"
            aria-expanded={isOpen}
            aria-controls={panel}
            onClick={toggle}
            className="group -ml-1 flex w-full items-center gap-1 rounded px-1 py-1 text-left text-xs font-semibold text-ink-2 transition-colors hover:text-ink"
          >
            {title}
            {count !== undefined && count > 0 && (
              <span className="font-normal text-ink-3 tabular-nums">{count}</span>
            )}
            <ChevronRight
              aria-hidden
              className={`size-3.5 text-ink-3 transition-transform ${isOpen ? "rotate-90" : ""}`}
            />
          </button>
        </h2>
        {isOpen && actions}
      </header>
      <div id={panel} hidden={!isOpen} className="pb-2">
        {isOpen && children}
      </div>
    </section>
  );
}

function remembered(): Record<string, boolean> {
  return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, boolean>;
}

/** A sentence where a section has nothing to show. */
export function Nothing({ children }: { children: ReactNode }) {
  return <p className="text-xs text-ink-3">{children}</p>;
}
