import { useId } from "react";
import type { IntakeType } from "./operations";

const BEGINNINGS: { from: IntakeType; label: string }[] = [
  { from: "FREE_TEXT", label: "Description" },
  { from: "PSA_TICKET", label: "Ticket" },
  { from: "ALERT", label: "Alert" },
  { from: "UPLOAD", label: "Files" },
];

/** What a session is started from. */
export function StartFrom({
  chosen,
  onChoose,
}: {
  chosen: IntakeType;
  onChoose: (from: IntakeType) => void;
}) {
  const name = useId();
  return (
    <fieldset className="flex flex-wrap gap-1">
      <legend className="mb-1 text-xs font-medium text-ink-2">Start from</legend>
      {BEGINNINGS.map(({ from, label }) => (
        <label
          key={from}
          className="flex min-h-8 cursor-pointer items-center rounded border border-line px-3 text-ink-2 transition-colors hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft has-checked:font-medium has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
        >
          <input
            type="radio"
            name={name}
            value={from}
            checked={from === chosen}
            onChange={() => onChoose(from)}
            className="sr-only"
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}
