"""Whoever breaks the compiler is caught by the comparison."""

from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLInt, GraphQLNonNull, GraphQLString

from schema.compiled import execution, fields, leaves, plans, writer
from schema.compiled.writer import Writer
from tests.compiled.adverse import ADVERSE
from tests.compiled.compare import compare_all

Break = Callable[[pytest.MonkeyPatch], None]


def skips_as_the_first_time(patch: pytest.MonkeyPatch) -> None:
    """A plan made for one set of variables is used for all."""
    patch.setattr(plans, "_deciding", lambda _: ())


def returns_null_for_an_error(patch: pytest.MonkeyPatch) -> None:
    value = Writer._value

    def mutant(self: Writer, type_: Any, v: str, asked: Any) -> Any:
        return value(self, type_.of_type if isinstance(type_, GraphQLNonNull) else type_, v, asked)

    patch.setattr(Writer, "_value", mutant)


def trusts_texts(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(leaves.BUILT_IN, GraphQLString, "False")


def trusts_numbers(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(leaves.BUILT_IN, GraphQLInt, "type({v}) is not int")


def takes_any_object(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Writer, "_class_lines", lambda *_: [])


def does_not_ask_a_type_for_its_objects(patch: pytest.MonkeyPatch) -> None:
    def mutant(object_type: Any) -> Any:
        definition = object_type.extensions.get(fields.GraphQLCoreConverter.DEFINITION_BACKREF)
        return getattr(definition, "origin", None)

    patch.setattr(writer, "class_of", mutant)
    patch.setattr(fields, "class_of", mutant)


def ignores_casts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(writer, "TYPE_CAST_ATTRIBUTE", "nobody_has_this")


def takes_the_class_for_the_type(patch: pytest.MonkeyPatch) -> None:
    """In a union a stone is found before the gem that it also is."""

    def mutant(schema: Any, abstract: Any) -> Any:
        types = schema.get_possible_types(abstract)
        return {origin: type_ for type_ in types if (origin := fields.class_of(type_))}

    patch.setattr(writer, "classes_of", mutant)


def tells_values_of_enums(patch: pytest.MonkeyPatch) -> None:
    enum_lines = leaves._enum_lines
    patch.setattr(
        leaves,
        "_enum_lines",
        lambda leaf, v, bind: [*enum_lines(leaf, v, bind), f"{v} = {v}.lower()"],
    )


def forgets_what_a_scalar_refuses(patch: pytest.MonkeyPatch) -> None:
    coerced = leaves._coerced_lines
    patch.setattr(leaves, "_coerced_lines", lambda *given: coerced(*given)[:-1])


def sorts_the_answer(patch: pytest.MonkeyPatch) -> None:
    compile_ = writer._block

    def mutant(lines: list[str]) -> str:
        return compile_(
            [
                "return {" + ", ".join(sorted(line[8:-1].split(", "))) + "}"
                if line.startswith("return {")
                else line
                for line in lines
            ]
        )

    patch.setattr(writer, "_block", mutant)


def puts_plain_fields_last(patch: pytest.MonkeyPatch) -> None:
    def mutant(values: dict[str, Any], _: Any, others: dict[str, Any]) -> dict[str, Any]:
        return {**others, **{name: value for name, value in values.items() if name not in others}}

    patch.setattr(execution, "_joined", mutant)


def leaves_every_instant_as_it_is(patch: pytest.MonkeyPatch) -> None:
    instant_lines = leaves._instant_lines
    patch.setattr(leaves, "_instant_lines", lambda *given: instant_lines(*given)[:1])


MUTANTS: tuple[Break, ...] = (
    skips_as_the_first_time,
    returns_null_for_an_error,
    trusts_texts,
    trusts_numbers,
    takes_any_object,
    does_not_ask_a_type_for_its_objects,
    ignores_casts,
    takes_the_class_for_the_type,
    tells_values_of_enums,
    forgets_what_a_scalar_refuses,
    sorts_the_answer,
    puts_plain_fields_last,
    leaves_every_instant_as_it_is,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
async def test_it_is_caught(mutant: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        await compare_all(ADVERSE, range(300), faults=0.05)
