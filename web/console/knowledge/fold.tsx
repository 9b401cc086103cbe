import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";

/** What is there for those who want to see it. */
export function Fold({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <details className="group/fold w-full">
      <summary className="flex cursor-pointer list-none items-center gap-1 rounded text-xs text-ink-3 transition-colors hover:text-ink [&::-webkit-details-marker]:hidden">
        {title}
        <ChevronRight
          aria-hidden
          className="size-3.5 transition-transform group-open/fold:rotate-90"
        />
      </summary>
      <div className="pt-2">{children}</div>
    </details>
  );
}
