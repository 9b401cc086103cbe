import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Refused } from "../ui/states";
import { Moment } from "../ui/time";
import { Told } from "./file-names";
import { BranchLink, MessageLink, Sources } from "./links";
import {
  AcceptRevivalProposalDocument,
  DismissRevivalProposalDocument,
  type ProposalCardFragment,
} from "./operations";
import { Quote } from "./quote";

const QUOTED = 2;

/** A dead end that a finding has put in doubt; a person decides. */
export function Proposal({
  proposal,
  isDecidable,
}: {
  proposal: ProposalCardFragment;
  /** By who looks at it. */
  isDecidable: boolean;
}) {
  const accept = useAction(AcceptRevivalProposalDocument);
  const dismiss = useAction(DismissRevivalProposalDocument);
  const { branch, finding, reasonMessage } = proposal;
  const input = { proposalId: proposal.id };
  const isBusy = accept.isBusy || dismiss.isBusy;
  const since = branch.statusChangedAt && <Moment at={branch.statusChangedAt} />;
  return (
    <article
      aria-label={`Bring back ${branch.label}?`}
      className="flex flex-col gap-2 rounded border border-revived/40 bg-revived-soft p-2.5"
    >
      <h3 className="font-semibold text-revived">
        Bring back “
        <BranchLink id={branch.id} className="hover:underline">
          {branch.label}
        </BranchLink>
        ”?
      </h3>
      <Quote
        source={
          <>
            Dead end{" "}
            {reasonMessage ? <MessageLink message={reasonMessage}>{since}</MessageLink> : since}
          </>
        }
      >
        {proposal.reason}
      </Quote>
      {finding.evidence.length === 0 && <Quote source="New">{finding.claim}</Quote>}
      {finding.evidence.slice(-QUOTED).map((message) => (
        <Quote
          key={message.id}
          source={
            <>
              New <Sources messages={[message]} />
            </>
          }
        >
          {message.body}
        </Quote>
      ))}
      <p dir="auto">
        <Told>{proposal.why}</Told>
      </p>
      {isDecidable && (
        <div className="flex gap-2">
          <Button aria-disabled={isBusy} onClick={() => void accept.run({ input })}>
            {accept.isBusy ? "Bringing back…" : "Accept"}
          </Button>
          <Button look="quiet" aria-disabled={isBusy} onClick={() => void dismiss.run({ input })}>
            {dismiss.isBusy ? "Dismissing…" : "Dismiss"}
          </Button>
        </div>
      )}
      <Refused refusal={accept.refusal ?? dismiss.refusal} />
    </article>
  );
}
