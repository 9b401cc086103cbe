import type { ReactNode } from "react";

/** A named part of a briefing. */
export function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <section className="mb-4 break-inside-avoid">
      <h2 className="text-xs font-medium text-ink-2" dir="auto">
        {name}
      </h2>
      {children}
    </section>
  );
}
