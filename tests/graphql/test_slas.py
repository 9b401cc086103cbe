"""What waits has a target; at risk and breached are told once each, and time held is not counted."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.client import Client
from tests.factories import Colleagues
from tests.locks import until_waiting
from tests.passing import (
    SHIFT_HANDOFFS,
    claim,
    heard,
    look,
    pass_time,
    put_down,
    run_timer,
    session,
    timers,
)
from tests.tables import as_owner, snapshot, until_idle
from tests.talk import Conversation

DRAFTED = ("HandoffUpdated", None)
AT_RISK = ("HandoffSlaChanged", None, "ON_TRACK", "AT_RISK")
BREACHED = ("HandoffSlaChanged", None, "AT_RISK", "BREACHED")

TARGETS = "{ viewer { account { slaTargets { normalMinutes elevatedMinutes version } } } }"


async def told(talk: Conversation, cursor: str) -> list[Any]:
    return [event for event in await heard(talk, cursor) if event != DRAFTED]


async def targets(client: Client) -> tuple[int, int, int]:
    found = (await client.run(TARGETS))["viewer"]["account"]["slaTargets"]
    return found["normalMinutes"], found["elevatedMinutes"], found["version"]


async def save(client: Client, normal: int, elevated: int, version: int) -> dict[str, Any]:
    return await client.mutate(
        "saveSlaTargets",
        "slaTargets { normalMinutes elevatedMinutes version }",
        normalMinutes=normal,
        elevatedMinutes=elevated,
        expectedVersion=version,
    )


# ------------------------------------------------------------------ targets


async def test_admins_set_targets_and_others_read_them(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    admin, engineer = client.as_(colleagues.admin), client.as_(colleagues.engineer)
    assert await targets(engineer) == (240, 30, 0)
    saved = await save(admin, 480, 60, 0)
    assert saved["slaTargets"] == {"normalMinutes": 480, "elevatedMinutes": 60, "version": 1}
    saved = await save(admin, 480, 45, 1)
    assert saved["slaTargets"]["version"] == 2
    assert await targets(engineer) == (480, 45, 2)
    assert await targets(client.as_(strangers.admin)) == (240, 30, 0)
    document = """{ viewer { account { auditEntries(filter: { action: [SLA_TARGETS_CHANGED] }) {
      edges { node { actor { id } changes { field before after } } } } } } }"""
    entries = (await admin.run(document))["viewer"]["account"]["auditEntries"]["edges"]
    assert [entry["node"] for entry in entries] == [
        {
            "actor": {"id": colleagues.admin.id},
            "changes": [{"field": "elevatedMinutes", "before": "60", "after": "45"}],
        },
        {
            "actor": {"id": colleagues.admin.id},
            "changes": [
                {"field": "normalMinutes", "before": "240", "after": "480"},
                {"field": "elevatedMinutes", "before": "30", "after": "60"},
            ],
        },
    ]


async def test_targets_that_are_refused(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    admin = client.as_(colleagues.admin)
    await save(admin, 100, 10, 0)
    async with as_owner(database_url) as db:
        before = await snapshot(db, colleagues.account_id)
    for person in (colleagues.engineer, colleagues.lead):
        answer = await save(client.as_(person), 100, 10, 1)
        assert answer["__typename"] == "PermissionDeniedError"
    answer = await save(admin, 0, 43_201, 1)
    assert [problem["path"] for problem in answer["fields"]] == [
        ["normalMinutes"],
        ["elevatedMinutes"],
    ]
    for stale in (0, 2, -1):
        answer = await save(admin, 100, 10, stale)
        assert (answer["__typename"], answer["currentVersion"]) == ("StaleVersionError", 1)
    async with as_owner(database_url) as db:
        assert await snapshot(db, colleagues.account_id) == before


async def test_of_admins_who_save_at_once_one_does(client: Client, colleagues: Colleagues) -> None:
    admin = client.as_(colleagues.admin)
    for version in (0, 1):
        answers = await asyncio.gather(*(save(admin, 100 + turn, 10, version) for turn in range(5)))
        kinds = [answer["__typename"] for answer in answers]
        assert kinds.count("SaveSlaTargetsSuccess") == 1
        assert kinds.count("StaleVersionError") == 4
    assert (await targets(admin))[2] == 2


# ------------------------------------------------------------------ the clock of a handoff


@pytest.mark.parametrize(("priority", "minutes"), [("NORMAL", 240), ("ELEVATED", 30)])
async def test_both_states_are_told_once_at_their_time(
    talk: Conversation, database_url: str, priority: str, minutes: int
) -> None:
    account_id = talk.people.account_id
    handoff = await put_down(talk, database_url, priority=priority)
    cursor = (await session(talk))["eventCursor"]
    found = await look(talk, handoff)
    due, made = (
        datetime.fromisoformat(text) for text in (found["sla"]["dueAt"], found["createdAt"])
    )
    assert due - made == timedelta(minutes=minutes)
    assert found["sla"]["state"] == "ON_TRACK"
    assert found["sla"]["remainingSeconds"] // 60 == minutes - 1

    await pass_time(database_url, account_id, minutes * 3 // 4 - 2)
    assert await told(talk, cursor) == []
    await pass_time(database_url, account_id, 3)
    assert await told(talk, cursor) == [AT_RISK]
    await run_timer(database_url, account_id, "watch_sla", handoff)
    await pass_time(database_url, account_id, minutes // 4 - 4)
    assert await told(talk, cursor) == [AT_RISK]
    await pass_time(database_url, account_id, 5)
    await run_timer(database_url, account_id, "watch_sla", handoff)
    await until_idle(database_url, account_id)
    assert await told(talk, cursor) == [AT_RISK, BREACHED]
    found = await look(talk, handoff)
    assert found["sla"]["state"] == "BREACHED"
    assert -240 < found["sla"]["remainingSeconds"] < 0
    async with as_owner(database_url) as db:
        assert await timers(db, handoff) == []


async def test_a_workers_long_absence_skips_no_state(talk: Conversation, database_url: str) -> None:
    await put_down(talk, database_url)
    cursor = (await session(talk))["eventCursor"]
    await pass_time(database_url, talk.people.account_id, 1000)
    assert await told(talk, cursor) == [AT_RISK, BREACHED]


async def test_a_target_of_the_past_is_kept(
    talk: Conversation, client: Client, database_url: str
) -> None:
    handoff = await put_down(talk, database_url)
    due = (await look(talk, handoff))["sla"]["dueAt"]
    await save(client.as_(talk.people.admin), 10, 5, 0)
    assert (await look(talk, handoff))["sla"]["dueAt"] == due
    await talk.client.mutate("cancelHandoff", "__typename", handoffId=handoff)
    again = await look(talk, await put_down(talk, database_url, priority="ELEVATED"))
    assert again["sla"]["remainingSeconds"] // 60 == 4


async def test_what_is_claimed_in_time_stays_in_time(
    talk: Conversation, client: Client, database_url: str
) -> None:
    handoff = await put_down(talk, database_url)
    await pass_time(database_url, talk.people.account_id, 100)
    await claim(client.as_(talk.people.engineer2), handoff)
    cursor = (await session(talk))["eventCursor"]
    await client.as_(talk.people.engineer2).mutate(
        "resolveSession",
        "__typename",
        sessionId=talk.id,
        summary="It is done.",
        expectedVersion=(await session(talk))["version"],
    )
    await pass_time(database_url, talk.people.account_id, 1000)
    sla = (await look(talk, handoff))["sla"]
    assert (sla["state"], sla["remainingSeconds"] // 60) == ("ON_TRACK", 139)
    changes = [event[0] for event in await told(talk, cursor)]
    assert changes == ["SessionStatusChanged", *["ResolutionOutputChanged"] * 6]


async def test_time_that_somebody_held_it_does_not_count(
    talk: Conversation, client: Client, database_url: str
) -> None:
    account_id, second = talk.people.account_id, client.as_(talk.people.engineer2)
    first = await put_down(talk, database_url)
    await pass_time(database_url, account_id, 190)
    await claim(second, first)
    cursor = (await session(talk))["eventCursor"]
    await pass_time(database_url, account_id, 25)
    back = await second.mutate("releaseHandoff", "handoff { id }", handoffId=first)
    await until_idle(database_url, account_id)
    again = await look(talk, back["handoff"]["id"])
    assert (again["sla"]["state"], again["sla"]["remainingSeconds"] // 60) == ("AT_RISK", 49)
    assert again["waitingSeconds"] // 60 == 215
    await pass_time(database_url, account_id, 51)
    assert await told(talk, cursor) == [
        ("HandoffReturned", "engineer2", "RELEASED"),
        ("HandoffCreated", "engineer2"),
        ("SessionStatusChanged", "engineer2", "ACTIVE", "ESCALATED"),
        ("SessionUpdated", "engineer2"),
        BREACHED,
    ]
    await claim(second, back["handoff"]["id"])
    third = await second.mutate("releaseHandoff", "handoff { id }", handoffId=back["handoff"]["id"])
    await until_idle(database_url, account_id)
    cursor = (await session(talk))["eventCursor"]
    assert (await look(talk, third["handoff"]["id"]))["sla"]["state"] == "BREACHED"
    await pass_time(database_url, account_id, 500)
    assert await told(talk, cursor) == []


async def test_what_is_parked_has_no_target(talk: Conversation, database_url: str) -> None:
    handoff = await put_down(talk, database_url, intent="PARK")
    cursor = (await session(talk))["eventCursor"]
    await pass_time(database_url, talk.people.account_id, 10_000)
    found = await look(talk, handoff)
    assert (found["sla"], found["isDue"]) == (None, False)
    assert await told(talk, cursor) == []


# ------------------------------------------------------------------ at once


async def test_two_timers_at_once_tell_it_once(talk: Conversation, database_url: str) -> None:
    account_id = talk.people.account_id
    handoff = await put_down(talk, database_url)
    cursor = (await session(talk))["eventCursor"]
    async with as_owner(database_url) as db:
        await db.execute(SHIFT_HANDOFFS, {"account_id": account_id, "minutes": 200})
    async with as_owner(database_url) as db:
        await db.execute(text("SELECT FROM ai_sessions WHERE id = :id FOR UPDATE"), _key(talk))
        for _ in range(2):
            await run_timer(database_url, account_id, "watch_sla", handoff)
        await until_waiting(db, 2)
    await until_idle(database_url, account_id)
    assert await told(talk, cursor) == [AT_RISK]
    async with as_owner(
        database_url
    ) as db:  # the one of its making waits, and one for the next state
        assert await timers(db, handoff) == ["watch_sla", "watch_sla"]


@pytest.mark.parametrize("first", ["claim", "timer"])
async def test_a_claim_and_the_timer_at_once_tell_the_truth_once(
    talk: Conversation, client: Client, database_url: str, first: str
) -> None:
    """A claim that comes too late says so, also where the timer has not."""
    account_id = talk.people.account_id
    handoff = await put_down(talk, database_url)
    cursor = (await session(talk))["eventCursor"]
    async with as_owner(database_url) as db:
        await db.execute(SHIFT_HANDOFFS, {"account_id": account_id, "minutes": 241})
    second = client.as_(talk.people.engineer2)
    async with as_owner(database_url) as db:
        await db.execute(text("SELECT FROM ai_sessions WHERE id = :id FOR UPDATE"), _key(talk))
        if first == "timer":
            await run_timer(database_url, account_id, "watch_sla", handoff)
            await until_waiting(db, 1)
        claiming = asyncio.create_task(claim(second, handoff))
        await until_waiting(db, 1 if first == "claim" else 2)
        if first == "claim":
            await run_timer(database_url, account_id, "watch_sla", handoff)
            await until_waiting(db, 2)
    await claiming
    await until_idle(database_url, account_id)
    by = "engineer2" if first == "claim" else None
    assert await told(talk, cursor) == [
        ("HandoffSlaChanged", by, "ON_TRACK", "AT_RISK"),
        ("HandoffSlaChanged", by, "AT_RISK", "BREACHED"),
        ("HandoffClaimed", "engineer2"),
        ("SessionStatusChanged", "engineer2", "ESCALATED", "ACTIVE"),
        ("SessionUpdated", "engineer2"),
    ]
    assert (await look(talk, handoff))["sla"]["state"] == "BREACHED"


def _key(talk: Conversation) -> dict[str, str]:
    return {"id": talk.id.removeprefix("se_")}
