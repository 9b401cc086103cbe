import { expect, test } from "vitest";
import type { BranchRowFragment, ForkRowFragment } from "./operations";
import {
  ancestorsOf,
  byId,
  hypothesisCount,
  jumpTo,
  lastInherited,
  lastPosition,
  matching,
  siblingOf,
  treeRows,
} from "./tree";

function branch(id: string, parent: string | null, order = 1, label = id): BranchRowFragment {
  return {
    id,
    label,
    order,
    parent: parent ? { id: parent } : null,
    archivedAt: null,
  } as BranchRowFragment;
}

const FAMILY = [
  branch("trunk", null),
  branch("b", "trunk", 2),
  branch("a", "trunk", 1),
  branch("a2", "a", 2),
  branch("a1", "a", 1),
];

const ids = (rows: ReturnType<typeof treeRows>) => rows.map(({ branch }) => branch.id);

test("branches come depth first, siblings by order", () => {
  const rows = treeRows(FAMILY, new Set());
  expect(ids(rows)).toEqual(["trunk", "a", "a1", "a2", "b"]);
  expect(rows.map(({ level, place, siblings }) => [level, place, siblings])).toEqual([
    [0, 1, 1],
    [1, 1, 2],
    [2, 1, 2],
    [2, 2, 2],
    [1, 2, 2],
  ]);
  expect(rows.map(({ rails }) => rails)).toEqual([
    [],
    [false],
    [false, true],
    [false, true],
    [false],
  ]);
});

test("what is folded hides what lies below it, and nothing else", () => {
  const rows = treeRows(FAMILY, new Set(["a", "b"]));
  expect(ids(rows)).toEqual(["trunk", "a", "b"]);
  expect(rows.map(({ isFolded }) => isFolded)).toEqual([false, true, false]);
});

test("a branch whose parent is missing is shown, and a circle ends", () => {
  expect(ids(treeRows([branch("lost", "nowhere"), branch("trunk", null)], new Set()))).toEqual([
    "lost",
    "trunk",
  ]);
  const circle = [branch("x", "y"), branch("y", "x")];
  expect(ancestorsOf(circle[0] as BranchRowFragment, byId(circle)).length).toBeLessThan(3);
});

test("every branch of a random tree is shown once, after its parent", () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  for (let size = 1; size < 60; size += 1) {
    const branches = Array.from({ length: size }, (_, place) =>
      branch(`b${place}`, place ? `b${random(place)}` : null, place),
    );
    const shown = ids(treeRows(branches, new Set()));
    expect(new Set(shown).size).toBe(size);
    for (const { id, parent } of branches) {
      if (parent) expect(shown.indexOf(parent.id)).toBeLessThan(shown.indexOf(id));
    }
  }
});

test("siblings are walked round and round", () => {
  const of = (id: string) => FAMILY.find((each) => each.id === id) as BranchRowFragment;
  expect(siblingOf(of("a"), FAMILY, 1).id).toBe("b");
  expect(siblingOf(of("b"), FAMILY, 1).id).toBe("a");
  expect(siblingOf(of("a"), FAMILY, -1).id).toBe("b");
  expect(siblingOf(of("trunk"), FAMILY, 1).id).toBe("trunk");
});

test("a letter jumps to the next label that begins with it", () => {
  const rows = treeRows(
    [branch("1", null, 1, "Trunk"), branch("2", "1", 1, "DNS"), branch("3", "1", 2, "dhcp")],
    new Set(),
  );
  expect(jumpTo("d", rows, "1")).toBe("2");
  expect(jumpTo("D", rows, "2")).toBe("3");
  expect(jumpTo("d", rows, "3")).toBe("2");
  expect(jumpTo("q", rows, "1")).toBeUndefined();
});

test("what is sought is shown with what leads to it", () => {
  expect(matching(FAMILY, "A1").map(({ id }) => id)).toEqual(["trunk", "a", "a1"]);
  expect(matching(FAMILY, "nothing of the kind")).toEqual([]);
});

test("only what is neither the trunk nor archived is a hypothesis", () => {
  const archived = { ...branch("c", "trunk"), archivedAt: "2026-01-01T00:00:00Z" };
  expect(hypothesisCount(byId([...FAMILY, archived]))).toBe(4);
});

test("what was said last on a branch comes after all that it inherited", () => {
  const forkPoints = [{ id: "f", afterMessage: { id: "m4", position: 4 } }] as ForkRowFragment[];
  const forked = { ...branch("a", "trunk"), forkPoint: { id: "f" }, messageCount: 3 };
  expect(lastInherited(forked, forkPoints)).toBe(4);
  expect(lastPosition(forked, forkPoints)).toBe(7);
});
