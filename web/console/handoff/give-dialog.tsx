import { useQuery } from "urql";
import { SelectField, TextArea } from "../ui/field";
import { Failed, fieldProblem, SkeletonRows } from "../ui/states";
import { useKept } from "../ui/use-kept";
import { FormDialog } from "./form-dialog";
import { waitingOf } from "./moves";
import {
  ColleaguesDocument,
  ReassignDocument,
  type SessionHeadFragment,
  type SessionStatus,
} from "./operations";
import { useMove } from "./use-move";

/** A lead or an admin gives the session to somebody. Shown only while it is open. */
export function GiveDialog({
  session,
  onClose,
  onMoved,
}: {
  session: SessionHeadFragment;
  onClose: () => void;
  onMoved: (status: SessionStatus) => void;
}) {
  const [{ data, error, fetching }, load] = useQuery({ query: ColleaguesDocument });
  const { filled, fill, forget } = useKept(`give.${session.id}`, () => ({
    assigneeId: "",
    note: "",
  }));
  const move = useMove(ReassignDocument, session.id);
  const isWaiting = waitingOf(session) !== null;
  const colleagues = data?.members.filter(
    ({ id, isActive }) => isActive && (isWaiting || id !== session.assignee.id),
  );

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
      title="Give to somebody"
      deed="Give"
      deedUnderWay="Giving…"
      canSubmit={filled.assigneeId !== ""}
      fields={["assigneeId", "note"]}
      move={move}
      onSubmit={submit}
      onForget={forget}
      onClose={onClose}
    >
      {fetching && !data && <SkeletonRows count={1} className="h-8" />}
      {error && !data && <Failed what="Your colleagues" error={error} retry={() => load()} />}
      {colleagues && (
        <SelectField
          label="To whom"
          hint={
            isWaiting
              ? "It leaves the queue; they hold it for as long as they like."
              : `${session.assignee.displayName} has it now.`
          }
          value={filled.assigneeId}
          onChange={(event) => fill({ assigneeId: event.target.value })}
          problem={fieldProblem(move.refusal, "assigneeId")}
        >
          <option value="" disabled>
            Choose a person
          </option>
          {colleagues.map(({ id, displayName, team }) => (
            <option key={id} value={id}>
              {team ? `${displayName}, ${team.name}` : displayName}
            </option>
          ))}
        </SelectField>
      )}
      <TextArea
        label="Note for them"
        dir="auto"
        maxLength={2000}
        value={filled.note}
        onChange={(event) => fill({ note: event.target.value })}
        problem={fieldProblem(move.refusal, "note")}
      />
    </FormDialog>
  );
}
