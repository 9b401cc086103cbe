import { useState } from "react";
import { useAction } from "../graph/use-action";
import { useViewer } from "../shell/viewer";
import { Button } from "../ui/button";
import { Markdown } from "../ui/markdown";
import { Failed, Refused, Skeleton, SkeletonRows } from "../ui/states";
import { movesOf } from "./moves";
import { NoteState } from "./note-state";
import {
  type BriefingFragment,
  type HandoffLineFragment,
  PrepareAgainDocument,
  type SessionHeadFragment,
} from "./operations";
import { Part } from "./part";
import { SnapshotParts } from "./snapshot-parts";
import { TicketNoteDialog } from "./ticket-note";
import { useBriefing } from "./use-briefing";
import { withoutNotes } from "./without-notes";

const CONFIDENCE: Record<NonNullable<BriefingFragment["assessment"]>["confidence"], string> = {
  LOW: "low",
  MEDIUM: "medium",
  HIGH: "high",
};

/** What a receiver should know: what was written for them, and the session as it was when it was put down. */
export function BriefingPanel({
  session,
  handoff,
}: {
  session: SessionHeadFragment;
  handoff: HandoffLineFragment;
}) {
  const { briefing, isComing, error, reload } = useBriefing(handoff.id);
  if (error && !briefing) return <Failed what="The briefing" error={error} retry={reload} />;
  if (!briefing) return <SkeletonRows count={4} className="h-5" />;
  return (
    <div className="columns-[26rem] gap-x-10">
      {briefing.engineerNotes && (
        <Part name={handoff.returnedFrom ? "Notes" : `From ${handoff.handedOffBy.displayName}`}>
          <p dir="auto" className="whitespace-pre-wrap">
            {briefing.engineerNotes}
          </p>
        </Part>
      )}
      <Part name="Briefing">
        <Prepared briefing={briefing} isComing={isComing} />
      </Part>
      {briefing.assessment && <Assessment assessment={briefing.assessment} />}
      <SnapshotParts
        sessionId={session.id}
        snapshot={briefing.snapshot}
        hasBriefing={briefing.briefing !== null}
      />
      <Notes session={session} handoff={handoff} />
    </div>
  );
}

/** It, or why it is not there. */
function Prepared({ briefing, isComing }: { briefing: BriefingFragment; isComing: boolean }) {
  const retry = useAction(PrepareAgainDocument);
  if (briefing.briefing) {
    return <Written text={withoutNotes(briefing.briefing, briefing.engineerNotes)} />;
  }
  if (isComing) {
    return (
      <div role="status">
        <p className="mb-2 text-ink-2">The assistant is writing it.</p>
        <Skeleton className="h-4 w-4/5" />
      </div>
    );
  }
  if (!briefing.preparationFailure) return <p className="text-ink-2">None was written.</p>;
  return (
    <div className="flex flex-col items-start gap-2">
      <p className="text-ink-2">The assistant could not write it. {briefing.preparationFailure}</p>
      <Button
        disabled={retry.isBusy}
        onClick={() => void retry.run({ input: { handoffId: briefing.id } })}
      >
        Try again
      </Button>
      <Refused refusal={retry.refusal} />
    </div>
  );
}

/** By the assistant, or put together line by line from the record. */
function Written({ text }: { text: string }) {
  return (
    <div className="[&_p]:whitespace-pre-line">
      <Markdown text={text} />
    </div>
  );
}

function Assessment({ assessment }: { assessment: NonNullable<BriefingFragment["assessment"]> }) {
  return (
    <>
      <Part name={`Likely cause, ${CONFIDENCE[assessment.confidence]} confidence`}>
        <p dir="auto" className="font-medium">
          {assessment.likelyCause}
        </p>
        <Written text={assessment.text} />
      </Part>
      {assessment.suggestedSteps.length > 0 && (
        <Part name="Suggested steps">
          <ol className="list-decimal pl-5" dir="auto">
            {assessment.suggestedSteps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        </Part>
      )}
    </>
  );
}

/** On the ticket, if the session has one. */
function Notes({
  session,
  handoff,
}: {
  session: SessionHeadFragment;
  handoff: HandoffLineFragment;
}) {
  const viewer = useViewer();
  const [isOpen, setIsOpen] = useState(false);
  const mayPush =
    session.psaTicketId !== null &&
    session.integration !== null &&
    movesOf(session, undefined, viewer).has("linkTicket");
  if (!mayPush && handoff.deliveries.length === 0) return null;
  return (
    <div className="mb-4 flex break-inside-avoid flex-col items-start gap-2">
      {handoff.deliveries.map((note) => (
        <NoteState key={note.id} note={note} />
      ))}
      {mayPush && (
        <Button onClick={() => setIsOpen(true)}>Put a note on ticket {session.psaTicketId}…</Button>
      )}
      {isOpen && (
        <TicketNoteDialog
          session={session}
          handoffId={handoff.id}
          onClose={() => setIsOpen(false)}
        />
      )}
    </div>
  );
}
