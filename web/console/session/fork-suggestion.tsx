import { GitFork } from "lucide-react";
import { Button } from "../ui/button";
import { Likelihood } from "../ui/status";
import type { MessageBodyFragment } from "./operations";
import { useSession } from "./session-context";

/** Causes that the assistant would explore apart. */
export function ForkSuggestion({
  message,
  suggestion,
}: {
  message: MessageBodyFragment;
  suggestion: NonNullable<MessageBodyFragment["suggestedFork"]>;
}) {
  const { askFork, isReadOnly } = useSession();
  return (
    <section
      aria-label="Suggested fork"
      className="flex flex-col gap-2 rounded border border-dashed border-edge/60 px-3 py-2.5"
    >
      <h3>
        <span className="font-semibold">Several causes are possible.</span>{" "}
        <span dir="auto" className="text-ink-2">
          {suggestion.reason}
        </span>
      </h3>
      <ul className="flex flex-col gap-1.5">
        {suggestion.options.map(({ label, description, likelihood }) => (
          <li key={label} className="flex items-baseline gap-2">
            <span className="min-w-0 flex-1" dir="auto">
              <span className="font-medium">{label}</span>{" "}
              <span className="text-ink-2">{description}</span>
            </span>
            {likelihood !== null && (
              <Likelihood value={likelihood} className="w-8 shrink-0 text-ink-2" />
            )}
          </li>
        ))}
      </ul>
      {!isReadOnly && (
        <Button
          className="self-start"
          onClick={() =>
            askFork({
              branchId: message.branch.id,
              after: message,
              reason: suggestion.reason,
              options: suggestion.options,
            })
          }
        >
          <GitFork aria-hidden className="size-4" />
          Fork into these
        </Button>
      )}
    </section>
  );
}
