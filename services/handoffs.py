"""Putting a session down and picking it up."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.branch import Branch
from models.handoff import Handoff, HandoffIntent, HandoffPriority, HandoffState
from models.session import AiSession, SessionStatus
from models.upload import FileUpload
from services import enqueue, lifecycle
from services.access import Actor, require_person, require_write, require_write_in
from services.database import fetch, fetch_one
from services.errors import FieldProblem, HandoffTaken, InvalidInput
from services.events import HandoffCancelled, HandoffClaimed, HandoffCreated
from services.handoff_events import event_of
from services.held_handoffs import lock_handoff
from services.ids import Kind, new_id, node_id
from services.runtime import Runtime
from services.sessions import SessionView, lock_session, set_assignee, set_status, view
from services.sla_watch import settle_sla
from services.slas import new_clock, watch
from services.unit_of_work import UnitOfWork
from services.validation import Validation

NOTIFIED_AFTER = timedelta(seconds=90)
"""So long whoever watches the queue has to claim an escalation before anybody is mailed."""

PUTS_DOWN_AS = {
    HandoffIntent.PARK: SessionStatus.PAUSED,
    HandoffIntent.ESCALATE: SessionStatus.ESCALATED,
}


MOST_ARTIFACTS = 100

LONGEST_SLEEP = timedelta(days=365)


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
    wake_at: datetime | None = None,
) -> HandedOff:
    """Parks or escalates an active session, with a snapshot of its tree as it is.

    What is parked may be due again at `wake_at`. Raises InvalidInput, NotFound, PermissionDenied and
    InvalidTransition.
    """
    notes = _valid(notes, intent, priority, wake_at)
    handoff_id = new_id()
    content: dict[str, object] = {
        "session": str(session_id),
        "intent": intent,
        "priority": priority,
        "notes": [notes.engineer_notes, notes.next_step, notes.waiting_on, *notes.watch_out],
    }
    if wake_at is not None:
        content["wakeAt"] = wake_at.isoformat()
    async with runtime.work(actor) as work:
        made = await work.once("handOffSession", key, content, {"handoff": str(handoff_id)})
        if made is not None:
            return await handed_off(work.db, actor, UUID(made["handoff"]))
        _require_sleep(wake_at)
        session = await lock_session(work, actor, session_id)
        require_write_in(actor, session)
        status = PUTS_DOWN_AS[intent]
        lifecycle.require_transition(
            lifecycle.SESSION,
            session.status,
            status,
            f"A session that is {session.status.name} cannot be handed off.",
        )
        escalates = intent is HandoffIntent.ESCALATE
        await open_handoff(
            work,
            session,
            id=handoff_id,
            intent=intent,
            priority=priority,
            handed_off_by=actor.user_id,
            engineer_notes=notes.engineer_notes,
            snapshot=await snapshot(work.db, session, notes),
            wake_at=wake_at,
            **(await new_clock(work.db, work.account_id, priority) if escalates else {}),
        )
        await set_status(work, session, status)
        return await handed_off(work.db, actor, handoff_id)


def _valid(
    notes: Notes, intent: HandoffIntent, priority: HandoffPriority, wake_at: datetime | None
) -> Notes:
    check = Validation()
    if intent is not HandoffIntent.PARK and wake_at is not None:
        check.add(("wakeAt",), "Only what is parked wakes up.")
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


def _require_sleep(wake_at: datetime | None) -> None:
    now = datetime.now(UTC)
    if wake_at is not None and not now < wake_at <= now + LONGEST_SLEEP:
        raise InvalidInput([FieldProblem(("wakeAt",), "Must be in the future, within a year.")])


async def open_handoff(work: UnitOfWork, session: AiSession, **values: Any) -> Handoff:  # noqa: ANN401
    """A handoff of the session as it is, told and with its timers. The caller moves the session."""
    made = (
        insert(Handoff)
        .values(
            account_id=work.account_id,
            session_id=session.id,
            source_branch_id=session.active_branch_id,
            **values,
        )
        .returning(*Handoff.__table__.c)
    )
    handoff = cast("Handoff", (await work.db.execute(made)).one())
    await work.db.execute(
        update(AiSession)
        .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
        .values(handoff_count=AiSession.handoff_count + 1)
    )
    work.record(event_of(HandoffCreated, session, handoff))
    work.enqueue(enqueue.prepare_handoff(work.account_id, session.id, handoff.id))
    if handoff.wake_at is not None and handoff.woken_at is None:
        work.enqueue(enqueue.wake_handoff(work.account_id, handoff.id, handoff.wake_at))
    if handoff.intent is HandoffIntent.ESCALATE:
        at = handoff.created_at + NOTIFIED_AFTER
        work.enqueue(enqueue.notify_of_handoff(work.account_id, handoff.id, at))
    watch(work, handoff)
    return handoff


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

    The claim holds for a lease, which each sign of life renews. A repeat by the winner succeeds and
    publishes nothing. Raises NotFound, PermissionDenied, HandoffTaken and InvalidTransition.
    """
    require_person(actor)
    require_write(actor)
    async with runtime.work(actor) as work:
        session, handoff = await lock_handoff(work, actor, handoff_id)
        if handoff.claimed_by == actor.user_id and handoff.claim_ended_at is None:
            return await handed_off(work.db, actor, handoff_id)
        if handoff.state is HandoffState.CLAIMED and handoff.claimed_by != actor.user_id:
            raise HandoffTaken(handoff_id)
        _require_open(handoff, HandoffState.CLAIMED)
        await take(work, session, handoff, actor.user_id, runtime.limits.claim_lease)
        work.enqueue(enqueue.notify_of_claim(work.account_id, handoff_id))
        if session.assignee_id != actor.user_id:
            await set_assignee(work, session, SessionStatus.ACTIVE, actor.user_id)
        return await handed_off(work.db, actor, handoff_id)


async def take(
    work: UnitOfWork, session: AiSession, handoff: Handoff, user_id: UUID, lease: timedelta | None
) -> None:
    """Makes the session active and this person hold it; the caller makes them its assignee."""
    claimed = await close(
        work,
        session,
        handoff,
        HandoffState.CLAIMED,
        claimed_by=user_id,
        claimed_at=func.now(),
        claimed_from=session.assignee_id,
        lease=lease,
        lease_expires_at=None if lease is None else func.now() + lease,
    )
    work.record(event_of(HandoffClaimed, session, claimed))
    await set_status(work, session, SessionStatus.ACTIVE)
    if claimed.lease_expires_at is not None:
        work.enqueue(enqueue.return_claim(work.account_id, handoff.id, claimed.lease_expires_at))


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
        return await handed_off(work.db, actor, handoff_id)


async def resume_by_message(work: UnitOfWork, actor: Actor, session: AiSession) -> None:
    """The assignee's next message takes a session that was put down up again."""
    if session.status is SessionStatus.ACTIVE or session.assignee_id != actor.user_id:
        return
    handoff = await waiting(work.db, session)
    if handoff is not None:
        await _cancel(work, session, handoff)


async def _cancel(work: UnitOfWork, session: AiSession, handoff: Handoff) -> None:
    cancelled = await close(work, session, handoff, HandoffState.CANCELLED)
    work.record(event_of(HandoffCancelled, session, cancelled))
    await set_status(work, session, SessionStatus.ACTIVE)


async def waiting(db: AsyncConnection, session: AiSession) -> Handoff | None:
    """The open handoff of a session."""
    statement = select(Handoff).where(
        Handoff.account_id == session.account_id,
        Handoff.session_id == session.id,
        Handoff.state == HandoffState.OPEN,
    )
    return await fetch_one(db, statement)


async def close(
    work: UnitOfWork,
    session: AiSession,
    handoff: Handoff,
    state: HandoffState,
    **claim: Any,  # noqa: ANN401
) -> Handoff:
    """Ends its waiting; how long that was in time is told first."""
    await settle_sla(work, session, handoff)
    closed = (
        update(Handoff)
        .where(Handoff.account_id == work.account_id, Handoff.id == handoff.id)
        .values(state=state, closed_at=func.now(), version=Handoff.version + 1, **claim)
        .returning(*Handoff.__table__.c)
    )
    return cast("Handoff", (await work.db.execute(closed)).one())


def _require_open(handoff: Handoff, target: HandoffState) -> None:
    lifecycle.require_transition(
        lifecycle.HANDOFF, handoff.state, target, f"The handoff is {handoff.state.name}."
    )


async def handed_off(db: AsyncConnection, actor: Actor, handoff_id: UUID) -> HandedOff:
    statement = select(Handoff).where(
        Handoff.account_id == actor.account_id, Handoff.id == handoff_id
    )
    handoff = (await fetch(db, statement))[0]
    return HandedOff(await view(db, actor, handoff.session_id), handoff)


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
