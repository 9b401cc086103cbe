import { ChevronDown, ChevronRight } from "lucide-react";
import { memo, type ReactNode } from "react";
import { BRANCH_SIGNS, BranchGlyph, Likelihood } from "../ui/status";
import type { TreeRow } from "./tree";

export const ROW_HEIGHT = 30;
export const ROW_WITH_REASON_HEIGHT = 46;
const INDENT = 16;
const DEEPEST = 8;

interface Props {
  id: string;
  row: TreeRow;
  start: number;
  height: number;
  isShown: boolean;
  /** Whether the team works on it. */
  isActive: boolean;
  isFocused: boolean;
  onShow: (branchId: string) => void;
  onFold: (branchId: string, isFolded: boolean) => void;
  aside: ReactNode;
}

export const MapRow = memo(function MapRow(props: Props) {
  const { id, row, start, height, isShown, isActive, isFocused, onShow, onFold, aside } = props;
  const { branch, level, childCount, isFolded } = row;
  const left = Math.min(level, DEEPEST) * INDENT;
  const isDead = branch.status === "DEAD_END";
  const Chevron = isFolded ? ChevronRight : ChevronDown;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree takes the keys for all its rows
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus and names the row
    <div
      id={id}
      role="treeitem"
      aria-level={level + 1}
      aria-posinset={row.place}
      aria-setsize={row.siblings}
      aria-selected={isShown}
      aria-expanded={childCount ? !isFolded : undefined}
      aria-label={nameOf(row, isActive)}
      onClick={() => onShow(branch.id)}
      className={`group absolute inset-x-0 cursor-pointer rounded transition-colors ${isShown ? "bg-accent-soft" : "hover:bg-hover"} ${isFocused ? "group-focus-visible/tree:outline-2 group-focus-visible/tree:-outline-offset-2 group-focus-visible/tree:outline-accent" : ""}`}
      style={{ transform: `translateY(${start}px)`, height }}
    >
      {isShown && (
        <span aria-hidden className="absolute inset-y-1 -left-2 w-[3px] rounded bg-accent" />
      )}
      <Rails row={row} />
      <div className="flex h-[30px] items-center gap-2 pr-2" style={{ paddingLeft: left + 4 }}>
        <BranchGlyph status={branch.status} />
        <span
          dir="auto"
          title={branch.label}
          className={`min-w-0 flex-1 truncate ${isDead ? "text-ink-2 line-through decoration-ink-3/70" : ""} ${isActive ? "font-medium" : ""} ${branch.archivedAt ? "italic text-ink-3" : ""}`}
        >
          {branch.label}
        </span>
        {aside}
        {branch.likelihood !== null && !isDead && (
          <Likelihood value={branch.likelihood} className="w-8 shrink-0 text-ink-2" />
        )}
        {childCount > 0 && (
          <span
            aria-hidden
            title={isFolded ? "Unfold" : "Fold"}
            onClick={(event) => {
              event.stopPropagation();
              onFold(branch.id, !isFolded);
            }}
            className={`flex items-center rounded text-xs text-ink-3 tabular-nums hover:bg-line ${isFolded ? "" : "absolute right-1.5 bg-inherit opacity-0 group-hover:opacity-100"}`}
          >
            {isFolded && childCount}
            <Chevron className="size-4" />
          </span>
        )}
      </div>{" "}
      {isDead && branch.statusReason && (
        <p
          dir="auto"
          title={branch.statusReason}
          className="-mt-1.5 truncate pr-2 text-xs text-ink-3"
          style={{ paddingLeft: left + 26 }}
        >
          {branch.statusReason}
        </p>
      )}
    </div>
  );
});

/** The lines from a branch to its parent, and past it to later ones. */
function Rails({ row: { level, rails, place, siblings } }: { row: TreeRow }) {
  if (level === 0 || level > DEEPEST) return null;
  const at = (depth: number): number => depth * INDENT - 6;
  return (
    <span aria-hidden className="pointer-events-none text-line">
      {rails.slice(1).map(
        (runsOn, above) =>
          runsOn && (
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: a rail is its depth
              key={above}
              className="absolute inset-y-0 border-l border-line"
              style={{ left: at(above + 1) }}
            />
          ),
      )}
      <span
        className="absolute top-0 h-[15px] w-2.5 border-b border-l border-line"
        style={{ left: at(level) }}
      />
      {place < siblings && (
        <span className="absolute inset-y-0 border-l border-line" style={{ left: at(level) }} />
      )}
    </span>
  );
}

/** Begins with all that one reads there, so that who speaks to the machine can say it. */
function nameOf({ branch }: TreeRow, isActive: boolean): string {
  const parts = [branch.label];
  if (branch.status === "DEAD_END" && branch.statusReason) parts.push(branch.statusReason);
  parts.push(BRANCH_SIGNS[branch.status].word.toLowerCase());
  if (isActive) parts.push("the team works here");
  if (branch.likelihood !== null) parts.push(`${Math.round(branch.likelihood * 100)} % likely`);
  if (branch.archivedAt) parts.push("archived");
  return parts.join(", ");
}
