"""The committed SDL, the examples of GraphiQL, and the names that clients rely on."""

import json
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from schema.root import graphql_schema

ROOT = Path(__file__).parents[2]
SDL = (ROOT / "schema" / "schema.graphql").read_text()
EXAMPLES = sorted((ROOT / "web" / "graphiql" / "examples").glob("*.graphql"))

# What clients of the first release are built on; a name goes only with a dated deprecation.
ROOT_FIELDS = {
    "Query": "viewer node nodes session sessions branch queue members apiKeys",
    "Mutation": """signIn refreshTokens signOut saveMember deactivateMember startSession forkBranch
        switchBranch markBranchStatus reviveBranch renameBranch archiveBranch restoreBranch
        sendBranchMessage sendMessage retryMessage cancelMessage handOffSession claimHandoff
        cancelHandoff createApiKey revokeApiKey changePassword reactivateMember""",
    "Subscription": "sessionsChanged sessionChanged branchChanged queueChanged messageStreamed",
}


def test_the_committed_sdl_is_what_the_server_serves() -> None:
    assert graphql_schema.as_str() + "\n" == SDL


@pytest.mark.parametrize("root", ROOT_FIELDS)
def test_root_fields_are_kept(root: str) -> None:
    fields = build_schema(SDL).type_map[root].fields  # type: ignore[attr-defined]
    assert set(fields) >= set(ROOT_FIELDS[root].split())


def test_every_field_of_a_union_member_has_one_type_in_all_members() -> None:
    """So that a client may select any two members side by side."""
    schema = build_schema(SDL)
    for name, union in schema.type_map.items():
        members = getattr(union, "types", ())
        types: dict[str, str] = {}
        for member in members:
            for field, definition in member.fields.items():
                assert types.setdefault(field, str(definition.type)) == str(definition.type), (
                    f"{name}: {member.name}.{field}"
                )


def test_every_mutation_takes_one_input_and_answers_with_a_union_of_refusals() -> None:
    schema = build_schema(SDL)
    assert schema.mutation_type is not None
    for name, field in schema.mutation_type.fields.items():
        assert list(field.args) == ["input"], name
        members = field.type.of_type.types  # type: ignore[attr-defined]
        refusals = [member for member in members if not member.name.endswith("Success")]
        assert len(refusals) == len(members) - 1, name
        assert all(
            [interface.name for interface in refusal.interfaces] == ["UserError"]
            for refusal in refusals
        ), name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_of_graphiql_are_valid(example: Path) -> None:
    assert validate(build_schema(SDL), parse(example.read_text())) == []
    variables = example.with_suffix(".json")
    assert not variables.exists() or isinstance(json.loads(variables.read_text()), dict)


def test_there_is_an_example_of_every_mutation_and_subscription() -> None:
    names = {path.stem for path in EXAMPLES}
    types = build_schema(SDL).type_map
    wanted = {name for root in ("Mutation", "Subscription") for name in types[root].fields}  # type: ignore[attr-defined]
    assert wanted - names == set()
    shown = (ROOT / "web/graphiql/examples.ts").read_text()
    assert [name for name in sorted(names) if f'"{name}"' not in shown] == []
