import { useQuery } from "urql";
import { Empty, Failed, SkeletonRows } from "../ui/states";
import { duration, Moment } from "../ui/time";
import { Who } from "./lines";
import { NoteState } from "./note-state";
import { type HandoffLineFragment, SessionHandoffsDocument } from "./operations";

const CLAIM_ENDS: Record<NonNullable<HandoffLineFragment["claimEnd"]>, string> = {
  EXPIRED: "until there was no sign of life",
  RELEASED: "and gave it back",
  REASSIGNED: "until it was given to somebody else",
  HANDED_OFF: "and handed it off again",
  SESSION_ENDED: "until the session ended",
};

/** Each handoff of the session, the newest first: who, when, who claimed it, and how that ended. */
export function HandoffHistory({ sessionId }: { sessionId: string }) {
  const [{ data, error }, load] = useQuery({
    query: SessionHandoffsDocument,
    variables: { id: sessionId },
  });
  const handoffs = data?.session?.handoffs;
  if (error && !handoffs) return <Failed what="The handoffs" error={error} retry={() => load()} />;
  if (!handoffs) return <SkeletonRows count={2} className="h-10" />;
  if (handoffs.length === 0) return <Empty>It was not handed off so far.</Empty>;
  return (
    <ol className="divide-y">
      {handoffs.map((handoff) => (
        <li key={handoff.id} className="px-4 py-2">
          <p>
            <span className="font-medium">
              {handoff.intent === "ESCALATE" ? "Escalated" : "Parked"}
            </span>{" "}
            by <Who person={handoff.handedOffBy} />
            {handoff.priority === "ELEVATED" && ", elevated"}
            <Moment at={handoff.createdAt} className="ml-2 text-xs whitespace-nowrap text-ink-3" />
          </p>
          <p className="text-ink-2">
            <WhatBecame handoff={handoff} />
          </p>
          <div className="text-xs text-ink-2">
            {handoff.deliveries.map((note) => (
              <NoteState key={note.id} note={note} />
            ))}
          </div>
        </li>
      ))}
    </ol>
  );
}

function WhatBecame({ handoff }: { handoff: HandoffLineFragment }) {
  const { state, createdAt, claimedAt, claimEndedAt, claimEnd, claimedBy } = handoff;
  if (state === "OPEN") return "Waits in the queue";
  if (state === "CANCELLED" || !claimedAt) return "Ended before anybody claimed it";
  return (
    <>
      Claimed by <Who person={claimedBy} /> after {between(createdAt, claimedAt)}
      {claimEndedAt && claimEnd
        ? `, held for ${between(claimedAt, claimEndedAt)} ${CLAIM_ENDS[claimEnd]}`
        : ", still held"}
    </>
  );
}

function between(from: string, to: string): string {
  return duration(Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000)));
}
