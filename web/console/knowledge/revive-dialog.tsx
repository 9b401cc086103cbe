import { useState } from "react";
import { useQuery } from "urql";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { CheckField, SelectField, TextArea } from "../ui/field";
import { Failed, fieldProblem, Refused, SkeletonRows } from "../ui/states";
import { Moment } from "../ui/time";
import {
  type BranchRowFragment,
  EvidenceMessagesDocument,
  type EvidenceMessagesQuery,
  OpenProposalsDocument,
  type ProposalCardFragment,
  ReviveBranchDocument,
} from "./operations";
import { Quote } from "./quote";

const MOST = 20;
const LEAST_WORDS = 5;
const MOST_WORDS = 2_000;
const BEGINNING = 200;

interface Props {
  branch: BranchRowFragment;
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
  branches,
  proposal,
  onClose,
}: Props & { proposal: ProposalCardFragment | undefined }) {
  const others = branches.filter(({ id }) => id !== branch.id);
  const proposedFrom = proposal?.finding.branch.id;
  const [fromId, setFromId] = useState(
    proposedFrom ?? (others.find(({ isActive }) => isActive) ?? others[0])?.id ?? "",
  );
  const [chosen, setChosen] = useState(
    () =>
      proposal?.finding.evidence.flatMap((message) =>
        message.branch.id === proposedFrom ? [message.id] : [],
      ) ?? [],
  );
  const [description, setDescription] = useState(proposal?.why ?? "");
  const revive = useAction(ReviveBranchDocument);
  const words = description.trim();

  async function bringBack(): Promise<void> {
    const input = {
      branchId: branch.id,
      evidenceFromBranchId: fromId,
      evidenceMessageIds: chosen,
      description: words,
    };
    if (await revive.run({ input })) onClose();
  }

  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void bringBack();
      }}
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
        onChange={(event) => setDescription(event.target.value)}
        problem={fieldProblem(revive.refusal, "description")}
      />
      <SelectField
        label="Evidence from"
        value={fromId}
        onChange={(event) => {
          setFromId(event.target.value);
          setChosen([]);
        }}
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
        onChoose={setChosen}
        problem={fieldProblem(revive.refusal, "evidenceMessageIds")}
      />
      <Refused refusal={revive.refusal} />
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button
          type="submit"
          look="primary"
          disabled={words.length < LEAST_WORDS || fromId === ""}
          aria-disabled={revive.isBusy}
        >
          {revive.isBusy ? "Bringing back…" : "Bring back"}
        </Button>
      </DialogActions>
    </form>
  );
}

/** The last that was said on a branch, to choose from. */
function Evidence({
  branchId,
  chosen,
  onChoose,
  problem,
}: {
  branchId: string;
  chosen: string[];
  onChoose: (ids: string[]) => void;
  problem: string | undefined;
}) {
  // What a page that is open beside this has read further back is not read anew, and kept.
  const [{ data, error }, reload] = useQuery({
    query: EvidenceMessagesDocument,
    variables: { id: branchId },
    pause: branchId === "",
  });
  const branch = data?.branch?.id === branchId ? data.branch : undefined;
  const messages = branch?.messages.edges
    .map(({ node }) => node)
    .filter(({ body, role }) => body !== "" && role !== "NOTE")
    .slice(-30);
  return (
    <fieldset className="flex flex-col gap-1">
      <legend className="pb-1 text-xs font-medium text-ink-2">
        Messages that show it{" "}
        <span className="font-normal text-ink-3">
          {chosen.length > 0 ? `${chosen.length} of at most ${MOST}` : "none is needed"}
        </span>
      </legend>
      {error && !branch && <Failed what="Its messages" error={error} retry={() => reload()} />}
      {!branch && !error && <SkeletonRows count={3} className="h-10" />}
      {messages?.length === 0 && <p className="text-ink-2">Nothing was said on this branch.</p>}
      {messages && messages.length > 0 && (
        <ul className="max-h-[36vh] divide-y overflow-y-auto rounded border">
          {messages.toReversed().map((message) => (
            <li key={message.id} className="px-2.5 py-1.5">
              <CheckField
                checked={chosen.includes(message.id)}
                disabled={chosen.length >= MOST && !chosen.includes(message.id)}
                onChange={(event) =>
                  onChoose(
                    event.target.checked
                      ? [...chosen, message.id]
                      : chosen.filter((id) => id !== message.id),
                  )
                }
                label={<Beginning message={message} />}
              />
            </li>
          ))}
        </ul>
      )}
      {problem && <p className="text-xs text-dead-end">{problem}</p>}
    </fieldset>
  );
}

type EvidenceMessage = NonNullable<
  EvidenceMessagesQuery["branch"]
>["messages"]["edges"][number]["node"];

function Beginning({ message: { author, body, createdAt } }: { message: EvidenceMessage }) {
  return (
    <span className="block">
      <span className="text-xs text-ink-3">
        <bdi>{author?.displayName ?? "Assistant"}</bdi>, <Moment at={createdAt} />
      </span>
      <span dir="auto" className="line-clamp-2">
        {body.slice(0, BEGINNING)}
      </span>
    </span>
  );
}
