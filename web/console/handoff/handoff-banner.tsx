import { useState } from "react";
import { useLive } from "../graph/use-live";
import { useViewer } from "../shell/viewer";
import { Failed } from "../ui/states";
import { Band } from "./band";
import { GiveBackDialog } from "./give-back-dialog";
import { HeldBand } from "./held-band";
import { ClaimedLine } from "./lines";
import { heldOf } from "./moves";
import {
  HandoffEventsDocument,
  SessionHandoffsDocument,
  type SessionHeadFragment,
  type SessionStatus,
} from "./operations";
import { useLease } from "./use-lease";
import { WaitingBand } from "./waiting-band";

/** Under the header while the session waits in the queue, and for whoever holds it after a claim. */
export function HandoffBanner({
  session,
  onMoved = () => {},
}: {
  session: SessionHeadFragment;
  onMoved?: (status: SessionStatus) => void;
}) {
  const viewer = useViewer();
  const live = useLive({
    query: SessionHandoffsDocument,
    variables: { id: session.id },
    events: HandoffEventsDocument,
    eventVariables: { sessionId: session.id },
  });
  const handoffs = live.data?.session?.handoffs ?? [];
  const waiting = handoffs.find(({ state }) => state === "OPEN");
  const held = heldOf(handoffs);
  const mine = held?.claimedBy?.id === viewer.id ? held : undefined;
  useLease(mine?.leaseExpiresAt ? mine.id : null);

  // What waited when the viewer came says who has claimed it, instead of going without a word.
  const [seenWaiting, setSeenWaiting] = useState<string | null>(null);
  if (waiting && waiting.id !== seenWaiting) setSeenWaiting(waiting.id);
  const taken = held && held.id === seenWaiting && !mine ? held : undefined;

  // Kept here, so that what is typed outlasts a claim that ends meanwhile.
  const [givenBack, setGivenBack] = useState<string | null>(null);

  const isGiven = session.status === "ACTIVE" && session.assignee.id === viewer.id;
  const note = isGiven ? session.assignmentNote : null;
  return (
    <>
      <p role="status" className="sr-only">
        {taken && `Claimed by ${taken.claimedBy?.displayName}`}
      </p>
      {live.error && !live.data && (
        <div className="border-b bg-panel">
          <Failed what="The handoffs" error={live.error} retry={live.reload} />
        </div>
      )}
      {note && (
        <Band
          label="Note for you"
          line={
            <>
              <strong className="font-medium">Given to you</strong> with a note:{" "}
              <span dir="auto" className="whitespace-pre-wrap">
                {note}
              </span>
            </>
          }
        />
      )}
      {waiting && (
        <WaitingBand
          key={waiting.id}
          handoff={waiting}
          before={handoffs.find(({ id }) => id === waiting.returnedFrom?.id)}
          session={session}
        />
      )}
      {mine && (
        <HeldBand
          key={mine.id}
          handoff={mine}
          session={session}
          onGiveBack={() => setGivenBack(mine.id)}
        />
      )}
      {taken && <Band line={<ClaimedLine handoff={taken} />} />}
      {givenBack && (
        <GiveBackDialog
          sessionId={session.id}
          handoffId={givenBack}
          onClose={() => setGivenBack(null)}
          onMoved={onMoved}
        />
      )}
    </>
  );
}
