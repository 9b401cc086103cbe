import { useState } from "react";
import { useQuery } from "urql";
import { Button } from "../ui/button";
import { Failed, SkeletonRows } from "../ui/states";
import { Moment } from "../ui/time";
import { type DiffLine, DiffLines } from "./diff-lines";
import { DocumentDiffDocument, type WholeDocumentFragment } from "./operations";

type Revision = WholeDocumentFragment["revisions"][number];

/** Every text that the document has had, and what has changed since. */
export function History({
  document,
  onBringBack,
}: {
  document: WholeDocumentFragment;
  /** Absent where nobody can edit now. */
  onBringBack: ((text: string) => void) | undefined;
}) {
  const [latest, previous] = document.revisions;
  const [chosen, setChosen] = useState<number | null>(null);
  if (!latest || !previous) {
    return <p className="text-ink-2">There is only this text so far, so nothing has changed.</p>;
  }
  const from = document.revisions.find(({ version }) => version === chosen) ?? previous;
  return (
    <div className="grid items-start gap-4 @min-[680px]:grid-cols-[minmax(0,1fr)_260px]">
      <Changes
        documentId={document.id}
        from={from}
        to={latest}
        onBringBack={onBringBack}
        key={`${from.version} ${latest.version}`}
      />
      <section className="flex flex-col gap-1 text-xs @max-[680px]:order-first">
        <h3 className="font-medium text-ink-2">Compare the text now with that of</h3>
        <ol className="flex flex-col gap-0.5">
          {document.revisions.slice(1).map((revision) => (
            <li key={revision.version}>
              <button
                type="button"
                aria-pressed={revision === from}
                onClick={() => setChosen(revision.version)}
                className="flex w-full items-baseline justify-between gap-2 rounded px-2 py-1.5 text-start transition-colors hover:bg-hover aria-pressed:bg-accent-soft"
              >
                <span className="font-medium">{writerOf(revision)}</span>
                <Moment at={revision.createdAt} className="shrink-0 text-ink-2" />
              </button>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

function Changes({
  documentId,
  from,
  to,
  onBringBack,
}: {
  documentId: string;
  from: Revision;
  to: Revision;
  onBringBack: ((text: string) => void) | undefined;
}) {
  const [{ data, error }, reload] = useQuery({
    query: DocumentDiffDocument,
    variables: { id: documentId, from: from.version, to: to.version },
  });
  const lines = data?.node && "diff" in data.node ? data.node.diff : undefined;
  if (error && !lines) return <Failed what="The difference" error={error} retry={reload} />;
  if (!lines) return <SkeletonRows count={6} className="h-5" />;
  return (
    <section className="flex min-w-0 flex-col gap-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-ink-2">
        <p>
          From {writerOf(from)}, <Moment at={from.createdAt} />, to {writerOf(to)},{" "}
          <Moment at={to.createdAt} />
        </p>
        {onBringBack && (
          <Button look="quiet" onClick={() => onBringBack(earlierText(lines))}>
            Edit the earlier text
          </Button>
        )}
      </div>
      {lines.every(({ change }) => change === "SAME") && (
        <p className="text-ink-2">The two texts are the same.</p>
      )}
      <DiffLines lines={lines} label="What changed" />
    </section>
  );
}

export function writerOf({ author }: Revision): string {
  return author?.displayName ?? "Assistant";
}

function earlierText(lines: DiffLine[]): string {
  return lines
    .filter(({ change }) => change !== "ADDED")
    .map(({ text }) => text)
    .join("\n");
}
