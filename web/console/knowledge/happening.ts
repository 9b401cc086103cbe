import type { HappeningFragment, SaidFragment } from "./operations";

const STATUSES = {
  UNTRIED: "untried",
  ACTIVE: "active",
  DEAD_END: "a dead end",
  SOLVED: "solved",
  REVIVED: "brought back",
};
const SESSION_STATUSES = {
  ACTIVE: "is worked on",
  PAUSED: "is parked",
  ESCALATED: "is escalated",
  RESOLVED: "is resolved",
  ABANDONED: "is abandoned",
};
const OUTPUTS = {
  PSA_TICKET_NOTES: "Ticket notes",
  KNOWLEDGE_BASE: "The article",
  CLIENT_SUMMARY: "The client summary",
};
const DELIVERIES = {
  QUEUED: "was queued",
  SENDING: "is being sent",
  DELIVERED: "has arrived",
  FAILED: "failed",
  TAKEN: "was taken",
};

const BEGINNING = 280;

/** What happened, in a sentence without who did it. */
export function sentence(event: HappeningFragment): string {
  switch (event.__typename) {
    case "SessionStarted":
      return "The session began";
    case "BranchForked":
      return `“${event.forkPoint.parent.label}” was forked: ${event.forkPoint.reason}`;
    case "BranchSwitched":
      return `The team went on with “${event.branch.label}”`;
    case "BranchStatusChanged":
      return withReason(`“${event.branch.label}” became ${STATUSES[event.status]}`, event.reason);
    case "BranchUpdated":
      return `“${event.branch.label}” was renamed, archived, summarised or ranked`;
    case "MessageAdded":
      return said(event.message);
    case "MessageRestarted":
      return `An answer was asked for again on “${event.message.branch.label}”`;
    case "MessageFinished":
      return withReason(`The answer on “${event.message.branch.label}” ended`, event.message.body);
    case "FindingsChanged":
      return ofFindings(event);
    case "FindingMergeChanged":
      return hadCome(event.merge.undoneAt, event)
        ? `Findings that had been brought into “${event.merge.branch.label}” were taken back`
        : `Findings were brought into “${event.merge.branch.label}”`;
    case "RevivalProposalChanged":
      return ofProposal(event);
    case "SecondOpinionChanged":
      return hadCome(event.secondOpinion.finishedAt, event)
        ? `A second opinion ${event.secondOpinion.state === "FAILED" ? "failed" : "was given"}`
        : "A second opinion was asked for";
    case "SessionUpdated":
      return "Summary, domain, assignee or ticket changed";
    case "SessionStatusChanged":
      return `The session ${SESSION_STATUSES[event.sessionStatus]}`;
    case "HandoffCreated":
      return event.handoff.intent === "ESCALATE"
        ? "The session was escalated into the queue"
        : "The session was parked in the queue";
    case "HandoffUpdated":
      return "The notes of the handoff changed";
    case "HandoffClaimed":
      return "The handoff was claimed";
    case "HandoffCancelled":
      return "The handoff was taken back";
    case "HandoffReturned":
      return event.claimEnd === "EXPIRED"
        ? "The claim ran out; the session waits again"
        : "The session was given back to the queue";
    case "HandoffDue":
      return "What was parked is due";
    case "HandoffSlaChanged":
      return event.slaState === "BREACHED"
        ? "The target was missed"
        : "Three quarters of the target's time are over";
    case "UploadChanged":
      // People bring files in; the assistant tells when it begins to read one and when it ends.
      return event.actor
        ? `File “${event.upload.filename}” was handed in`
        : `The assistant was reading file “${event.upload.filename}”`;
    case "ResolutionOutputChanged":
      return `${OUTPUTS[event.output.type]} changed`;
    case "DeliveryChanged":
      return `The delivery to ${event.delivery.destination.replaceAll("_", " ")} ${DELIVERIES[event.deliveryState]}`;
    default:
      return "Something changed";
  }
}

/** Things are told as they are now; what has happened to one since had not come then. */
function hadCome(at: string | null, { occurredAt }: HappeningFragment): boolean {
  return at !== null && Date.parse(at) <= Date.parse(occurredAt);
}

function ofFindings(event: Extract<HappeningFragment, { __typename: "FindingsChanged" }>): string {
  const told = (isWithdrawn: boolean) =>
    event.findings
      .filter(({ withdrawnAt }) => hadCome(withdrawnAt, event) === isWithdrawn)
      .map(({ claim }) => claim)
      .join(" ");
  const [come, withdrawn] = [told(false), told(true)];
  const of = `of “${event.branch.label}”`;
  if (!withdrawn) return withReason(`Findings ${of} came`, come);
  if (!come) return withReason(`Findings ${of} were withdrawn`, withdrawn);
  return `${withReason(`Findings ${of} came`, come)} ${withReason("Withdrawn", withdrawn)}`;
}

function ofProposal(
  event: Extract<HappeningFragment, { __typename: "RevivalProposalChanged" }>,
): string {
  const { branch, state, decidedAt } = event.proposal;
  if (!hadCome(decidedAt, event)) return `“${branch.label}” was put in doubt as a dead end`;
  const how = state === "ACCEPTED" ? "accepted" : "dismissed";
  return `The proposal to bring “${branch.label}” back was ${how}`;
}

function said({ role, branch, body }: SaidFragment): string {
  // An answer is added while it is empty; what it came to is told when it ends.
  if (role === "ASSISTANT") return `An answer was asked for on “${branch.label}”`;
  const what = role === "NOTE" ? "A note was added to" : "A message was written on";
  return withReason(`${what} “${branch.label}”`, body);
}

function withReason(what: string, reason: string | null): string {
  if (!reason) return what;
  return `${what}: ${reason.length > BEGINNING ? `${reason.slice(0, BEGINNING)}…` : reason}`;
}
