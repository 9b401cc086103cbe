"""How many SQL statements a query costs: the same for one parent and for twenty."""

from typing import Any

import pytest

from tests.client import Client
from tests.factories import Colleagues

SCALARS = "id label description order depth status statusReason isActive version createdAt"


def nested(levels: int, fields: str = SCALARS) -> str:
    return f"{fields} children {{ {nested(levels - 1, fields)} }}" if levels else fields


async def grown(client: Client, width: int) -> dict[str, Any]:
    """A session whose trunk has `width` children, each forked into two below the first."""
    started = await client.mutate(
        "startSession",
        "session { id rootBranch { id } } reply { id }",
        intake={"text": "The VPN drops"},
    )
    await client.answered(started["reply"]["id"])
    session: dict[str, Any] = started["session"]
    parent = session["rootBranch"]["id"]
    for level in range(width // 2):
        forked = await client.mutate(
            "forkBranch",
            "branches { id }",
            sessionId=session["id"],
            parentBranchId=parent,
            reason="Several causes",
            options=[
                {"label": f"{side} {level}", "description": "A cause"} for side in ("left", "right")
            ],
        )
        parent = forked["branches"][0]["id"]
    return session


@pytest.mark.parametrize("width", [2, 10])
@pytest.mark.parametrize(
    "selection",
    [f"rootBranch {{ {nested(5)} }}", f"branches {{ {SCALARS} }}", "activeBranch { label }"],
    ids=["nested", "flat", "active"],
)
async def test_a_tree_is_one_statement(
    client: Client, colleagues: Colleagues, statements: list[str], width: int, selection: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await grown(engineer, width)
    statements.clear()
    answer = await engineer.run(
        f"query($id: ID!) {{ session(id: $id) {{ id status eventCursor {selection} }} }}",
        id=session["id"],
    )
    assert len(statements) == 1
    assert answer["session"]["id"] == session["id"]


async def test_nested_and_flat_tell_the_same_tree(client: Client, colleagues: Colleagues) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await grown(engineer, 10)
    answer = await engineer.run(
        f"""query($id: ID!) {{ session(id: $id) {{
            branches {{ {SCALARS} parent {{ id }} }} rootBranch {{ {nested(8)} }} }} }}""",
        id=session["id"],
    )
    flat = {branch["id"]: branch for branch in answer["session"]["branches"]}
    seen: list[str] = []

    def walk(node: dict[str, Any], parent: str | None) -> None:
        children = node.pop("children", [])
        assert flat[node["id"]] == {**node, "parent": {"id": parent} if parent else None}
        seen.append(node["id"])
        for child in children:
            walk(child, node["id"])

    walk(answer["session"]["rootBranch"], None)
    assert sorted(seen) == sorted(flat)
    assert len(flat) == 11
    positions = {branch: index for index, branch in enumerate(flat)}
    assert all(
        positions[branch["parent"]["id"]] < positions[branch["id"]]
        for branch in flat.values()
        if branch["parent"]
    )


LIST = """
query { sessions(first: 50) { edges { node {
  id assignee { displayName team { name } } openedBy { id } team { name }
  rootBranch { label children { label forkPoint { reason } } }
  forkPoints { reason step { order } afterMessage { body } options { label branch { status } } }
  openHandoff { handedOffBy { id } } handoffs { id } findings { claim }
} } } }
"""


async def test_relations_cost_the_same_for_one_session_and_for_twenty(
    client: Client, colleagues: Colleagues, statements: list[str]
) -> None:
    engineer = client.as_(colleagues.engineer)

    async def put_down() -> None:
        session = await grown(engineer, 4)
        handed_off = await engineer.mutate(
            "handOffSession", "handoff { id }", sessionId=session["id"], intent="PARK"
        )
        assert handed_off["__typename"] == "HandOffSessionSuccess"

    await put_down()
    statements.clear()
    assert len((await engineer.run(LIST))["sessions"]["edges"]) == 1
    one = len(statements)
    for _ in range(19):
        await put_down()
    statements.clear()
    assert len((await engineer.run(LIST))["sessions"]["edges"]) == 20
    assert len(statements) == one
