"""A claim holds while its claimer shows signs of life; then the session waits again, as before."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import TextClause, text

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
from tests.tables import as_owner, event_seq, snapshot, until_idle
from tests.talk import Conversation, new_question

HALF_AN_HOUR = timedelta(minutes=30)

CAME_BACK = [
    ("HandoffReturned", None, "EXPIRED"),
    ("HandoffCreated", None),
    ("SessionStatusChanged", None, "ACTIVE", "ESCALATED"),
    ("SessionUpdated", None),
]
DRAFTED = ("HandoffUpdated", None)


def instant(told: str) -> datetime:
    return datetime.fromisoformat(told)


@pytest.fixture
async def claimed(talk: Conversation, client: Client, database_url: str) -> str:
    """An escalation of the engineer's that engineer2 has claimed ten minutes later."""
    handoff = await put_down(
        talk,
        database_url,
        priority="ELEVATED",
        engineerNotes="The core switch.",
        nextStep="Compare the VLANs.",
    )
    await pass_time(database_url, talk.people.account_id, 10)
    await claim(client.as_(talk.people.engineer2), handoff)
    return handoff


@pytest.fixture
def second(talk: Conversation, client: Client) -> Client:
    return client.as_(talk.people.engineer2)


async def beat(client: Client, handoff: str) -> dict[str, Any]:
    return await client.mutate("heartbeatHandoff", "handoff { leaseExpiresAt }", handoffId=handoff)


async def release(client: Client, handoff: str, **given: Any) -> dict[str, Any]:
    return await client.mutate(
        "releaseHandoff",
        "handoff { id state engineerNotes returnedFrom { id } } session { status }",
        handoffId=handoff,
        **given,
    )


async def unchanged(talk: Conversation, database_url: str) -> Any:
    async with as_owner(database_url) as db:
        account_id = talk.people.account_id
        return await snapshot(db, account_id), await event_seq(db, account_id)


# ------------------------------------------------------------------ the lease


async def test_a_claim_has_a_lease_of_half_an_hour(
    talk: Conversation, claimed: str, database_url: str
) -> None:
    found = await look(talk, claimed)
    assert instant(found["leaseExpiresAt"]) - instant(found["claimedAt"]) == HALF_AN_HOUR
    assert (found["claimEndedAt"], found["claimEnd"]) == (None, None)
    async with as_owner(database_url) as db:
        assert "return_claim" in await timers(db, claimed)


async def test_how_long_a_lease_is_can_be_set(
    talk: Conversation,
    database_url: str,
    serve_also: Callable[..., Awaitable[Client]],
) -> None:
    handoff = await put_down(talk, database_url)
    elsewhere = await serve_also(claim_lease_minutes=7)
    await claim(elsewhere.as_(talk.people.engineer2), handoff)
    found = await look(talk, handoff)
    assert instant(found["leaseExpiresAt"]) - instant(found["claimedAt"]) == timedelta(minutes=7)


async def test_an_idle_claim_comes_back_with_its_history(
    talk: Conversation, claimed: str, second: Client, database_url: str
) -> None:
    cursor = (await session(talk))["eventCursor"]
    was = await look(talk, claimed)

    await pass_time(database_url, talk.people.account_id, 31)

    told = await heard(talk, cursor)
    assert told[:4] == CAME_BACK
    assert set(told[4:]) <= {DRAFTED}
    now = await session(talk)
    assert (now["status"], now["handoffCount"]) == ("ESCALATED", 2)
    assert now["assignee"] == {"id": talk.people.engineer.id}
    found = await look(talk, now["openHandoff"]["id"])
    held = found["returnedFrom"]
    assert held["id"] == claimed
    assert (held["claimedBy"], held["claimEnd"]) == ({"id": talk.people.engineer2.id}, "EXPIRED")
    assert (
        HALF_AN_HOUR
        < instant(held["claimEndedAt"]) - instant(held["claimedAt"])
        < HALF_AN_HOUR + timedelta(minutes=2)
    )
    assert (found["state"], found["intent"], found["priority"]) == ("OPEN", "ESCALATE", "ELEVATED")
    assert found["engineerNotes"] == "The core switch."
    assert found["snapshot"]["nextStep"] == "Compare the VLANs."
    assert found["handedOffBy"] == {"id": talk.people.engineer.id}
    assert found["waitingSeconds"] // 60 == 41
    old = await look(talk, claimed)
    assert (old["state"], old["leaseExpiresAt"]) == ("CLAIMED", None)
    assert found["waitingSince"] == old["waitingSince"] != found["createdAt"]
    assert old["claimedBy"] == was["claimedBy"]

    answer = await second.mutate("switchBranch", "__typename", branchId=talk.trunk)
    assert answer["__typename"] == "PermissionDeniedError"
    for verb in ("heartbeatHandoff", "claimHandoff", "releaseHandoff"):
        answer = await second.mutate(verb, "__typename", handoffId=claimed)
        kind = "PermissionDeniedError" if verb == "releaseHandoff" else "InvalidTransitionError"
        assert answer["__typename"] == kind, verb
    late = await talk.client.mutate("claimHandoff", "__typename", handoffId=claimed)
    assert late["__typename"] == "HandoffTakenError"
    await claim(second, found["id"])
    assert (await session(talk))["assignee"] == {"id": talk.people.engineer2.id}


async def test_what_comes_back_is_entered_as_done_by_nobody(
    talk: Conversation, claimed: str, client: Client, database_url: str
) -> None:
    await pass_time(database_url, talk.people.account_id, 31)
    document = """query($id: ID!) { viewer { account { auditEntries(first: 9,
      filter: { targetId: $id, action: [HANDOFF_RETURNED] }) {
        edges { node { actor { id } target { id } session { id } } } } } } }"""
    seen = await client.as_(talk.people.admin).run(document, id=claimed)
    assert [edge["node"] for edge in seen["viewer"]["account"]["auditEntries"]["edges"]] == [
        {"actor": None, "target": {"id": claimed}, "session": {"id": talk.id}}
    ]


async def test_a_heartbeat_renews_it_and_tells_nobody(
    talk: Conversation, claimed: str, second: Client, database_url: str
) -> None:
    account_id = talk.people.account_id
    cursor = (await session(talk))["eventCursor"]
    for _ in range(3):
        await pass_time(database_url, account_id, 20)
        before = await look(talk, claimed)
        renewed = await beat(second, claimed)
        until = instant(renewed["handoff"]["leaseExpiresAt"])
        assert timedelta(minutes=19) < until - instant(before["leaseExpiresAt"])
        await beat(second, claimed)
    told = [event for event in await heard(talk, cursor) if event != DRAFTED]
    assert told == []
    await pass_time(database_url, account_id, 31)
    assert (await heard(talk, cursor))[:4] == CAME_BACK


async def test_a_late_heartbeat_keeps_what_has_not_come_back(
    talk: Conversation, claimed: str, second: Client, database_url: str
) -> None:
    async with as_owner(database_url) as db:
        await db.execute(
            SHIFT_HANDOFFS, {"account_id": talk.people.account_id, "minutes": 40}
        )  # no timer has run
    assert (await beat(second, claimed))["__typename"] == "HeartbeatHandoffSuccess"
    await run_timer(database_url, talk.people.account_id, "return_claim", claimed)
    await until_idle(database_url, talk.people.account_id)
    assert (await look(talk, claimed))["claimEndedAt"] is None


async def test_only_what_the_claimer_writes_renews_it(
    talk: Conversation, claimed: str, second: Client, client: Client, database_url: str
) -> None:
    account_id = talk.people.account_id
    await pass_time(database_url, account_id, 20)
    said = await second.mutate(
        "sendBranchMessage", "reply { id }", branchId=talk.trunk, body=new_question()
    )
    await second.answered(said["reply"]["id"])
    await pass_time(database_url, account_id, 20)
    assert (await session(talk))["status"] == "ACTIVE"
    lead = client.as_(talk.people.lead)
    await lead.mutate("switchBranch", "branch { id }", branchId=talk.trunk)
    await talk.client.mutate("switchBranch", "branch { id }", branchId=talk.trunk)  # refused
    await pass_time(database_url, account_id, 11)
    assert (await session(talk))["status"] == "ESCALATED"


async def test_what_is_refused_renews_nothing(
    talk: Conversation, claimed: str, second: Client, database_url: str
) -> None:
    before = await look(talk, claimed)
    refused = await second.mutate(
        "resolveSession", "__typename", sessionId=talk.id, summary="Done.", expectedVersion=99
    )
    assert refused["__typename"] == "StaleVersionError"
    assert (await look(talk, claimed))["leaseExpiresAt"] == before["leaseExpiresAt"]


@pytest.mark.parametrize(
    ("verb", "given", "status", "end"),
    [
        ("handOffSession", {"intent": "PARK"}, "PAUSED", "HANDED_OFF"),
        ("resolveSession", {"summary": "It is done."}, "RESOLVED", "SESSION_ENDED"),
        ("abandonSession", {"reason": "It is void."}, "ABANDONED", "SESSION_ENDED"),
    ],
)
async def test_what_was_put_down_or_ended_meanwhile_never_comes_back(
    talk: Conversation,
    claimed: str,
    second: Client,
    database_url: str,
    verb: str,
    given: dict[str, Any],
    status: str,
    end: str,
) -> None:
    if verb != "handOffSession":
        given = {**given, "expectedVersion": (await session(talk))["version"]}
    done = await second.mutate(verb, "__typename", sessionId=talk.id, **given)
    assert done["__typename"].endswith("Success")
    await until_idle(database_url, talk.people.account_id)
    found = await look(talk, claimed)
    assert (found["claimEnd"], found["leaseExpiresAt"]) == (end, None)
    assert found["claimEndedAt"] is not None
    cursor = (await session(talk))["eventCursor"]
    await pass_time(database_url, talk.people.account_id, 31)
    assert await heard(talk, cursor) == []
    assert (await session(talk))["status"] == status
    answer = await beat(second, claimed)
    assert (answer["__typename"], answer["message"]) == (
        "InvalidTransitionError",
        "The claim has ended.",
    )


async def test_another_accounts_claims_have_their_own_time(
    talk: Conversation,
    claimed: str,
    strangers: Colleagues,
    client: Client,
    database_url: str,
) -> None:
    theirs = client.as_(strangers.engineer)
    started = await theirs.mutate(
        "startSession", "session { id eventCursor rootBranch { id } } reply { id }",
        intake={"text": "Mail stopped arriving."},
    )  # fmt: skip
    await theirs.answered(started["reply"]["id"])
    other = Conversation(theirs, strangers, started["session"])
    handoff = await put_down(other, database_url)
    await claim(client.as_(strangers.engineer2), handoff)
    await pass_time(database_url, talk.people.account_id, 31)
    assert (await session(talk))["status"] == "ESCALATED"
    assert (await session(other))["status"] == "ACTIVE"


# ------------------------------------------------------------------ giving it back


async def test_a_claimer_gives_it_back(
    talk: Conversation, claimed: str, second: Client, database_url: str
) -> None:
    cursor = (await session(talk))["eventCursor"]
    done = await release(second, claimed, engineerNotes="It is not the switch.")
    assert done["__typename"] == "ReleaseHandoffSuccess"
    opened = done["handoff"]
    assert opened == {
        "id": opened["id"],
        "state": "OPEN",
        "engineerNotes": "It is not the switch.",
        "returnedFrom": {"id": claimed},
    }
    assert done["session"] == {"status": "ESCALATED"}
    told = [event for event in await heard(talk, cursor) if event != DRAFTED]
    assert told == [
        ("HandoffReturned", "engineer2", "RELEASED"),
        ("HandoffCreated", "engineer2"),
        ("SessionStatusChanged", "engineer2", "ACTIVE", "ESCALATED"),
        ("SessionUpdated", "engineer2"),
    ]
    await until_idle(database_url, talk.people.account_id)
    before = await unchanged(talk, database_url)
    again = await release(second, claimed)
    assert again["handoff"]["id"] == opened["id"]
    assert await unchanged(talk, database_url) == before
    await pass_time(database_url, talk.people.account_id, 31)
    assert (await session(talk))["handoffCount"] == 2


async def test_a_lead_gives_it_back_and_others_may_not(
    talk: Conversation, claimed: str, client: Client, database_url: str
) -> None:
    await until_idle(database_url, talk.people.account_id)
    before = await unchanged(talk, database_url)
    refused = await release(talk.client, claimed)
    assert refused["__typename"] == "PermissionDeniedError"
    answer = await beat(client.as_(talk.people.lead), claimed)
    assert answer["__typename"] == "PermissionDeniedError"
    assert await unchanged(talk, database_url) == before
    done = await release(client.as_(talk.people.lead), claimed)
    assert done["handoff"]["engineerNotes"] == "The core switch."
    assert (await session(talk))["assignee"] == {"id": talk.people.engineer.id}


async def test_what_nobody_holds_cannot_be_given_back(
    talk: Conversation, client: Client, database_url: str
) -> None:
    handoff = await put_down(talk, database_url)
    before = await unchanged(talk, database_url)
    for answer in (await release(talk.client, handoff), await beat(talk.client, handoff)):
        assert (answer["__typename"], answer["from"], answer["allowed"]) == (
            "InvalidTransitionError",
            "OPEN",
            ["CANCELLED", "CLAIMED"],
        )
    assert await unchanged(talk, database_url) == before


# ------------------------------------------------------------------ at once

LOCK_SESSION = text("SELECT FROM ai_sessions WHERE id = :id FOR UPDATE")
LOCK_HANDOFF = text("SELECT FROM session_handoffs WHERE id = :id FOR UPDATE")

Step = Callable[[], Awaitable[Any]]


@dataclass
class Late:
    """The lease has run out, and nobody has noticed; then several do at once."""

    talk: Conversation
    second: Client
    url: str
    handoff: str

    async def timer(self) -> None:
        await run_timer(self.url, self.talk.people.account_id, "return_claim", self.handoff)

    async def heartbeat(self) -> Any:
        return await beat(self.second, self.handoff)

    async def write(self) -> Any:
        return await self.second.mutate("switchBranch", "__typename", branchId=self.talk.trunk)

    async def claim(self) -> Any:
        return await self.second.mutate("claimHandoff", "__typename", handoffId=self.handoff)

    async def release(self) -> Any:
        return await release(self.second, self.handoff)

    async def in_line(self, *steps: Step, lock: TextClause = LOCK_SESSION) -> list[Any]:
        """What they answer who wait for the same row, one behind the other."""
        key = self.handoff if lock is LOCK_HANDOFF else self.talk.id
        async with as_owner(self.url) as db:
            await db.execute(lock, {"id": UUID(key[3:])})
            tasks = []
            for number, step in enumerate(steps, 1):
                tasks.append(asyncio.ensure_future(step()))
                await until_waiting(db, number)
        return list(await asyncio.gather(*tasks))

    async def told(self) -> list[Any]:
        await until_idle(self.url, self.talk.people.account_id)
        return [event for event in await heard(self.talk, self.talk.cursor) if event != DRAFTED]


@pytest.fixture
async def late(talk: Conversation, claimed: str, second: Client, database_url: str) -> Late:
    async with as_owner(database_url) as db:
        await db.execute(SHIFT_HANDOFFS, {"account_id": talk.people.account_id, "minutes": 31})
    talk.cursor = (await session(talk))["eventCursor"]
    return Late(talk, second, database_url, claimed)


async def test_a_heartbeat_before_the_timer_keeps_it(late: Late) -> None:
    answer, _ = await late.in_line(late.heartbeat, late.timer, lock=LOCK_HANDOFF)
    assert answer["__typename"] == "HeartbeatHandoffSuccess"
    assert await late.told() == []


async def test_a_heartbeat_behind_the_timer_is_refused(late: Late) -> None:
    _, answer = await late.in_line(late.timer, late.heartbeat, lock=LOCK_HANDOFF)
    assert answer["__typename"] == "InvalidTransitionError"
    assert await late.told() == CAME_BACK


async def test_two_timers_at_once_bring_it_back_once(late: Late) -> None:
    await late.in_line(late.timer, late.timer)
    assert await late.told() == CAME_BACK
    assert (await session(late.talk))["handoffCount"] == 2


async def test_a_write_before_the_timer_keeps_it(late: Late) -> None:
    answer, _ = await late.in_line(late.write, late.timer)
    assert answer["__typename"] == "SwitchBranchSuccess"
    assert await late.told() == []


async def test_a_write_behind_the_timer_is_refused(late: Late) -> None:
    _, answer = await late.in_line(late.timer, late.write)
    assert answer["__typename"] == "PermissionDeniedError"
    assert await late.told() == CAME_BACK


async def test_a_repeated_claim_before_the_timer_keeps_it(late: Late) -> None:
    answer, _ = await late.in_line(late.claim, late.timer)
    assert answer["__typename"] == "ClaimHandoffSuccess"
    assert await late.told() == []


async def test_a_repeated_claim_behind_the_timer_is_refused(late: Late) -> None:
    _, answer = await late.in_line(late.timer, late.claim)
    assert answer["__typename"] == "InvalidTransitionError"
    assert await late.told() == CAME_BACK


async def test_a_release_twice_and_the_timer_bring_it_back_once(late: Late) -> None:
    first, _, again = await late.in_line(late.release, late.timer, late.release)
    assert first["handoff"]["id"] == again["handoff"]["id"]
    assert [(event[0], event[1]) for event in await late.told()] == [
        ("HandoffReturned", "engineer2"),
        ("HandoffCreated", "engineer2"),
        ("SessionStatusChanged", "engineer2"),
        ("SessionUpdated", "engineer2"),
    ]
    assert (await session(late.talk))["handoffCount"] == 2
