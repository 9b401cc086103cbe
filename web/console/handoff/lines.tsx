import { CirclePause, Hand, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useViewer } from "../shell/viewer";
import { useNow } from "../ui/clock";
import { Ago, duration, exactly, Moment } from "../ui/time";
import type { HandoffLineFragment } from "./operations";
import { useBriefing } from "./use-briefing";

interface Props {
  handoff: HandoffLineFragment;
}

type Person = HandoffLineFragment["handedOffBy"];

/** As `Escalated by Sam 18 min ago, elevated. Target in 5 min.` */
export function WaitingLine({
  handoff,
  before,
  isBrief,
}: Props & {
  before: HandoffLineFragment | undefined;
  /** Says nothing of why: that is told below. */
  isBrief: boolean;
}) {
  const { briefing } = useBriefing(handoff.id);
  const escalates = handoff.intent === "ESCALATE";
  const snapshot = briefing?.snapshot;
  const gist = snapshot?.waitingOn ? `Waiting on: ${snapshot.waitingOn}` : briefing?.engineerNotes;
  return (
    <Sentence
      icon={
        escalates ? (
          <TriangleAlert aria-hidden className="size-4 text-dead-end" />
        ) : (
          <CirclePause aria-hidden className="size-4 text-ink-2" />
        )
      }
      below={isBrief ? null : gist}
    >
      <strong className="font-medium">{escalates ? "Escalated" : "Parked"}</strong> by{" "}
      <Who person={handoff.handedOffBy} /> <Ago at={handoff.waitingSince} />
      {handoff.priority === "ELEVATED" && ", elevated"}.{" "}
      {before && <CameBack claim={before} at={handoff.createdAt} />}
      {handoff.sla && <Target sla={handoff.sla} />}{" "}
      {handoff.wakeAt && (
        <>
          {handoff.isDue ? "Was due " : "Due "}
          {handoff.isDue ? <Ago at={handoff.wakeAt} /> : <Moment at={handoff.wakeAt} />}.
        </>
      )}
    </Sentence>
  );
}

export function HeldLine({ handoff }: Props) {
  return (
    <Sentence icon={<Hand aria-hidden className="size-4 text-accent" />}>
      <strong className="font-medium">You hold this</strong>
      {handoff.leaseExpiresAt ? (
        <Lease until={handoff.leaseExpiresAt} />
      ) : (
        ", for as long as you like."
      )}
    </Sentence>
  );
}

export function ClaimedLine({ handoff }: Props) {
  return (
    <Sentence icon={<Hand aria-hidden className="size-4 text-ink-2" />}>
      {handoff.leaseExpiresAt ? "Claimed by" : "Given to"} <Who person={handoff.claimedBy} />{" "}
      {handoff.claimedAt && <Ago at={handoff.claimedAt} />}.
    </Sentence>
  );
}

/** A person, the viewer as `you`. */
export function Who({ person }: { person: Person | null }) {
  const viewer = useViewer();
  return person?.id === viewer.id ? "you" : (person?.displayName ?? "somebody");
}

function CameBack({ claim, at }: { claim: HandoffLineFragment; at: string }) {
  const isExpired = claim.claimEnd === "EXPIRED";
  return (
    <>
      {isExpired ? "Came back " : "Given back "}
      <Ago at={at} /> {isExpired ? "without a sign of life from " : "by "}
      <Who person={claim.claimedBy} />.{" "}
    </>
  );
}

function Lease({ until }: { until: string }) {
  const seconds = Math.max(0, Math.round((Date.parse(until) - useNow()) / 1000));
  return (
    <>
      {" "}
      until <Moment at={until} />
      <span className="tabular-nums"> ({duration(seconds)})</span>. Without a sign of life it goes
      back to the queue.
    </>
  );
}

function Target({ sla }: { sla: NonNullable<HandoffLineFragment["sla"]> }) {
  const seconds = Math.round((Date.parse(sla.dueAt) - useNow()) / 1000);
  const isLate = seconds < 0;
  const ink = isLate ? "text-dead-end" : sla.state === "AT_RISK" ? "text-revived" : "";
  return (
    <span title={exactly(sla.dueAt)} className={`font-medium tabular-nums ${ink}`}>
      {isLate ? `Target missed ${duration(-seconds)} ago.` : `Target in ${duration(seconds)}.`}
    </span>
  );
}

function Sentence({
  icon,
  below,
  children,
}: {
  icon: ReactNode;
  below?: string | null | undefined;
  children: ReactNode;
}) {
  return (
    <div className="flex items-start gap-2">
      <span className="mt-[3px] shrink-0">{icon}</span>
      <div className="min-w-0">
        <p>{children}</p>
        {below && (
          <p className="truncate text-ink-2" dir="auto" title={below}>
            {below}
          </p>
        )}
      </div>
    </div>
  );
}
