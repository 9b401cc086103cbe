import { expect, test } from "vitest";
import { matrixOf } from "./matrix";
import type { Bearing, BearingsQuery, BranchRowFragment } from "./operations";

type JudgedFinding = NonNullable<BearingsQuery["session"]>["findings"][number];

function finding(
  id: string,
  bearings: Record<string, Bearing>,
  withdrawnAt: string | null = null,
): JudgedFinding {
  return {
    id,
    kind: "OBSERVED",
    claim: id,
    withdrawnAt,
    bearings: Object.entries(bearings).map(([hypothesis, bearing]) => ({
      bearing,
      hypothesis: { id: hypothesis },
    })),
  };
}

function branch(id: string, likelihood: number, status = "ACTIVE"): BranchRowFragment {
  return { id, depth: 1, likelihood, status, archivedAt: null } as BranchRowFragment;
}

test("cells stand under their hypotheses, however the judgements are ordered", () => {
  const { hypotheses, rows } = matrixOf(
    [
      finding("one", { b: "CONTRADICTS", a: "EXPLAINS" }),
      finding("two", { c: "NEUTRAL" }),
      finding("unjudged", {}),
      finding("withdrawn", { a: "EXPLAINS" }, "2026-01-01T10:00:00Z"),
      finding("of a branch out of sight", { gone: "EXPLAINS" }),
    ],
    [branch("c", 0.9, "DEAD_END"), branch("a", 0.2), branch("b", 0.6), branch("unjudged", 1)],
  );
  expect(hypotheses.map(({ id }) => id)).toEqual(["b", "a", "c", "unjudged"]);
  expect(rows.map((row) => row.finding.id)).toEqual(["one", "two"]);
  expect(rows.map(({ cells }) => cells)).toEqual([
    ["CONTRADICTS", "EXPLAINS", null, null],
    [null, null, "NEUTRAL", null],
  ]);
});

test("of very many hypotheses those stay that something was judged of", () => {
  const many = Array.from({ length: 60 }, (_, place) => branch(`h${place}`, 0.5));
  const { hypotheses, hypothesisCount } = matrixOf(
    [finding("one", { h59: "EXPLAINS" })],
    [...many, { ...branch("archived", 1), archivedAt: "2026-01-01T10:00:00Z" }],
  );
  expect(hypothesisCount).toBe(60);
  expect(hypotheses).toHaveLength(40);
  expect(hypotheses[0]?.id).toBe("h59");
});
