import { expect, test } from "vitest";
import type { BranchRowFragment } from "./operations";
import { likelySolution, solvable, stillOpen } from "./still-open";

function branch(
  id: string,
  parent: string | null,
  status: BranchRowFragment["status"],
  changes: Partial<BranchRowFragment> = {},
): BranchRowFragment {
  return {
    id,
    label: id,
    status,
    archivedAt: null,
    parent: parent === null ? null : { id: parent },
    ...changes,
  } as BranchRowFragment;
}

const tree = [
  branch("trunk", null, "ACTIVE"),
  branch("rule", "trunk", "ACTIVE"),
  branch("order", "rule", "UNTRIED"),
  branch("limit", "rule", "DEAD_END"),
  branch("dhcp", "trunk", "REVIVED"),
  branch("old", "trunk", "UNTRIED", { archivedAt: "2026-01-01T10:00:00Z" }),
];

const ids = (branches: BranchRowFragment[]) => branches.map(({ id }) => id);

test("what is settled keeps what leads to it; the trunk and what is archived are not counted", () => {
  expect(ids(stillOpen(tree, null))).toEqual(["order", "dhcp"]);
});

test("the branch that solves it is no longer open, nor is what leads there", () => {
  expect(ids(stillOpen(tree, "dhcp"))).toEqual(["order"]);
  expect(ids(stillOpen(tree, "order"))).toEqual(["dhcp"]);
});

test("only what was worked on can have solved it; a solved one is likelier than the active one", () => {
  expect(ids(solvable(tree))).toEqual(["trunk", "rule", "dhcp"]);
  expect(likelySolution(tree, "rule")).toBe("rule");
  expect(likelySolution([...tree, branch("mtu", "trunk", "SOLVED")], "rule")).toBe("mtu");
  expect(likelySolution([branch("trunk", null, "ACTIVE")], "gone")).toBe("");
});
