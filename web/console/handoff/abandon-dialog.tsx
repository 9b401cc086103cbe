import { TextArea } from "../ui/field";
import { fieldProblem } from "../ui/states";
import { useKept } from "../ui/use-kept";
import { FormDialog } from "./form-dialog";
import { waitingOf } from "./moves";
import { AbandonDocument, type SessionHeadFragment, type SessionStatus } from "./operations";
import { useMove } from "./use-move";

/** Shown only while it is open. */
export function AbandonDialog({
  session,
  onClose,
  onMoved,
}: {
  session: SessionHeadFragment;
  onClose: () => void;
  onMoved: (status: SessionStatus) => void;
}) {
  const { filled, fill, forget } = useKept(`abandon.${session.id}`, () => ({ reason: "" }));
  const move = useMove(AbandonDocument, session.id);

  async function submit(): Promise<void> {
    const done = await move.run({
      input: { sessionId: session.id, ...filled, expectedVersion: session.version },
    });
    if (!done) return;
    forget();
    onMoved(done.session.status);
    onClose();
  }

  return (
    <FormDialog
      title="Abandon"
      deed="Abandon"
      deedUnderWay="Abandoning…"
      isDanger
      fields={["reason"]}
      move={move}
      onSubmit={submit}
      onForget={forget}
      onClose={onClose}
    >
      <TextArea
        label="Why is it not pursued?"
        hint="5 to 4,000 characters."
        dir="auto"
        maxLength={4000}
        autoFocus
        value={filled.reason}
        onChange={(event) => fill({ reason: event.target.value })}
        problem={fieldProblem(move.refusal, "reason")}
      />
      <p className="text-ink-2">
        No documents are written, and answers under way stop.
        {waitingOf(session) && " It leaves the queue."} It can be reopened.
      </p>
    </FormDialog>
  );
}
