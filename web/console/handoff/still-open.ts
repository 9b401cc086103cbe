import type { BranchRowFragment } from "./operations";

const OPEN = new Set<BranchRowFragment["status"]>(["UNTRIED", "ACTIVE", "REVIVED"]);

/** Hypotheses that `closeOpenBranches` archives: in sight, and neither settled nor on the way to one that is. */
export function stillOpen(
  branches: readonly BranchRowFragment[],
  solvedBranchId: string | null,
): BranchRowFragment[] {
  const byId = new Map(branches.map((branch) => [branch.id, branch]));
  const inSight = branches.filter(({ archivedAt }) => archivedAt === null);
  const kept = new Set<string>();
  for (const branch of inSight) {
    if (OPEN.has(branch.status) && branch.id !== solvedBranchId) continue;
    for (let line = byId.get(branch.id); line; line = byId.get(line.parent?.id ?? "")) {
      kept.add(line.id);
    }
  }
  return inSight.filter(({ id, parent }) => parent !== null && !kept.has(id));
}

/** Those that can have solved it: worked on, or marked already. */
export function solvable(branches: readonly BranchRowFragment[]): BranchRowFragment[] {
  return branches.filter(
    ({ status, archivedAt }) =>
      archivedAt === null && (status === "ACTIVE" || status === "REVIVED" || status === "SOLVED"),
  );
}

/** One that is marked as SOLVED, else where the team works. */
export function likelySolution(branches: readonly BranchRowFragment[], activeId: string): string {
  const found = solvable(branches);
  const solution =
    found.find(({ status }) => status === "SOLVED") ?? found.find(({ id }) => id === activeId);
  return solution?.id ?? "";
}
