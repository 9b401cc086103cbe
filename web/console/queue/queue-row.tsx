import { Link, useLocation } from "wouter";
import { useAction } from "../graph/use-action";
import { useViewer } from "../shell/viewer";
import { Button } from "../ui/button";
import { Refused } from "../ui/states";
import { BranchGlyph } from "../ui/status";
import { Ago, Since } from "../ui/time";
import { ClaimHandoffDocument, type QueueRowFragment } from "./operations";
import { Target } from "./target";

const CELL = "px-3 py-2.5 align-top max-md:p-0";

export function QueueRow({ handoff, isNew }: { handoff: QueueRowFragment; isNew: boolean }) {
  const [, navigate] = useLocation();
  const claim = useAction(ClaimHandoffDocument);
  const { session, snapshot } = handoff;
  const isOpen = handoff.state === "OPEN";
  const team = handoff.handedOffBy.team?.name;
  const href = `/sessions/${session.id}`;

  async function take(): Promise<void> {
    const claimed = await claim.run({ input: { handoffId: handoff.id } });
    if (claimed) navigate(`${href}?handoff=${claimed.handoff.id}`);
  }

  return (
    <tr
      data-new={isNew || undefined}
      className="border-b transition-colors last:border-b-0 hover:bg-hover data-new:bg-accent-soft max-md:flex max-md:flex-wrap max-md:items-baseline max-md:gap-x-4 max-md:gap-y-1 max-md:p-3"
    >
      <td className={`${CELL} whitespace-nowrap`}>
        <span
          className={`font-medium ${handoff.intent === "ESCALATE" ? "text-dead-end" : "text-ink-2"}`}
        >
          {handoff.intent === "ESCALATE" ? "Escalated" : "Parked"}
        </span>
        {handoff.priority === "ELEVATED" && (
          <span className="block text-xs text-dead-end max-md:ml-2 max-md:inline">elevated</span>
        )}
      </td>
      <td className={`${CELL} max-md:order-first max-md:basis-full`}>
        <Link href={href} className="font-medium hover:underline" dir="auto">
          {session.problemSummary ?? session.intake.text.slice(0, 120)}
        </Link>
        <p className="max-w-[80ch] text-ink-2" dir="auto">
          {whatToKnow(handoff)}
        </p>
        <Refused refusal={claim.refusal} className="mt-2" />
      </td>
      <td className={CELL}>
        <StatusCounts counts={snapshot.statusCounts} />
      </td>
      <td className={CELL}>
        {handoff.handedOffBy.displayName}
        {team && <span className="block text-xs text-ink-2 max-md:ml-2 max-md:inline">{team}</span>}
      </td>
      <td className={`${CELL} whitespace-nowrap`}>
        <Since at={handoff.waitingSince} />
        {handoff.wakeAt && (
          <span className="block text-xs text-ink-2">
            {handoff.isDue ? "due " : "back "}
            <Ago at={handoff.wakeAt} />
          </span>
        )}
      </td>
      <td className={`${CELL} text-xs`}>
        <Target sla={handoff.sla} isParked={handoff.intent === "PARK"} />
      </td>
      <td className={`${CELL} text-right max-md:ml-auto`}>
        {isOpen ? (
          <Button
            look={handoff.intent === "ESCALATE" ? "primary" : "plain"}
            disabled={claim.isBusy}
            aria-label={`Claim ${session.problemSummary ?? "this session"}`}
            onClick={() => void take()}
          >
            {claim.isBusy ? "Claiming…" : "Claim"}
          </Button>
        ) : (
          <Gone handoff={handoff} />
        )}
      </td>
    </tr>
  );
}

/** What the receiver must know, in one line. */
export function whatToKnow({ engineerNotes, snapshot }: QueueRowFragment): string {
  const parts = [
    engineerNotes,
    snapshot.waitingOn && `Waiting on: ${snapshot.waitingOn}`,
    snapshot.nextStep && `Next: ${snapshot.nextStep}`,
    snapshot.watchOut[0] && `Watch out: ${snapshot.watchOut[0]}`,
  ];
  return parts.find(Boolean) || "No notes.";
}

function StatusCounts({ counts }: { counts: QueueRowFragment["snapshot"]["statusCounts"] }) {
  if (counts.length === 0) return <span className="text-xs text-ink-3">no branches</span>;
  return (
    <ul className="flex gap-2.5">
      {counts.map(({ status, count }) => (
        <li key={status} className="flex items-center gap-1 text-xs text-ink-2 tabular-nums">
          <BranchGlyph status={status} />
          {count}
        </li>
      ))}
    </ul>
  );
}

function Gone({ handoff }: { handoff: QueueRowFragment }) {
  const viewer = useViewer();
  const by = handoff.claimedBy;
  return (
    <span className="text-xs text-ink-2">
      {handoff.state === "CANCELLED" && "Taken back"}
      {handoff.state === "CLAIMED" &&
        `Claimed by ${by?.id === viewer.id ? "you" : (by?.displayName ?? "somebody")}`}
    </span>
  );
}
