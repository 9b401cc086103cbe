import { TextArea } from "../ui/field";
import { fieldProblem } from "../ui/states";
import { useKept } from "../ui/use-kept";
import { FormDialog } from "./form-dialog";
import { GiveBackDocument, type SessionStatus } from "./operations";
import { useMove } from "./use-move";

/** What was claimed goes back to the queue. Shown only while it is open. */
export function GiveBackDialog({
  sessionId,
  handoffId,
  onClose,
  onMoved,
}: {
  sessionId: string;
  handoffId: string;
  onClose: () => void;
  onMoved: (status: SessionStatus) => void;
}) {
  const { filled, fill, forget } = useKept(`give-back.${handoffId}`, () => ({ notes: "" }));
  const move = useMove(GiveBackDocument, sessionId);

  async function submit(): Promise<void> {
    const done = await move.run({ input: { handoffId, engineerNotes: filled.notes } });
    if (!done) return;
    forget();
    onMoved(done.session.status);
    onClose();
  }

  return (
    <FormDialog
      title="Give back to the queue"
      deed="Give back"
      deedUnderWay="Giving back…"
      fields={["engineerNotes"]}
      move={move}
      onSubmit={submit}
      onForget={forget}
      onClose={onClose}
    >
      <TextArea
        label="For whoever takes over"
        hint="Left empty, the notes of before stay. What has waited keeps its place."
        dir="auto"
        maxLength={4000}
        autoFocus
        value={filled.notes}
        onChange={(event) => fill({ notes: event.target.value })}
        problem={fieldProblem(move.refusal, "engineerNotes")}
      />
    </FormDialog>
  );
}
