import { ExportMenu } from "../documents/export-menu";
import { SessionActions } from "../handoff/session-actions";
import { Header } from "../shell/header";
import { Segments } from "../ui/segments";
import type { BranchRowFragment, SessionHeadFragment } from "./operations";
import { SessionLine } from "./session-line";
import type { View, ViewName } from "./use-view";

const VIEWS: { id: ViewName; label: string }[] = [
  { id: "talk", label: "Conversation" },
  { id: "documents", label: "Documents" },
  { id: "timeline", label: "Timeline" },
];

export function SessionHeader({
  session,
  branches,
  view,
}: {
  session: SessionHeadFragment;
  branches: BranchRowFragment[];
  view: View;
}) {
  const title = session.problemSummary ?? session.intake.text.slice(0, 80);
  const hasDocuments = session.resolutionSummary !== null;
  const views = VIEWS.filter(({ id }) => id !== "documents" || hasDocuments);
  return (
    <>
      <Header
        title={title}
        about={<SessionLine session={session} />}
        actions={<SessionActions session={session} branches={branches} onMoved={view.onMoved} />}
      />
      <div className="flex shrink-0 flex-wrap items-center justify-between gap-2 border-b bg-panel px-3 py-1">
        <Segments label="View" items={views} chosen={view.name} onChoose={view.show} />
        <ExportMenu sessionId={session.id} />
      </div>
    </>
  );
}
