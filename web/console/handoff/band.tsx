import { ChevronDown, ChevronUp } from "lucide-react";
import { type ReactNode, useId } from "react";
import { Button } from "../ui/button";

/** One line of what matters now, what can be done about it, and more below where there is more. */
export function Band({
  label = "Handoff",
  line,
  actions,
  more,
}: {
  label?: string;
  line: ReactNode;
  actions?: ReactNode;
  more?: { isFolded: boolean; onFold: (isFolded: boolean) => void; panel: ReactNode };
}) {
  const id = useId();
  const Chevron = more?.isFolded ? ChevronDown : ChevronUp;
  return (
    <section aria-label={label} className="border-b bg-panel">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2">
        <div className="min-w-0 flex-1 basis-80">{line}</div>
        <div className="flex flex-wrap items-center gap-2">
          {more && (
            <Button
              look="quiet"
              aria-expanded={!more.isFolded}
              aria-controls={more.isFolded ? undefined : id}
              onClick={() => more.onFold(!more.isFolded)}
              className="px-2"
            >
              Briefing
              <Chevron aria-hidden className="size-4" />
            </Button>
          )}
          {actions}
        </div>
      </div>
      {more && !more.isFolded && (
        <section
          id={id}
          aria-label="Briefing"
          tabIndex={0}
          className="max-h-[33vh] overflow-y-auto border-t px-4 pt-3"
        >
          {more.panel}
        </section>
      )}
    </section>
  );
}
