import type { ReactNode } from "react";

/** A named part of a briefing. */
export function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <section className="mb-4">
      <h2 className="break-after-avoid text-xs font-medium text-ink-2" dir="auto">
        {name}
      </h2>
      {children}
    </section>
  );
}
