import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Refused } from "../ui/states";
import { Moment } from "../ui/time";
import { type HandoffNoteFragment, RetryNoteDocument } from "./operations";

/** What became of a note that was put on a ticket. */
export function NoteState({ note }: { note: HandoffNoteFragment }) {
  const retry = useAction(RetryNoteDocument);
  const audience = note.isClientVisible ? "the client may see it" : "internal";
  const failure = note.attempts.at(-1)?.detail;
  return (
    <div role="status" className="flex flex-col gap-2">
      <p>
        {note.state === "DELIVERED" && (
          <>
            Note on ticket {note.psaTicketId}, {audience}, since{" "}
            <Moment at={note.deliveredAt ?? note.createdAt} className="whitespace-nowrap" />
          </>
        )}
        {(note.state === "QUEUED" || note.state === "SENDING") &&
          `Note on its way to ticket ${note.psaTicketId}, ${audience}`}
        {note.state === "SENDING" && failure && <span className="text-ink-2">. {failure}</span>}
        {note.state === "FAILED" && (
          <span className="text-dead-end">
            The note did not reach ticket {note.psaTicketId}. {failure}
          </span>
        )}
      </p>
      {note.state === "FAILED" && (
        <Button
          className="self-start"
          disabled={retry.isBusy}
          onClick={() => void retry.run({ input: { deliveryId: note.id } })}
        >
          Send again
        </Button>
      )}
      <Refused refusal={retry.refusal} />
    </div>
  );
}
