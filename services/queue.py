"""What waits for somebody: elevated first, then the longest waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)

from models.handoff import Handoff, HandoffIntent, HandoffPriority
from models.session import AiSession
from models.sla import SlaState
from services.access import Actor
from services.feed import StoredEvent
from services.pages import Page, page_size, read_cursor
from services.runtime import Runtime
from services.sessions import event_seq


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What is None does not filter."""

    intent: HandoffIntent | None = None
    priority: HandoffPriority | None = None
    team_id: UUID | None = None
    domain: str | None = None
    sla_state: Sequence[SlaState] | None = None
    is_due: bool | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    page: Page[Handoff]
    total: int
    """0 unless it was to be counted."""
    seq: int
    """The newest event that the page reflects."""


# Word for word what ix_session_handoffs_queue is made of: it is not used for parameters.
OPEN: ColumnElement[bool] = Handoff.state == literal_column("'open'")
ORDINARY: ColumnElement[bool] = Handoff.priority != literal_column("'elevated'")
ORDER = (ORDINARY, Handoff.waiting_since, Handoff.id)


async def list_queue(
    runtime: Runtime,
    actor: Actor,
    wanted: QueueFilter,
    *,
    first: int,
    after: str | None,
    counted: bool,
) -> Queue:
    """Open handoffs of the account, in one statement unless there are none.

    Raises InvalidInput (first, after).
    """
    size = page_size("first", first)
    matching = _matching(actor, wanted)
    page = matching.order_by(*ORDER).limit(size + 1)
    if after is not None:
        elevated, since, handoff_id = read_cursor("after", after, int, datetime, UUID)
        place = tuple_(literal(not elevated), literal(since), literal(handoff_id))
        page = page.where(tuple_(*ORDER) > place)
    head = [event_seq(actor).label("event_seq")]
    if counted:
        count = matching.with_only_columns(func.count(), maintain_column_froms=True)
        head.append(count.scalar_subquery().label("total"))
    async with runtime.read(actor) as db:
        rows: Sequence[Any] = (await db.execute(page.add_columns(*head))).all()
        if rows:
            seen = rows[0]
        else:  # nothing carries the sequence along, and it must be read before the page
            seen = (await db.execute(select(*head))).one()
            rows = (await db.execute(page)).all()
    found = cast("Sequence[Handoff]", rows[:size])
    page_of_rows = Page(found, len(rows) > size, after is not None)
    return Queue(page_of_rows, seen.total if counted else 0, seen.event_seq)


def _matching(actor: Actor, wanted: QueueFilter) -> Select[Handoff]:
    """Sessions are looked at only where they are asked about."""
    statement = select(Handoff).where(
        Handoff.account_id == actor.account_id, OPEN, *_of_handoffs(wanted)
    )
    of_sessions: list[ColumnElement[bool]] = []
    if wanted.team_id is not None:
        of_sessions.append(AiSession.team_id == wanted.team_id)
    if wanted.domain is not None:
        of_sessions.append(AiSession.problem_domain == wanted.domain)
    if not of_sessions:
        return statement
    same = and_(AiSession.account_id == Handoff.account_id, AiSession.id == Handoff.session_id)
    return statement.join(AiSession, same).where(*of_sessions)


def _of_handoffs(wanted: QueueFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.intent is not None:
        found.append(Handoff.intent == wanted.intent)
    if wanted.priority is not None:
        found.append(Handoff.priority == wanted.priority)
    if wanted.sla_state is not None:
        found.append(Handoff.sla_state.in_(wanted.sla_state))
    if wanted.is_due is not None:
        found.append(Handoff.woken_at.is_not(None) == wanted.is_due)
    return found


def event_in_queue(wanted: QueueFilter, event: StoredEvent) -> bool:
    """Whether the handoff is in the queue, or was before it: then the queue must drop it.

    While one waits only its time changes. Events of the first release say nothing of that.
    """
    was = event.payload
    asked = (
        (wanted.intent, was["intent"]),
        (wanted.priority, was["priority"]),
        (wanted.team_id and str(wanted.team_id), was["team_id"]),
        (wanted.domain, was["domain"]),
    )
    if not all(value is None or value == seen for value, seen in asked):
        return False
    states = {was.get("sla_state"), was.get("previous_sla_state")}
    if wanted.sla_state is not None and states.isdisjoint(wanted.sla_state):
        return False
    wakes = event.type == "HandoffDue"
    return wanted.is_due is None or wakes or wanted.is_due == was.get("is_due", False)


def queue_key(handoff: Handoff) -> tuple[int, str, str]:
    """The sort key that a queue's cursor holds."""
    return (
        int(handoff.priority is HandoffPriority.ELEVATED),
        handoff.waiting_since.isoformat(),
        str(handoff.id),
    )
