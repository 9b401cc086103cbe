import { expect, test } from "vitest";
import { mostLikely, nextCheck } from "./likely";
import type { BranchRowFragment, RankingRowFragment } from "./operations";

function branch(id: string, changes: Partial<BranchRowFragment> = {}): BranchRowFragment {
  return {
    id,
    label: id,
    depth: 1,
    status: "ACTIVE",
    likelihood: 0.5,
    archivedAt: null,
    ...changes,
  } as BranchRowFragment;
}

function ranking(createdAt: string, check: string | null): RankingRowFragment {
  return { likelihood: 0.5, why: "", nextCheck: check, minutes: 2, createdAt };
}

const idsOf = (branches: { id: string }[]) => branches.map(({ id }) => id);

test("only open hypotheses that are ranked, the likeliest first, and a few of them", () => {
  const branches = [
    branch("trunk", { depth: 0, likelihood: 1 }),
    branch("dead", { status: "DEAD_END", likelihood: 0.9 }),
    branch("archived", { archivedAt: "2026-01-01T10:00:00Z", likelihood: 0.9 }),
    branch("unranked", { likelihood: null }),
    branch("low", { likelihood: 0.1 }),
    branch("revived", { status: "REVIVED", likelihood: 0.8 }),
  ];
  expect(idsOf(mostLikely(branches))).toEqual(["revived", "low"]);
  expect(mostLikely(Array.from({ length: 1_000 }, (_, place) => branch(`${place}`)))).toHaveLength(
    5,
  );
});

test("the next check is of the newest ranking that has one, of equals of the likeliest", () => {
  const likely = [branch("a"), branch("b"), branch("c")];
  const at = "2026-01-01T10:00:00Z";
  const later = "2026-01-01T11:00:00Z";
  const equal = new Map([
    ["a", [ranking(at, "of a")]],
    ["b", [ranking(at, "of b")]],
  ]);
  expect(nextCheck(likely, equal)?.check).toBe("of a");
  const newer = new Map([...equal, ["b", [ranking(at, "old"), ranking(later, "of b")]]]);
  expect(nextCheck(likely, newer)?.check).toBe("of b");
  const without = new Map([...equal, ["c", [ranking(later, null)]]]);
  expect(nextCheck(likely, without)?.check).toBe("of a");
  expect(nextCheck(likely, new Map())).toBeNull();
});
