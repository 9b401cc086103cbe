"""The queue: its order, what is asked of it, its pages, and that all of it is one statement."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from services.runtime import Runtime
from tests.client import Client
from tests.factories import Colleagues
from tests.passing import claim, pass_time
from tests.tables import as_owner, until_idle

PAGE = """query($filter: QueueFilter, $first: Int! = 50, $after: String) {
  queue(filter: $filter, first: $first, after: $after) {
    eventCursor pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { id priority waitingSince isDue sla { state } } }
  } }"""


async def start(client: Client) -> str:
    started = await client.mutate(
        "startSession", "session { id } reply { id }", intake={"text": "It fails"}
    )
    await client.answered(started["reply"]["id"])
    return str(started["session"]["id"])


async def put_down(client: Client, **given: Any) -> str:
    given = {"intent": "ESCALATE", **given}
    made = await client.mutate(
        "handOffSession", "handoff { id }", sessionId=await start(client), **given
    )
    return str(made["handoff"]["id"])


async def ids(client: Client, **given: Any) -> list[str]:
    found = (await client.run(PAGE, **given))["queue"]
    return [edge["node"]["id"] for edge in found["edges"]]


@pytest.fixture
def engineer(client: Client, colleagues: Colleagues) -> Client:
    return client.as_(colleagues.engineer)


async def test_what_came_back_keeps_its_place(
    engineer: Client, client: Client, colleagues: Colleagues, strangers: Colleagues,
    database_url: str,
) -> None:  # fmt: skip
    await put_down(client.as_(strangers.engineer), priority="ELEVATED")
    first = await put_down(engineer)
    urgent = await put_down(engineer, priority="ELEVATED")
    last = await put_down(engineer)
    second = client.as_(colleagues.engineer2)
    for handoff in (first, urgent):
        await claim(second, handoff)
    assert await ids(engineer) == [last]
    late = await put_down(engineer, priority="ELEVATED")
    back = [
        (await second.mutate("releaseHandoff", "handoff { id }", handoffId=handoff))["handoff"][
            "id"
        ]
        for handoff in (first, urgent)
    ]
    whole = [back[1], late, back[0], last]
    assert await ids(engineer) == whole
    seen, after = [], None
    for turn in range(4):
        page = (await engineer.run(PAGE, first=1, after=after))["queue"]
        assert page["pageInfo"]["hasNextPage"] is (turn < 3)
        assert page["pageInfo"]["hasPreviousPage"] is (turn > 0)
        seen += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == whole
    end = (await engineer.run(PAGE, after=after))["queue"]
    assert end["edges"] == []
    assert end["eventCursor"] == page["eventCursor"]
    await until_idle(database_url, colleagues.account_id)


async def test_it_is_filtered_by_time(
    engineer: Client, colleagues: Colleagues, database_url: str
) -> None:
    wake_at = (datetime.now(UTC) + timedelta(minutes=100)).isoformat()
    urgent = await put_down(engineer, priority="ELEVATED")
    asleep = await put_down(engineer, intent="PARK", wakeAt=wake_at)
    parked = await put_down(engineer, intent="PARK")
    normal = await put_down(engineer)

    async def now() -> dict[str, list[str]]:
        found = {
            state: await ids(engineer, filter={"slaState": [state]})
            for state in ("ON_TRACK", "AT_RISK", "BREACHED")
        }
        return {**found, "due": await ids(engineer, filter={"isDue": True})}

    nothing: dict[str, list[str]] = {"AT_RISK": [], "BREACHED": [], "due": []}
    assert await now() == {**nothing, "ON_TRACK": [urgent, normal]}
    await pass_time(database_url, colleagues.account_id, 26)
    assert await now() == {**nothing, "ON_TRACK": [normal], "AT_RISK": [urgent]}
    await pass_time(database_url, colleagues.account_id, 80)
    assert await now() == {
        "ON_TRACK": [asleep, normal], "AT_RISK": [], "BREACHED": [urgent], "due": [asleep],
    }  # fmt: skip
    assert await ids(engineer, filter={"isDue": False}) == [urgent, parked, normal]
    some = {"slaState": ["ON_TRACK", "BREACHED"], "intent": "ESCALATE"}
    assert await ids(engineer, filter=some) == [urgent, normal]
    assert await ids(engineer, filter={"slaState": []}) == []


FOLLOW = """subscription($filter: QueueFilter, $after: String) {
  queueChanged(filter: $filter, after: $after) {
    __typename
    ... on HandoffCreated { handoff { id } }
    ... on HandoffDue { handoff { id } }
    ... on HandoffSlaChanged { handoff { id } slaState }
    ... on HandoffClaimed { handoff { id } }
    ... on HandoffCancelled { handoff { id } }
  } }"""


async def test_followers_hear_what_comes_into_their_filter_and_leaves_it(
    engineer: Client, colleagues: Colleagues, database_url: str
) -> None:
    cursor = (await engineer.run(PAGE))["queue"]["eventCursor"]
    wake_at = (datetime.now(UTC) + timedelta(minutes=100)).isoformat()
    first = await put_down(engineer)
    asleep = await put_down(engineer, intent="PARK", wakeAt=wake_at)
    for minutes in (110, 80, 60):
        await pass_time(database_url, colleagues.account_id, minutes)
    for handoff in (first, asleep):
        await engineer.mutate("cancelHandoff", "__typename", handoffId=handoff)
    names = {first: "first", asleep: "asleep"}

    async def heard(last: str, **wanted: Any) -> list[tuple[str, ...]]:
        """Up to the cancellation of that one."""
        told: list[tuple[str, ...]] = []
        async with engineer.subscribe(FOLLOW, filter=wanted, after=cursor) as events:
            async for data in events:
                event = data["queueChanged"]
                kind = event.pop("__typename")
                if kind == "HandoffUpdated":
                    continue  # the assistant has added something
                told.append((kind, names[event.pop("handoff")["id"]], *event.values()))
                if told[-1] == ("HandoffCancelled", last):
                    return told
        raise AssertionError("the events ended")

    assert await heard("first", slaState=["BREACHED"]) == [
        ("HandoffSlaChanged", "first", "BREACHED"),
        ("HandoffCancelled", "first"),
    ]
    assert await heard("asleep", slaState=["ON_TRACK"]) == [
        ("HandoffCreated", "first"),
        ("HandoffDue", "asleep"),
        ("HandoffSlaChanged", "first", "AT_RISK"),
        ("HandoffCancelled", "asleep"),
    ]
    assert await heard("asleep", isDue=True) == [
        ("HandoffDue", "asleep"),
        ("HandoffCancelled", "asleep"),
    ]


# ------------------------------------------------------------------ what it costs


async def test_a_page_is_one_statement_and_is_counted_only_if_asked(
    engineer: Client, statements: list[str], colleagues: Colleagues, database_url: str
) -> None:
    empty = "{ queue { eventCursor totalCount edges { node { id } } } }"
    statements.clear()
    assert (await engineer.run(empty))["queue"]["totalCount"] == 0
    assert len(statements) == 3
    for count in (1, 20):
        while len(await ids(engineer)) < count:
            await put_down(engineer)
        await until_idle(database_url, colleagues.account_id)
        statements.clear()
        assert len(await ids(engineer)) == count
        assert len(statements) == 1
        assert "count(" not in statements[0]
        assert "ai_sessions" not in statements[0]
        statements.clear()
        assert (await engineer.run(TOTAL))["queue"]["all"] == count
        assert len(statements) == 1
        assert statements[0].count("count(") == 1


TOTAL = """query { queue(first: 1) { ...Total } }
fragment Total on QueueConnection { all: totalCount }"""
RELATIONS = """{ queue { edges { node {
  handedOffBy { displayName } session { problemSummary assignee { displayName } }
  returnedFrom { claimedBy { displayName } claimedAt claimEndedAt } sla { dueAt state }
} } } }"""


async def test_relations_cost_the_same_for_one_and_for_twenty(
    engineer: Client, client: Client, colleagues: Colleagues, statements: list[str],
    database_url: str,
) -> None:  # fmt: skip
    second = client.as_(colleagues.engineer2)

    async def come_back() -> None:
        handoff = await put_down(engineer)
        await claim(second, handoff)
        await second.mutate("releaseHandoff", "handoff { id }", handoffId=handoff)

    counts = []
    for count in (1, 20):
        while len(await ids(engineer)) < count:
            await come_back()
        await until_idle(database_url, colleagues.account_id)
        statements.clear()
        edges = (await engineer.run(RELATIONS))["queue"]["edges"]
        assert [e["node"]["returnedFrom"]["claimedBy"]["displayName"] for e in edges] == (
            ["Engineer2"] * count
        )
        counts.append(len(statements))
    assert counts == [5, 5]


async def test_a_page_goes_by_its_index(
    engineer: Client, runtime: Runtime, database_url: str
) -> None:
    """In the order of the queue and from the cursor on, whatever the table holds."""
    for _ in range(2):
        await put_down(engineer)
    cursor = (await engineer.run(PAGE, first=1))["queue"]["pageInfo"]["endCursor"]
    asked: list[tuple[str, Any]] = []

    def remember(*arguments: Any) -> None:
        if "'elevated'" in arguments[2]:
            asked.append((arguments[2], arguments[3]))

    event.listen(runtime.engine.sync_engine, "before_cursor_execute", remember)
    await ids(engineer)
    await ids(engineer, after=cursor)
    event.remove(runtime.engine.sync_engine, "before_cursor_execute", remember)
    assert len(asked) == 2
    async with as_owner(database_url) as db:
        await db.execute(text("SET LOCAL enable_seqscan = off"))
        await db.execute(text("SET LOCAL enable_sort = off"))
        plans = []
        for statement, parameters in asked:
            plan = await db.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            plans.append("\n".join(plan.scalars()))
    for plan in plans:
        assert "Index Scan using ix_session_handoffs_queue" in plan, plan
    assert re.search(
        r"Index Cond:.*ROW\(.*waiting_since, id\) >", plans[1].replace("session_handoffs.", "")
    ), plans[1]
