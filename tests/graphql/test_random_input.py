"""Whatever is sent, the answer is an answer: no fault of ours, and nothing of the inside."""

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_composite_type,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.runtime import Runtime
from tests.client import Client
from tests.factories import make_account
from tests.worlds import World, build_world

SCHEMA = build_schema((Path(__file__).parents[2] / "schema" / "schema.graphql").read_text())

CODES = {"BAD_USER_INPUT", "NOT_FOUND", "FORBIDDEN", "GRAPHQL_VALIDATION_FAILED"}

TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "\0", "a\0b", "%", "\\", "'", '"', "'; --", "{}", "😀", "İ", "\u202e"]
    ),
    st.integers(1, 600).map(lambda length: "x" * length),
)
INSTANTS = st.one_of(
    st.datetimes(timezones=st.timezones()).map(lambda instant: instant.isoformat()),
    st.datetimes().map(lambda instant: instant.isoformat()),
    st.text(max_size=20),
)
EVERYWHERE = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def fields_of(root: str) -> dict[str, Any]:
    kind = SCHEMA.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    return kind.fields


@pytest.fixture(scope="module")
async def world(address: tuple[str, Runtime], database_url: str) -> World:
    async with Client(address[0]) as client:
        people = await make_account(address[1], database_url)
        return await build_world(client, database_url, people)


def values(kind: Any, world: World) -> st.SearchStrategy[Any]:
    """For a type of input: often what fits, sometimes not."""
    if isinstance(kind, GraphQLNonNull):
        return values(kind.of_type, world)
    return st.one_of(st.none(), some(kind, world))


def some(kind: Any, world: World) -> st.SearchStrategy[Any]:
    if isinstance(kind, GraphQLNonNull):
        return some(kind.of_type, world)
    if isinstance(kind, GraphQLList):
        return st.lists(some(kind.of_type, world), max_size=4)
    if isinstance(kind, GraphQLInputObjectType):
        return objects(kind.fields, world)
    if isinstance(kind, GraphQLEnumType):
        return st.sampled_from(sorted(kind.values))
    return {
        "ID": st.one_of(st.sampled_from(world.ids), TEXTS),
        "String": st.one_of(TEXTS, st.sampled_from([world.session_page, world.event_cursor])),
        "Int": st.one_of(st.integers(-(2**31), 2**31 - 1), st.integers(0, 5)),
        "Float": st.one_of(st.floats(0, 1), st.floats(allow_nan=False, allow_infinity=False)),
        "Boolean": st.just(False),  # or the server would wait for the answer
        "UUID": st.uuids().map(str),
        "DateTime": INSTANTS,
        "Upload": TEXTS,  # JSON holds no file
    }[kind.name]


def objects(arguments: dict[str, Any], world: World) -> st.SearchStrategy[dict[str, Any]]:
    needed, free = {}, {}
    for name, argument in arguments.items():
        required = isinstance(argument.type, GraphQLNonNull)
        if required:
            needed[name] = some(argument.type, world)
        else:
            free[name] = values(argument.type, world)
    return st.fixed_dictionaries(needed, optional=free)


def document(root: str, field: str) -> str:
    arguments = fields_of(root)[field].args
    declared = ", ".join(f"${name}: {argument.type}" for name, argument in arguments.items())
    used = ", ".join(f"{name}: ${name}" for name in arguments)
    composite = is_composite_type(get_named_type(fields_of(root)[field].type))
    refusal = " ... on UserError { message }" if root == "Mutation" else ""
    return (
        f"{root.lower()}({declared}) "
        f"{{ {field}({used}) {f'{{ __typename{refusal} }}' if composite else ''} }}"
    )


FIELDS = [
    (root, field)
    for root in ("Query", "Mutation")
    for field, definition in fields_of(root).items()
    if definition.args
]


@pytest.mark.parametrize(("root", "field"), FIELDS, ids=lambda part: part)
@EVERYWHERE
@given(data=st.data())
async def test_no_input_is_a_fault(
    client: Client, world: World, root: str, field: str, data: st.DataObject
) -> None:
    variables = data.draw(objects(fields_of(root)[field].args, world))
    answer = await client.as_(world.people.admin).post(document(root, field), variables)
    assert answer.status_code == 200
    errors = answer.json().get("errors", [])
    assert {error["extensions"]["code"] for error in errors} <= CODES, errors
