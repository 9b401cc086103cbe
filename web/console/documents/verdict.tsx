import { CircleCheck, TriangleAlert } from "lucide-react";
import type { Grounds } from "./grounds";
import type { WholeDocumentFragment } from "./operations";

/** What to know before one approves, or why there is nothing to approve. */
export function Verdict({
  document,
  grounds,
}: {
  document: WholeDocumentFragment;
  grounds: Grounds;
}) {
  const { status, content, failure } = document;
  if (status === "GENERATING") {
    return (
      <p role="status" className="text-ink-2">
        {content === null
          ? "It is being written from what the session has recorded."
          : "It is being written again. The text so far stays as a revision."}
      </p>
    );
  }
  if (status === "FAILED") {
    return (
      <p role="status" className="text-dead-end">
        {failure}
        {content !== null && <span className="text-ink-2"> The text below is the one before.</span>}
      </p>
    );
  }
  if (status === "REJECTED") {
    return <p className="text-ink-2">Edit it or have it written again; that makes it a draft.</p>;
  }
  if (content === null) return null;
  const count = grounds.unsupported.length;
  return (
    <p className={`flex items-start gap-1.5 ${count ? "text-revived" : "text-ink-2"}`}>
      {count ? (
        <TriangleAlert aria-hidden className="mt-1 size-3.5 shrink-0" />
      ) : (
        <CircleCheck aria-hidden className="mt-1 size-3.5 shrink-0 text-solved" />
      )}
      {count === 0 && "Every sentence rests on something recorded."}
      {count === 1 && "1 sentence rests on nothing recorded."}
      {count > 1 && `${count} sentences rest on nothing recorded.`}
    </p>
  );
}
