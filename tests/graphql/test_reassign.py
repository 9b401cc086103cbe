"""Leads and admins give sessions to others: out of the queue, and out of somebody's hands."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from services.ids import Kind, node_id
from tests.client import Client
from tests.factories import Colleagues
from tests.passing import claim, heard, look, pass_time, put_down, session, timers
from tests.tables import as_owner, event_seq, snapshot
from tests.talk import Conversation

DRAFTED = ("HandoffUpdated", None)
SERVICE_USER = text("SELECT id FROM users WHERE account_id = :account_id AND is_service")


async def reassign(
    client: Client, talk: Conversation, to: str, note: str | None = None, **given: Any
) -> dict[str, Any]:
    given = {"expectedVersion": (await session(talk))["version"], "note": note, **given}
    return await client.mutate(
        "reassignSession",
        "session { status version assignee { id } assignmentNote openHandoff { id } }",
        sessionId=talk.id,
        assigneeId=to,
        **given,
    )


@pytest.fixture
def lead(talk: Conversation, client: Client) -> Client:
    return client.as_(talk.people.lead)


async def test_what_is_worked_on_goes_to_somebody_else(talk: Conversation, lead: Client) -> None:
    people = talk.people
    cursor = (await session(talk))["eventCursor"]
    done = await reassign(lead, talk, people.engineer2.id, "  You know this switch. ")
    assert done["session"] == {
        "status": "ACTIVE",
        "version": 2,
        "assignee": {"id": people.engineer2.id},
        "assignmentNote": "You know this switch.",
        "openHandoff": None,
    }
    assert await heard(talk, cursor) == [("SessionUpdated", "lead")]
    refused = await talk.client.mutate("switchBranch", "__typename", branchId=talk.trunk)
    assert refused["__typename"] == "PermissionDeniedError"
    back = await reassign(lead, talk, people.engineer.id)
    assert back["session"]["assignmentNote"] is None


async def test_what_waits_is_held_without_a_lease(
    talk: Conversation, lead: Client, database_url: str
) -> None:
    handoff = await put_down(talk, database_url)
    cursor = (await session(talk))["eventCursor"]
    done = await reassign(lead, talk, talk.people.engineer2.id, "Before noon, please.")
    assert done["session"]["status"] == "ACTIVE"
    assert await heard(talk, cursor) == [
        ("HandoffClaimed", "lead"),
        ("SessionStatusChanged", "lead", "ESCALATED", "ACTIVE"),
        ("SessionUpdated", "lead"),
    ]
    found = await look(talk, handoff)
    assert found["claimedBy"] == {"id": talk.people.engineer2.id}
    assert (found["leaseExpiresAt"], found["claimEndedAt"]) == (None, None)
    async with as_owner(database_url) as db:
        assert await timers(db, handoff) == ["watch_sla"]
    await pass_time(database_url, talk.people.account_id, 600)
    assert (await session(talk))["status"] == "ACTIVE"
    given_back = await lead.as_(talk.people.engineer2).mutate(
        "releaseHandoff", "session { status assignee { id } }", handoffId=handoff
    )
    assert given_back["session"] == {
        "status": "ESCALATED",
        "assignee": {"id": talk.people.engineer.id},
    }


async def test_anothers_claim_ends_and_never_comes_back(
    talk: Conversation, lead: Client, database_url: str
) -> None:
    people = talk.people
    handoff = await put_down(talk, database_url)
    await claim(lead.as_(people.engineer2), handoff)
    cursor = (await session(talk))["eventCursor"]
    await reassign(lead, talk, people.admin.id)
    found = await look(talk, handoff)
    assert found["claimEnd"] == "REASSIGNED"
    await pass_time(database_url, people.account_id, 31)
    told = [event for event in await heard(talk, cursor) if event != DRAFTED]
    assert told == [("SessionUpdated", "lead")]
    assert (await session(talk))["assignee"] == {"id": people.admin.id}


async def test_the_note_is_for_whom_it_was_given_to(
    talk: Conversation, lead: Client, database_url: str
) -> None:
    await reassign(lead, talk, talk.people.engineer2.id, "For you.")
    second = lead.as_(talk.people.engineer2)
    put = await second.mutate(
        "handOffSession", "handoff { id }", sessionId=talk.id, intent="ESCALATE"
    )
    assert (await session(talk))["assignmentNote"] == "For you."
    await claim(talk.client, put["handoff"]["id"])
    assert (await session(talk))["assignmentNote"] is None


async def test_who_may_not_and_to_whom_not(
    talk: Conversation, lead: Client, client: Client, strangers: Colleagues, database_url: str
) -> None:
    people = talk.people
    admin = client.as_(people.admin)
    gone = await admin.mutate(
        "saveMember",
        "member { id }",
        email=f"gone@{people.account_id.hex}.example",
        displayName="Gone",
        role="ENGINEER",
        password="correct horse battery",
    )
    gone_id = gone["member"]["id"]
    await admin.mutate("deactivateMember", "__typename", userId=gone_id)
    key = await admin.mutate("createApiKey", "apiKey { id } secret", name="Bot", scopes=["WRITE"])
    robot = client.with_token(key["secret"])
    await robot.run("{ viewer { scopes } }")  # a use of the key is noted once a minute
    second = people.engineer2.id
    async with as_owner(database_url) as db:
        acts_as = await db.execute(SERVICE_USER, {"account_id": people.account_id})
        service = node_id(Kind.USER, acts_as.scalar_one())
        before = await snapshot(db, people.account_id), await event_seq(db, people.account_id)
    for caller, to, more, kind in (
        (talk.client, second, {}, "PermissionDeniedError"),
        (lead.as_(people.engineer2), second, {}, "PermissionDeniedError"),
        (lead, people.engineer.id, {}, "InvalidInputError"),
        (lead, gone_id, {}, "InvalidInputError"),
        (lead, second, {"note": "x" * 2001}, "InvalidInputError"),
        (lead, strangers.engineer.id, {}, "NotFoundError"),
        (lead, service, {}, "NotFoundError"),
        (lead, second, {"expectedVersion": 2}, "StaleVersionError"),
        (client.as_(strangers.lead), second, {}, "NotFoundError"),
    ):
        answer = await reassign(caller, talk, to, **more)
        assert answer["__typename"] == kind, (to, more)
    async with as_owner(database_url) as db:
        after = await snapshot(db, people.account_id), await event_seq(db, people.account_id)
    assert after == before
    done = await reassign(robot, talk, second)
    assert done["__typename"] == "ReassignSessionSuccess"
    version = (await session(talk))["version"]
    await lead.mutate(
        "resolveSession",
        "__typename",
        sessionId=talk.id,
        summary="It is done.",
        expectedVersion=version,
    )
    over = await reassign(lead, talk, people.admin.id)
    assert (over["__typename"], over["from"]) == ("InvalidTransitionError", "RESOLVED")


async def test_of_two_who_give_it_away_at_once_one_does(
    talk: Conversation, lead: Client, client: Client
) -> None:
    people = talk.people
    cursor = (await session(talk))["eventCursor"]
    answers = await asyncio.gather(
        reassign(lead, talk, people.engineer2.id, expectedVersion=1),
        reassign(client.as_(people.admin), talk, people.lead.id, expectedVersion=1),
    )
    assert sorted(answer["__typename"] for answer in answers) == [
        "ReassignSessionSuccess",
        "StaleVersionError",
    ]
    assert [event[0] for event in await heard(talk, cursor)] == ["SessionUpdated"]


async def test_a_claim_and_a_gift_at_once_have_one_winner(
    talk: Conversation, lead: Client, client: Client, database_url: str
) -> None:
    people = talk.people
    handoff = await put_down(talk, database_url)
    cursor = (await session(talk))["eventCursor"]
    claimed, given = await asyncio.gather(
        client.as_(people.admin).mutate("claimHandoff", "__typename", handoffId=handoff),
        reassign(lead, talk, people.engineer2.id, expectedVersion=2),
    )
    kinds = claimed["__typename"], given["__typename"]
    assert kinds in {
        ("ClaimHandoffSuccess", "StaleVersionError"),
        ("HandoffTakenError", "ReassignSessionSuccess"),
    }
    assert [event[0] for event in await heard(talk, cursor)] == [
        "HandoffClaimed",
        "SessionStatusChanged",
        "SessionUpdated",
    ]
