"""What documents cost, and that what we hand out ourselves is within the caps."""

import time
from collections.abc import Mapping

import pytest
from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_introspection_query,
    is_leaf_type,
    parse,
)

from schema.limits import excess
from schema.measure import LENGTHS, WITHIN_TREE, Measured, measure, page_sizes
from services.runtime import Limits
from tests.contract.test_docs import PAGES, ROOT, blocks

SDL = build_schema((ROOT / "schema" / "schema.graphql").read_text())

TREE = "query($id: ID!) { session(id: $id) { rootBranch { id %s } } }"
PAGE = "query($n: Int = 7) { sessions(first: $n) { edges { node { id } } } }"


def measured(document: str, variables: Mapping[str, object] | None = None) -> Measured:
    parsed = parse(document)
    return measure(parsed, page_sizes(parsed, variables or {}))


@pytest.mark.parametrize(
    ("document", "variables", "cost"),
    [
        ("{ viewer { scopes } }", {}, 2),
        ("{ sessions { edges { node { id } } } }", {}, 1 + 20 * 3),
        (
            "{ sessions(first: 3) { edges { node { id } } pageInfo { hasNextPage } } }",
            {},
            1 + 3 * 5,
        ),
        ("{ sessions(first: 5000) { edges { cursor } } }", {}, 1 + 100 * 2),
        ("{ sessions(first: -5) { edges { cursor } } }", {}, 1 + 2),
        (PAGE, {}, 1 + 7 * 3),
        (PAGE, {"n": 9}, 1 + 9 * 3),
        (PAGE, {"n": 10**30}, 1 + 100 * 3),
        (PAGE, {"n": "nonsense"}, 1 + 100 * 3),
        ("query($n: Int) { sessions(first: $n) { edges { cursor } } }", {}, 1 + 100 * 2),
        ('{ nodes(ids: ["a", "b"]) { id } }', {}, 1 + 2),
        ("query($i: [ID!]!) { nodes(ids: $i) { id } }", {"i": ["a"] * 4}, 1 + 4),
        ("{ session(id: 1) { branches { id label } } }", {}, 1 + 1 + 100 * 2),
        # children are branches of one tree, so levels do not multiply
        (TREE % "children { id }", {}, 4 + 100),
        (TREE % "children { id children { id } }", {}, 4 + 100 * 2),
        (TREE % "children { id children { id children { id } } }", {}, 4 + 100 * 2),
        (TREE % "a: children { id } b: children { id }", {}, 5 + 100 * 2),
        ("{ session(id: 1) { branches { children { id } } } }", {}, 2 + 100 + 100),
        (
            "{ sessions(first: 2) { edges { node { rootBranch { children { id } } } } } }",
            {},
            1 + 2 * (3 + 1 + 100),
        ),
        # a fragment counts wherever it is spread
        (
            "{ sessions { edges { ...f ...f } } } fragment f on AiSessionEdge { cursor }",
            {},
            1 + 20 * 3,
        ),
        ("query A { viewer { scopes } } query B { viewer { scopes role } }", {}, 3),
    ],
)
def test_a_document_costs_as_many_fields_as_its_answer_may_have(
    document: str, variables: dict[str, object], cost: int
) -> None:
    assert measured(document, variables).cost == cost


def test_every_list_has_a_length() -> None:
    """But `edges`, which are as long as their connection says, and what a refusal lists."""
    lists = {
        (type_.name, name)
        for type_ in SDL.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        for name, field in type_.fields.items()
        if _is_list_of_objects(field.type) and name != "edges"
    }
    assert len(lists) > 20
    assert {name for _, name in lists} <= {*LENGTHS, WITHIN_TREE}


def _is_list_of_objects(type_: object) -> bool:
    while isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if not isinstance(type_, GraphQLList):
        return False
    item = type_.of_type
    return not is_leaf_type(item.of_type if isinstance(item, GraphQLNonNull) else item)


DOCUMENTS = {
    "introspection": get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True
    ),
    **{
        path.name: path.read_text()
        for path in sorted((ROOT / "web" / "graphiql" / "examples").glob("*.graphql"))
    },
    **{
        f"{page.name} {place}": block
        for page in PAGES
        for place, block in enumerate(blocks(page, "graphql"))
    },
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_we_hand_out_is_within_the_caps(name: str) -> None:
    assert excess(measured(DOCUMENTS[name]), Limits()) is None


@pytest.mark.parametrize(
    ("document", "pairs"),
    [
        ("{ viewer { id } }", 0),
        ("{ viewer { id id id } }", 3),
        ("{ viewer { id } viewer { id } viewer { id } }", 3 + 3),
        ("{ viewer { a: id b: id } }", 0),
        ("{ ...a ...b } fragment a on Query { x } fragment b on Query { x }", 1 + 1),
        ("{ ...a ...a } fragment a on Query { x }", 0),
        ("{ x ... { x } ... on Query { x } }", 3),
    ],
)
def test_pairs_of_one_name_are_counted(document: str, pairs: int) -> None:
    assert measured(document).repeats == pairs


def test_fragments_in_a_circle_are_counted_at_once() -> None:
    names = [f"f{place}" for place in range(20)]
    everywhere = " ".join(f"{name}: x {{ ...{name} }}" for name in names)
    fragments = " ".join(f"fragment {name} on X {{ {everywhere} }}" for name in names)
    began = time.process_time()
    size = measured(f"{{ ...f0 }} {fragments}")
    assert time.process_time() - began < 1
    assert excess(size, Limits()) is not None
