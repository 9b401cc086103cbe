import type { Bearing, BearingsQuery, BranchRowFragment } from "./operations";

type JudgedFinding = NonNullable<BearingsQuery["session"]>["findings"][number];

export interface Matrix {
  hypotheses: BranchRowFragment[];
  /** How many there are, shown or not. */
  hypothesisCount: number;
  rows: { finding: JudgedFinding; cells: (Bearing | null)[] }[];
}

const NEWEST = 100;
const MOST_HYPOTHESES = 40;

/** Hypotheses, those of which something was judged before the others and the likeliest first, and what holds
 * and bears on any. */
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
    .sort((a, b) => Number(judged.has(b.id)) - Number(judged.has(a.id)) || rank(b) - rank(a))
    .slice(0, MOST_HYPOTHESES);
  return {
    hypotheses,
    hypothesisCount: known.size,
    rows: bearing.map((finding) => {
      const said = new Map(finding.bearings.map((each) => [each.hypothesis.id, each.bearing]));
      return { finding, cells: hypotheses.map(({ id }) => said.get(id) ?? null) };
    }),
  };
}

function rank({ status, likelihood }: BranchRowFragment): number {
  return (status === "DEAD_END" ? -1 : 0) + (likelihood ?? 0);
}
