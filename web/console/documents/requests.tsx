import { indented } from "./indented";
import type { DeliveryRequestsQuery } from "./operations";

type DeliveryRequest = Extract<
  NonNullable<DeliveryRequestsQuery["node"]>,
  { requests: unknown }
>["requests"][number];

/** To the letter, but that JSON is broken into lines. */
export function Requests({ requests }: { requests: DeliveryRequest[] }) {
  return (
    <ol className="flex flex-col gap-3">
      {requests.map(({ method, url, body }, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a request is known by its place
        <li key={place} className="flex flex-col gap-1 font-mono text-xs">
          <p>
            <span className="font-semibold">{method}</span> {url}
          </p>
          {body && <Body text={indented(body)} />}
        </li>
      ))}
    </ol>
  );
}

function Body({ text }: { text: string }) {
  return (
    <pre
      tabIndex={0}
      className="max-h-96 overflow-auto rounded border bg-ground px-2.5 py-2 whitespace-pre-wrap"
    >
      {text}
    </pre>
  );
}
