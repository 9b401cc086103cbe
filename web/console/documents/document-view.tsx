import { CircleCheck, History as HistoryIcon, TriangleAlert } from "lucide-react";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/states";
import { Ago } from "../ui/time";
import { CopyButton } from "./copy-button";
import { DeliverDialog } from "./deliver-dialog";
import type { Session } from "./destinations";
import { DocumentEditor } from "./document-editor";
import { DocumentState } from "./document-state";
import { type Draft, useDraft } from "./draft";
import { DARK, GroundedText, GroundingContext } from "./grounded-text";
import { type Grounds, groundsOf } from "./grounds";
import { History, writerOf } from "./history";
import { Ledger } from "./ledger";
import type { WholeDocumentFragment } from "./operations";
import { ReviewActions } from "./review-actions";
import { Sources } from "./sources";

/** One document: its text with what it rests on, what can be done with it, and where it went. */
export function DocumentView({
  title,
  document,
  session,
  onShowMessage,
  onStale,
}: {
  title: string;
  document: WholeDocumentFragment;
  session: Session;
  onShowMessage: (branchId: string, messageId: string) => void;
  onStale: () => void;
}) {
  const { draft, keep } = useDraft(document.id);
  const [discarded, setDiscarded] = useState<Draft | null>(null);
  const [isHistoryShown, setIsHistoryShown] = useState(false);
  const [isDelivering, setIsDelivering] = useState(false);
  const grounds = useMemo(
    () => groundsOf(document.sentences, session.branches),
    [document.sentences, session.branches],
  );
  const { content, status } = document;
  const isGenerating = status === "GENERATING";
  const ledger = useRef<HTMLElement>(null);
  useKey("d", () => setIsHistoryShown((isShown) => !isShown));

  function edit(text: string): void {
    keep({ text, base: content ?? "" });
    setDiscarded(null);
    setIsHistoryShown(false);
  }

  return (
    <div className="flex flex-col gap-4 p-4">
      <h3 className="sr-only">{title}</h3>
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <DocumentState status={status} />
        <Written document={document} />
        <div className="ml-auto flex flex-wrap items-center gap-1">
          {content !== null && !draft && <CopyButton document={document} />}
          <Button
            look="quiet"
            aria-pressed={isHistoryShown}
            aria-keyshortcuts="d"
            onClick={() => setIsHistoryShown(!isHistoryShown)}
            className="aria-pressed:bg-accent-soft aria-pressed:text-ink"
          >
            <HistoryIcon aria-hidden className="size-4" />
            Changes
            <kbd className="rounded border px-1 font-sans text-xs text-ink-3 max-sm:hidden">d</kbd>
          </Button>
        </div>
      </header>
      {!draft && (
        <ReviewActions
          document={document}
          verdict={<Verdict document={document} grounds={grounds} />}
          onEdit={() => edit(content ?? "")}
          onDeliver={() => setIsDelivering(true)}
          onStale={onStale}
        />
      )}
      {discarded && (
        <p role="status" className="flex flex-wrap items-center gap-2 text-ink-2">
          What you wrote is discarded.
          <Button
            look="quiet"
            onClick={() => {
              keep(discarded);
              setDiscarded(null);
            }}
          >
            Undo
          </Button>
        </p>
      )}
      {isHistoryShown ? (
        <History
          document={document}
          onBringBack={isGenerating || draft ? undefined : (text) => edit(text)}
        />
      ) : (
        <Grounded
          document={document}
          grounds={grounds}
          summary={session.resolutionSummary}
          onShowMessage={onShowMessage}
          editor={
            draft && (
              <DocumentEditor
                document={document}
                draft={draft}
                onChange={keep}
                onSaved={() => keep(null)}
                onDiscard={() => {
                  if (draft.text !== content) setDiscarded(draft);
                  keep(null);
                }}
                onStale={onStale}
              />
            )
          }
        />
      )}
      <Ledger ref={ledger} deliveries={document.deliveries} />
      <DeliverDialog
        title={title}
        document={document}
        session={session}
        isOpen={isDelivering}
        onClose={() => setIsDelivering(false)}
        onSent={() => {
          setIsDelivering(false);
          ledger.current?.scrollIntoView({ block: "nearest" });
        }}
      />
    </div>
  );
}

function Written({
  document: { revisions, generatedByModel },
}: {
  document: WholeDocumentFragment;
}) {
  const [latest] = revisions;
  if (!latest) return null;
  return (
    <p className="text-xs text-ink-2">
      {latest.author ? "Edited by " : "Written by the "}
      {latest.author ? writerOf(latest) : "assistant"}
      {!latest.author && generatedByModel && ` (${generatedByModel})`},{" "}
      <Ago at={latest.createdAt} />
    </p>
  );
}

/** What to know before one approves, or why there is nothing to approve. */
function Verdict({ document, grounds }: { document: WholeDocumentFragment; grounds: Grounds }) {
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

/** Text left, sources right; on a narrow page one below the other. */
function Grounded({
  document,
  grounds,
  summary,
  editor,
  onShowMessage,
}: {
  document: WholeDocumentFragment;
  grounds: Grounds;
  summary: string | null;
  /** In the place of the text. */
  editor: React.ReactNode;
  onShowMessage: (branchId: string, messageId: string) => void;
}) {
  const [light, setLight] = useState(DARK);
  const text = useRef<HTMLElement>(null);
  const id = useId();
  const { content, status, sentences, article } = document;
  const grounding = useMemo(() => {
    const sourceId = (place: number) => `${id}-source-${place}`;
    return {
      grounds,
      sourceId,
      light,
      setLight,
      showSource: (place: number) => {
        const source = window.document.getElementById(sourceId(place));
        source?.scrollIntoView({ block: "nearest" });
        source?.querySelector("button")?.focus({ preventScroll: true });
      },
    };
  }, [id, grounds, light]);
  if (content === null && !editor) {
    return status === "GENERATING" ? <TextSkeleton /> : null;
  }
  return (
    <GroundingContext value={grounding}>
      <div className="grid items-start gap-x-8 gap-y-6 @min-[680px]:grid-cols-[minmax(0,1fr)_260px] @min-[900px]:grid-cols-[minmax(0,1fr)_300px]">
        <article
          ref={text}
          aria-label="Text"
          className={`flex min-w-0 flex-col gap-4 ${editor ? "" : "max-w-[72ch]"} ${status === "GENERATING" ? "opacity-60" : ""}`}
        >
          {editor ?? <GroundedText text={content ?? ""} sentences={sentences} grounds={grounds} />}
          {article && article.tags.length > 0 && (
            <p className="text-xs text-ink-2">Tags: {article.tags.join(", ")}</p>
          )}
        </article>
        <Sources
          grounds={grounds}
          sentences={sentences}
          summary={summary}
          onShowSentence={(place) =>
            text.current
              ?.querySelector(`[data-sentence="${place}"]`)
              ?.scrollIntoView({ block: "center" })
          }
          onShowMessage={onShowMessage}
        />
      </div>
    </GroundingContext>
  );
}

function TextSkeleton() {
  return (
    <div className="flex max-w-[72ch] flex-col gap-3">
      <Skeleton className="h-5 w-32" />
      <Skeleton className="h-4" />
      <Skeleton className="h-4 w-4/5" />
      <Skeleton className="mt-3 h-5 w-40" />
      <Skeleton className="h-4" />
      <Skeleton className="h-4 w-11/12" />
      <Skeleton className="h-4 w-3/5" />
    </div>
  );
}

/** Pressed anywhere but where one types or chooses. */
function useKey(key: string, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      const isPlain = !event.metaKey && !event.ctrlKey && !event.altKey && !event.defaultPrevented;
      const isElsewhere =
        event.target instanceof Element &&
        event.target.closest("input, textarea, select, [role=dialog], [role=menu], [role=tree]");
      if (event.key === key && isPlain && !isElsewhere) latest.current();
    };
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, [key]);
}
