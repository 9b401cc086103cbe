import { useState } from "react";
import { Button } from "../ui/button";
import type { DeliveryRequestsQuery } from "./operations";
import { type Part, readable } from "./readable";

type DeliveryRequest = Extract<
  NonNullable<DeliveryRequestsQuery["node"]>,
  { requests: unknown }
>["requests"][number];

/** Laid out to be read, and at a press to the letter. */
export function Requests({ requests }: { requests: DeliveryRequest[] }) {
  const [isExact, setIsExact] = useState(false);
  const shown = requests.map((request) => ({ ...request, parts: readable(request.body ?? "") }));
  return (
    <>
      {shown.some(({ parts }) => parts) && (
        <div className="flex flex-wrap items-center justify-between gap-x-3 text-xs text-ink-2">
          <p role="status">
            {isExact
              ? "To the letter, as it is sent, but for credentials."
              : "Laid out to be read: JSON in lines, and texts with their line breaks."}
          </p>
          <Button look="quiet" className="-mx-3 text-xs" onClick={() => setIsExact(!isExact)}>
            {isExact ? "Show it laid out" : "Show it to the letter"}
          </Button>
        </div>
      )}
      <ol className="flex flex-col gap-3">
        {shown.map(({ method, url, body, parts }, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a request is known by its place
          <li key={place} className="flex flex-col gap-1 font-mono text-xs">
            <p className="break-all">
              <span className="font-semibold">{method}</span> {url}
            </p>
            {body && (
              <pre
                tabIndex={0}
                className="max-h-96 overflow-auto rounded border bg-ground px-2.5 py-2 break-words whitespace-pre-wrap"
              >
                {isExact || !parts ? body : <LaidOut parts={parts} />}
              </pre>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}

function LaidOut({ parts }: { parts: Part[] }) {
  return parts.map(({ isText, text }, place) => (
    <span
      // biome-ignore lint/suspicious/noArrayIndexKey: a part is known by its place
      key={place}
      dir={isText ? "auto" : undefined}
      className={isText ? "my-0.5 ml-4 block border-l-2 border-edge/50 pl-2.5 font-sans" : ""}
    >
      {text}
    </span>
  ));
}
