import { useRef, useState } from "react";
import { newKey } from "../graph/keys";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { CheckField } from "../ui/field";
import { Refused } from "../ui/states";
import { NotePreview } from "./note-preview";
import { NoteState } from "./note-state";
import { PushNoteDocument, type SessionHeadFragment } from "./operations";
import { useBriefing } from "./use-briefing";
import { useHandoffs } from "./use-handoffs";

interface Props {
  session: SessionHeadFragment;
  handoffId: string;
  onClose: () => void;
}

/** After a handoff of a session that is linked to a ticket. */
export function HandedOffDialog(props: Props) {
  return (
    <Dialog title="Handed off" isOpen onClose={props.onClose}>
      <TicketNote {...props} question="It waits in the queue now. Shall the ticket say so, too?" />
    </Dialog>
  );
}

/** Shown only while it is open. */
export function TicketNoteDialog(props: Props) {
  return (
    <Dialog title="Note on the ticket" isOpen onClose={props.onClose}>
      <TicketNote {...props} />
    </Dialog>
  );
}

function TicketNote({ session, handoffId, onClose, question }: Props & { question?: string }) {
  const [isClientVisible, setIsClientVisible] = useState(false);
  const [sentId, setSentId] = useState<string | null>(null);
  const push = useAction(PushNoteDocument);
  const key = useRef(newKey());
  const handoff = useHandoffs(session.id).find(({ id }) => id === handoffId);
  const sent = handoff?.deliveries.find(({ id }) => id === sentId);
  const { isComing } = useBriefing(handoffId);

  async function send(): Promise<void> {
    const done = await push.run({
      input: { idempotencyKey: key.current, handoffId, clientVisible: isClientVisible },
    });
    if (done) setSentId(done.delivery.id);
  }

  if (sent) {
    return (
      <>
        <NoteState note={sent} />
        <DialogActions>
          <Button onClick={onClose}>Done</Button>
        </DialogActions>
      </>
    );
  }
  return (
    <>
      {question && <p>{question}</p>}
      <CheckField
        label="Let the client see it"
        checked={isClientVisible}
        onChange={(event) => {
          // A note that is sent otherwise is another one.
          key.current = newKey();
          setIsClientVisible(event.target.checked);
        }}
      />
      {handoff?.intent === "ESCALATE" && isComing && (
        <p className="text-xs text-ink-2">
          The assistant is still at its assessment; the note holds it once that is ready.
        </p>
      )}
      <NotePreview key={String(isComing)} handoffId={handoffId} isClientVisible={isClientVisible} />
      <Refused refusal={push.refusal} />
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          Not now
        </Button>
        <Button look="primary" disabled={push.isBusy} onClick={() => void send()}>
          {push.isBusy ? "Sending…" : `Put it on ticket ${session.psaTicketId}`}
        </Button>
      </DialogActions>
    </>
  );
}
