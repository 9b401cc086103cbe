import type { BranchRowFragment, ForkRowFragment } from "./operations";

/** A branch with its place on the map. */
export interface TreeRow {
  branch: BranchRowFragment;
  /** 0 for the trunk, and for what hangs on nothing that is shown. */
  level: number;
  /** Among its siblings, from 1. */
  place: number;
  siblings: number;
  childCount: number;
  isFolded: boolean;
  /** For each level above its own whether a line runs on to a later branch there. */
  rails: boolean[];
}

export type Branches = ReadonlyMap<string, BranchRowFragment>;

export function byId(branches: BranchRowFragment[]): Branches {
  return new Map(branches.map((branch) => [branch.id, branch]));
}

/** Children by their order, under their parent's id. What has no parent here stands under "". */
function childrenOf(branches: BranchRowFragment[]): Map<string, BranchRowFragment[]> {
  const known = byId(branches);
  const children = new Map<string, BranchRowFragment[]>();
  for (const branch of branches) {
    const parent = branch.parent && known.has(branch.parent.id) ? branch.parent.id : "";
    const siblings = children.get(parent);
    if (siblings) siblings.push(branch);
    else children.set(parent, [branch]);
  }
  for (const siblings of children.values()) siblings.sort((a, b) => a.order - b.order);
  return children;
}

/** Depth first, siblings by order. A branch whose parent is not here is shown at the top level: nothing
 * vanishes without a word. What lies under a folded branch is left out. */
export function treeRows(branches: BranchRowFragment[], folded: ReadonlySet<string>): TreeRow[] {
  const children = childrenOf(branches);
  const rows: TreeRow[] = [];
  const seen = new Set<string>();
  const add = (parent: string, level: number, rails: boolean[]): void => {
    const siblings = children.get(parent) ?? [];
    siblings.forEach((branch, index) => {
      if (seen.has(branch.id)) return;
      seen.add(branch.id);
      const childCount = children.get(branch.id)?.length ?? 0;
      const isFolded = folded.has(branch.id) && childCount > 0;
      const place = index + 1;
      rows.push({ branch, level, place, siblings: siblings.length, childCount, isFolded, rails });
      if (!isFolded) add(branch.id, level + 1, [...rails, place < siblings.length]);
    });
  };
  add("", 0, []);
  return rows;
}

/** Its ancestors, the root first, without itself. */
export function ancestorsOf(branch: BranchRowFragment, branches: Branches): BranchRowFragment[] {
  const found: BranchRowFragment[] = [];
  let above = branch.parent && branches.get(branch.parent.id);
  while (above && !found.includes(above)) {
    found.unshift(above);
    above = above.parent && branches.get(above.parent.id);
  }
  return found;
}

/** The branch beside it, `step` places on, round and round; itself if it has no siblings. */
export function siblingOf(
  branch: BranchRowFragment,
  branches: BranchRowFragment[],
  step: 1 | -1,
): BranchRowFragment {
  const siblings = branches
    .filter((each) => each.parent?.id === branch.parent?.id && !each.archivedAt)
    .sort((a, b) => a.order - b.order);
  const place = siblings.findIndex(({ id }) => id === branch.id);
  return siblings.at((place + step) % siblings.length) ?? branch;
}

/** The next branch after this one on the map whose label begins with the letter. */
export function jumpTo(letter: string, rows: TreeRow[], from: string): string | undefined {
  const place = rows.findIndex(({ branch }) => branch.id === from);
  const inTurn = [...rows.slice(place + 1), ...rows.slice(0, place + 1)];
  const wanted = letter.toLocaleLowerCase();
  return inTurn.find(({ branch }) => branch.label.toLocaleLowerCase().startsWith(wanted))?.branch
    .id;
}

/** The branches whose label or hypothesis has the words, with what leads to them. */
export function matching(branches: BranchRowFragment[], words: string): BranchRowFragment[] {
  const known = byId(branches);
  const wanted = words.trim().toLocaleLowerCase();
  const kept = new Set<string>();
  for (const branch of branches) {
    const text = `${branch.label} ${branch.description ?? ""}`.toLocaleLowerCase();
    if (!text.includes(wanted)) continue;
    for (const { id } of [branch, ...ancestorsOf(branch, known)]) kept.add(id);
  }
  return branches.filter(({ id }) => kept.has(id));
}

/** The position in its lineage after which a branch is on its own. */
export function lastInherited(branch: BranchRowFragment, forkPoints: ForkRowFragment[]): number {
  const fork = forkPoints.find(({ id }) => id === branch.forkPoint?.id);
  return fork?.afterMessage?.position ?? 0;
}

/** The position of what was last said on a branch. */
export function lastPosition(branch: BranchRowFragment, forkPoints: ForkRowFragment[]): number {
  return lastInherited(branch, forkPoints) + branch.messageCount;
}

/** How many hypotheses are on the map: the trunk is none, and those that are archived do not count. */
export function hypothesisCount(branches: Branches): number {
  return [...branches.values()].filter(({ parent, archivedAt }) => parent && !archivedAt).length;
}
