import { useRef, useState } from "react";
import { newKey } from "../graph/keys";
import { CheckField, TextArea, TextField } from "../ui/field";
import { fieldProblem } from "../ui/states";
import { FormDialog } from "./form-dialog";
import { IntentChoice } from "./intent-choice";
import {
  HandOffDocument,
  type HandoffIntent,
  type SessionHeadFragment,
  type SessionStatus,
} from "./operations";
import { HandedOffDialog } from "./ticket-note";
import { useMove } from "./use-move";
import { WakeField } from "./wake-field";
import { emptyWatchOut, WatchOutFields, watchOutPath, watchOutTexts } from "./watch-out-fields";

const NOTES: Record<HandoffIntent, string> = {
  PARK: "What are you waiting on?",
  ESCALATE: "Why does this need escalation?",
};

/** Puts the session into the queue. Shown only while it is open, so that nothing is left of the last time. */
export function HandOffDialog({
  session,
  onClose,
  onMoved,
}: {
  session: SessionHeadFragment;
  onClose: () => void;
  onMoved: (status: SessionStatus) => void;
}) {
  const [intent, setIntent] = useState<HandoffIntent>("PARK");
  const [isElevated, setIsElevated] = useState(false);
  const [notes, setNotes] = useState("");
  const [nextStep, setNextStep] = useState("");
  const [waitingOn, setWaitingOn] = useState("");
  const [wakeAt, setWakeAt] = useState("");
  const [watchOut, setWatchOut] = useState(emptyWatchOut);
  const [handedOff, setHandedOff] = useState<string | null>(null);
  const move = useMove(HandOffDocument, session.id);
  const key = useRef(newKey());
  const problem = (path: string) => fieldProblem(move.refusal, path);
  const parks = intent === "PARK";

  function choose(chosen: HandoffIntent): void {
    setIntent(chosen);
    if (chosen === "PARK") setIsElevated(false);
  }

  async function submit(): Promise<void> {
    const done = await move.run({
      input: {
        idempotencyKey: key.current,
        sessionId: session.id,
        intent,
        priority: isElevated ? "ELEVATED" : "NORMAL",
        engineerNotes: notes,
        nextStep,
        watchOut: watchOutTexts(watchOut),
        ...(parks && { waitingOn, wakeAt: wakeAt ? new Date(wakeAt).toISOString() : null }),
      },
    });
    if (!done) return;
    onMoved(done.session.status);
    if (session.psaTicketId && session.integration) setHandedOff(done.handoff.id);
    else onClose();
  }

  if (handedOff)
    return <HandedOffDialog session={session} handoffId={handedOff} onClose={onClose} />;
  return (
    <FormDialog
      title="Hand off"
      deed={parks ? "Park" : "Escalate"}
      deedUnderWay="Handing off…"
      fields={[
        "engineerNotes",
        "nextStep",
        ...watchOut.map((_, place) => watchOutPath(watchOut, place)),
        ...(parks ? ["waitingOn", "wakeAt"] : []),
      ]}
      move={move}
      onSubmit={submit}
      onClose={onClose}
    >
      <IntentChoice intent={intent} onChoose={choose} />
      <TextArea
        label={NOTES[intent]}
        dir="auto"
        maxLength={4000}
        autoFocus
        value={notes}
        onChange={(event) => setNotes(event.target.value)}
        problem={problem("engineerNotes")}
      />
      {parks && (
        <>
          <TextField
            label="Waiting on, in a few words"
            dir="auto"
            maxLength={1000}
            placeholder="The provider's answer"
            value={waitingOn}
            onChange={(event) => setWaitingOn(event.target.value)}
            problem={problem("waitingOn")}
          />
          <WakeField value={wakeAt} onChange={setWakeAt} problem={problem("wakeAt")} />
        </>
      )}
      <TextField
        label="Next step"
        dir="auto"
        maxLength={1000}
        value={nextStep}
        onChange={(event) => setNextStep(event.target.value)}
        problem={problem("nextStep")}
      />
      <WatchOutFields entries={watchOut} onChange={setWatchOut} problemAt={problem} />
      {!parks && (
        <CheckField
          label="Elevated: before everything else in the queue"
          checked={isElevated}
          onChange={(event) => setIsElevated(event.target.checked)}
        />
      )}
      <p className="text-xs text-ink-3">
        The tree and the files go along. Of what you leave empty the assistant may fill in the next
        step, what is waited for and what to watch out for; that is marked as its own.
      </p>
    </FormDialog>
  );
}
