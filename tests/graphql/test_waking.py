"""What is parked until a time is due then: once, whatever happened meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.client import Client
from tests.factories import Colleagues
from tests.passing import claim, heard, look, pass_time, put_down, run_timer, session, timers
from tests.tables import as_owner, event_seq, snapshot, until_idle
from tests.talk import Conversation

DRAFTED = ("HandoffUpdated", None)


def later(**time: int) -> str:
    return (datetime.now(UTC) + timedelta(**time)).isoformat()


async def parked(talk: Conversation, database_url: str, minutes: int = 60) -> str:
    return await put_down(talk, database_url, intent="PARK", wakeAt=later(minutes=minutes))


async def told(talk: Conversation, cursor: str) -> list[Any]:
    return [event for event in await heard(talk, cursor) if event != DRAFTED]


async def test_it_sleeps_and_is_due_once(talk: Conversation, database_url: str) -> None:
    account_id = talk.people.account_id
    wake_at = later(minutes=60)
    handoff = await put_down(talk, database_url, intent="PARK", wakeAt=wake_at)
    cursor = (await session(talk))["eventCursor"]
    asleep = await look(talk, handoff)
    assert datetime.fromisoformat(asleep["wakeAt"]) == datetime.fromisoformat(wake_at)
    assert (asleep["isDue"], asleep["sla"]) == (False, None)
    await pass_time(database_url, account_id, 57)
    assert await told(talk, cursor) == []
    await pass_time(database_url, account_id, 4)
    await run_timer(database_url, account_id, "wake_handoff", handoff)
    await until_idle(database_url, account_id)
    assert await told(talk, cursor) == [("HandoffDue", None)]
    awake = await look(talk, handoff)
    assert (awake["isDue"], awake["state"]) == (True, "OPEN")
    assert (await session(talk))["status"] == "PAUSED"
    assert awake["handedOffBy"] == {"id": talk.people.engineer.id}


async def test_its_target_counts_from_then_on(talk: Conversation, database_url: str) -> None:
    account_id = talk.people.account_id
    handoff = await parked(talk, database_url)
    cursor = (await session(talk))["eventCursor"]
    await pass_time(database_url, account_id, 1000)
    due = await look(talk, handoff)
    assert due["sla"]["state"] == "ON_TRACK"
    assert due["sla"]["remainingSeconds"] // 60 == 239
    assert due["waitingSeconds"] // 60 == 1000
    await pass_time(database_url, account_id, 241)
    assert await told(talk, cursor) == [
        ("HandoffDue", None),
        ("HandoffSlaChanged", None, "ON_TRACK", "AT_RISK"),
        ("HandoffSlaChanged", None, "AT_RISK", "BREACHED"),
    ]


@pytest.mark.parametrize("verb", ["claimHandoff", "cancelHandoff"])
async def test_what_was_taken_up_before_wakes_nobody(
    talk: Conversation, database_url: str, verb: str
) -> None:
    handoff = await parked(talk, database_url)
    await talk.client.mutate(verb, "__typename", handoffId=handoff)
    cursor = (await session(talk))["eventCursor"]
    await pass_time(database_url, talk.people.account_id, 20)
    await talk.client.mutate("switchBranch", "__typename", branchId=talk.trunk)
    for _ in range(2):
        await pass_time(database_url, talk.people.account_id, 21)
        await talk.client.mutate("switchBranch", "__typename", branchId=talk.trunk)
    assert await told(talk, cursor) == []
    assert (await look(talk, handoff))["isDue"] is False


async def test_what_comes_back_sleeps_on_or_is_due_at_once(
    talk: Conversation, client: Client, database_url: str
) -> None:
    second = client.as_(talk.people.engineer2)
    first = await parked(talk, database_url)
    await claim(second, first)
    await pass_time(database_url, talk.people.account_id, 31)
    again = (await session(talk))["openHandoff"]["id"]
    found = await look(talk, again)
    assert (found["isDue"], found["wakeAt"]) == (False, (await look(talk, first))["wakeAt"])
    async with as_owner(database_url) as db:
        assert await timers(db, again) == ["wake_handoff"]
    await pass_time(database_url, talk.people.account_id, 20)
    await claim(second, again)
    cursor = (await session(talk))["eventCursor"]
    await pass_time(database_url, talk.people.account_id, 31)
    assert [event[0] for event in await told(talk, cursor)] == [
        "HandoffReturned",
        "HandoffCreated",
        "SessionStatusChanged",
        "SessionUpdated",
        "HandoffDue",
    ]


async def test_two_timers_at_once_wake_it_once(talk: Conversation, database_url: str) -> None:
    handoff = await parked(talk, database_url)
    cursor = (await session(talk))["eventCursor"]
    for _ in range(3):
        await run_timer(database_url, talk.people.account_id, "wake_handoff", handoff)
    await until_idle(database_url, talk.people.account_id)
    assert await told(talk, cursor) == []
    for _ in range(2):
        await run_timer(database_url, talk.people.account_id, "wake_handoff", handoff)
    await pass_time(database_url, talk.people.account_id, 61)
    assert await told(talk, cursor) == [("HandoffDue", None)]


async def test_when_it_may_wake_up(
    talk: Conversation, strangers: Colleagues, database_url: str
) -> None:
    async with as_owner(database_url) as db:
        account_id = talk.people.account_id
        before = await snapshot(db, account_id), await event_seq(db, account_id)
    for intent, wake_at in (
        ("ESCALATE", later(hours=1)),
        ("PARK", later(seconds=-1)),
        ("PARK", later(days=366)),
    ):
        answer = await talk.client.mutate(
            "handOffSession", "__typename", sessionId=talk.id, intent=intent, wakeAt=wake_at
        )
        assert [problem["path"] for problem in answer["fields"]] == [["wakeAt"]]
    async with as_owner(database_url) as db:
        assert (await snapshot(db, account_id), await event_seq(db, account_id)) == before


async def test_a_repeat_after_it_woke_finds_it(talk: Conversation, database_url: str) -> None:
    key, wake_at = "0192f3c1-a5f0-7d3a-b1c2-d3e4f5061728", later(seconds=2)
    given = {"sessionId": talk.id, "intent": "PARK", "wakeAt": wake_at, "idempotencyKey": key}
    first = await talk.client.mutate("handOffSession", "handoff { id }", **given)
    cursor = (await session(talk))["eventCursor"]
    await pass_time(database_url, talk.people.account_id, 1)
    while datetime.now(UTC) < datetime.fromisoformat(wake_at):
        await session(talk)
    again = await talk.client.mutate("handOffSession", "handoff { id isDue }", **given)
    assert again["handoff"] == {"id": first["handoff"]["id"], "isDue": True}
    assert ("HandoffDue", None) in await told(talk, cursor)
    other = await talk.client.mutate(
        "handOffSession", "__typename", **{**given, "wakeAt": later(hours=3)}
    )
    assert [problem["path"] for problem in other["fields"]] == [["idempotencyKey"]]
