import { expect, test } from "vitest";
import { mergeable } from "./merging";
import type { FindingRowFragment, MergeRowFragment } from "./operations";

function finding(id: string, branchId: string, withdrawnAt: string | null = null) {
  return {
    id,
    claim: `Claim ${id}`,
    branch: { id: branchId, label: branchId },
    withdrawnAt,
  } as FindingRowFragment;
}

function merge(ids: string[], undoneAt: string | null): MergeRowFragment {
  return { undoneAt, findings: ids.map((id) => ({ id, claim: "" })) } as MergeRowFragment;
}

const FINDINGS = [
  finding("own", "here"),
  finding("a", "there"),
  finding("b", "there"),
  finding("c", "elsewhere"),
  finding("gone", "there", "2026-01-01T10:00:00Z"),
];

function idsOf(groups: ReturnType<typeof mergeable>): string[][] {
  return groups.map(({ findings }) => findings.map(({ id }) => id));
}

test("what holds, is of another branch and not here yet may be brought in", () => {
  expect(idsOf(mergeable(FINDINGS, [], "here", ""))).toEqual([["a", "b"], ["c"]]);
  expect(idsOf(mergeable(FINDINGS, [merge(["a"], null)], "here", ""))).toEqual([["b"], ["c"]]);
});

test("what was taken back may be brought in again", () => {
  const undone = merge(["a"], "2026-01-01T10:00:00Z");
  expect(idsOf(mergeable(FINDINGS, [undone], "here", ""))).toEqual([["a", "b"], ["c"]]);
});

test("a search looks for words as they stand, whatever their case", () => {
  expect(idsOf(mergeable(FINDINGS, [], "here", " CLAIM C "))).toEqual([["c"]]);
});
