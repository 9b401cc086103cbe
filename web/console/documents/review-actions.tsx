import { type ReactNode, useEffect, useState } from "react";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { Refused } from "../ui/states";
import {
  ApproveDocumentDocument,
  RejectDocumentDocument,
  type WholeDocumentFragment,
  WriteDocumentAgainDocument,
} from "./operations";

/** What can be done with a document as it is. Those that judge it go when they are done, so they stand last:
 * nothing comes under the pointer then. */
export function ReviewActions({
  document,
  unsupportedCount,
  isRewritable,
  verdict,
  onEdit,
  onDeliver,
  onDone,
  onStale,
}: {
  document: WholeDocumentFragment;
  /** Of its sentences. */
  unsupportedCount: number;
  /** Whether the record of its session stands. */
  isRewritable: boolean;
  /** What to know before one approves. */
  verdict: ReactNode;
  onEdit: () => void;
  onDeliver: () => void;
  onDone: () => void;
  onStale: () => void;
}) {
  const again = useAction(WriteDocumentAgainDocument);
  const reject = useAction(RejectDocumentDocument);
  const approve = useAction(ApproveDocumentDocument);
  const [asksToWriteAgain, setAsksToWriteAgain] = useState(false);
  const actions = [again, reject, approve];
  const refusal = actions.find((action) => action.refusal)?.refusal ?? null;
  const isBusy = actions.some((action) => action.isBusy);
  const isStale = refusal?.kind === "StaleVersionError";
  useEffect(() => {
    if (isStale) onStale();
  }, [isStale, onStale]);

  async function run({ run }: typeof again | typeof reject | typeof approve): Promise<void> {
    for (const { clear } of actions) clear();
    const input = { outputId: document.id, expectedVersion: document.version };
    if (await run({ input })) onDone();
  }

  function writeAgain(): void {
    setAsksToWriteAgain(false);
    void run(again);
  }

  const { status, content } = document;
  return (
    <div className="flex flex-col gap-3">
      {verdict}
      {status !== "GENERATING" && (
        <div className="flex flex-wrap items-center gap-2">
          <Button onClick={onEdit}>{content === null ? "Write it yourself" : "Edit"}</Button>
          {isRewritable && (
            <Button
              look={status === "FAILED" ? "primary" : "quiet"}
              disabled={isBusy}
              onClick={() => (content === null ? writeAgain() : setAsksToWriteAgain(true))}
            >
              {content === null ? "Write again" : "Write again…"}
            </Button>
          )}
          {content !== null && (
            <Button look={status === "APPROVED" ? "primary" : "quiet"} onClick={onDeliver}>
              Deliver…
            </Button>
          )}
          {status === "DRAFT" && (
            <>
              <Button look="quiet" disabled={isBusy} onClick={() => void run(reject)}>
                Reject
              </Button>
              <Button look="primary" disabled={isBusy} onClick={() => void run(approve)}>
                {approvalOf(unsupportedCount)}
              </Button>
            </>
          )}
        </div>
      )}
      <Refused refusal={refusal} />
      <Dialog
        title="Write again?"
        isOpen={asksToWriteAgain}
        onClose={() => setAsksToWriteAgain(false)}
        width="max-w-md"
      >
        <p>
          A new text from the record takes the place of this one, as a draft. The text so far stays
          as a revision.
        </p>
        <DialogActions>
          <Button look="quiet" onClick={() => setAsksToWriteAgain(false)}>
            Cancel
          </Button>
          <Button look="primary" onClick={writeAgain}>
            Write again
          </Button>
        </DialogActions>
      </Dialog>
    </div>
  );
}

function approvalOf(unsupportedCount: number): string {
  if (unsupportedCount === 0) return "Approve";
  if (unsupportedCount === 1) return "Approve with 1 unsupported sentence";
  return `Approve with ${unsupportedCount} unsupported sentences`;
}
