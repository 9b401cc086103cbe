import { type FormEvent, useId, useState } from "react";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { DialogActions } from "../ui/dialog";
import { TextArea } from "../ui/field";
import { Refused } from "../ui/states";
import { Choice } from "./choice";
import { copyText } from "./clipboard";
import { type Offer, recipientsIn, type Session, whyNoTicket } from "./destinations";
import { PushDocumentDocument, type WholeDocumentFragment } from "./operations";
import { Requests } from "./requests";
import { type Preview, usePreview } from "./use-preview";

/** Where to, what exactly, and then it is sent: nothing that was not shown before. */
export function DeliverForm({
  document,
  session,
  offers,
  onClose,
  onSent,
}: {
  document: WholeDocumentFragment;
  session: Session;
  offers: Offer[];
  onClose: () => void;
  onSent: () => void;
}) {
  const push = useAction(PushDocumentDocument);
  const { previewed, isAsking, problem, ask, drop } = usePreview();
  const ids = useId();
  const [chosen, setChosen] = useState("");
  const [clientVisible, setClientVisible] = useState(false);
  const [to, setTo] = useState("");
  const [copyProblem, setCopyProblem] = useState<string | null>(null);
  const offer = offers.find(({ key }) => key === chosen) ?? offers[0];
  if (!offer) return null;

  const { destination, integrationId } = offer;
  const recipients = destination === "EMAIL" ? recipientsIn(to) : [];
  const address = {
    outputId: document.id,
    destination,
    integrationId,
    to: recipients,
    clientVisible: destination === "PSA" && clientVisible,
  };
  const shown = previewed?.version === document.version ? previewed : null;
  const isClipboard = destination === "CLIPBOARD";
  const isSendable = isClipboard || document.status === "APPROVED" || document.status === "PUSHED";
  const noTicket = whyNoTicket(session);
  const failure = copyProblem ?? naming(recipients, problem);

  function change(apply: () => void): void {
    apply();
    drop();
    push.clear();
    setCopyProblem(null);
  }

  const isPreviewable = !shown && !isAsking && (destination !== "EMAIL" || recipients.length > 0);

  function preview(event: FormEvent): void {
    event.preventDefault();
    if (!isPreviewable) return;
    push.clear();
    void ask(address, document.version);
  }

  async function send(): Promise<void> {
    if (!shown) return;
    const uncopied = isClipboard ? await copyText(document.content ?? "") : null;
    setCopyProblem(uncopied);
    if (uncopied) return;
    const { idempotencyKey, version } = shown;
    if (await push.run({ input: { ...address, idempotencyKey, expectedVersion: version } })) {
      onSent();
    }
  }

  return (
    <form onSubmit={preview} className="flex flex-col gap-4">
      <fieldset className="flex flex-col gap-1">
        <legend className="mb-1 text-xs font-medium text-ink-2">Where to</legend>
        {offers.map(({ key, name, about }) => (
          <Choice
            key={key}
            name={`${ids}-where`}
            isChosen={key === offer.key}
            onChoose={() => change(() => setChosen(key))}
            label={name}
            about={about}
          />
        ))}
        {noTicket && <p className="px-2 text-xs text-ink-3">{noTicket}</p>}
      </fieldset>
      {destination === "PSA" && (
        <fieldset className="flex flex-col gap-1">
          <legend className="mb-1 text-xs font-medium text-ink-2">Who sees it</legend>
          <Choice
            name={`${ids}-who`}
            isChosen={!clientVisible}
            onChoose={() => change(() => setClientVisible(false))}
            label="Internal"
            about="Only people of your company see it in the ticket."
          />
          <Choice
            name={`${ids}-who`}
            isChosen={clientVisible}
            onChoose={() => change(() => setClientVisible(true))}
            label="The client, too"
            about="The client sees it in their ticket, as it stands here."
          />
        </fieldset>
      )}
      {destination === "EMAIL" && (
        <TextArea
          label="Recipients"
          rows={2}
          value={to}
          onChange={(event) => change(() => setTo(event.target.value))}
          hint={
            recipients.length === 0
              ? "1 to 20 addresses, with commas or line breaks between them."
              : `${recipients.length} of at most 20 recipients. Each sees the others.`
          }
          autoComplete="off"
          spellCheck={false}
        />
      )}
      {shown && <Previewed preview={shown.preview} />}
      <div className="sticky bottom-0 -mx-4 -mb-4 flex flex-col gap-3 border-t bg-panel px-4 py-3">
        <Refused
          refusal={failure ? { message: failure, fields: [], kind: "failure" } : push.refusal}
        />
        <DialogActions>
          {shown && !isSendable && (
            <p className="mr-auto self-center text-xs text-ink-2">
              Only what is approved can be sent. Approve it first.
            </p>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look={shown ? "quiet" : "primary"} aria-disabled={!isPreviewable}>
            {isAsking ? "Asking…" : "Preview"}
          </Button>
          <Button
            look={shown ? "primary" : "quiet"}
            disabled={!shown || push.isBusy || !isSendable}
            onClick={() => void send()}
          >
            {push.isBusy ? "Sending…" : isClipboard ? "Copy" : `Send to ${offer.name}`}
          </Button>
        </DialogActions>
      </div>
    </form>
  );
}

function Previewed({ preview: { visibleTo, requests } }: { preview: Preview }) {
  return (
    <section aria-label="Preview" className="flex flex-col gap-3 border-t pt-4">
      <p role="status">
        <span className="font-medium">Who will see it: </span>
        {visibleTo}
      </p>
      {requests.length === 0 && <p className="text-xs text-ink-2">No system outside is called.</p>}
      <Requests requests={requests} />
    </section>
  );
}

/** The recipient themselves where the server names the place of one. */
function naming(recipients: string[], problem: string): string {
  return problem.replace(/\bto\.(\d+)/g, (path, place) => recipients[Number(place)] ?? path);
}
