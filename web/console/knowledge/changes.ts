import type { MomentOfSession } from "./use-moment";

type Branches = Pick<MomentOfSession, "branches">;

/** Branches that were not there at the moment before, or were otherwise. */
export function changedSince(
  before: Branches | undefined,
  at: Branches | undefined,
): ReadonlySet<string> {
  if (!before || !at) return new Set();
  const known = new Map(before.branches.map((branch) => [branch.branch.id, told(branch)]));
  return new Set(
    at.branches.flatMap((branch) =>
      known.get(branch.branch.id) === told(branch) ? [] : [branch.branch.id],
    ),
  );
}

function told({ label, status, isActive, likelihood }: Branches["branches"][number]): string {
  return JSON.stringify([label, status, isActive, likelihood]);
}
