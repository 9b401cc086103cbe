import { ChevronRight } from "lucide-react";
import { type RefObject, useState } from "react";
import { useQuery } from "urql";
import { Link } from "wouter";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Failed, Refused, Skeleton } from "../ui/states";
import { Ago, Moment } from "../ui/time";
import { DeliveryMark } from "./document-state";
import {
  type DeliveryGuarantee,
  DeliveryRequestsDocument,
  type DeliveryRowFragment,
  RetryDeliveryDocument,
} from "./operations";
import { Requests } from "./requests";

const GUARANTEES: Record<DeliveryGuarantee, string> = {
  EXACTLY_ONCE: "It arrives once: before another try the far end is searched for an earlier one.",
  AT_LEAST_ONCE: "After a lost answer it may come twice, under the same id.",
  NONE: "Where it went from the clipboard nobody knows.",
};

/** Where a document was delivered, or is on its way to; the newest first. */
export function Ledger({
  deliveries,
  isRetriable,
  ref,
}: {
  deliveries: DeliveryRowFragment[];
  /** By who looks at it, where one has failed. */
  isRetriable: boolean;
  ref: RefObject<HTMLElement | null>;
}) {
  return (
    <section ref={ref} aria-label="Deliveries" className="flex flex-col gap-2 border-t pt-4">
      <h3 className="text-xs font-medium text-ink-2">Deliveries</h3>
      {deliveries.length === 0 && <p className="text-ink-2">Not delivered anywhere yet.</p>}
      <ol className="flex flex-col divide-y">
        {deliveries.map((delivery) => (
          <Row key={delivery.id} delivery={delivery} isRetriable={isRetriable} />
        ))}
      </ol>
    </section>
  );
}

function Row({ delivery, isRetriable }: { delivery: DeliveryRowFragment; isRetriable: boolean }) {
  const retry = useAction(RetryDeliveryDocument);
  const { state, attempts, nextTryAt, createdBy, createdAt, reference } = delivery;
  const last = attempts.at(-1);
  const failure = last && !last.succeeded && last.detail;
  return (
    <li className="flex flex-col gap-x-4 gap-y-1 py-2.5 @min-[480px]:flex-row">
      <span aria-live="polite" className="flex w-24 shrink-0 items-baseline">
        <DeliveryMark state={state} />
      </span>
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <p className="flex flex-wrap items-baseline justify-between gap-x-4">
          <span>
            {whereTo(delivery)}
            {delivery.destination === "PSA" && (
              <span className="text-ink-2">
                {delivery.isClientVisible ? ", seen by the client" : ", internal"}
              </span>
            )}
          </span>
          <span className="text-xs text-ink-2">
            {createdBy?.displayName ?? "An API key"}, <Moment at={createdAt} />
          </span>
        </p>
        {failure && (
          <p className={state === "FAILED" ? "text-dead-end" : "text-ink-2"}>
            {failure}
            {nextTryAt && (
              <>
                {" Next try "}
                <Ago at={nextTryAt} />
              </>
            )}
          </p>
        )}
        {reference && <Reference delivery={delivery} reference={reference} />}
        {state === "FAILED" && isRetriable && (
          <Button
            className="self-start"
            disabled={retry.isBusy}
            onClick={() => void retry.run({ input: { deliveryId: delivery.id } })}
          >
            {retry.isBusy ? "Retrying…" : "Retry"}
          </Button>
        )}
        <Refused refusal={retry.refusal} />
        {delivery.destination !== "CLIPBOARD" && <Particulars delivery={delivery} />}
      </div>
    </li>
  );
}

function whereTo({
  destination,
  integration,
  psaTicketId,
  recipients,
}: DeliveryRowFragment): string {
  const through = integration?.name ?? "a system that was removed";
  switch (destination) {
    case "PSA":
      return `Ticket ${psaTicketId} in ${through}`;
    case "KB_LIBRARY":
      return "Library";
    case "CLIPBOARD":
      return "Clipboard";
    case "EMAIL":
      return `${recipients.join(", ")}, through ${through}`;
    default:
      return through;
  }
}

function Reference({ delivery, reference }: { delivery: DeliveryRowFragment; reference: string }) {
  const look = "text-accent underline";
  if (delivery.destination === "KB_LIBRARY") {
    return (
      <p>
        <Link href={`/library/${reference}`} className={look}>
          Open the article
        </Link>
      </p>
    );
  }
  if (!/^https?:\/\//.test(reference)) {
    return (
      <p className="text-xs text-ink-2">
        Reference <span className="font-mono">{reference}</span>
      </p>
    );
  }
  return (
    <p>
      <a href={reference} target="_blank" rel="noreferrer noopener" className={look}>
        {reference}
      </a>
    </p>
  );
}

/** How it went, and to the letter what was sent; read when it is opened. */
function Particulars({ delivery }: { delivery: DeliveryRowFragment }) {
  const [isOpen, setIsOpen] = useState(false);
  const { attempts, guarantee } = delivery;
  return (
    <details
      open={isOpen}
      onToggle={(event) => setIsOpen(event.currentTarget.open)}
      className="group text-xs text-ink-2"
    >
      <summary className="inline-flex cursor-pointer list-none items-center gap-1 rounded hover:text-ink">
        <ChevronRight aria-hidden className="size-3.5 transition-transform group-open:rotate-90" />
        {attempts.length === 1 ? "1 try" : `${attempts.length} tries`} and what was sent
      </summary>
      {isOpen && (
        <div className="mt-1 flex flex-col gap-3 border-l-2 py-1 pl-3">
          <p>{GUARANTEES[guarantee]}</p>
          {attempts.length > 0 && (
            <ol className="flex flex-col">
              {attempts.map(({ at, succeeded, detail }) => (
                <li key={at} className="flex gap-3">
                  <Moment at={at} className="shrink-0 tabular-nums" />
                  <span>
                    {succeeded ? "Arrived." : "Failed."} {detail}
                  </span>
                </li>
              ))}
            </ol>
          )}
          <Sent delivery={delivery} />
        </div>
      )}
    </details>
  );
}

function Sent({ delivery: { id, state } }: { delivery: DeliveryRowFragment }) {
  const [{ data, error }, reload] = useQuery({
    query: DeliveryRequestsDocument,
    variables: { id },
    requestPolicy: "cache-and-network",
  });
  const requests = data?.node && "requests" in data.node ? data.node.requests : undefined;
  if (error && !requests) return <Failed what="What was sent" error={error} retry={reload} />;
  if (!requests) return <Skeleton className="h-16" />;
  if (requests.length === 0) {
    return <p>{state === "QUEUED" ? "Nothing was sent yet." : "No system outside was called."}</p>;
  }
  return <Requests requests={requests} />;
}
