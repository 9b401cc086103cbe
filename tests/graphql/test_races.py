"""Many at once: one winner, exact limits, no gap, nothing made twice."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

from models.account import Plan
from services.runtime import Runtime
from tests.client import Client
from tests.factories import Colleagues, make_account

KINDS = """
subscription($id: ID!, $after: String) {
  sessionChanged(sessionId: $id, after: $after) {
    __typename
    ... on Event { cursor }
    ... on MessageFinished { message { id position state } }
  }
}
"""


async def start(client: Client) -> dict[str, Any]:
    """A session whose intake is answered."""
    started = await client.mutate(
        "startSession", "session { id rootBranch { id } } reply { id }", intake={"text": "It fails"}
    )
    await client.answered(started["reply"]["id"])
    session: dict[str, Any] = await now(client, started["session"]["id"])
    return session


async def now(client: Client, session_id: str) -> dict[str, Any]:
    answer = await client.run(
        """query($id: ID!) { session(id: $id) {
          id version status eventCursor branchCount handoffCount activeBranch { id archivedAt }
          rootBranch { id messageCount } branches(includeArchived: true) {
            id label order status archivedAt version } } }""",
        id=session_id,
    )
    session: dict[str, Any] = answer["session"]
    return session


async def events_since(client: Client, session: dict[str, Any]) -> list[dict[str, Any]]:
    """All events of a session after a look at it, up to a mark that is set now."""
    mark = await client.mutate("switchBranch", "branch { id }", branchId=session["mark"])
    assert mark["__typename"] == "SwitchBranchSuccess"
    seen: list[dict[str, Any]] = []
    async with client.subscribe(KINDS, id=session["id"], after=session["eventCursor"]) as events:
        async for event in events:
            seen.append(event["sessionChanged"])
            if seen[-1]["__typename"] == "BranchSwitched":
                return seen[:-1]
    raise AssertionError("the mark never came")


def kinds(events: list[dict[str, Any]]) -> Counter[str]:
    return Counter(event["__typename"] for event in events)


async def fork(client: Client, session_id: str, *labels: str, **more: Any) -> dict[str, Any]:
    return await client.mutate(
        "forkBranch",
        "branches { id label order version } forkPoint { id }",
        sessionId=session_id,
        reason="Several causes are possible",
        options=[{"label": label, "description": "A cause"} for label in labels],
        **more,
    )


async def test_a_hundred_claims_have_one_winner(
    client: Client, colleagues: Colleagues, runtime: Runtime, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await start(engineer)
    handed_off = await engineer.mutate(
        "handOffSession", "handoff { id }", sessionId=session["id"], intent="ESCALATE"
    )
    before = await now(engineer, session["id"])
    claimers = [
        client.as_(person)
        for person in (colleagues.engineer2, colleagues.lead, colleagues.admin, colleagues.engineer)
    ]
    results = await asyncio.gather(
        *(
            claimers[turn % 4].mutate(
                "claimHandoff",
                "handoff { claimedBy { id } }",
                handoffId=handed_off["handoff"]["id"],
            )
            for turn in range(100)
        )
    )
    assert Counter(result["__typename"] for result in results) == {
        "ClaimHandoffSuccess": 25,  # the winner's own repeats
        "HandoffTakenError": 75,
    }
    assert len({result["handoff"]["claimedBy"]["id"] for result in results}) == 1
    session = await now(engineer, session["id"])
    assert session["status"] == "ACTIVE"
    lead = client.as_(colleagues.lead)
    forked = await fork(lead, session["id"], "mark", "other")
    before["mark"] = forked["branches"][0]["id"]
    assert kinds(await events_since(lead, before))["HandoffClaimed"] == 1


async def test_forty_forks_fill_a_plan_of_ten_exactly(
    client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await start(engineer)
    results = await asyncio.gather(
        *(fork(engineer, session["id"], f"a {turn}", f"b {turn}") for turn in range(40))
    )
    assert Counter(result["__typename"] for result in results) == {
        "ForkBranchSuccess": 5,
        "BranchLimitError": 35,
    }
    refused = next(result for result in results if result["__typename"] == "BranchLimitError")
    assert refused["message"] == (
        "Branch limit reached (10 for TEAM plan). Current: 10, requested: 2"
    )
    after = await now(engineer, session["id"])
    assert after["branchCount"] == 11
    orders = [branch["order"] for branch in after["branches"] if branch["label"] != "Trunk"]
    assert sorted(orders) == list(range(1, 11))
    session["mark"] = after["branches"][1]["id"]
    assert kinds(await events_since(engineer, session)) == {"BranchForked": 5}


async def test_the_free_plan_forks_once(
    client: Client, runtime: Runtime, database_url: str
) -> None:
    people = await make_account(runtime, database_url, Plan.FREE)
    engineer = client.as_(people.engineer)
    session = await start(engineer)
    results = await asyncio.gather(
        *(fork(engineer, session["id"], f"a {turn}", f"b {turn}") for turn in range(4))
    )
    assert Counter(result["__typename"] for result in results) == {
        "ForkBranchSuccess": 1,
        "BranchLimitError": 3,
    }


async def test_a_hundred_messages_have_two_hundred_positions(
    client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await start(engineer)
    root = session["rootBranch"]["id"]
    sent = await asyncio.gather(
        *(
            engineer.mutate(
                "sendBranchMessage",
                "sentMessage { position } reply { id position }",
                branchId=root,
                body=f"question {turn}",
            )
            for turn in range(100)
        )
    )
    positions = [(one["sentMessage"]["position"], one["reply"]["position"]) for one in sent]
    assert sorted(positions) == [(3 + 2 * turn, 4 + 2 * turn) for turn in range(100)]
    last = max(sent, key=lambda one: one["reply"]["position"])
    await engineer.answered(last["reply"]["id"])

    messages: list[dict[str, Any]] = []
    after = None
    while True:
        answer = await engineer.run(
            """query($id: ID!, $after: String) { branch(id: $id) {
              messages(first: 100, after: $after) {
                pageInfo { hasNextPage endCursor } edges { node { position role state body } } } } }
            """,
            id=root,
            after=after,
        )
        page = answer["branch"]["messages"]
        messages += [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert [message["position"] for message in messages] == list(range(1, 203))
    for question, reply in zip(messages[2::2], messages[3::2], strict=True):
        assert (question["role"], reply["role"]) == ("USER", "ASSISTANT")
        assert reply["state"] == "COMPLETE"
        assert reply["body"] == f"Answer to: {question['body']}"
    session["mark"] = (await fork(engineer, session["id"], "mark", "other"))["branches"][0]["id"]
    finished = [
        event["message"]["position"]
        for event in await events_since(engineer, session)
        if event["__typename"] == "MessageFinished"
    ]
    assert finished == [4 + 2 * turn for turn in range(100)]


async def test_one_key_makes_one_thing(client: Client, colleagues: Colleagues) -> None:
    engineer = client.as_(colleagues.engineer)
    key = str(uuid4())
    intake = {"text": "Twenty clicks"}
    starts = await asyncio.gather(
        *(
            engineer.mutate(
                "startSession", "session { id } reply { id }", idempotencyKey=key, intake=intake
            )
            for _ in range(20)
        )
    )
    assert len({(one["session"]["id"], one["reply"]["id"]) for one in starts}) == 1
    session_id = starts[0]["session"]["id"]
    forks = await asyncio.gather(
        *(fork(engineer, session_id, "left", "right", idempotencyKey=key) for _ in range(20))
    )
    assert len({one["forkPoint"]["id"] for one in forks}) == 1
    branch_id = forks[0]["branches"][0]["id"]
    sends = await asyncio.gather(
        *(
            engineer.mutate(
                "sendBranchMessage",
                "sentMessage { id } reply { id }",
                idempotencyKey=key,
                branchId=branch_id,
                body="once",
            )
            for _ in range(20)
        )
    )
    assert len({one["sentMessage"]["id"] for one in sends}) == 1
    other = await fork(engineer, session_id, "left", "middle", idempotencyKey=key)
    assert other["__typename"] == "InvalidInputError"
    assert other["fields"] == [
        {"path": ["idempotencyKey"], "message": "Was used before, with other content."}
    ]
    assert (await now(engineer, session_id))["branchCount"] == 3
    # Another person's key of the same value is another key.
    lead = await client.as_(colleagues.lead).mutate(
        "startSession", "session { id }", idempotencyKey=key, intake=intake
    )
    assert lead["session"]["id"] != session_id


async def test_a_repeated_fork_is_what_it_made_whatever_came_after(
    client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await start(engineer)
    trunk_id = session["rootBranch"]["id"]
    keys = [{"parentBranchId": trunk_id, "idempotencyKey": str(uuid4())} for _ in range(3)]
    first = await fork(engineer, session["id"], "left", "right", **keys[0])
    more = {"forkPointId": first["forkPoint"]["id"], **keys[1]}
    asked = [
        (("left", "right"), keys[0]),
        (("middle",), more),
        (("above", "below", "beside"), keys[2]),
    ]
    made = [await fork(engineer, session["id"], *labels, **given) for labels, given in asked]
    assert [[branch["label"] for branch in one["branches"]] for one in made] == [
        ["left", "right"],
        ["middle"],
        ["above", "below", "beside"],
    ]
    assert made[0] == first
    assert made[1]["forkPoint"] == first["forkPoint"] != made[2]["forkPoint"]
    repeats = [await fork(engineer, session["id"], *labels, **given) for labels, given in asked]
    assert repeats == made
    assert (await now(engineer, session["id"]))["branchCount"] == 7


async def test_twenty_handoffs_open_one(client: Client, colleagues: Colleagues) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await start(engineer)
    results = await asyncio.gather(
        *(
            engineer.mutate(
                "handOffSession", "handoff { id }", sessionId=session["id"], intent="PARK"
            )
            for _ in range(20)
        )
    )
    assert Counter(result["__typename"] for result in results) == {
        "HandOffSessionSuccess": 1,
        "InvalidTransitionError": 19,
    }
    assert (await now(engineer, session["id"]))["handoffCount"] == 1


async def test_the_active_branch_is_never_archived(client: Client, colleagues: Colleagues) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await start(engineer)
    forked = await fork(engineer, session["id"], "left", "right")
    for _ in range(5):
        branch = next(
            branch
            for branch in (await now(engineer, session["id"]))["branches"]
            if branch["id"] == forked["branches"][0]["id"]
        )
        switched, archived = await asyncio.gather(
            engineer.mutate("switchBranch", "branch { id }", branchId=branch["id"]),
            engineer.mutate(
                "archiveBranch",
                "branch { id }",
                branchId=branch["id"],
                expectedVersion=branch["version"],
            ),
        )
        state = await now(engineer, session["id"])
        assert state["activeBranch"]["archivedAt"] is None
        outcomes = {switched["__typename"], archived["__typename"]}
        assert "InvalidTransitionError" in outcomes
        await engineer.mutate("switchBranch", "branch { id }", branchId=session["rootBranch"]["id"])
        branch = next(found for found in state["branches"] if found["id"] == branch["id"])
        if branch["archivedAt"]:
            await engineer.mutate(
                "restoreBranch",
                "branch { id }",
                branchId=branch["id"],
                expectedVersion=branch["version"],
            )


async def test_restoring_at_the_limit_lets_one_in(client: Client, colleagues: Colleagues) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await start(engineer)
    first = await fork(engineer, session["id"], *(f"cause {turn}" for turn in range(4)))
    for branch in first["branches"]:
        await engineer.mutate(
            "archiveBranch",
            "branch { id }",
            branchId=branch["id"],
            expectedVersion=branch["version"],
        )
    await fork(engineer, session["id"], *(f"other {turn}" for turn in range(9)))
    results = await asyncio.gather(
        *(
            engineer.mutate(
                "restoreBranch",
                "branch { archivedAt }",
                branchId=branch["id"],
                expectedVersion=branch["version"] + 1,
            )
            for branch in first["branches"]
        )
    )
    assert Counter(result["__typename"] for result in results) == {
        "RestoreBranchSuccess": 1,
        "BranchLimitError": 3,
    }
