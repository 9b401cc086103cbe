import { type CSSProperties, useCallback, useMemo, useState } from "react";
import { HandoffBanner } from "../handoff/handoff-banner";
import { ResolveDialog } from "../handoff/resolve-dialog";
import { ContextInspector } from "../knowledge/context-inspector";
import { KnowledgePanel } from "../knowledge/knowledge-panel";
import { ReviveDialog } from "../knowledge/revive-dialog";
import { mayWrite } from "../shell/access";
import { useViewer } from "../shell/viewer";
import { BranchAside } from "./branch-aside";
import { BranchMap } from "./branch-map";
import { Composer } from "./composer";
import { DeadEndBar } from "./dead-end-bar";
import { ForkDialog } from "./fork-dialog";
import type { BranchRowFragment, ForkRowFragment, SessionHeadFragment } from "./operations";
import { type Pane, PaneTabs } from "./pane-tabs";
import { PlaceBar, type Transition } from "./place-bar";
import { type ForkWish, SessionContext, type SessionPlace } from "./session-context";
import { SessionHeader } from "./session-header";
import { Splitter, useMapWidth } from "./splitter";
import { byId } from "./tree";
import { type Fresh, usePrefetch } from "./use-conversation";
import { usePlace, usePresence } from "./use-presence";
import { useSessionKeys } from "./use-session-keys";
import { useShownMessage } from "./use-shown-message";
import { useStuckToEnd } from "./use-stuck-to-end";
import { useView } from "./use-view";
import { ViewBody } from "./view-body";
import { WhoIsAsking } from "./who-is-asking";
import { WhyReadOnly } from "./why-read-only";

interface Props {
  session: SessionHeadFragment;
  branches: (BranchRowFragment & { unreadCount: number })[];
  forkPoints: ForkRowFragment[];
  shown: BranchRowFragment;
  transition: Transition | null;
  fresh: Fresh;
  show: (branchId: string, messageId?: string) => void;
}

/** Three panes: the map, the conversation, and what is known. On a phone one at a time. */
export function SessionView(props: Props) {
  const { session, branches, forkPoints, shown, transition, fresh, show } = props;
  const shownId = shown.id;
  const [mapWidth, setMapWidth] = useMapWidth();
  const [pane, setPane] = useState<Pane>("talk");
  const [wish, setWish] = useState<ForkWish | null>(null);
  const [asksToResolve, setAsksToResolve] = useState(false);
  const [revived, setRevived] = useState<BranchRowFragment | null>(null);
  const [inspectedId, setInspectedId] = useState<string | null>(null);
  const [inSight, setInSight] = useState<string[]>([]);
  const view = useView();
  const known = useMemo(() => byId(branches), [branches]);
  const unread = useMemo(
    () => new Map(branches.map(({ id, unreadCount }) => [id, unreadCount])),
    [branches],
  );
  const isReadOnly = !mayWrite(session, useViewer());

  const goTo = useCallback(
    (branchId: string, messageId?: string) => {
      show(branchId, messageId);
      setPane("talk");
    },
    [show],
  );
  const place = useMemo<SessionPlace>(
    () => ({
      session,
      branches: known,
      forkPoints,
      fresh,
      shownId,
      isReadOnly,
      show: goTo,
      askFork: setWish,
      askRevival: setRevived,
      compare: () => view.show("compare"),
      inspect: setInspectedId,
      onSolved: () => setAsksToResolve(true),
    }),
    [session, known, forkPoints, fresh, shownId, isReadOnly, goTo, view],
  );

  usePrefetch(
    useMemo(() => inSight.flatMap((id) => known.get(id) ?? []), [inSight, known]),
    fresh,
  );
  useSessionKeys(shown, branches, goTo);
  useShownMessage(shownId);
  const { scroller, content } = useStuckToEnd(`${view.name} ${shownId}`, view.name === "talk");
  const people = usePresence(session.id);
  usePlace(session.id, shownId, unread.get(shownId) ?? 0);
  const aside = useCallback(
    ({ id }: BranchRowFragment) => (
      <BranchAside
        people={people.filter(({ branch }) => branch.id === id)}
        unreadCount={id === shownId ? 0 : (unread.get(id) ?? 0)}
      />
    ),
    [people, unread, shownId],
  );
  const isOpen = !isReadOnly && !shown.archivedAt;
  const isDeadEnd = isOpen && shown.status === "DEAD_END";
  const takesMessages = isOpen && !isDeadEnd;

  return (
    <SessionContext value={place}>
      <div className="flex h-full flex-col">
        <SessionHeader session={session} branches={branches} view={view} />
        <HandoffBanner session={session} onMoved={view.onMoved} />
        <PaneTabs pane={pane} onChoose={setPane} />
        <main className="flex min-h-0 flex-1">
          <div
            style={{ "--map-width": `${mapWidth}px` } as CSSProperties}
            className={`w-full shrink-0 flex-col bg-panel md:w-(--map-width) md:border-r ${pane === "map" ? "flex" : "hidden md:flex"}`}
          >
            <BranchMap
              sessionId={session.id}
              branches={branches}
              shownId={shownId}
              activeId={session.activeBranch.id}
              onShow={goTo}
              onVisible={setInSight}
              aside={aside}
            />
          </div>
          <Splitter width={mapWidth} onChange={setMapWidth} />
          <div className={`min-w-0 flex-1 flex-col ${pane === "talk" ? "flex" : "hidden md:flex"}`}>
            <PlaceBar branch={shown} transition={transition} />
            <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto">
              <div ref={content} className="flex min-h-full flex-col">
                <ViewBody view={view} shown={shown} />
              </div>
            </div>
            {view.name === "talk" && isReadOnly && <WhyReadOnly session={session} />}
            {view.name === "talk" && isDeadEnd && <DeadEndBar branch={shown} />}
            {view.name === "talk" && takesMessages && (
              <div className="mx-auto w-full max-w-[690px] px-4 pb-3">
                <WhoIsAsking people={people.filter(({ branch }) => branch.id === shownId)} />
                <Composer key={shownId} branch={shown} />
              </div>
            )}
          </div>
          <section
            aria-label="What we know"
            className={`w-80 shrink-0 overflow-y-auto border-l bg-panel max-md:w-full max-md:border-l-0 lg:block ${pane === "known" ? "block" : "hidden"}`}
          >
            <KnowledgePanel
              sessionId={session.id}
              branchId={shownId}
              branches={branches}
              onShowMessage={goTo}
              onShowBranch={goTo}
            />
          </section>
        </main>
      </div>
      {wish && <ForkDialog wish={wish} onClose={() => setWish(null)} />}
      {revived && (
        <ReviveDialog
          isOpen
          sessionId={session.id}
          branch={revived}
          activeId={session.activeBranch.id}
          branches={branches}
          onClose={() => setRevived(null)}
        />
      )}
      {inspectedId && (
        <ContextInspector messageId={inspectedId} isOpen onClose={() => setInspectedId(null)} />
      )}
      {asksToResolve && (
        <ResolveDialog
          session={session}
          branches={branches}
          onClose={() => setAsksToResolve(false)}
          onResolved={() => view.show("documents")}
        />
      )}
    </SessionContext>
  );
}
