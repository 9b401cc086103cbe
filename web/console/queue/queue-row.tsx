import { useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { ROW_LINK } from "../ui/row-keys";
import { Refused } from "../ui/states";
import { BranchGlyph } from "../ui/status";
import { Ago, Since } from "../ui/time";
import { Gone } from "./gone";
import { ClaimHandoffDocument, type QueueRowFragment } from "./operations";
import { problemOf } from "./problem";
import { Target } from "./target";

const CELL = "px-3 py-2.5 align-top max-md:p-0";

export function QueueRow({
  handoff,
  isNew,
  onTry,
  onDismiss,
}: {
  handoff: QueueRowFragment;
  isNew: boolean;
  onTry: () => void;
  onDismiss: () => void;
}) {
  const [, navigate] = useLocation();
  const link = useRef<HTMLAnchorElement>(null);
  const claim = useAction(ClaimHandoffDocument);
  const { session, snapshot } = handoff;
  const isOpen = handoff.state === "OPEN";
  const isLost = claim.refusal?.kind === "HandoffTakenError";
  const team = handoff.handedOffBy.team?.name;
  const href = `/sessions/${session.id}`;

  async function take(): Promise<void> {
    onTry();
    const claimed = await claim.run({ input: { handoffId: handoff.id } });
    if (claimed) navigate(`${href}?handoff=${claimed.handoff.id}`);
  }

  // The button that had the focus is there no more.
  useEffect(() => {
    if (isLost) link.current?.focus();
  }, [isLost]);

  return (
    <tr
      className={`border-b transition-colors last:border-b-0 focus-within:bg-hover hover:bg-hover max-md:flex max-md:flex-wrap max-md:items-baseline max-md:gap-x-4 max-md:gap-y-1 max-md:p-3 ${isNew ? "animate-arrive" : ""}`}
    >
      <td className={`${CELL} whitespace-nowrap`}>
        <span
          className={`font-medium ${handoff.intent === "ESCALATE" ? "text-dead-end" : "text-ink-2"}`}
        >
          {handoff.intent === "ESCALATE" ? "Escalated" : "Parked"}
        </span>
        {handoff.priority === "ELEVATED" && <Aside className="text-dead-end">elevated</Aside>}
        {handoff.isDue && <Aside className="font-medium text-revived">due again</Aside>}
      </td>
      <td className={`${CELL} w-full max-md:order-first max-md:basis-full`}>
        <Link
          {...ROW_LINK}
          ref={link}
          href={href}
          className="font-medium hover:underline"
          dir="auto"
        >
          {problemOf(handoff)}
        </Link>
        <p className="max-w-[80ch] text-ink-2" dir="auto">
          {whatToKnow(handoff)}
        </p>
        <Refused refusal={claim.refusal} className="mt-2" />
      </td>
      <td className={`${CELL} whitespace-nowrap`}>
        <StatusCounts counts={snapshot.statusCounts} />
      </td>
      <td className={`${CELL} whitespace-nowrap`}>
        {handoff.handedOffBy.displayName}
        {team && <Aside className="text-ink-2">{team}</Aside>}
      </td>
      <td className={`${CELL} whitespace-nowrap`}>
        <Since at={handoff.waitingSince} />
        {handoff.wakeAt && (
          <Aside className="text-ink-2">
            {handoff.isDue ? "due " : "back "}
            <Ago at={handoff.wakeAt} />
          </Aside>
        )}
      </td>
      <td className={`${CELL} text-xs`}>
        <Target sla={handoff.sla} isParked={handoff.intent === "PARK"} />
      </td>
      <td className={`${CELL} text-right max-md:ml-auto`}>
        {isOpen ? (
          <Button
            data-claim=""
            look={handoff.intent === "ESCALATE" ? "primary" : "plain"}
            aria-disabled={claim.isBusy}
            aria-keyshortcuts="c"
            aria-label={`Claim ${problemOf(handoff)}`}
            onClick={() => void take()}
          >
            {claim.isBusy ? "Claiming…" : "Claim"}
          </Button>
        ) : (
          <Gone handoff={handoff} onDismiss={isLost ? onDismiss : undefined} />
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

/** A second line of a cell, beside the first on a phone. */
function Aside({ className, children }: { className: string; children: React.ReactNode }) {
  return <span className={`block text-xs max-md:ml-2 max-md:inline ${className}`}>{children}</span>;
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
