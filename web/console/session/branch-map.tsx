import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { MapRow, ROW_HEIGHT, ROW_WITH_REASON_HEIGHT } from "./map-row";
import type { BranchRowFragment } from "./operations";
import { ancestorsOf, byId, matching, type TreeRow, treeRows } from "./tree";
import { useFolded } from "./use-folded";

interface Props {
  sessionId: string;
  branches: BranchRowFragment[];
  /** The branch that is looked at. */
  shownId: string;
  /** The one the team works on. */
  activeId: string;
  onShow: (branchId: string) => void;
  onVisible: (branchIds: string[]) => void;
  /** Beside a branch's label: who is there, what is new. */
  aside: (branch: BranchRowFragment) => ReactNode;
}

const SEARCHED_FROM = 12;
const NONE: ReadonlySet<string> = new Set();

/** The tree of hypotheses. One row a branch; only rows in sight are in the page, so that a thousand scroll
 * like ten. Arrow keys walk it, Enter goes there. */
export function BranchMap(props: Props) {
  const { sessionId, branches, shownId, activeId, onShow, onVisible, aside } = props;
  const [showsArchived, setShowsArchived] = useState(false);
  const archivedCount = branches.filter(({ archivedAt }) => archivedAt).length;
  const { folded, fold } = useFolded(sessionId);
  const [sought, setSought] = useState("");
  const rows = useMemo(() => {
    const known = branches.filter(
      ({ id, archivedAt }) => showsArchived || !archivedAt || id === shownId,
    );
    return sought.trim() ? treeRows(matching(known, sought), NONE) : treeRows(known, folded);
  }, [branches, folded, showsArchived, shownId, sought]);
  // Wherever one comes from, the branch that is looked at is on the map.
  const hidden = useMemo(() => {
    const known = byId(branches);
    const shown = known.get(shownId);
    return shown ? ancestorsOf(shown, known).filter(({ id }) => folded.has(id)) : [];
  }, [branches, folded, shownId]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another branch unfolds; what is folded over it later stays so
  useEffect(() => {
    for (const { id } of hidden) fold(id, false);
  }, [shownId]);
  return (
    <nav aria-label="Branches" className="flex min-h-0 flex-1 flex-col">
      <header className="flex items-center justify-between px-4 pt-3 pb-1 text-xs text-ink-2">
        <h2 className="font-medium">Branches</h2>
        <span className="tabular-nums">{branches.length - archivedCount}</span>
      </header>
      {branches.length > SEARCHED_FROM && (
        <input
          type="search"
          aria-label="Find a branch"
          placeholder="Find a branch"
          value={sought}
          onChange={(event) => setSought(event.target.value)}
          className="mx-3 mb-2 min-h-8 rounded border border-edge bg-panel px-2.5 text-xs"
        />
      )}
      <Rows
        rows={rows}
        shownId={shownId}
        activeId={activeId}
        onShow={onShow}
        onVisible={onVisible}
        onFold={fold}
        aside={aside}
      />
      {archivedCount > 0 && (
        <button
          type="button"
          aria-pressed={showsArchived}
          onClick={() => setShowsArchived(!showsArchived)}
          className="border-t px-4 py-2 text-left text-xs text-ink-2 hover:bg-hover"
        >
          {showsArchived ? "Hide archived" : `Show archived (${archivedCount})`}
        </button>
      )}
    </nav>
  );
}

function Rows({
  rows,
  shownId,
  activeId,
  onShow,
  onVisible,
  onFold,
  aside,
}: {
  rows: TreeRow[];
  onFold: (branchId: string, isFolded: boolean) => void;
} & Pick<Props, "shownId" | "activeId" | "onShow" | "onVisible" | "aside">) {
  const scroller = useRef<HTMLDivElement>(null);
  const [focusedId, setFocusedId] = useState(shownId);
  const focusedPlace = Math.max(0, placeOf(rows, focusedId));
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (place) => heightOf(rows[place]),
    getItemKey: (place) => rows[place]?.branch.id ?? place,
    overscan: 12,
    paddingEnd: 8,
  });
  const items = virtual.getVirtualItems();

  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when rows change, not when the measurer does
  useEffect(() => virtual.measure(), [rows]);
  const shownPlace = placeOf(rows, shownId);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another branch scrolls, not a row that has come
  useEffect(() => {
    setFocusedId(shownId);
    if (shownPlace >= 0) virtual.scrollToIndex(shownPlace, { align: "auto" });
  }, [shownId]);
  const visible = items.flatMap(({ index }) => rows[index]?.branch.id ?? []).join();
  useEffect(() => onVisible(visible ? visible.split(",") : []), [visible, onVisible]);

  const goTo = (place: number): void => {
    const row = rows[Math.min(Math.max(place, 0), rows.length - 1)];
    if (!row) return;
    setFocusedId(row.branch.id);
    virtual.scrollToIndex(placeOf(rows, row.branch.id), { align: "auto" });
  };

  function onKeyDown(event: KeyboardEvent): void {
    const row = rows[focusedPlace];
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Record<string, () => void> = {
      ArrowDown: () => goTo(focusedPlace + 1),
      ArrowUp: () => goTo(focusedPlace - 1),
      Home: () => goTo(0),
      End: () => goTo(rows.length - 1),
      Enter: () => onShow(row.branch.id),
      " ": () => onShow(row.branch.id),
      ArrowRight: () => {
        if (row.isFolded) onFold(row.branch.id, false);
        else if (row.childCount) goTo(focusedPlace + 1);
      },
      ArrowLeft: () => {
        if (row.childCount && !row.isFolded) onFold(row.branch.id, true);
        else goTo(placeOf(rows, row.branch.parent?.id ?? row.branch.id));
      },
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    move();
  }

  return (
    <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto px-2">
      <div
        role="tree"
        aria-label="Branches"
        tabIndex={0}
        aria-activedescendant={rows[focusedPlace] && rowId(rows[focusedPlace].branch.id)}
        onKeyDown={onKeyDown}
        className="group/tree relative outline-none"
        style={{ height: virtual.getTotalSize() }}
      >
        {items.map(({ key, index, start, size }) => {
          const row = rows[index];
          return (
            row && (
              <MapRow
                key={key}
                id={rowId(row.branch.id)}
                row={row}
                start={start}
                height={size}
                isShown={row.branch.id === shownId}
                isActive={row.branch.id === activeId}
                isFocused={index === focusedPlace}
                onShow={onShow}
                onFold={onFold}
                aside={aside(row.branch)}
              />
            )
          );
        })}
      </div>
    </div>
  );
}

function rowId(branchId: string): string {
  return `map-${branchId}`;
}

function placeOf(rows: TreeRow[], id: string): number {
  return rows.findIndex(({ branch }) => branch.id === id);
}

function heightOf(row: TreeRow | undefined): number {
  return row && hasReason(row) ? ROW_WITH_REASON_HEIGHT : ROW_HEIGHT;
}

function hasReason({ branch }: TreeRow): boolean {
  return branch.status === "DEAD_END" && Boolean(branch.statusReason);
}
