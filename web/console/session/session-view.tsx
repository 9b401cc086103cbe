import { PanelRight } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { Header } from "../shell/header";
import { IconButton } from "../ui/button";
import { BranchMap } from "./branch-map";
import { Composer } from "./composer";
import { Conversation } from "./conversation";
import { focusComposer } from "./drafts";
import { ForkDialog } from "./fork-dialog";
import type { BranchRowFragment, ForkRowFragment, SessionHeadFragment } from "./operations";
import { PlaceBar, type Transition } from "./place-bar";
import { type ForkWish, SessionContext, type SessionPlace } from "./session-context";
import { SessionLine } from "./session-line";
import { byId, siblingOf } from "./tree";
import { type Fresh, usePrefetch } from "./use-conversation";
import { useShortcuts } from "./use-shortcuts";
import { useShownMessage } from "./use-shown-message";
import { useStuckToEnd } from "./use-stuck-to-end";

interface Props {
  session: SessionHeadFragment;
  branches: BranchRowFragment[];
  forkPoints: ForkRowFragment[];
  shownId: string;
  transition: Transition | null;
  fresh: Fresh;
  show: (branchId: string, messageId?: string) => void;
}

type Pane = "map" | "talk" | "known";

const PANES: Record<Pane, string> = {
  map: "Branches",
  talk: "Conversation",
  known: "What we know",
};

/** Three panes: the map, the conversation, and what is known. On a phone one at a time. */
export function SessionView(props: Props) {
  const { session, branches, forkPoints, shownId, transition, fresh, show } = props;
  const [pane, setPane] = useState<Pane>("talk");
  const [wish, setWish] = useState<ForkWish | null>(null);
  const [inSight, setInSight] = useState<string[]>([]);
  const known = useMemo(() => byId(branches), [branches]);
  const shown = known.get(shownId);
  const isOver = session.status === "RESOLVED" || session.status === "ABANDONED";

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
      isOver,
      show: goTo,
      askFork: setWish,
      askRevival: () => {},
      compare: () => {},
      inspect: () => {},
      onSolved: () => {},
    }),
    [session, known, forkPoints, fresh, shownId, isOver, goTo],
  );

  usePrefetch(
    useMemo(() => inSight.flatMap((id) => known.get(id) ?? []), [inSight, known]),
    fresh,
  );
  useShortcuts(
    useMemo(() => {
      const sibling = (step: 1 | -1) => () => {
        if (shown) goTo(siblingOf(shown, branches, step).id);
      };
      const numbers = Object.fromEntries(
        Array.from({ length: 9 }, (_, option) => [
          String(option + 1),
          () => chooseOption(option + 1),
        ]),
      );
      return {
        ...numbers,
        "[": sibling(-1),
        "]": sibling(1),
        f: () => press("f"),
        x: () => press("x"),
        s: () => press("s"),
        m: focusComposer,
      };
    }, [shown, branches, goTo]),
  );
  const { scroller, content } = useStuckToEnd(shownId);
  useShownMessage(shownId);

  return (
    <SessionContext value={place}>
      <div className="flex h-full flex-col">
        <Header
          title={session.problemSummary ?? session.intake.text.slice(0, 80)}
          about={<SessionLine session={session} />}
          actions={
            <IconButton
              label={pane === "known" ? "Hide what we know" : "Show what we know"}
              className="lg:hidden max-md:hidden"
              onClick={() => setPane(pane === "known" ? "talk" : "known")}
            >
              <PanelRight aria-hidden className="size-4" />
            </IconButton>
          }
        />
        <PaneTabs pane={pane} onChoose={setPane} />
        <div className="flex min-h-0 flex-1">
          <aside
            className={`w-66 shrink-0 flex-col border-r bg-panel max-md:w-full max-md:border-r-0 ${pane === "map" ? "flex" : "hidden md:flex"}`}
          >
            <BranchMap
              sessionId={session.id}
              branches={branches}
              shownId={shownId}
              activeId={session.activeBranch.id}
              onShow={goTo}
              onVisible={setInSight}
              aside={NOTHING_ASIDE}
            />
          </aside>
          <main
            className={`min-w-0 flex-1 flex-col ${pane === "talk" ? "flex" : "hidden md:flex"} ${pane === "known" ? "max-lg:hidden" : ""}`}
          >
            {shown && <PlaceBar branch={shown} transition={transition} />}
            <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto">
              <div ref={content}>
                <Conversation key={shownId} branchId={shownId} />
              </div>
            </div>
            {shown && !isOver && !shown.archivedAt && (
              <div className="mx-auto w-full max-w-[690px] px-4 pb-3">
                <Composer key={shownId} branch={shown} />
              </div>
            )}
          </main>
        </div>
      </div>
      {wish && <ForkDialog wish={wish} onClose={() => setWish(null)} />}
    </SessionContext>
  );
}

const NOTHING_ASIDE = () => null;

function PaneTabs({ pane, onChoose }: { pane: Pane; onChoose: (pane: Pane) => void }) {
  return (
    <nav aria-label="Parts of the page" className="flex border-b bg-panel md:hidden">
      {(Object.keys(PANES) as Pane[]).map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={each === pane}
          onClick={() => onChoose(each)}
          className="min-h-10 flex-1 border-b-2 border-transparent text-xs text-ink-2 aria-pressed:border-accent aria-pressed:font-medium aria-pressed:text-ink"
        >
          {PANES[each]}
        </button>
      ))}
    </nav>
  );
}

/** Presses the button that says so, if it is there: a key does what the page offers, and nothing else. */
function press(key: string): void {
  document.querySelector<HTMLButtonElement>(`[data-shortcut="${key}"]`)?.click();
}

/** Of the last fork in sight. */
function chooseOption(place: number): void {
  [...document.querySelectorAll<HTMLButtonElement>(`[data-fork-option="${place}"]`)]
    .at(-1)
    ?.click();
}
