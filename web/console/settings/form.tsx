import { type FormEvent, type ReactNode, useEffect } from "react";
import type { Action } from "../graph/use-action";
import { Button } from "../ui/button";
import { Refused } from "../ui/states";
import { useFirstProblem } from "../ui/use-first-problem";

/** What is to be entered, and the deed. What was refused stands beside its input, which then has the focus;
 * `inputs` are those that show it by themselves. Everything that was typed stays. */
export function Form({
  action,
  inputs,
  submit,
  done,
  busy = "Saving…",
  canSubmit = true,
  onSubmit,
  onCancel,
  onStale,
  children,
}: {
  action: Pick<Action<unknown, never>, "refusal" | "isBusy">;
  inputs: string[];
  submit: string;
  /** Says that it was done, where the form stays. */
  done?: string | undefined;
  busy?: string;
  canSubmit?: boolean;
  onSubmit: () => void;
  onCancel?: () => void;
  /** Where somebody else has changed it meanwhile: loads what is saved now. */
  onStale?: () => void;
  children: ReactNode;
}) {
  const { refusal, isBusy } = action;
  const form = useFirstProblem(refusal);
  const isStale = refusal?.kind === "StaleVersionError";

  useEffect(() => {
    if (isStale) onStale?.();
  }, [isStale, onStale]);

  function send(event: FormEvent): void {
    event.preventDefault();
    onSubmit();
  }

  return (
    <form ref={form} onSubmit={send} className="flex flex-col gap-4">
      {children}
      <Refused refusal={refusal} fields={inputs} />
      {isStale && (
        <p className="text-ink-2">
          The form shows what is saved now. What you typed has stayed; save again to put it in its
          place.
        </p>
      )}
      <div className="flex flex-wrap items-center justify-end gap-2">
        <p role="status" className="mr-auto text-solved">
          {done}
        </p>
        {onCancel && <Button onClick={onCancel}>Cancel</Button>}
        <Button type="submit" look="primary" disabled={isBusy || !canSubmit}>
          {isBusy ? busy : submit}
        </Button>
      </div>
    </form>
  );
}
