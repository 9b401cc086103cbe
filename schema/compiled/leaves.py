"""How a scalar or an enum is completed, as lines of Python that change one variable or give up.

Each repeats what the type's own `coerce_output_value` does for values of the expected class, no more.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLScalarType,
    GraphQLString,
)
from strawberry.schema.schema_converter import CustomGraphQLEnumType

from schema.scalars import write_instant

PLAIN = frozenset({str, int, float, bool, bytes, list, dict, datetime, date, time, Decimal, UUID})
"""Classes whose instances are neither awaitable nor exceptions, whatever is done to them."""

BUILT_IN = {
    GraphQLString: "type({v}) is not str",
    GraphQLID: "type({v}) is not str",
    GraphQLInt: "type({v}) is not int or not -2147483648 <= {v} <= 2147483647",
    GraphQLBoolean: "{v} is not True and {v} is not False",
    GraphQLFloat: "type({v}) is not float or not -INFINITY < {v} < INFINITY",
}
"""When graphql-core's own scalars would not give a value back as it is."""

Bind = Callable[[object], str]
"""Gives an object a name that the lines may use."""


def leaf_lines(leaf: GraphQLLeafType, v: str, bind: Bind) -> list[str]:
    """`v` names the variable, which is not null."""
    if isinstance(leaf, GraphQLEnumType):
        return _enum_lines(leaf, v, bind)
    refusal = BUILT_IN.get(leaf)
    if refusal is not None:
        return [f"if {refusal.format(v=v)}: raise GiveUp"]
    if leaf.coerce_output_value is write_instant:
        return _instant_lines(v, bind)
    return _coerced_lines(leaf, v, bind)


def _enum_lines(leaf: GraphQLEnumType, v: str, bind: Bind) -> list[str]:
    """Of a strawberry enum, whose members may be returned as they are."""
    if not isinstance(leaf, CustomGraphQLEnumType) or not _is_ordinary(leaf.wrapped_cls):
        return ["raise GiveUp"]
    members: list[Enum] = list(leaf.wrapped_cls)
    names = {member.name: leaf.coerce_output_value(member) for member in members}
    return [
        f"if type({v}) is not {bind(leaf.wrapped_cls)}: raise GiveUp",
        f"{v} = {bind(names)}[{v}._name_]",
    ]


def _is_ordinary(enum: Any) -> bool:  # noqa: ANN401 - whatever strawberry took for one
    return isinstance(enum, type) and issubclass(enum, Enum) and not hasattr(enum, "__await__")


def _instant_lines(v: str, bind: Bind) -> list[str]:
    """In UTC it is left as it is: `schema.transport.encoding` writes the same text of it, and sooner."""
    return [
        f"if type({v}) is not {bind(datetime)}: raise GiveUp",
        f"if {v}.tzinfo is not {bind(UTC)}: {v} = {bind(write_instant)}({v})",
    ]


def _coerced_lines(leaf: GraphQLScalarType, v: str, bind: Bind) -> list[str]:
    """By the scalar's own function, which may raise; then graphql-core calls it once more."""
    return [
        f"if type({v}) not in PLAIN: raise GiveUp",
        f"{v} = {bind(leaf.coerce_output_value)}({v})",
        f"if {v} is None or {v} is Undefined: raise GiveUp",
    ]
