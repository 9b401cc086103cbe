import { lazy, Suspense } from "react";
import { HandoffHistory } from "../handoff/handoff-history";
import { CompareView } from "../knowledge/compare-view";
import { TimelineView } from "../knowledge/timeline-view";
import { persistently } from "../shell/persistently";
import { SelectField } from "../ui/field";
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
  const { session, branches, show } = useSession();
  const others = [...branches.values()].filter(({ id }) => id !== shown.id);
  const wanted = [view.comparedId, session.activeBranch.id, shown.parent?.id];
  const other = wanted.flatMap((id) => others.find((each) => each.id === id) ?? [])[0] ?? others[0];
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
          <SelectField
            label={`Compare “${shown.label}” with`}
            className="px-4 pt-3"
            value={other?.id}
            onChange={(event) => view.show("compare", event.target.value)}
          >
            {others.map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </SelectField>
          {other && (
            <CompareView
              leftId={shown.id}
              rightId={other.id}
              onShowMessage={show}
              onClose={toTalk}
            />
          )}
        </div>
      );
    case "timeline":
      return (
        <div className="flex-1 bg-panel">
          <TimelineView sessionId={session.id} onClose={toTalk} />
          <section className="border-t p-4">
            <h2 className="mb-2 font-semibold">Handoffs</h2>
            <HandoffHistory sessionId={session.id} />
          </section>
        </div>
      );
    default:
      return <Conversation key={shown.id} branch={shown} />;
  }
}
