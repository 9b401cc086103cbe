"""Random objects for a random document, some of them not what the schema promises.

Made of the same dice anew for every execution: coroutines and generators can be used once only.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from inspect import getattr_static
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import strawberry
from graphql import (
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    SelectionSetNode,
    Undefined,
    is_abstract_type,
    is_leaf_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.rows import OfRow
from schema.transport.encoding import decode, encode

ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class Pretends:
    """A class that lies."""

    __class__ = str  # type: ignore[assignment]


class Awaited:
    """As a coroutine, but nobody minds if it is not awaited."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Any:
        yield
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


async def one_by_one(values: Any) -> Any:
    for value in values:
        yield value


class Objects:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        dice: Random,
        faults: float,
    ) -> None:
        self.schema = schema
        self.fragments = fragments
        self.dice = dice
        self.faults = faults
        self.broken = 0

    def value(self, type_: Any, below: list[SelectionSetNode]) -> Any:
        """What a field of this type returns."""
        if self.dice.random() < self.faults:
            self.broken += 1
            return self._fault(type_, below)
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type, below)
        return None if self.dice.random() < 0.15 else self._present(type_, below)

    def _present(self, type_: Any, below: list[SelectionSetNode]) -> Any:
        if isinstance(type_, GraphQLList):
            items = [
                self.value(type_.of_type, below) for _ in range(self.dice.choice((0, 1, 2, 3)))
            ]
            return tuple(items) if self.dice.random() < 0.1 else items
        if is_leaf_type(type_):
            return self._leaf(type_)
        if is_abstract_type(type_):
            type_ = self.dice.choice(list(self.schema.get_possible_types(type_)))
        return self._object(type_, below)

    def _object(self, type_: Any, below: list[SelectionSetNode]) -> Any:
        origin = type_.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].origin
        made = origin.__new__(origin)
        made.luck = self.dice.random()
        made.answers = {}
        for name, selections in self._asked(below).items():
            field = type_.fields.get(name)
            definition = field and field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            if definition is None:
                continue
            if not definition.is_basic_field:
                if definition.base_resolver.name in {"kept", "near"}:
                    made.answers[name] = self.value(field.type, selections)
            elif self.dice.random() >= self.faults / 4:  # or else the attribute is missing
                self._set(made, definition.python_name, self.value(field.type, selections))
        return made

    def _set(self, made: Any, name: str, value: Any) -> None:
        of_row = getattr_static(type(made), name, None)
        if not isinstance(of_row, OfRow):
            setattr(made, name, value)
            return
        row = made.__dict__.setdefault("row", SimpleNamespace())
        if isinstance(of_row.source, str):
            setattr(row, of_row.source, value)
        else:
            row.id = UUID(int=self.dice.getrandbits(128)) if isinstance(value, str) else value

    def _asked(self, below: list[SelectionSetNode]) -> dict[str, list[SelectionSetNode]]:
        """Every field that any of the fragments asks for."""
        found: dict[str, list[SelectionSetNode]] = {}
        waiting: list[Any] = list(below)
        for selections in waiting:
            for node in selections.selections:
                if node.kind == "field":
                    same = found.setdefault(node.name.value, [])
                    if node.selection_set:
                        same.append(node.selection_set)
                elif node.kind == "inline_fragment":
                    waiting.append(node.selection_set)
                else:
                    waiting.append(self.fragments[node.name.value].selection_set)
        return found

    def _leaf(self, type_: Any) -> Any:
        if isinstance(type_, GraphQLEnumType):
            return self.dice.choice(
                [value.value for value in type_.values.values()]
            ) and self.dice.choice(
                list(type_.wrapped_cls)  # type: ignore[attr-defined]
            )
        made = LEAVES.get(type_.name)
        return made(self.dice) if made else "text"

    def _fault(self, type_: Any, below: list[SelectionSetNode]) -> Any:  # noqa: PLR0911
        dice = self.dice
        kind = dice.randrange(12)
        if kind == 0:
            return None
        if kind == 1:
            return ValueError("returned, not raised")
        if kind == 2:
            return Awaited(self.value(type_, below))
        if kind == 3:
            return Awaited(ValueError("raised while awaited"))
        if kind == 4 and below:
            return self._cast(type_, below)
        if kind == 5 and "[" in str(type_):
            items = self._items(type_, below)
            return dice.choice(
                (iter(items), {str(item): item for item in items}, one_by_one(items), "items", 7)
            )
        return dice.choice(STRANGE)(dice)

    def _items(self, type_: Any, below: list[SelectionSetNode]) -> list[Any]:
        while isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        if not isinstance(type_, GraphQLList):
            return []
        return [self.value(type_.of_type, below) for _ in range(self.dice.randint(0, 2))]

    def _cast(self, type_: Any, below: list[SelectionSetNode]) -> Any:
        """An object that says it is of some other type."""
        while isinstance(type_, GraphQLNonNull | GraphQLList):
            type_ = type_.of_type
        made = self._present(type_, below)
        others = [
            definition.origin
            for definition in (
                other.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
                for other in self.schema.type_map.values()
            )
            if hasattr(definition, "origin") and hasattr(definition, "interfaces")
        ]
        return strawberry.cast(self.dice.choice(others), made)


LEAVES: Mapping[str, Callable[[Random], Any]] = {
    "Int": lambda dice: dice.choice((0, 1, -1, 2**31 - 1, -(2**31), dice.randint(0, 99))),
    "Float": lambda dice: dice.choice((0.0, -0.0, 1.5, 1e300, dice.random())),
    "Boolean": lambda dice: dice.random() < 0.5,
    "String": lambda dice: dice.choice(("", "text", "Ä“\u2028", "0")),
    "ID": lambda dice: dice.choice(("", "br_1", "7")),
    "Shout": lambda dice: dice.choice(("quiet", "Loud", "")),
    "DateTime": lambda dice: datetime(
        2026,
        1,
        1,
        12,
        0,
        1,
        dice.choice((0, 1, 120_000)),
        dice.choice((UTC, timezone(timedelta(hours=2)))),
    ),
    "Decimal": lambda dice: Decimal(dice.choice(("1.10", "NaN", "0"))),
    "UUID": lambda dice: UUID(int=dice.getrandbits(128)),
    "JSON": lambda dice: dice.choice(({"a": [1]}, [None], 0, "json")),
}

STRANGE: tuple[Callable[[Random], Any], ...] = (
    lambda _: object(),
    lambda _: Undefined,
    lambda _: Text("text of its own class"),
    lambda _: Number(5),
    lambda _: Pretends(),
    lambda _: b"bytes",
    lambda _: "",
    lambda _: "text",
    lambda _: "12",
    lambda _: "RED",
    lambda _: "glad",
    lambda dice: dice.choice((0, 1, 2, 2**31, -(2**31) - 1, 10**30)),
    lambda dice: dice.choice((1.0, 1.5, float("nan"), float("inf"), -float("inf"))),
    lambda dice: dice.random() < 0.5,
    lambda _: Decimal("2.5"),
    lambda _: [],
    lambda _: {},
    lambda _: {"name": "of a mapping"},
    lambda _: [1, None, "x"],
    lambda _: (None,),
    lambda _: SimpleNamespace(name="of no type", luck=1.0),
    lambda _: datetime(2026, 1, 1, tzinfo=UTC),
    lambda _: datetime(1, 1, 1),  # noqa: DTZ001 - cannot be turned into UTC
    lambda _: (value for value in (1, 2)),
    lambda _: int,
)


def spread(answer: Any) -> Iterator[Any]:
    """Everything in an answer, so that what differs by class only is told apart."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            yield name
            yield from spread(value)
    elif isinstance(answer, list):
        yield len(answer)
        for value in answer:
            yield from spread(value)
    elif isinstance(answer, datetime):  # as clients see it
        yield from spread(decode(encode(answer)))
    else:
        yield type(answer).__name__
        yield ADDRESS.sub("", repr(answer))
