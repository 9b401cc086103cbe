import { CheckField, SelectField, TextArea } from "../ui/field";
import { fieldProblem } from "../ui/states";
import { BRANCH_SIGNS } from "../ui/status";
import { useKept } from "../ui/use-kept";
import { FormDialog } from "./form-dialog";
import { waitingOf } from "./moves";
import { type BranchRowFragment, ResolveDocument, type SessionHeadFragment } from "./operations";
import { likelySolution, solvable, stillOpen } from "./still-open";
import { useMove } from "./use-move";

const MOST_NAMES = 8;

/** Shown only while it is open. */
export function ResolveDialog({
  session,
  branches,
  onClose,
  onResolved,
}: {
  session: SessionHeadFragment;
  branches: BranchRowFragment[];
  onClose: () => void;
  /** Its documents are being written from then on. */
  onResolved: () => void;
}) {
  const { filled, fill, forget } = useKept(`resolve.${session.id}`, () => ({
    chosen: likelySolution(branches, session.activeBranch.id),
    summary: "",
    archives: false,
  }));
  const move = useMove(ResolveDocument, session.id);
  const choices = solvable(branches);
  const solvedBranchId = choices.some(({ id }) => id === filled.chosen) ? filled.chosen : null;
  const open = stillOpen(branches, solvedBranchId);

  async function submit(): Promise<void> {
    const done = await move.run({
      input: {
        sessionId: session.id,
        solvedBranchId,
        summary: filled.summary,
        closeOpenBranches: filled.archives && open.length > 0,
        expectedVersion: session.version,
      },
    });
    if (!done) return;
    forget();
    onResolved();
    onClose();
  }

  return (
    <FormDialog
      title="Resolve"
      deed="Resolve"
      deedUnderWay="Resolving…"
      fields={["summary", "solvedBranchId"]}
      move={move}
      onSubmit={submit}
      onForget={forget}
      onClose={onClose}
    >
      <TextArea
        label="What was it, and what solved it?"
        hint="5 to 4,000 characters. The ticket note, the article and the client's summary are written from this and the record."
        dir="auto"
        rows={4}
        maxLength={4000}
        autoFocus
        value={filled.summary}
        onChange={(event) => fill({ summary: event.target.value })}
        problem={fieldProblem(move.refusal, "summary")}
      />
      <SelectField
        label="Which branch solved it"
        hint={solvedBranchId ? "It is marked as solved." : undefined}
        value={solvedBranchId ?? ""}
        onChange={(event) => fill({ chosen: event.target.value })}
        problem={fieldProblem(move.refusal, "solvedBranchId")}
      >
        {choices.map(({ id, label, status }) => (
          <option key={id} value={id}>
            {label} ({BRANCH_SIGNS[status].word.toLowerCase()})
          </option>
        ))}
        <option value="">None of them</option>
      </SelectField>
      {open.length > 0 && (
        <div>
          <CheckField
            label={`Archive ${counted(open.length)} still open`}
            checked={filled.archives}
            onChange={(event) => fill({ archives: event.target.checked })}
          />
          <p className="mt-1 ml-5.5 text-xs text-ink-2" dir="auto">
            {namesOf(open)}. They were not ruled out, so they become no dead ends.
          </p>
        </div>
      )}
      {waitingOf(session) && <p className="text-ink-2">It leaves the queue with this.</p>}
    </FormDialog>
  );
}

function counted(count: number): string {
  return count === 1 ? "the hypothesis that is" : `the ${count} hypotheses that are`;
}

function namesOf(branches: BranchRowFragment[]): string {
  const names = branches.slice(0, MOST_NAMES).map(({ label }) => label);
  const more = branches.length - names.length;
  return names.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
