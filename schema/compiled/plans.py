"""Which selections of an operation are compiled, kept for as long as its document is."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from weakref import ref

from graphql import (
    DirectiveNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

from schema.compiled.writer import Mixed, NotPlain, Reader, Writer

MOST = 1_000
"""Operations; those whose documents are not kept go by themselves."""

CASES = 4
"""Combinations of the variables in @skip and @include, for one operation."""

KNOWN_DIRECTIVES = frozenset({"skip", "include"})

log = logging.getLogger("flowpilot.compiled")

T = TypeVar("T")
Values = tuple[object, ...]


class Plan:
    """For one operation with these variables."""

    def __init__(self) -> None:
        self.readers: dict[object, Reader | None] = {}
        self.mixes: dict[object, Mixed | None] = {}

    def reader(
        self, executor: Executor[Any], type_: GraphQLOutputType, asked: FieldDetailsList
    ) -> Reader | None:
        """None where the selection has more than plain fields."""
        key = (type_, *(id(details.node) for details in asked))
        if key not in self.readers:
            self.readers[key] = _written(lambda: Writer(executor).reader(type_, asked))
        return self.readers[key]

    def mixed(
        self, executor: Executor[Any], parent: GraphQLObjectType, asked: GroupedFieldSet
    ) -> Mixed | None:
        """None where the selection has next to no plain fields."""
        nodes = (id(details.node) for same in asked.values() for details in same)
        key = (parent, *nodes)
        if key not in self.mixes:
            self.mixes[key] = _written(lambda: Writer(executor).mixed(parent, asked))
        return self.mixes[key]


def _written(write: Callable[[], T]) -> T | None:
    try:
        return write()
    except (NotPlain, GraphQLError):  # graphql-core says again what is wrong with a directive
        return None
    except Exception:  # nobody goes without an answer because it could have been quicker
        log.exception("a selection could not be compiled")
        return None


class Sighted:
    """An operation that has come before. Its nodes are not kept: their ids are good while it is alive."""

    def __init__(self, operation: OperationDefinitionNode, forget: Any) -> None:  # noqa: ANN401
        self.operation = ref(operation, forget)
        self.times = 0
        self.variables: tuple[str, ...] | None = None
        self.plans: dict[Values, Plan] = {}

    def plan(self, executor: Executor[Any]) -> Plan | None:
        """On second sight: most of what comes once never comes again."""
        self.times += 1
        if self.times == 1:
            return None
        if self.times == 2:  # noqa: PLR2004
            self.variables = _deciding(executor)
        if self.variables is None:
            return None
        coerced = executor.variable_values.coerced
        values = tuple(coerced.get(name) for name in self.variables)
        if values not in self.plans and len(self.plans) >= CASES:
            self.plans.clear()
        return self.plans.setdefault(values, Plan())


sighted: OrderedDict[int, Sighted] = OrderedDict()
"""The one that has not come for longest first."""


def plan_for(executor: Executor[Any]) -> Plan | None:
    """None: let graphql-core do all of it."""
    if not _is_ordinary(executor):
        return None
    key = id(executor.operation)
    known = sighted.get(key)
    if known is None:
        while len(sighted) >= MOST:
            sighted.popitem(last=False)
        known = sighted[key] = Sighted(executor.operation, lambda _: sighted.pop(key, None))
    sighted.move_to_end(key)
    return known.plan(executor)


def _is_ordinary(executor: Executor[Any]) -> bool:
    middleware = executor.middleware_manager
    return (
        (middleware is None or not middleware.middlewares)
        and executor.abort_signal is None
        and executor.error_propagation
    )


def _deciding(executor: Executor[Any]) -> tuple[str, ...] | None:
    """The variables that decide what is selected; None if anything but @skip and @include may."""
    names: list[str] = []
    for directive in _directives(executor):
        if directive.name.value not in KNOWN_DIRECTIVES:
            return None
        names += [
            argument.value.name.value
            for argument in directive.arguments or ()
            if isinstance(argument.value, VariableNode)
        ]
    if any(fragment.variable_signatures for fragment in executor.fragments.values()):
        return None
    return tuple(dict.fromkeys(names))


def _directives(executor: Executor[Any]) -> Iterator[DirectiveNode]:
    definitions = (executor.operation, *executor.fragment_definitions.values())
    for definition in definitions:
        yield from definition.directives or ()
        yield from _within(definition.selection_set)


def _within(selections: SelectionSetNode) -> Iterator[DirectiveNode]:
    for node in selections.selections:
        yield from node.directives or ()
        below = getattr(node, "selection_set", None)
        if below is not None:
            yield from _within(below)
