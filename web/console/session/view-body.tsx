import { lazy, Suspense } from "react";
import { CompareView } from "../knowledge/compare-view";
import { TimelineView } from "../knowledge/timeline-view";
import { persistently } from "../shell/persistently";
import { SkeletonRows } from "../ui/states";
import { Conversation } from "./conversation";
import type { BranchRowFragment } from "./operations";
import { useSession } from "./session-context";
import type { View } from "./use-view";

const DocumentsPanel = lazy(
  persistently(() =>
    import("../documents/documents-panel").then((loaded) => ({ default: loaded.DocumentsPanel })),
  ),
);

/** What stands in the middle of the page. */
export function ViewBody({ view, shown }: { view: View; shown: BranchRowFragment }) {
  const { session, show } = useSession();
  const toTalk = (): void => view.show("talk");
  switch (view.name) {
    case "documents":
      return (
        <Suspense fallback={<SkeletonRows count={6} className="h-6" />}>
          <div className="flex-1 bg-panel">
            <DocumentsPanel sessionId={session.id} onShowMessage={show} />
          </div>
        </Suspense>
      );
    case "compare":
      return (
        <div className="flex-1 bg-panel">
          <CompareView
            leftId={shown.id}
            rightId={view.comparedId ?? session.activeBranch.id}
            onShowMessage={show}
            onClose={toTalk}
          />
        </div>
      );
    case "timeline":
      return (
        <div className="flex-1 bg-panel">
          <TimelineView sessionId={session.id} onClose={toTalk} />
        </div>
      );
    default:
      return <Conversation key={shown.id} branch={shown} />;
  }
}
