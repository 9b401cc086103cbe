import type { FindingRowFragment, MergeRowFragment } from "./operations";

export interface FromBranch {
  branch: FindingRowFragment["branch"];
  findings: FindingRowFragment[];
}

/** What may be brought into a branch, by the branch it is from: what holds, is of another one, and is not
 * there by a merge that stands. */
export function mergeable(
  findings: FindingRowFragment[],
  merges: MergeRowFragment[],
  intoId: string,
  search: string,
): FromBranch[] {
  const words = search.trim().toLocaleLowerCase();
  const there = standingMerges(merges);
  const groups = new Map<string, FromBranch>();
  for (const finding of findings) {
    const { id, claim, branch, withdrawnAt } = finding;
    if (withdrawnAt || branch.id === intoId || there.has(id)) continue;
    if (!claim.toLocaleLowerCase().includes(words)) continue;
    const group = groups.get(branch.id) ?? { branch, findings: [] };
    group.findings.push(finding);
    groups.set(branch.id, group);
  }
  return [...groups.values()];
}

/** Findings that were brought in and not taken back. */
export function standingMerges(merges: MergeRowFragment[]): ReadonlySet<string> {
  return new Set(
    merges.flatMap((merge) => (merge.undoneAt ? [] : merge.findings.map(({ id }) => id))),
  );
}
