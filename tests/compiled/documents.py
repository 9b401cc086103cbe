"""Random documents over any schema: aliases, fragments, @skip and @include, fields asked for twice."""

from random import Random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_required_argument,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

VARIABLES = ("a", "b", "c")


def is_basic(field: GraphQLField) -> bool:
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return definition is not None and definition.is_basic_field


class Documents:
    def __init__(
        self, schema: GraphQLSchema, dice: Random, depth: int, resolvers: float = 1.0
    ) -> None:
        self.schema = schema
        self.dice = dice
        self.depth = depth
        self.resolvers = resolvers
        """How many of the fields that have a resolver are kept."""
        self.fragments: list[str] = []
        self.left = 120

    def document(self, root_fields: int) -> str:
        assert self.schema.query_type
        fields = self.dice.choices(
            [name for name in self.schema.query_type.fields if not name.startswith("_")],
            k=root_fields,
        )
        asked = " ".join(self._field(self.schema.query_type, name, self.depth) for name in fields)
        variables = ", ".join(f"${name}: Boolean!" for name in VARIABLES)
        return f"query Random({variables}) {{ {asked} }}\n" + "\n".join(self.fragments)

    def _selection(self, type_: Any, depth: int) -> str:
        parts = []
        for _ in range(self.dice.randint(1, 5)):
            chance = self.dice.random()
            self.left -= 1
            if chance < 0.12 and depth > 0:
                parts.append(self._inline(type_, depth))
            elif chance < 0.2 and depth > 0:
                parts.append(self._spread(type_, depth))
            elif chance < 0.27 or not getattr(type_, "fields", None):
                parts.append(f"__typename {self._directive()}")
            else:
                parts.append(self._field(type_, self.dice.choice(list(type_.fields)), depth))
        return " ".join(parts)

    def _field(self, type_: Any, name: str, depth: int) -> str:
        field = type_.fields[name]
        within = get_named_type(field.type)
        if depth < self.depth and not is_basic(field) and self.dice.random() > self.resolvers:
            return "__typename"
        if any(map(is_required_argument, field.args.values())):
            return "__typename"
        if is_composite_type(within) and (depth <= 0 or self.left <= 0):
            return "__typename"
        alias = f"{name}_{self.dice.randint(1, 2)}: " if self.dice.random() < 0.2 else ""
        arguments = "(number: 3)" if "number" in field.args and self.dice.random() < 0.5 else ""
        if arguments:
            alias = f"three_{name}: "
        below = ""
        if is_composite_type(within):
            below = f" {{ {self._selection(within, depth - 1)} }}"
        return f"{alias}{name}{arguments} {self._directive()}{below}"

    def _inline(self, type_: Any, depth: int) -> str:
        condition = self._condition(type_)
        on = f"on {condition.name} " if self.dice.random() < 0.8 else ""
        within = condition if on else type_
        return f"... {on}{self._directive()} {{ {self._selection(within, depth - 1)} }}"

    def _spread(self, type_: Any, depth: int) -> str:
        condition = self._condition(type_)
        body = self._selection(condition, depth - 1)
        name = f"F{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {condition.name} {{ {body} }}")
        return " ".join([f"...{name} {self._directive()}"] * self.dice.randint(1, 2))

    def _condition(self, type_: Any) -> Any:
        """Of the type itself, of one it may be, or of one that it is."""
        if is_abstract_type(type_):
            return self.dice.choice([type_, *self.schema.get_possible_types(type_)])
        above = type_.interfaces if isinstance(type_, GraphQLObjectType) else ()
        return self.dice.choice([type_, *above])

    def _directive(self) -> str:
        if self.dice.random() > 0.12:
            return ""
        value = self.dice.choice([*(f"${name}" for name in VARIABLES), "true", "false"])
        return f"@{self.dice.choice(['skip', 'include'])}(if: {value})"
