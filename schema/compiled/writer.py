"""Writes the Python function that reads an object, or an item of a list, into what the answer shows of it.

def read_1(source, waiting):
    if type(source) is not Branch: raise GiveUp
    v0 = source.label
    if type(v0) is not str: raise GiveUp
    ...
    return {"label": v0, ...}
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from inspect import getattr_static
from textwrap import indent
from typing import Any

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    Undefined,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_object_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.type import TypeNameMetaFieldDef
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

from schema.compiled.fields import attribute_of, class_of, classes_of, reading_of
from schema.compiled.filling import Empty, GiveUp, Read
from schema.compiled.leaves import PLAIN, leaf_lines
from schema.rows import OfRow

FEW = 2
"""Plain fields from which on it is worth while to read them apart from the others."""

LARGEST = 200
"""Fields beyond which writing and compiling a function would itself hold others up."""

NAMES: dict[str, object] = {
    "GiveUp": GiveUp,
    "Empty": Empty,
    "PLAIN": PLAIN,
    "INFINITY": float("inf"),
    "Undefined": Undefined,
}


class NotPlain(Exception):
    """A selection with a field that is more than an attribute."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A compiled selection."""

    read: Read
    fields: int


@dataclass(frozen=True, slots=True)
class Mixed:
    """The values of an object's plain fields, with places kept for the others."""

    read: Callable[[Any], dict[str, Any]]
    others: tuple[str, ...]


class Writer:
    """Of one selection; what is selected is for graphql-core's own `collect_subfields` to say."""

    def __init__(self, executor: Executor[Any]) -> None:
        self.executor = executor
        self.names = dict(NAMES)
        self.functions: list[str] = []
        self.written: dict[object, tuple[str, int]] = {}
        self.variables = 0
        self.fields = 0

    def reader(self, type_: GraphQLOutputType, asked: FieldDetailsList) -> Reader:
        """Raises NotPlain."""
        name, fields = self._function(type_, asked)
        read: Any = self._compiled(name)
        return Reader(read, fields)

    def mixed(self, parent: GraphQLObjectType, asked: GroupedFieldSet) -> Mixed:
        """Of an object of which not only plain fields are asked. Raises NotPlain where too few are."""
        lines = list(self._class_lines(parent))
        values: list[str] = []
        others: list[str] = []
        for response_name, same in asked.items():
            value = "None"
            if _is_leaf(self.executor, parent, same):
                with suppress(NotPlain):
                    more, value, _ = self._field(parent, same)
                    lines += more
            if value == "None":
                others.append(response_name)
            values.append(f"{response_name!r}: {value}")
        if len(values) < len(others) + FEW:
            raise NotPlain
        lines.append(f"return {{{', '.join(values)}}}")
        self.functions.append(f"def read_mixed(source):\n{_block(lines)}\n")
        read: Any = self._compiled("read_mixed")
        return Mixed(read, tuple(others))

    def _compiled(self, name: str) -> object:
        source = "\n".join(self.functions)
        exec(compile(source, "<compiled selection>", "exec"), self.names)  # noqa: S102 - our own lines
        return self.names[name]

    def _function(self, type_: GraphQLOutputType, asked: FieldDetailsList) -> tuple[str, int]:
        """The name of a function that completes a value of this type, and how many fields it reads."""
        if isinstance(type_, GraphQLNonNull) and is_object_type(type_.of_type):
            type_ = type_.of_type  # whose function refuses null by itself
        key = (type_, *(id(details.node) for details in asked))
        if key not in self.written:
            if isinstance(type_, GraphQLObjectType):
                lines, fields = self._object(type_, asked)
            else:
                lines, fields = self._value(type_, "source", asked)
                lines.append("return source")
            name = f"read_{len(self.functions)}"
            self.functions.append(f"def {name}(source, waiting):\n{_block(lines)}\n")
            self.written[key] = name, fields
        return self.written[key]

    def _object(self, type_: GraphQLObjectType, asked: FieldDetailsList) -> tuple[list[str], int]:
        lines = list(self._class_lines(type_))
        collected = self.executor.collect_subfields(type_, asked)
        if collected.new_defer_usages:
            raise NotPlain
        values: list[str] = []
        total = len(collected.grouped_field_set)
        self.fields += total
        if self.fields > LARGEST:
            raise NotPlain
        for response_name, same in collected.grouped_field_set.items():
            more, value, fields = self._field(type_, same)
            lines += more
            total += fields
            values.append(f"{response_name!r}: {value}")
        lines.append(f"return {{{', '.join(values)}}}")
        return lines, total

    def _class_lines(self, type_: GraphQLObjectType) -> Iterator[str]:
        origin = class_of(type_)
        if origin is None:
            raise NotPlain
        yield f"if type(source) is not {self._bind(origin)}: raise GiveUp"
        if any(isinstance(value, OfRow) for value in vars(origin).values()):
            yield "row = source.row"
        if type_.is_type_of is not None or self._is_of_a_union(type_):
            yield f"if getattr(source, {TYPE_CAST_ATTRIBUTE!r}, None) is not None: raise GiveUp"

    def _is_of_a_union(self, type_: GraphQLObjectType) -> bool:
        return any(
            is_abstract_type(other) and self.executor.schema.is_sub_type(other, type_)
            for other in self.executor.schema.type_map.values()
        )

    def _field(
        self, parent: GraphQLObjectType, same: FieldDetailsList
    ) -> tuple[list[str], str, int]:
        """Lines, the expression of the field's value after them, and the fields within it."""
        name = same[0].node.name.value
        field = self.executor.schema.get_field(parent, name)
        if field is TypeNameMetaFieldDef:
            return [], repr(parent.name), 0
        if field is None or any(details.node.arguments for details in same):
            raise NotPlain
        attribute, reading = attribute_of(field), reading_of(field)
        if attribute is not None:
            expression = self._attribute(class_of(parent), attribute)
        elif reading is not None:
            expression = f"{self._bind(reading)}(source)"
        else:
            raise NotPlain
        variable = self._variable()
        lines, fields = self._value(field.type, variable, same)
        return [f"{variable} = {expression}", *lines], variable, fields

    def _attribute(self, origin: type | None, name: str) -> str:
        """Straight from the row, where the attribute would look there."""
        of_row = getattr_static(origin, name, None)
        if not isinstance(of_row, OfRow):
            return f"source.{name}"
        if isinstance(of_row.source, str):
            return f"row.{of_row.source}"
        return f"{self._bind(of_row.source)}(row)"

    def _value(
        self, type_: GraphQLOutputType, v: str, asked: FieldDetailsList
    ) -> tuple[list[str], int]:
        """Lines that complete the value of a variable in its place, and the fields within it."""
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type, v, asked)
        lines, fields = self._present(type_, v, asked)
        return [f"if {v} is not None:", _block(lines)], fields

    def _present(
        self, type_: GraphQLOutputType, v: str, asked: FieldDetailsList
    ) -> tuple[list[str], int]:
        """Lines that refuse null, as anything else that is not of the class they expect."""
        if isinstance(type_, GraphQLList):
            return self._list(type_.of_type, v, asked)
        if is_leaf_type(type_):
            return leaf_lines(type_, v, self._bind), 0
        if is_object_type(type_):
            name, fields = self._function(type_, asked)
            return [f"{v} = {name}({v}, waiting)"], fields
        if is_abstract_type(type_):
            return self._abstract(type_, v, asked)
        raise NotPlain

    def _list(
        self, item: GraphQLOutputType, v: str, asked: FieldDetailsList
    ) -> tuple[list[str], int]:
        known = f"if type({v}) is not list and type({v}) is not tuple: raise GiveUp"
        if not asked[0].node.selection_set:
            return [known, *self._leaf_list(item, v, asked)], 0
        name, fields = self._function(item, asked)
        items = self._variable()
        return [
            known,
            f"{items} = {v}",
            f"{v} = []",
            f"if {items}: waiting.append(Empty({items}, {v}, {name}, {fields}))",
        ], 0

    def _leaf_list(self, item: GraphQLOutputType, v: str, asked: FieldDetailsList) -> Iterator[str]:
        one, all_ = self._variable(), self._variable()
        lines, _ = self._value(item, one, asked)
        yield f"{all_} = []"
        yield f"for {one} in {v}:"
        yield _block([*lines, f"{all_}.append({one})"])
        yield f"{v} = {all_}"

    def _abstract(self, type_: Any, v: str, asked: FieldDetailsList) -> tuple[list[str], int]:  # noqa: ANN401
        """By the object's class; a class that several types could claim gives up."""
        readers: dict[type, str] = {}
        most = 0
        for origin, object_type in classes_of(self.executor.schema, type_).items():
            with suppress(NotPlain):
                readers[origin], fields = self._function(object_type, asked)
                most = max(most, fields)
        if not readers:
            raise NotPlain
        table = self._variable()
        entries = ", ".join(f"{self._bind(origin)}: {name}" for origin, name in readers.items())
        # The functions are found when the lines run: all are defined by then.
        return [
            f"{table} = {{{entries}}}.get(type({v}))",
            f"if {table} is None: raise GiveUp",
            f"{v} = {table}({v}, waiting)",
        ], most

    def _variable(self) -> str:
        self.variables += 1
        return f"v{self.variables}"

    def _bind(self, value: object) -> str:
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name


def _is_leaf(executor: Executor[Any], parent: GraphQLObjectType, same: FieldDetailsList) -> bool:
    field = executor.schema.get_field(parent, same[0].node.name.value)
    return field is not None and is_leaf_type(get_named_type(field.type))


def _block(lines: list[str]) -> str:
    return indent("\n".join(lines), "    ")
