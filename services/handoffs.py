"""Putting a session down, picking it up, and the queue in between."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, insert, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.branch import Branch
from models.handoff import Handoff, HandoffIntent, HandoffPriority, HandoffState
from models.session import AiSession, SessionStatus
from models.upload import FileUpload
from services import enqueue, lifecycle
from services.access import Actor, require_person, require_write, require_write_in
from services.database import fetch, fetch_one
from services.errors import HandoffTaken, NotFound
from services.events import HandoffCancelled, HandoffClaimed, HandoffCreated, HandoffEvent
from services.feed import StoredEvent
from services.ids import Kind, new_id, node_id
from services.pages import Page, page_size, read_cursor
from services.runtime import Runtime
from services.sessions import (
    SessionView,
    event_seq,
    lock_session,
    set_assignee,
    set_status,
    view,
)
from services.unit_of_work import UnitOfWork
from services.validation import Validation

PUTS_DOWN_AS = {
    HandoffIntent.PARK: SessionStatus.PAUSED,
    HandoffIntent.ESCALATE: SessionStatus.ESCALATED,
}


MOST_ARTIFACTS = 100


@dataclass(frozen=True, slots=True)
class HandedOff:
    session: SessionView
    handoff: Handoff


@dataclass(frozen=True, slots=True)
class Notes:
    """For whoever takes over; each may be left empty."""

    engineer_notes: str | None
    next_step: str | None
    waiting_on: str | None
    watch_out: Sequence[str]


# ---------------------------------------------------------------- verbs


async def hand_off_session(
    runtime: Runtime,
    actor: Actor,
    *,
    key: UUID,
    session_id: UUID,
    intent: HandoffIntent,
    priority: HandoffPriority,
    notes: Notes,
) -> HandedOff:
    """Parks or escalates an active session, with a snapshot of its tree as it is.

    Raises InvalidInput, NotFound, PermissionDenied and InvalidTransition.
    """
    notes = _valid(notes, intent, priority)
    handoff_id = new_id()
    content = {
        "session": str(session_id),
        "intent": intent,
        "priority": priority,
        "notes": [notes.engineer_notes, notes.next_step, notes.waiting_on, *notes.watch_out],
    }
    async with runtime.work(actor) as work:
        made = await work.once("handOffSession", key, content, {"handoff": str(handoff_id)})
        if made is not None:
            return await _handed_off(work.db, actor, UUID(made["handoff"]))
        session = await lock_session(work, actor, session_id)
        require_write_in(actor, session)
        status = PUTS_DOWN_AS[intent]
        lifecycle.require_transition(
            lifecycle.SESSION,
            session.status,
            status,
            f"A session that is {session.status.name} cannot be handed off.",
        )
        await work.db.execute(
            insert(Handoff).values(
                account_id=work.account_id,
                id=handoff_id,
                session_id=session.id,
                intent=intent,
                priority=priority,
                handed_off_by=actor.user_id,
                source_branch_id=session.active_branch_id,
                engineer_notes=notes.engineer_notes,
                snapshot=await snapshot(work.db, session, notes),
            )
        )
        await work.db.execute(
            update(AiSession)
            .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
            .values(handoff_count=AiSession.handoff_count + 1)
        )
        work.record(_event(HandoffCreated, session, handoff_id, intent, priority))
        await set_status(work, session, status)
        work.enqueue(enqueue.prepare_handoff(work.account_id, session.id, handoff_id))
        return await _handed_off(work.db, actor, handoff_id)


def _valid(notes: Notes, intent: HandoffIntent, priority: HandoffPriority) -> Notes:
    check = Validation()
    if intent is HandoffIntent.PARK and priority is not HandoffPriority.NORMAL:
        check.add(("priority",), "Only an escalation has a priority.")
    check.count(("watchOut",), notes.watch_out, 0, 10)
    valid = Notes(
        check.optional_text(("engineerNotes",), notes.engineer_notes, 4000),
        check.optional_text(("nextStep",), notes.next_step, 1000),
        check.optional_text(("waitingOn",), notes.waiting_on, 1000),
        [
            check.text(("watchOut", str(index)), text, 1, 500)
            for index, text in enumerate(notes.watch_out[:10])
        ],
    )
    check.done()
    return valid


async def snapshot(db: AsyncConnection, session: AiSession, notes: Notes) -> dict[str, Any]:
    """The session as it is, frozen; the shape of `session_handoffs.snapshot`."""
    statement = (
        select(Branch)
        .where(
            Branch.account_id == session.account_id,
            Branch.session_id == session.id,
            Branch.archived_at.is_(None),
        )
        .order_by(Branch.depth, Branch.branch_order)
    )
    uploads = (
        select(FileUpload)
        .where(FileUpload.account_id == session.account_id, FileUpload.session_id == session.id)
        .order_by(FileUpload.id)
        .limit(MOST_ARTIFACTS)
    )
    return {
        "problem_summary": session.problem_summary,
        "problem_domain": session.problem_domain,
        "status": session.status,
        "confidence_tier": session.confidence_tier,
        "step_count": session.step_count,
        "active_branch_id": str(session.active_branch_id),
        "branch_map": [
            {
                "id": str(branch.id),
                "parent_branch_id": branch.parent_branch_id and str(branch.parent_branch_id),
                "label": branch.label,
                "status": branch.status,
                "status_reason": branch.status_reason,
            }
            for branch in await fetch(db, statement)
        ],
        "next_step": notes.next_step,
        "waiting_on": notes.waiting_on,
        "watch_out": list(notes.watch_out),
        "notes_by_assistant": False,
        "artifacts": [
            {
                "name": upload.filename,
                "type": upload.content_type,
                "reference": node_id(Kind.UPLOAD, upload.id),
            }
            for upload in await fetch(db, uploads)
        ],
    }


async def claim_handoff(runtime: Runtime, actor: Actor, *, handoff_id: UUID) -> HandedOff:
    """Makes the caller the session's assignee and the session active. One of many callers wins.

    A repeat by the winner succeeds and publishes nothing. Raises NotFound, PermissionDenied,
    HandoffTaken and InvalidTransition.
    """
    require_person(actor)
    require_write(actor)
    async with runtime.work(actor) as work:
        session, handoff = await lock_handoff(work, actor, handoff_id)
        if handoff.claimed_by == actor.user_id:
            return await _handed_off(work.db, actor, handoff_id)
        if handoff.state is HandoffState.CLAIMED:
            raise HandoffTaken(handoff_id)
        _require_open(handoff, HandoffState.CLAIMED)
        await close(work, handoff, HandoffState.CLAIMED, claimed_by=actor.user_id)
        work.record(event_of(HandoffClaimed, session, handoff))
        await set_status(work, session, SessionStatus.ACTIVE)
        if session.assignee_id != actor.user_id:
            await set_assignee(work, session, SessionStatus.ACTIVE, actor.user_id)
        return await _handed_off(work.db, actor, handoff_id)


async def cancel_handoff(runtime: Runtime, actor: Actor, *, handoff_id: UUID) -> HandedOff:
    """Takes the session up again, by whoever handed it off, a lead or an admin.

    Raises NotFound, PermissionDenied and InvalidTransition.
    """
    async with runtime.work(actor) as work:
        session, handoff = await lock_handoff(work, actor, handoff_id)
        if handoff.handed_off_by != actor.user_id:
            require_write_in(actor, session)
        require_write(actor)
        _require_open(handoff, HandoffState.CANCELLED)
        await _cancel(work, session, handoff)
        return await _handed_off(work.db, actor, handoff_id)


async def resume_by_message(work: UnitOfWork, actor: Actor, session: AiSession) -> None:
    """The assignee's next message takes a session that was put down up again."""
    if session.status is SessionStatus.ACTIVE or session.assignee_id != actor.user_id:
        return
    statement = select(Handoff).where(
        Handoff.account_id == work.account_id,
        Handoff.session_id == session.id,
        Handoff.state == HandoffState.OPEN,
    )
    handoff = await fetch_one(work.db, statement)
    if handoff is not None:
        await _cancel(work, session, handoff)


async def _cancel(work: UnitOfWork, session: AiSession, handoff: Handoff) -> None:
    await close(work, handoff, HandoffState.CANCELLED)
    work.record(event_of(HandoffCancelled, session, handoff))
    await set_status(work, session, SessionStatus.ACTIVE)


async def close(
    work: UnitOfWork, handoff: Handoff, state: HandoffState, claimed_by: UUID | None = None
) -> None:
    await work.db.execute(
        update(Handoff)
        .where(Handoff.account_id == work.account_id, Handoff.id == handoff.id)
        .values(
            state=state,
            claimed_by=claimed_by,
            claimed_at=func.now() if claimed_by else None,
            closed_at=func.now(),
            version=Handoff.version + 1,
        )
    )


def _require_open(handoff: Handoff, target: HandoffState) -> None:
    lifecycle.require_transition(
        lifecycle.HANDOFF, handoff.state, target, f"The handoff is {handoff.state.name}."
    )


async def lock_handoff(
    work: UnitOfWork, actor: Actor, handoff_id: UUID
) -> tuple[AiSession, Handoff]:
    """The handoff as it is once its session is held. Raises NotFound."""
    known = select(Handoff).where(Handoff.account_id == work.account_id, Handoff.id == handoff_id)
    handoff = await fetch_one(work.db, known)
    if handoff is None:
        raise NotFound(node_id(Kind.HANDOFF, handoff_id))
    session = await lock_session(work, actor, handoff.session_id)
    return session, (await fetch(work.db, known))[0]


def _event(
    kind: type[HandoffEvent],
    session: AiSession,
    handoff_id: UUID,
    intent: HandoffIntent,
    priority: HandoffPriority,
) -> HandoffEvent:
    return kind(session.id, handoff_id, intent, priority, session.team_id, session.problem_domain)


def event_of(kind: type[HandoffEvent], session: AiSession, handoff: Handoff) -> HandoffEvent:
    return _event(kind, session, handoff.id, handoff.intent, handoff.priority)


async def _handed_off(db: AsyncConnection, actor: Actor, handoff_id: UUID) -> HandedOff:
    statement = select(Handoff).where(
        Handoff.account_id == actor.account_id, Handoff.id == handoff_id
    )
    handoff = (await fetch(db, statement))[0]
    return HandedOff(await view(db, actor, handoff.session_id), handoff)


# ---------------------------------------------------------------- the queue


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What is None does not filter."""

    intent: HandoffIntent | None = None
    priority: HandoffPriority | None = None
    team_id: UUID | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    page: Page[Handoff]
    total: int
    seq: int
    """The newest event that the page reflects."""


ELEVATED = Handoff.priority == HandoffPriority.ELEVATED


async def list_queue(
    runtime: Runtime, actor: Actor, wanted: QueueFilter, *, first: int, after: str | None
) -> Queue:
    """Open handoffs of the account: elevated first, then the longest waiting.

    Raises InvalidInput (first, after).
    """
    size = page_size("first", first)
    matching = (
        select(Handoff)
        .join(
            AiSession,
            and_(AiSession.account_id == Handoff.account_id, AiSession.id == Handoff.session_id),
        )
        .where(
            Handoff.account_id == actor.account_id,
            Handoff.state == HandoffState.OPEN,
            *_conditions(wanted),
        )
    )
    page = matching.order_by(ELEVATED.desc(), Handoff.created_at, Handoff.id).limit(size + 1)
    if after is not None:
        elevated, created_at, handoff_id = read_cursor("after", after, int, datetime, UUID)
        later = tuple_(Handoff.created_at, Handoff.id) > tuple_(
            literal(created_at), literal(handoff_id)
        )
        same = ELEVATED if elevated else ~ELEVATED
        page = page.where(or_(and_(same, later), ~ELEVATED if elevated else literal(False)))
    async with runtime.read(actor) as db:
        total = select(func.count()).select_from(matching.subquery())
        seq, count = (await db.execute(select(event_seq(actor), total.scalar_subquery()))).one()
        rows = await fetch(db, page)
    return Queue(Page(rows[:size], len(rows) > size, after is not None), count, seq)


def _conditions(wanted: QueueFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.intent is not None:
        found.append(Handoff.intent == wanted.intent)
    if wanted.priority is not None:
        found.append(Handoff.priority == wanted.priority)
    if wanted.team_id is not None:
        found.append(AiSession.team_id == wanted.team_id)
    if wanted.domain is not None:
        found.append(AiSession.problem_domain == wanted.domain)
    return found


def event_in_queue(wanted: QueueFilter, event: StoredEvent) -> bool:
    """What a queue filters by does not change while a handoff waits."""
    was = event.payload
    asked = (
        (wanted.intent, was["intent"]),
        (wanted.priority, was["priority"]),
        (wanted.team_id and str(wanted.team_id), was["team_id"]),
        (wanted.domain, was["domain"]),
    )
    return all(value is None or value == seen for value, seen in asked)


def queue_key(handoff: Handoff) -> tuple[int, str, str]:
    """The sort key that a queue's cursor holds."""
    return (
        int(handoff.priority is HandoffPriority.ELEVATED),
        handoff.created_at.isoformat(),
        str(handoff.id),
    )


# ---------------------------------------------------------------- reads


async def by_id(runtime: Runtime, actor: Actor, handoff_ids: Sequence[UUID]) -> dict[UUID, Handoff]:
    statement = select(Handoff).where(
        Handoff.account_id == actor.account_id, Handoff.id.in_(handoff_ids)
    )
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}


async def by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, list[Handoff]]:
    """Newest first, at most 100 of each session."""
    place = (
        func.row_number()
        .over(partition_by=Handoff.session_id, order_by=Handoff.created_at.desc())
        .label("place")
    )
    newest = (
        select(Handoff.id, place)
        .where(Handoff.account_id == actor.account_id, Handoff.session_id.in_(session_ids))
        .subquery()
    )
    statement = (
        select(Handoff)
        .join(newest, Handoff.id == newest.c.id)
        .where(Handoff.account_id == actor.account_id, newest.c.place <= 100)  # noqa: PLR2004
        .order_by(newest.c.place)
    )
    found: defaultdict[UUID, list[Handoff]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[row.session_id].append(row)
    return found


async def open_by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, Handoff]:
    statement = select(Handoff).where(
        Handoff.account_id == actor.account_id,
        Handoff.session_id.in_(session_ids),
        Handoff.state == HandoffState.OPEN,
    )
    async with runtime.read(actor) as db:
        return {row.session_id: row for row in await fetch(db, statement)}
