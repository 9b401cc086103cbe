import { useQuery } from "urql";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { SelectField, TextArea } from "../ui/field";
import { fieldProblem, Refused, SkeletonRows } from "../ui/states";
import { submitByKey } from "../ui/submit-key";
import { Moment } from "../ui/time";
import { useFirstProblem } from "../ui/use-first-problem";
import { useKept } from "../ui/use-kept";
import { Evidence } from "./evidence";
import {
  type BranchRowFragment,
  OpenProposalsDocument,
  type ProposalCardFragment,
  ReviveBranchDocument,
} from "./operations";
import { Quote } from "./quote";

const LEAST_WORDS = 5;
const MOST_WORDS = 2_000;
const FIELDS = ["description", "evidenceFromBranchId", "evidenceMessageIds"];

interface Props {
  branch: BranchRowFragment;
  /** The one that the team works on, where the evidence is likely to be. */
  activeId: string;
  branches: BranchRowFragment[];
  onClose: () => void;
}

/** Brings a dead end back, with what speaks for it. */
export function ReviveDialog({
  isOpen,
  sessionId,
  ...props
}: Props & { sessionId: string; isOpen: boolean }) {
  return (
    <Dialog
      title={`Bring back “${props.branch.label}”`}
      isOpen={isOpen}
      onClose={props.onClose}
      width="max-w-xl"
    >
      <Prepared sessionId={sessionId} {...props} />
    </Dialog>
  );
}

/** Begins with what a proposal that is open says already. */
function Prepared({ sessionId, ...props }: Props & { sessionId: string }) {
  const [{ data, fetching }] = useQuery({
    query: OpenProposalsDocument,
    variables: { sessionId },
  });
  if (fetching && !data) return <SkeletonRows count={4} className="h-8" />;
  const proposal = data?.session?.revivalProposals.find(
    ({ branch }) => branch.id === props.branch.id,
  );
  return <ReviveForm {...props} proposal={proposal} />;
}

function ReviveForm({
  branch,
  activeId,
  branches,
  proposal,
  onClose,
}: Props & { proposal: ProposalCardFragment | undefined }) {
  const others = branches.filter(({ id }) => id !== branch.id);
  const proposedFrom = proposal?.finding.branch.id;
  const { filled, fill, forget } = useKept(`revive.${branch.id}.${proposal?.id ?? ""}`, () => ({
    fromId: proposedFrom ?? (others.find(({ id }) => id === activeId) ?? others[0])?.id ?? "",
    chosen:
      proposal?.finding.evidence.flatMap((message) =>
        message.branch.id === proposedFrom ? [message.id] : [],
      ) ?? [],
    description: proposal?.why ?? "",
  }));
  const { fromId, chosen, description } = filled;
  const revive = useAction(ReviveBranchDocument);
  const form = useFirstProblem(revive.refusal);
  const words = description.trim();

  async function bringBack(): Promise<void> {
    const input = {
      branchId: branch.id,
      evidenceFromBranchId: fromId,
      evidenceMessageIds: chosen,
      description: words,
    };
    if (await revive.run({ input })) forgetAndClose();
  }

  function forgetAndClose(): void {
    forget();
    onClose();
  }

  return (
    <form
      ref={form}
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void bringBack();
      }}
      onKeyDown={submitByKey}
    >
      {branch.statusReason && (
        <Quote
          source={<>Dead end {branch.statusChangedAt && <Moment at={branch.statusChangedAt} />}</>}
        >
          {branch.statusReason}
        </Quote>
      )}
      <TextArea
        label="What speaks for it now"
        hint="At least 5 characters. The assistant is told, and it is kept with the branch."
        autoFocus
        required
        minLength={LEAST_WORDS}
        maxLength={MOST_WORDS}
        dir="auto"
        value={description}
        onChange={(event) => fill({ description: event.target.value })}
        problem={fieldProblem(revive.refusal, "description")}
      />
      <SelectField
        label="Evidence from"
        value={fromId}
        onChange={(event) => fill({ fromId: event.target.value, chosen: [] })}
        problem={fieldProblem(revive.refusal, "evidenceFromBranchId")}
      >
        {others.map(({ id, label }) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
      </SelectField>
      <Evidence
        branchId={fromId}
        chosen={chosen}
        onChoose={(ids) => fill({ chosen: ids })}
        problem={fieldProblem(revive.refusal, "evidenceMessageIds")}
      />
      <Refused refusal={revive.refusal} fields={FIELDS} />
      <DialogActions>
        <Button look="quiet" onClick={forgetAndClose}>
          Cancel
        </Button>
        <Button
          type="submit"
          look="primary"
          disabled={words.length < LEAST_WORDS || fromId === ""}
          aria-disabled={revive.isBusy}
          aria-keyshortcuts="Control+Enter Meta+Enter"
        >
          {revive.isBusy ? "Bringing back…" : "Bring back"}
        </Button>
      </DialogActions>
    </form>
  );
}
