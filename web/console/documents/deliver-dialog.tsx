import { type FormEvent, useId, useState } from "react";
import { useClient, useQuery } from "urql";
import { newKey } from "../graph/keys";
import { inWords, useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { TextArea } from "../ui/field";
import { Failed, fieldProblem, Refused, SkeletonRows } from "../ui/states";
import { Choice } from "./choice";
import { copyText } from "./clipboard";
import { type Offer, offersFor, recipientsIn, type Session, whyNoTicket } from "./destinations";
import {
  DestinationsDocument,
  DocumentPreviewDocument,
  type DocumentPreviewQuery,
  PushDocumentDocument,
  type WholeDocumentFragment,
} from "./operations";
import { Requests } from "./requests";

interface Props {
  document: WholeDocumentFragment;
  session: Session;
  onClose: () => void;
  onSent: () => void;
}

export function DeliverDialog({
  title,
  isOpen,
  ...props
}: Props & { title: string; isOpen: boolean }) {
  return (
    <Dialog
      title={`Deliver: ${title}`}
      isOpen={isOpen}
      onClose={props.onClose}
      width="sm:max-w-2xl"
    >
      <Offers {...props} />
    </Dialog>
  );
}

function Offers(props: Props) {
  const [{ data, error }, reload] = useQuery({
    query: DestinationsDocument,
    requestPolicy: "cache-and-network",
  });
  if (error && !data) return <Failed what="The destinations" error={error} retry={reload} />;
  if (!data) return <SkeletonRows count={4} className="h-10" />;
  return (
    <DeliverForm
      {...props}
      offers={offersFor(props.document.type, props.session, data.integrations)}
    />
  );
}

/** What was shown, and would be sent just so. */
interface Previewed extends Omit<DocumentPreviewQuery["outputDeliveryPreview"], "__typename"> {
  idempotencyKey: string;
  expectedVersion: number;
}

function DeliverForm({ document, session, onClose, onSent, offers }: Props & { offers: Offer[] }) {
  const client = useClient();
  const push = useAction(PushDocumentDocument);
  const ids = useId();
  const [chosen, setChosen] = useState(offers[0]?.key);
  const [clientVisible, setClientVisible] = useState(false);
  const [to, setTo] = useState("");
  const [previewed, setPreviewed] = useState<Previewed | null>(null);
  const [isPreviewing, setIsPreviewing] = useState(false);
  const [problem, setProblem] = useState("");
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
  const isClipboard = destination === "CLIPBOARD";
  const isApproved = document.status === "APPROVED" || document.status === "PUSHED";
  const noTicket = whyNoTicket(session);

  function change(apply: () => void): void {
    apply();
    setPreviewed(null);
    setProblem("");
    push.clear();
  }

  async function preview(): Promise<void> {
    setIsPreviewing(true);
    const { data, error } = await client
      .query(DocumentPreviewDocument, address, { requestPolicy: "network-only" })
      .toPromise();
    setIsPreviewing(false);
    setProblem(error ? inWords(error) : "");
    const shown = data?.outputDeliveryPreview;
    if (!shown) return;
    setPreviewed({ ...shown, idempotencyKey: newKey(), expectedVersion: document.version });
  }

  async function send({ idempotencyKey, expectedVersion }: Previewed): Promise<void> {
    const failed = isClipboard ? await copyText(document.content ?? "") : null;
    setProblem(failed ?? "");
    if (failed) return;
    if (await push.run({ input: { ...address, idempotencyKey, expectedVersion } })) onSent();
    else setPreviewed(null);
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (!previewed) void preview();
    else if (isApproved || isClipboard) void send(previewed);
  }

  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
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
          problem={fieldProblem(push.refusal, "to")}
          autoComplete="off"
          spellCheck={false}
        />
      )}
      {previewed && (
        <section aria-label="Preview" className="flex flex-col gap-3 border-t pt-4">
          <p role="status">
            <span className="font-medium">Who will see it: </span>
            {previewed.visibleTo}
          </p>
          {previewed.requests.length === 0 ? (
            <p className="text-ink-2">No system outside is called.</p>
          ) : (
            <>
              <p className="text-xs text-ink-2">
                Exactly what is sent, without credentials; JSON is broken into lines to be read.
              </p>
              <Requests requests={previewed.requests} />
            </>
          )}
        </section>
      )}
      <Refused
        refusal={problem ? { message: problem, fields: [], kind: "failure" } : push.refusal}
      />
      <div className="sticky bottom-0 -mx-4 -mb-4 border-t bg-panel px-4 py-3">
        <DialogActions>
          {previewed && !isApproved && !isClipboard && (
            <p className="mr-auto self-center text-xs text-ink-2">
              Only what is approved can be sent. Approve it first.
            </p>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            disabled={
              push.isBusy ||
              isPreviewing ||
              (previewed !== null && !isApproved && !isClipboard) ||
              (destination === "EMAIL" && recipients.length === 0)
            }
          >
            {previewed
              ? push.isBusy
                ? "Sending…"
                : isClipboard
                  ? "Copy"
                  : `Send to ${offer.name}`
              : isPreviewing
                ? "Asking…"
                : "Preview"}
          </Button>
        </DialogActions>
      </div>
    </form>
  );
}
