import { CheckField, TextField } from "../ui/field";
import type { Entry } from "./providers";

/** One of the things that a provider wants to know. What is saved cannot be read again: where nothing is
 * entered it stays. */
export function EntryField({
  entry,
  isNew,
  text,
  enter,
  problem,
}: {
  entry: Entry;
  isNew: boolean;
  /** Undefined: as it is; empty: left out from now on. */
  text: string | undefined;
  enter: (text: string | undefined) => void;
  problem: string | undefined;
}) {
  const { label, hint, isSecret, isOptional } = entry;
  const isLeftOut = text === "";
  return (
    <div className="flex flex-col gap-1">
      <TextField
        label={isOptional ? `${label} (optional)` : label}
        hint={hint}
        placeholder={isNew ? undefined : isLeftOut ? "left out" : "unchanged"}
        type={isSecret ? "password" : "text"}
        autoComplete={isSecret ? "new-password" : "off"}
        spellCheck={false}
        required={isNew && !isOptional}
        disabled={isLeftOut}
        value={text ?? ""}
        onChange={(event) => enter(event.target.value || undefined)}
        problem={problem}
      />
      {!isNew && isOptional && (
        <CheckField
          label={
            <>
              Leave it out from now on<span className="sr-only">: {label}</span>
            </>
          }
          className="text-xs"
          checked={isLeftOut}
          onChange={(event) => enter(event.target.checked ? "" : undefined)}
        />
      )}
    </div>
  );
}
