import { type ReactNode, useEffect } from "react";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Refused } from "../ui/states";
import {
  ApproveDocumentDocument,
  RejectDocumentDocument,
  type WholeDocumentFragment,
  WriteDocumentAgainDocument,
} from "./operations";

/** What can be done with a document as it is, in the order of the work. */
export function ReviewActions({
  document,
  verdict,
  onEdit,
  onDeliver,
  onDone,
  onStale,
}: {
  document: WholeDocumentFragment;
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

  const { status, content } = document;
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-60">{verdict}</div>
        {status !== "GENERATING" && (
          <div className="flex flex-wrap items-center gap-2">
            <Button look="quiet" onClick={onEdit}>
              {content === null ? "Write it yourself" : "Edit"}
            </Button>
            <Button
              look={status === "FAILED" ? "primary" : "quiet"}
              disabled={isBusy}
              title="The text so far stays as a revision."
              onClick={() => void run(again)}
            >
              Write again
            </Button>
            {status === "DRAFT" && (
              <>
                <Button look="quiet" disabled={isBusy} onClick={() => void run(reject)}>
                  Reject
                </Button>
                <Button look="primary" disabled={isBusy} onClick={() => void run(approve)}>
                  Approve
                </Button>
              </>
            )}
            {content !== null && (
              <Button look={status === "APPROVED" ? "primary" : "plain"} onClick={onDeliver}>
                Deliver…
              </Button>
            )}
          </div>
        )}
      </div>
      <Refused refusal={refusal} />
    </div>
  );
}
