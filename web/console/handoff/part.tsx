import type { ReactNode } from "react";

/** A named part of a briefing. */
export function Part({
  name,
  aside,
  children,
}: {
  name: string;
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section>
      <h2 className="text-xs font-medium text-ink-2" dir="auto">
        {name}
        {aside}
      </h2>
      {children}
    </section>
  );
}
