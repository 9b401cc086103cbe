"""How large a document is, and how large its answer may be, counted before it is validated.

Fragments are measured once each and remembered, so thirty fragments that spread one another cost
thirty steps, not two to the thirtieth. One place counts; what later limits need is added to `Size`.

The cost is the number of fields that the answer may have: every field counts one for each object that
it is asked of, and lists count as long as `first` or `last` says, or else as in LENGTHS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from services.pages import MAX_PAGE

TREE = 100
"""Branches of a large session; most plans allow no more than eleven."""

LENGTHS: Mapping[str, float] = {
    "alternatives": 3,
    "apiKeys": 20,
    "auditEntries": 50,
    "branchMap": 100,
    "changes": 2,
    "bearings": 5,
    "branches": TREE,
    "cells": 10,
    "evidence": 5,
    "fields": 4,
    "findings": 20,
    "forkPoints": 20,
    "handoffs": 10,
    "hypotheses": 10,
    "members": 50,
    "merges": 2,
    "messages": 50,
    "nodes": MAX_PAGE,
    "options": 10,
    "ancestors": 10,
    "artifacts": 5,
    "statusCounts": 5,
    "attachments": 2,
    "attempts": 2,
    "deliveries": 2,
    "integrations": 10,
    "recipients": 2,
    "requests": 2,
    "kbArticles": 20,
    "queue": 50,
    "rankings": 10,
    "resolutionOutputs": 3,
    "outputs": 3,
    "presence": 3,
    "sentences": 20,
    "sources": 2,
    "revisions": 3,
    "diff": 50,
    "stillOpen": 10,
    "revivalProposals": 3,
    "revivals": 3,
    "rows": 20,
    "secondOpinions": 1,
    "ruleOutFirst": 5,
    "sessions": 20,
    "similarOutcomes": 5,
    "similarSessions": 5,
    "steps": 50,
    "suggestedArticles": 4,
    "symptoms": 5,
    "system": 2,
    "tags": 5,
    "timeline": 50,
    "teams": 10,
    "texts": 2,
    "uploads": 10,
    "usageByMonth": 12,
    # the schema's own
    "types": 90,
    "args": 0.5,
    "directives": 10,
    "enumValues": 1,
    "inputFields": 1,
    "interfaces": 0.5,
    "possibleTypes": 0.5,
    "ofType": 0.5,
}
"""What a list without `first` counts as: as many as a large account has, not as many as it may. A
connection counts, and not its `edges`."""

WITHIN_TREE = "children"
"""However deep and often they are nested, children are branches of one tree, and each is there once."""

MOST_FIELDS = 20_000
"""That any setting allows."""

TO_A_PAGE = ("first", "last", "ids")
SIGN_INS = {"signIn", "refreshTokens"}


@dataclass(frozen=True, slots=True)
class Size:
    """Of a selection with its fragments laid out."""

    levels: int = 0
    fields: int = 0
    aliases: int = 0
    sign_ins: int = 0
    cost: float = 0
    tree_cost: float = 0
    """Of each branch below, within `children`."""

    def beside(self, other: "Size") -> "Size":
        return Size(
            max(self.levels, other.levels),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.sign_ins + other.sign_ins,
            self.cost + other.cost,
            self.tree_cost + other.tree_cost,
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """The largest of a document's operations in each respect."""

    levels: int
    fields: int
    aliases: int
    root_fields: int
    repeats: int
    sign_ins: int
    cost: int


PageSizes = tuple[tuple[str, int], ...]


def page_sizes(document: DocumentNode, variables: Mapping[str, Any]) -> PageSizes:
    """Of the variables that an operation declares and that may be the length of a list."""
    sizes: dict[str, int] = {}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            for definition in node.variable_definitions or ():
                name = definition.variable.name.value
                value = variables.get(name)
                if name not in variables and definition.default_value is not None:
                    sizes[name] = _length(definition.default_value, {})
                elif isinstance(value, int | list):
                    sizes[name] = _page(len(value) if isinstance(value, list) else value)
    return tuple(sizes.items())


def measure(document: DocumentNode, sizes: PageSizes) -> Measured:
    walk = _Walk(
        {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        },
        dict(sizes),
    )
    total, root_fields, repeats = Size(), 0, 0
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            size = walk.selection(node.selection_set)
            total = Size(
                max(total.levels, size.levels),
                max(total.fields, size.fields),
                max(total.aliases, size.aliases),
                max(total.sign_ins, size.sign_ins),
                max(total.cost, size.cost + TREE * size.tree_cost),
            )
            root_fields = max(root_fields, len(node.selection_set.selections))
            repeats = max(repeats, walk.repeats(node.selection_set))
    return Measured(
        total.levels,
        total.fields,
        total.aliases,
        root_fields,
        repeats,
        total.sign_ins,
        max(1, ceil(total.cost)),
    )


class _Walk:
    def __init__(
        self, fragments: Mapping[str, FragmentDefinitionNode], sizes: Mapping[str, int]
    ) -> None:
        self.fragments = fragments
        self.sizes = sizes
        self.known: dict[str, Size] = {}

    def selection(self, selection_set: SelectionSetNode | None) -> Size:
        total = Size()
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                total = total.beside(self._field(node))
            elif isinstance(node, InlineFragmentNode):
                total = total.beside(self.selection(node.selection_set))
            elif isinstance(node, FragmentSpreadNode):
                total = total.beside(self._fragment(node.name.value))
        return total

    def _field(self, node: FieldNode) -> Size:
        below = self.selection(node.selection_set)
        name = node.name.value
        if name == WITHIN_TREE:
            cost, tree_cost = 1.0, max(below.cost, below.tree_cost)
        else:
            length = self._length_of(node) if node.selection_set else 1
            trees = 1 if name == "branches" else length
            cost, tree_cost = 1 + length * below.cost + trees * TREE * below.tree_cost, 0.0
        return Size(
            below.levels + 1,
            below.fields + 1,
            below.aliases + (node.alias is not None),
            below.sign_ins + (name in SIGN_INS),
            cost,
            tree_cost,
        )

    def _fragment(self, name: str) -> Size:
        """A fragment under measure counts as empty inside itself; validation refuses such a cycle."""
        if name not in self.known and name in self.fragments:
            self.known[name] = Size()
            self.known[name] = self.selection(self.fragments[name].selection_set)
        return self.known.get(name, Size())

    def _length_of(self, node: FieldNode) -> float:
        for argument in node.arguments or ():
            if argument.name.value in TO_A_PAGE:
                return _length(argument.value, self.sizes)
        return LENGTHS.get(node.name.value, 1)

    def repeats(self, selection_set: SelectionSetNode) -> int:
        """Pairs that validation compares: fields of one name, and fragments, at one place.

        Two `a { b }` side by side make a pair of `a` and, below, a pair of `b`. Counting ends at as many
        fields as no document may have; fragments in a circle have no end.
        """
        pairs, steps, levels = 0, MOST_FIELDS, [[selection_set]]
        while levels and steps >= 0:
            fields, spread = self._laid_out(levels.pop())
            pairs += _pairs(len(spread)) + sum(_pairs(len(same)) for same in fields.values())
            steps -= sum(len(same) for same in fields.values())
            for same in fields.values():
                below = [node.selection_set for node in same if node.selection_set]
                if below:
                    levels.append(below)
        return pairs

    def _laid_out(
        self, merged: list[SelectionSetNode]
    ) -> tuple[dict[str, list[FieldNode]], set[str]]:
        """Fields by the name they answer to, each fragment once; and the fragments."""
        fields: dict[str, list[FieldNode]] = {}
        spread: set[str] = set()
        waiting = list(merged)
        while waiting:
            for node in waiting.pop().selections:
                if isinstance(node, FieldNode):
                    fields.setdefault((node.alias or node.name).value, []).append(node)
                elif isinstance(node, InlineFragmentNode):
                    waiting.append(node.selection_set)
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                    spread.add(node.name.value)
                    if node.name.value in self.fragments:
                        waiting.append(self.fragments[node.name.value].selection_set)
        return fields, spread


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def _length(value: ValueNode, sizes: Mapping[str, int]) -> int:
    """A page is never longer than its cap: more is refused where it is resolved."""
    if isinstance(value, IntValueNode):
        return _page(int(value.value[:6]))
    if isinstance(value, ListValueNode):
        return _page(len(value.values))
    if isinstance(value, VariableNode):
        return sizes.get(value.name.value, MAX_PAGE)
    return MAX_PAGE


def _page(asked: int) -> int:
    return min(max(asked, 1), MAX_PAGE)
