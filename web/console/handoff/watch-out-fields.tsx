import { Plus, X } from "lucide-react";
import { type KeyboardEvent, useId, useState } from "react";
import { Button, IconButton } from "../ui/button";
import { isSubmitKey } from "../ui/submit-key";

const MOST = 10;

export interface WatchOutEntry {
  id: number;
  text: string;
}

export function emptyWatchOut(): WatchOutEntry[] {
  return [{ id: 0, text: "" }];
}

export function watchOutTexts(entries: WatchOutEntry[]): string[] {
  return entries.map(({ text }) => text.trim()).filter(Boolean);
}

/** As the server names an entry: it is sent those that say something. */
export function watchOutPath(entries: WatchOutEntry[], place: number): string {
  return `watchOut.${watchOutTexts(entries.slice(0, place)).length}`;
}

/** A list of short warnings; Enter goes on to another one. */
export function WatchOutFields({
  entries,
  onChange,
  problemAt,
}: {
  entries: WatchOutEntry[];
  onChange: (entries: WatchOutEntry[]) => void;
  problemAt: (path: string) => string | undefined;
}) {
  const id = useId();
  const [added, setAdded] = useState<number | null>(null);
  const isFull = entries.length >= MOST;

  function add(): void {
    if (isFull) return;
    const next = Math.max(...entries.map((entry) => entry.id)) + 1;
    setAdded(next);
    onChange([...entries, { id: next, text: "" }]);
  }

  function remove(gone: WatchOutEntry): void {
    onChange(entries.filter((entry) => entry !== gone));
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== "Enter" || isSubmitKey(event) || event.nativeEvent.isComposing) return;
    event.preventDefault();
    add();
  }

  return (
    <fieldset className="flex flex-col gap-1">
      <legend className="mb-1 text-xs font-medium text-ink-2">Watch out for</legend>
      {entries.map((entry, place) => {
        const problem = entry.text.trim() ? problemAt(watchOutPath(entries, place)) : undefined;
        return (
          <div key={entry.id}>
            <div className="flex gap-1">
              <input
                aria-label={`Watch out for, ${place + 1}`}
                aria-invalid={problem ? true : undefined}
                aria-describedby={problem ? `${id}-${entry.id}` : undefined}
                dir="auto"
                maxLength={500}
                // biome-ignore lint/a11y/noAutofocus: the viewer has just asked for it
                autoFocus={entry.id === added}
                value={entry.text}
                onKeyDown={onKeyDown}
                onChange={(event) => {
                  const changed = { ...entry, text: event.target.value };
                  onChange(entries.map((each) => (each === entry ? changed : each)));
                }}
                className="min-h-8 min-w-0 flex-1 rounded border border-edge bg-panel px-2.5 aria-invalid:border-dead-end"
              />
              {entries.length > 1 && (
                <IconButton label={`Remove warning ${place + 1}`} onClick={() => remove(entry)}>
                  <X aria-hidden className="size-4" />
                </IconButton>
              )}
            </div>
            {problem && (
              <p id={`${id}-${entry.id}`} className="text-xs text-dead-end">
                {problem}
              </p>
            )}
          </div>
        );
      })}
      <Button look="quiet" className="self-start px-2" disabled={isFull} onClick={add}>
        <Plus aria-hidden className="size-4" />
        {isFull ? `At most ${MOST}` : "Add another"}
      </Button>
    </fieldset>
  );
}
