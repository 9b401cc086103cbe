import { SessionActions } from "../handoff/session-actions";
import { Header } from "../shell/header";
import type { BranchRowFragment, SessionHeadFragment } from "./operations";
import { SessionLine } from "./session-line";
import type { View } from "./use-view";
import { ViewMenu } from "./view-menu";

export function SessionHeader({
  session,
  branches,
  view,
}: {
  session: SessionHeadFragment;
  branches: BranchRowFragment[];
  view: View;
}) {
  return (
    <Header
      title={session.problemSummary ?? session.intake.text.slice(0, 80)}
      about={<SessionLine session={session} />}
      actions={
        <>
          <ViewMenu session={session} view={view} />
          <SessionActions session={session} branches={branches} onMoved={view.onMoved} />
        </>
      }
    />
  );
}
