import type { FormEvent, ReactNode } from "react";
import type { Refusal } from "../graph/use-action";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { Refused } from "../ui/states";
import { submitByKey } from "../ui/submit-key";
import { useFirstProblem } from "../ui/use-first-problem";

/** Asks for what a move needs. Refused, it stays as it was filled in, with the words where they belong:
 * at one of its `fields`, named as the server does, or below all of them. */
export function FormDialog({
  title,
  deed,
  deedUnderWay,
  isDanger = false,
  canSubmit = true,
  fields,
  move,
  onSubmit,
  onForget,
  onClose,
  children,
}: {
  title: string;
  deed: string;
  deedUnderWay: string;
  isDanger?: boolean;
  canSubmit?: boolean;
  fields: string[];
  move: { refusal: Refusal | null; isBusy: boolean };
  onSubmit: () => Promise<void>;
  /** Cancelled, nothing that was typed is kept; closed in another way, it is. */
  onForget: () => void;
  onClose: () => void;
  children: ReactNode;
}) {
  const { refusal, isBusy } = move;
  const form = useFirstProblem(refusal);

  function submit(event: FormEvent): void {
    event.preventDefault();
    void onSubmit();
  }

  function cancel(): void {
    onForget();
    onClose();
  }

  return (
    <Dialog title={title} isOpen onClose={onClose}>
      <form ref={form} onSubmit={submit} onKeyDown={submitByKey} className="flex flex-col gap-4">
        {children}
        <Refused refusal={refusal} fields={fields} />
        {refusal?.kind === "StaleVersionError" && (
          <p className="text-ink-2">It is loaded again: what you see is how it is now.</p>
        )}
        <DialogActions>
          <Button look="quiet" onClick={cancel}>
            Cancel
          </Button>
          <Button
            type="submit"
            look={isDanger ? "danger" : "primary"}
            disabled={!canSubmit}
            aria-disabled={isBusy}
            aria-keyshortcuts="Control+Enter Meta+Enter"
          >
            {isBusy ? deedUnderWay : deed}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
