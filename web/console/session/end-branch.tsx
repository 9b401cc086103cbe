import type { FormEvent, KeyboardEvent } from "react";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { TextArea } from "../ui/field";
import { fieldProblem, Refused } from "../ui/states";
import { submitByKey } from "../ui/submit-key";
import { useFirstProblem } from "../ui/use-first-problem";
import { useKept } from "../ui/use-kept";
import { type BranchRowFragment, MarkBranchStatusDocument } from "./operations";
import { useSession } from "./session-context";

/** Asks for the reason and nothing else. */
export function EndBranch({
  branch,
  status,
  onDone,
}: {
  branch: BranchRowFragment;
  status: "DEAD_END" | "SOLVED";
  onDone: () => void;
}) {
  const { onSolved } = useSession();
  const { filled, fill, forget } = useKept(`${status}.${branch.id}`, () => ({ reason: "" }));
  const { reason } = filled;
  const mark = useAction(MarkBranchStatusDocument);
  const form = useFirstProblem(mark.refusal);
  const isDead = status === "DEAD_END";

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const input = {
      branchId: branch.id,
      status,
      reason: reason.trim() || null,
      expectedVersion: branch.version,
    };
    const marked = await mark.run({ input });
    if (!marked) return;
    forget();
    onDone();
    if (!isDead) onSolved(branch.id);
  }

  function onKeyDown(event: KeyboardEvent<HTMLFormElement>): void {
    if (event.key === "Escape") onDone();
    submitByKey(event);
  }

  function cancel(): void {
    forget();
    onDone();
  }

  return (
    <form
      ref={form}
      onSubmit={(event) => void submit(event)}
      onKeyDown={onKeyDown}
      className={`flex flex-col gap-2 rounded border bg-panel px-3 py-2.5 ${isDead ? "border-dead-end/60" : "border-solved/60"}`}
    >
      <TextArea
        label={
          isDead ? `Why is “${branch.label}” a dead end?` : `What solved it on “${branch.label}”?`
        }
        value={reason}
        autoFocus
        rows={2}
        maxLength={2000}
        onChange={(event) => fill({ reason: event.target.value })}
        problem={fieldProblem(mark.refusal, "reason")}
      />
      <Refused refusal={mark.refusal} fields={["reason"]} />
      <div className="flex justify-end gap-2">
        <Button onClick={cancel}>Cancel</Button>
        <Button
          type="submit"
          aria-keyshortcuts="Control+Enter Meta+Enter"
          look={isDead ? "danger" : "primary"}
          disabled={isDead && reason.trim() === ""}
          aria-disabled={mark.isBusy}
        >
          {isDead ? "Mark as dead end" : "Mark as solved"}
        </Button>
      </div>
    </form>
  );
}
