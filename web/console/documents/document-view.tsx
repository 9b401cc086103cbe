import { History as HistoryIcon } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { isWriter } from "../shell/access";
import { useViewer } from "../shell/viewer";
import { Button } from "../ui/button";
import { OnlyWriters } from "../ui/only-writers";
import { hasShortcuts, useShortcuts } from "../ui/shortcuts";
import { Ago } from "../ui/time";
import { CopyButton } from "./copy-button";
import { DeliverDialog } from "./deliver-dialog";
import type { Session } from "./destinations";
import { DocumentEditor } from "./document-editor";
import { DocumentState } from "./document-state";
import { type Draft, useDraft } from "./draft";
import { GroundedDocument } from "./grounded-document";
import { groundsOf } from "./grounds";
import { History } from "./history";
import { Ledger } from "./ledger";
import type { WholeDocumentFragment } from "./operations";
import { ReviewActions } from "./review-actions";
import { Verdict } from "./verdict";

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
  const verdict = <Verdict document={document} grounds={grounds} />;
  const head = useRef<HTMLDivElement>(null);
  const ledger = useRef<HTMLElement>(null);
  const mayWrite = isWriter(session, useViewer());
  useShortcuts({ d: () => setIsHistoryShown((isShown) => !isShown) });

  /** What was pressed is gone: the focus goes to what came of it. */
  function showState(): void {
    head.current?.focus({ preventScroll: true });
  }

  function edit(text: string): void {
    keep({ text, base: content ?? "" });
    setDiscarded(null);
    setIsHistoryShown(false);
  }

  return (
    <div className="flex flex-col gap-4 p-4">
      <h3 className="sr-only">{title}</h3>
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <div ref={head} tabIndex={-1} aria-live="polite" className="flex rounded">
          <DocumentState status={status} />
        </div>
        <Written document={document} />
        <div className="ml-auto flex flex-wrap items-center justify-end gap-1">
          {content !== null && !draft && <CopyButton document={document} isNoted={mayWrite} />}
          <Button
            look="quiet"
            aria-pressed={isHistoryShown}
            aria-keyshortcuts={hasShortcuts() ? "d" : undefined}
            onClick={() => setIsHistoryShown(!isHistoryShown)}
            className="aria-pressed:bg-accent-soft aria-pressed:text-ink"
          >
            <HistoryIcon aria-hidden className="size-4" />
            Changes
            {hasShortcuts() && (
              <kbd className="rounded border px-1 font-sans text-xs text-ink-3 max-sm:hidden">
                d
              </kbd>
            )}
          </Button>
        </div>
      </header>
      {!mayWrite && (
        <div className="flex flex-col gap-1">
          {status !== "REJECTED" && verdict}
          <OnlyWriters assignee={session.assignee} deed="edit, approve and deliver it" />
        </div>
      )}
      {mayWrite && !draft && (
        <ReviewActions
          document={document}
          unsupportedCount={grounds.unsupported.length}
          isRewritable={session.status === "RESOLVED"}
          verdict={verdict}
          onEdit={() => edit(content ?? "")}
          onDeliver={() => setIsDelivering(true)}
          onDone={() => {
            setDiscarded(null);
            showState();
          }}
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
          onBringBack={status === "GENERATING" || draft || !mayWrite ? undefined : edit}
        />
      ) : (
        <GroundedDocument
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
                onSaved={() => {
                  keep(null);
                  showState();
                }}
                onDiscard={() => {
                  if (draft.text !== draft.base) setDiscarded(draft);
                  keep(null);
                  showState();
                }}
                onStale={onStale}
              />
            )
          }
        />
      )}
      <Ledger ref={ledger} deliveries={document.deliveries} isRetriable={mayWrite} />
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
      {latest.author
        ? `Edited by ${latest.author.displayName}`
        : `Written by the assistant${generatedByModel ? ` (${generatedByModel})` : ""}`}
      {", "}
      <Ago at={latest.createdAt} />
    </p>
  );
}
