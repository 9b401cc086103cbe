"""Handoffs as their queue sees them, and time that passes for one account."""

import asyncio
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ids import Kind, uuid_of
from services.unit_of_work import DEFER_JOBS
from tests.client import Client
from tests.tables import as_owner, until_idle
from tests.talk import SOON, Conversation

TIMES = (
    *("created_at", "waiting_since", "claimed_at", "claim_ended_at", "closed_at"),
    *("lease_expires_at", "wake_at", "woken_at", "sla_at_risk_at", "sla_due_at"),
)
SHIFT_HANDOFFS = text(
    "UPDATE session_handoffs SET "
    + ", ".join(f"{name} = {name} - make_interval(mins => :minutes)" for name in TIMES)
    + " WHERE account_id = :account_id"
)
SHIFT_SESSIONS = text(
    "UPDATE ai_sessions SET status_changed_at = status_changed_at - make_interval(mins => :minutes) "
    "WHERE account_id = :account_id"
)
SHIFT_TIMERS = text(
    "UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - make_interval(mins => :minutes) "
    "WHERE status = 'todo' AND CAST(args->>'account_id' AS uuid) = :account_id"
)
LOOK = text(
    """SELECT pg_notify('procrastinate_any_queue_v1', '{"type": "job_inserted", "job_id": 0}')"""
)
"""A worker looks at once; else it does after two seconds."""

TIMERS = text(
    "SELECT task_name FROM procrastinate_jobs WHERE args->>'handoff_id' = CAST(:id AS text) "
    "AND status = 'todo' AND task_name NOT LIKE 'notify%' ORDER BY task_name, id"
)

HANDOFF = """
  id state intent priority engineerNotes version createdAt claimedBy { id } claimedAt
  leaseExpiresAt claimEndedAt claimEnd waitingSince waitingSeconds wakeAt isDue
  returnedFrom { id claimedBy { id } claimedAt claimEndedAt claimEnd }
  sla { dueAt state remainingSeconds } handedOffBy { id }
  snapshot { nextStep waitingOn watchOut }
"""
SESSION = """
  id status version handoffCount assignee { id } assignmentNote openHandoff { id } eventCursor
  activeSeconds parkedSeconds
"""
EVENTS = """subscription($id: ID!, $after: String) { sessionChanged(sessionId: $id, after: $after) {
  __typename
  ... on Event { cursor actor { id } }
  ... on SessionStatusChanged { previousSessionStatus sessionStatus }
  ... on HandoffReturned { claimEnd handoff { id } }
  ... on HandoffCreated { handoff { id } }
  ... on HandoffClaimed { handoff { id } }
  ... on HandoffCancelled { handoff { id } }
  ... on HandoffDue { handoff { id } }
  ... on HandoffSlaChanged { previousSlaState slaState handoff { id } }
} }"""

Told = list[tuple[str | None, ...]]


async def pass_time(owner_url: str, account_id: UUID, minutes: int) -> None:
    """As if so much time had passed for all that waits in the account, and its timers had run."""
    given = {"account_id": account_id, "minutes": minutes}
    async with as_owner(owner_url) as db:
        for statement in (SHIFT_HANDOFFS, SHIFT_SESSIONS, SHIFT_TIMERS):
            await db.execute(statement, given)
        await db.execute(LOOK)
    await until_idle(owner_url, account_id)


async def run_timer(owner_url: str, account_id: UUID, task: str, handoff: str) -> None:
    """One more of them, now; does not wait for it."""
    args = {
        "account_id": str(account_id),
        "handoff_id": str(uuid_of(Kind.HANDOFF, handoff)),
    }
    async with as_owner(owner_url) as db:
        await db.execute(
            DEFER_JOBS,
            {
                "tasks": [task],
                "locks": [None],
                "args": [orjson.dumps(args).decode()],
                "times": [None],
                "priorities": [0],
            },
        )


async def timers(db: AsyncConnection, handoff: str) -> list[str]:
    """Which of them wait for their time."""
    return list((await db.execute(TIMERS, {"id": str(uuid_of(Kind.HANDOFF, handoff))})).scalars())


async def put_down(talk: Conversation, owner_url: str, **given: Any) -> str:
    """The id of the handoff, after the assistant has added what it does."""
    given = {"intent": "ESCALATE", **given}
    made = await talk.client.mutate("handOffSession", "handoff { id }", sessionId=talk.id, **given)
    await until_idle(owner_url, talk.people.account_id)
    return str(made["handoff"]["id"])


async def claim(client: Client, handoff: str) -> None:
    done = await client.mutate("claimHandoff", "handoff { id }", handoffId=handoff)
    assert done["__typename"] == "ClaimHandoffSuccess"


async def look(talk: Conversation, handoff: str) -> dict[str, Any]:
    document = f"query($id: ID!) {{ node(id: $id) {{ ... on Handoff {{ {HANDOFF} }} }} }}"
    found: dict[str, Any] = (await talk.client.run(document, id=handoff))["node"]
    return found


async def session(talk: Conversation) -> dict[str, Any]:
    document = f"query($id: ID!) {{ session(id: $id) {{ {SESSION} }} }}"
    found: dict[str, Any] = (await talk.client.run(document, id=talk.id))["session"]
    return found


async def heard(talk: Conversation, after: str) -> Told:
    """What was told of the session since: its kind, the person who did it, and its facts."""
    last = (await session(talk))["eventCursor"]
    people = {person.id: name for name, person in vars(talk.people).items() if "_" not in name}
    told: Told = []
    async with (
        asyncio.timeout(SOON),
        talk.client.subscribe(EVENTS, id=talk.id, after=after) as events,
    ):
        if last == after:
            return told
        async for data in events:
            event = data["sessionChanged"]
            actor = event["actor"] and people[event["actor"]["id"]]
            facts = [
                event[name]
                for name in (
                    *("previousSessionStatus", "sessionStatus", "claimEnd"),
                    *("previousSlaState", "slaState"),
                )
                if name in event
            ]
            told.append((event["__typename"], actor, *facts))
            if event["cursor"] == last:
                return told
    raise AssertionError("the events ended")
