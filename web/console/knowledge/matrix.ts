import type { Bearing, BearingsQuery, BranchRowFragment } from "./operations";

type JudgedFinding = NonNullable<BearingsQuery["session"]>["findings"][number];

export interface Matrix {
  hypotheses: BranchRowFragment[];
  rows: { finding: JudgedFinding; cells: (Bearing | null)[] }[];
}

const NEWEST = 100;

/** Only hypotheses of which something was judged, the likeliest first, and what holds and bears on any. */
export function matrixOf(findings: JudgedFinding[], branches: BranchRowFragment[]): Matrix {
  const known = new Map(
    branches.flatMap((branch) =>
      branch.depth > 0 && branch.archivedAt === null ? [[branch.id, branch]] : [],
    ),
  );
  const bearing = findings
    .filter(
      ({ withdrawnAt, bearings }) =>
        withdrawnAt === null && bearings.some(({ hypothesis }) => known.has(hypothesis.id)),
    )
    .slice(-NEWEST);
  const judged = new Set(
    bearing.flatMap(({ bearings }) => bearings.map(({ hypothesis }) => hypothesis.id)),
  );
  const hypotheses = [...known.values()]
    .filter(({ id }) => judged.has(id))
    .sort((a, b) => rank(b) - rank(a));
  return {
    hypotheses,
    rows: bearing.map((finding) => {
      const said = new Map(finding.bearings.map((each) => [each.hypothesis.id, each.bearing]));
      return { finding, cells: hypotheses.map(({ id }) => said.get(id) ?? null) };
    }),
  };
}

function rank({ status, likelihood }: BranchRowFragment): number {
  return (status === "DEAD_END" ? -1 : 0) + (likelihood ?? 0);
}
