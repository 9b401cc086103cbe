import { type FormEvent, useRef, useState } from "react";
import { useLocation } from "wouter";
import { newKey } from "../graph/keys";
import { useAction } from "../graph/use-action";
import { useViewer } from "../shell/viewer";
import { Button } from "../ui/button";
import { DialogActions } from "../ui/dialog";
import { SelectField, TextArea, TextField } from "../ui/field";
import { fieldProblem, Refused } from "../ui/states";
import { submitByKey } from "../ui/submit-key";
import { useFirstProblem } from "../ui/use-first-problem";
import { AttachButton } from "../uploads/attach-button";
import { useFileDrop } from "../uploads/file-drop";
import { UploadChips } from "../uploads/upload-chips";
import type { Uploads } from "../uploads/use-uploads";
import {
  type IntakeType,
  type PeopleQuery,
  type SessionType,
  StartSessionDocument,
} from "./operations";
import {
  type Draft,
  forgetDraft,
  inputOf,
  keepDraft,
  keptDraft,
  LONGEST_TEXT,
} from "./start-draft";
import { StartFrom } from "./start-from";
import { TicketFields } from "./ticket-fields";

const ABOUT: Record<IntakeType, string> = {
  FREE_TEXT: "What does the client report?",
  PSA_TICKET: "What do you know beyond the ticket?",
  ALERT: "What does the alert say?",
  UPLOAD: "What are the files about?",
};

/** What a session begins with. The draft outlives the page; files are uploaded while one still writes. */
export function StartForm({
  uploads,
  people,
  onClose,
}: {
  uploads: Uploads;
  people: PeopleQuery | undefined;
  onClose: () => void;
}) {
  const viewer = useViewer();
  const [, navigate] = useLocation();
  const [draft, setDraft] = useState(() => keptDraft(viewer.id));
  const start = useAction(StartSessionDocument);
  const intention = useRef({ content: "", key: "" });
  const drop = useFileDrop(uploads.add);

  function change(changes: Partial<Draft>): void {
    const changed = { ...draft, ...changes };
    setDraft(changed);
    keepDraft(viewer.id, changed);
  }

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (uploads.isBusy) return;
    const input = inputOf(draft, uploads.ids);
    const content = JSON.stringify(input);
    if (intention.current.content !== content) intention.current = { content, key: newKey() };
    const started = await start.run({
      input: { ...input, idempotencyKey: intention.current.key },
    });
    if (!started) return;
    forgetDraft(viewer.id);
    uploads.clear();
    navigate(`/sessions/${started.session.id}`);
  }

  const refusal = start.refusal;
  const form = useFirstProblem(refusal);

  const mayBeEmpty = draft.from === "PSA_TICKET" && Boolean(draft.integrationId);
  const teams = people?.viewer.account.teams ?? [];
  const tooLong = draft.text.length > LONGEST_TEXT;
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => void submit(event)}
      onKeyDown={submitByKey}
      {...drop.target}
      className={`flex flex-col gap-4 outline-dashed outline-offset-8 ${drop.isOver ? "outline-2 outline-accent" : "outline-0"}`}
    >
      <StartFrom chosen={draft.from} onChoose={(from) => change({ from })} />
      {draft.from === "PSA_TICKET" && (
        <TicketFields draft={draft} onChange={change} refusal={refusal} />
      )}
      {draft.from === "ALERT" && (
        <TextField
          label="Alert, by its number or address (optional)"
          value={draft.alert}
          onChange={(event) => change({ alert: event.target.value })}
          problem={fieldProblem(refusal, "intake.reference")}
        />
      )}
      <TextArea
        label={mayBeEmpty ? `${ABOUT[draft.from]} (optional)` : ABOUT[draft.from]}
        dir="auto"
        rows={7}
        autoFocus
        value={draft.text}
        onChange={(event) => change({ text: event.target.value })}
        hint={
          draft.text.length > 0.9 * LONGEST_TEXT &&
          !tooLong &&
          `${count(draft.text.length)} of ${count(LONGEST_TEXT)} characters`
        }
        problem={
          fieldProblem(refusal, "intake.text") ??
          (tooLong
            ? `${count(draft.text.length)} characters; at most ${count(LONGEST_TEXT)} go in here. Attach the rest as a file.`
            : undefined)
        }
      />
      <div className="-mt-2 flex flex-col items-start gap-1.5">
        <div className="flex flex-wrap items-center gap-x-2">
          <AttachButton onFiles={uploads.add} />
          <span className="text-xs text-ink-3 pointer-coarse:hidden">
            or drop or paste them anywhere here
          </span>
        </div>
        <UploadChips uploads={uploads} />
        {fieldProblem(refusal, "uploadIds") && (
          <p className="text-xs text-dead-end">{fieldProblem(refusal, "uploadIds")}</p>
        )}
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField
          label="Kind"
          value={draft.sessionType}
          onChange={(event) => change({ sessionType: event.target.value as SessionType })}
        >
          <option value="GUIDED">Guided, step by step</option>
          <option value="CHAT">Chat, you ask</option>
        </SelectField>
        {teams.length > 0 && (
          <SelectField
            label="Team"
            value={draft.teamId}
            onChange={(event) => change({ teamId: event.target.value })}
            problem={fieldProblem(refusal, "teamId")}
          >
            <option value="">{people?.viewer.user?.team?.name ?? "None"} (yours)</option>
            {teams
              .filter(({ id }) => id !== people?.viewer.user?.team?.id)
              .map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
          </SelectField>
        )}
      </div>
      <Refused refusal={refusal} fields={fieldsOf(draft.from)} />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          type="submit"
          look="primary"
          disabled={start.isBusy || uploads.isBusy}
          aria-keyshortcuts="Control+Enter Meta+Enter"
        >
          {start.isBusy ? "Starting…" : uploads.isBusy ? "Files are uploading…" : "Start session"}
        </Button>
      </DialogActions>
    </form>
  );
}

/** Those that are shown, as the server names them. */
function fieldsOf(from: IntakeType): string[] {
  const always = ["intake.text", "uploadIds", "teamId"];
  if (from === "PSA_TICKET") return [...always, "psaTicketId", "integrationId"];
  return from === "ALERT" ? [...always, "intake.reference"] : always;
}

function count(characters: number): string {
  return characters.toLocaleString();
}
