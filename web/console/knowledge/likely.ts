import type { BranchRowFragment, RankingRowFragment } from "./operations";

const SHOWN = 5;
const OPEN = new Set(["UNTRIED", "ACTIVE", "REVIVED"]);

export interface NextCheck {
  branch: BranchRowFragment;
  check: string;
  minutes: number | null;
}

/** Takes messages and findings; neither given up nor solved, nor out of sight. */
export function isOpen({ status, archivedAt }: BranchRowFragment): boolean {
  return OPEN.has(status) && archivedAt === null;
}

/** The open hypotheses that are ranked, the likeliest first. */
export function mostLikely(branches: BranchRowFragment[]): BranchRowFragment[] {
  return branches
    .filter((branch) => branch.depth > 0 && branch.likelihood !== null && isOpen(branch))
    .sort((a, b) => (b.likelihood ?? 0) - (a.likelihood ?? 0))
    .slice(0, SHOWN);
}

/** Of the ranking that was made last; where several were made at once, of the likeliest branch. */
export function nextCheck(
  likely: BranchRowFragment[],
  rankings: ReadonlyMap<string, RankingRowFragment[]>,
): NextCheck | null {
  let best: { at: number; next: NextCheck } | null = null;
  for (const branch of likely) {
    const newest = rankings.get(branch.id)?.at(-1);
    if (!newest?.nextCheck) continue;
    const at = Date.parse(newest.createdAt);
    const next = { branch, check: newest.nextCheck, minutes: newest.minutes };
    if (best === null || at > best.at) best = { at, next };
  }
  return best?.next ?? null;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
