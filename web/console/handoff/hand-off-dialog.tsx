import { useRef, useState } from "react";
import { newKey } from "../graph/keys";
import { CheckField, TextArea, TextField } from "../ui/field";
import { fieldProblem } from "../ui/states";
import { useKept } from "../ui/use-kept";
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

const blank = () => ({
  intent: "PARK" as HandoffIntent,
  isElevated: false,
  notes: "",
  nextStep: "",
  waitingOn: "",
  wakeAt: "",
  watchOut: emptyWatchOut(),
});

/** Puts the session into the queue. Shown only while it is open. */
export function HandOffDialog({
  session,
  onClose,
  onMoved,
}: {
  session: SessionHeadFragment;
  onClose: () => void;
  onMoved: (status: SessionStatus) => void;
}) {
  const { filled, fill, forget } = useKept(`hand-off.${session.id}`, blank);
  const { intent, isElevated, notes, nextStep, waitingOn, wakeAt, watchOut } = filled;
  const [handedOff, setHandedOff] = useState<string | null>(null);
  const move = useMove(HandOffDocument, session.id);
  const key = useRef(newKey());
  const problem = (path: string) => fieldProblem(move.refusal, path);
  const parks = intent === "PARK";

  function choose(chosen: HandoffIntent): void {
    fill(chosen === "PARK" ? { intent: chosen, isElevated: false } : { intent: chosen });
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
    forget();
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
      onForget={forget}
      onClose={onClose}
    >
      <IntentChoice intent={intent} onChoose={choose} />
      <TextArea
        label={NOTES[intent]}
        dir="auto"
        maxLength={4000}
        autoFocus
        value={notes}
        onChange={(event) => fill({ notes: event.target.value })}
        problem={problem("engineerNotes")}
      />
      {parks && (
        <>
          <TextField
            label="Waiting on (one line, shown in the queue)"
            dir="auto"
            maxLength={1000}
            placeholder="The provider's answer"
            value={waitingOn}
            onChange={(event) => fill({ waitingOn: event.target.value })}
            problem={problem("waitingOn")}
          />
          <WakeField
            value={wakeAt}
            onChange={(changed) => fill({ wakeAt: changed })}
            problem={problem("wakeAt")}
          />
        </>
      )}
      <TextField
        label="Next step"
        dir="auto"
        maxLength={1000}
        value={nextStep}
        onChange={(event) => fill({ nextStep: event.target.value })}
        problem={problem("nextStep")}
      />
      <WatchOutFields
        entries={watchOut}
        onChange={(changed) => fill({ watchOut: changed })}
        problemAt={problem}
      />
      {!parks && (
        <CheckField
          label="Elevated: before everything else in the queue"
          checked={isElevated}
          onChange={(event) => fill({ isElevated: event.target.checked })}
        />
      )}
      <p className="text-xs text-ink-3">
        The tree and the files go along. Of what you leave empty the assistant may fill in the next
        step, what is waited for and what to watch out for; that is marked as its own.
      </p>
    </FormDialog>
  );
}
