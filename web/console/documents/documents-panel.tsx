import { useState } from "react";
import { useLive } from "../graph/use-live";
import { Empty, Failed, Skeleton, SkeletonRows } from "../ui/states";
import { Tabs } from "../ui/tabs";
import { DocumentGlyph } from "./document-state";
import { DocumentView } from "./document-view";
import { DocumentEventsDocument, DocumentsDocument, type ResolutionOutputType } from "./operations";

const TITLES: Record<ResolutionOutputType, string> = {
  PSA_TICKET_NOTES: "Ticket notes",
  KNOWLEDGE_BASE: "Article",
  CLIENT_SUMMARY: "Client summary",
};

/** What a resolved session leaves behind, live. */
export function DocumentsPanel({
  sessionId,
  onShowMessage,
}: {
  sessionId: string;
  onShowMessage: (branchId: string, messageId: string) => void;
}) {
  const [selected, setSelected] = useState<string>("PSA_TICKET_NOTES");
  const { data, error, isLoading, reload } = useLive({
    query: DocumentsDocument,
    variables: { id: sessionId },
    events: DocumentEventsDocument,
    eventVariables: { sessionId },
  });
  const session = data?.session;
  return (
    <section aria-label="Documents" className="@container">
      <h2 className="sr-only">Documents</h2>
      {isLoading && (
        <>
          <div className="flex gap-4 border-b px-4 py-2.5">
            <Skeleton className="h-5 w-24" />
            <Skeleton className="h-5 w-20" />
            <Skeleton className="h-5 w-28" />
          </div>
          <SkeletonRows count={6} className="h-5" />
        </>
      )}
      {error && !data && <Failed what="The documents" error={error} retry={reload} />}
      {session?.resolutionOutputs.length === 0 && (
        <Empty>
          Not resolved yet. The ticket notes, the article and the client summary are written when
          the session is resolved.
        </Empty>
      )}
      {session && session.resolutionOutputs.length > 0 && (
        <Tabs
          label="Documents"
          selected={selected}
          onSelect={setSelected}
          items={session.resolutionOutputs.map((document) => ({
            id: document.type,
            label: (
              <span className="flex items-center gap-2 whitespace-nowrap">
                {TITLES[document.type]}
                <DocumentGlyph status={document.status} />
              </span>
            ),
            panel: (
              <DocumentView
                title={TITLES[document.type]}
                document={document}
                session={session}
                onShowMessage={onShowMessage}
                onStale={reload}
              />
            ),
          }))}
        />
      )}
    </section>
  );
}
