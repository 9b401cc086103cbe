"""Random trees, their rows shuffled, against what they were grown from."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.branch import Branch
from services.tree import Tree

TRUNK = UUID(int=0)

steady = settings(derandomize=True, deadline=None)


@dataclass(frozen=True)
class Grown:
    """Branches are numbered as they grew; the trunk is 0."""

    parents: Sequence[int]
    """Of branch 1 and on."""
    rows: Sequence[Branch]
    """In any order."""

    def children(self, branch: int) -> list[int]:
        """In the order they grew, which is the one they must keep."""
        return [child for child, parent in enumerate(self.parents, 1) if parent == branch]

    def above(self, branch: int) -> list[int]:
        """The trunk first; without the branch."""
        if branch == 0:
            return []
        parent = self.parents[branch - 1]
        return [*self.above(parent), parent]

    def below(self, branch: int) -> list[int]:
        """The branch, then each child with everything below it."""
        found = [branch]
        for child in self.children(branch):
            found += self.below(child)
        return found


def row(branch: int, parent: int | None, order: int) -> Branch:
    """What services.tree looks at, and no more."""
    values: dict[str, Any] = {
        "id": UUID(int=branch),
        "parent_branch_id": None if parent is None else UUID(int=parent),
        "branch_order": order,
    }
    return cast("Branch", SimpleNamespace(**values))


def numbers(branches: Sequence[Branch]) -> list[int]:
    return [branch.id.int for branch in branches]


@st.composite
def trees(draw: st.DrawFn) -> Grown:
    """Up to 40 branches; orders among siblings grow, with gaps as archived ones leave them."""
    count = draw(st.integers(0, 39))
    parents = [draw(st.integers(0, child)) for child in range(count)]
    gaps = [draw(st.integers(1, 3)) for _ in range(count)]
    last: dict[int, int] = {}
    rows = [row(0, None, 1)]
    for child, (parent, gap) in enumerate(zip(parents, gaps, strict=True), 1):
        last[parent] = last.get(parent, 0) + gap
        rows.append(row(child, parent, last[parent]))
    return Grown(parents, draw(st.permutations(rows)))


@steady
@given(trees())
def test_every_row_hangs_once_where_it_belongs(grown: Grown) -> None:
    tree = Tree(grown.rows)
    assert tree.root.id == TRUNK
    assert tree.by_id == {one.id: one for one in grown.rows}
    for branch in range(len(grown.rows)):
        assert numbers(tree.children(UUID(int=branch))) == grown.children(branch)


@steady
@given(trees())
def test_a_subtree_is_told_in_depth_first_order(grown: Grown) -> None:
    tree = Tree(grown.rows)
    for branch in range(len(grown.rows)):
        assert numbers(list(tree.subtree(UUID(int=branch)))) == grown.below(branch)


@steady
@given(trees())
def test_ancestors_lead_from_the_trunk_to_the_parent(grown: Grown) -> None:
    tree = Tree(grown.rows)
    for branch in range(len(grown.rows)):
        assert numbers(tree.ancestors(UUID(int=branch))) == grown.above(branch)


@steady
@given(trees())
def test_who_is_below_whom_is_one_relation(grown: Grown) -> None:
    tree = Tree(grown.rows)
    below = {
        (one.id, found.id)
        for one in grown.rows
        for found in tree.subtree(one.id)
        if found.id != one.id
    }
    above = {(found.id, one.id) for one in grown.rows for found in tree.ancestors(one.id)}
    assert below == above


@steady
@given(trees(), st.data())
def test_the_order_of_rows_does_not_matter(grown: Grown, data: st.DataObject) -> None:
    again, tree = Tree(data.draw(st.permutations(grown.rows))), Tree(grown.rows)
    assert (again.root, again.by_id) == (tree.root, tree.by_id)
    for one in grown.rows:
        assert again.children(one.id) == tree.children(one.id)


def test_a_chain_as_long_as_a_session_may_grow_is_no_recursion() -> None:
    rows = [row(0, None, 1), *(row(child, child - 1, 1) for child in range(1, 5_000))]
    tree = Tree(reversed(rows))
    assert numbers(list(tree.subtree(TRUNK))) == list(range(5_000))
    assert numbers(tree.ancestors(UUID(int=4_999))) == list(range(4_999))


def test_a_lonely_trunk_has_nothing_around_it() -> None:
    tree = Tree([row(0, None, 1)])
    assert numbers(list(tree.subtree(TRUNK))) == [0]
    assert tree.ancestors(TRUNK) == []
    assert tree.children(TRUNK) == ()


@pytest.mark.parametrize("rows", [[], [row(1, 0, 1)]])
def test_rows_without_the_trunk_are_no_tree(rows: list[Branch]) -> None:
    with pytest.raises(ValueError, match="a session always has its trunk"):
        Tree(rows)


def test_a_branch_of_another_session_is_not_in_the_tree() -> None:
    tree = Tree([row(0, None, 1), row(1, 0, 1)])
    with pytest.raises(KeyError):
        list(tree.subtree(UUID(int=2)))
    with pytest.raises(KeyError):
        tree.ancestors(UUID(int=2))
