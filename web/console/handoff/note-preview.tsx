import { useQuery } from "urql";
import { Failed, SkeletonRows } from "../ui/states";
import { NotePreviewDocument } from "./operations";

/** What would be sent, to the letter, and who would see it. */
export function NotePreview({
  handoffId,
  isClientVisible,
}: {
  handoffId: string;
  isClientVisible: boolean;
}) {
  const [{ data, error, fetching }, load] = useQuery({
    query: NotePreviewDocument,
    variables: { handoffId, clientVisible: isClientVisible },
    requestPolicy: "network-only",
  });
  if (fetching) return <SkeletonRows count={3} className="h-5" />;
  if (error) {
    return (
      <Failed
        what="What would be sent"
        error={error}
        retry={() => load({ requestPolicy: "network-only" })}
      />
    );
  }
  return (
    <div className="flex flex-col gap-2">
      <p className="text-ink-2">{data?.deliveryPreview.visibleTo}</p>
      {data?.deliveryPreview.requests.map(({ method, url, body }) => (
        <figure key={`${method} ${url} ${body}`} className="rounded border">
          <figcaption className="border-b px-3 py-1 font-mono text-xs text-ink-2">
            {method} {url}
          </figcaption>
          <pre
            tabIndex={0}
            className="max-h-60 overflow-auto px-3 py-2 text-xs whitespace-pre-wrap"
            dir="auto"
          >
            {laidOut(body)}
          </pre>
        </figure>
      ))}
    </div>
  );
}

/** The same content, with its lines as lines. */
export function laidOut(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2).replaceAll("\\n", "\n");
  } catch {
    return body;
  }
}
