"""How long a claim is held, and how a session comes back into the queue.

What was claimed stays as it was, with who held it and until when. Another handoff continues it, which has
waited for as long.
"""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from models.audit import AuditAction
from models.handoff import ClaimEnd, Handoff, HandoffState
from models.session import AiSession
from services import enqueue, lifecycle
from services.access import Actor, require_person, require_write, require_write_in
from services.database import fetch_one
from services.errors import InvalidTransition, NotFound, PermissionDenied
from services.events import HandoffReturned
from services.handoff_events import event_of
from services.handoffs import PUTS_DOWN_AS, HandedOff, Notes, handed_off, open_handoff, snapshot
from services.held_handoffs import hold_handoff, lock_handoff
from services.ids import Kind, new_id, node_id
from services.runtime import Runtime
from services.sessions import set_assignee, set_status
from services.unit_of_work import UnitOfWork
from services.validation import Validation


async def heartbeat_handoff(runtime: Runtime, actor: Actor, *, handoff_id: UUID) -> Handoff:
    """A sign of life of the claimer, who has the session open. Publishes nothing.

    Also after the lease, as long as the session has not come back. Takes no lock but the handoff's own.
    Raises NotFound, PermissionDenied and InvalidTransition (nobody holds it any more).
    """
    require_person(actor)
    require_write(actor)
    this = (Handoff.account_id == actor.account_id, Handoff.id == handoff_id)
    renewed = (
        update(Handoff)
        .where(
            *this,
            Handoff.state == HandoffState.CLAIMED,
            Handoff.claimed_by == actor.user_id,
            Handoff.claim_ended_at.is_(None),
        )
        .values(lease_expires_at=func.now() + Handoff.lease)
        .returning(*Handoff.__table__.c)
    )
    async with runtime.work(actor) as work:
        row = (await work.db.execute(renewed)).one_or_none()
        if row is not None:
            return cast("Handoff", row)
        handoff = await fetch_one(work.db, select(Handoff).where(*this))
        if handoff is None:
            raise NotFound(node_id(Kind.HANDOFF, handoff_id))
        _require_held(handoff, HandoffState.CLAIMED)
        raise PermissionDenied("Only whoever has claimed it holds it.")


async def release_handoff(
    runtime: Runtime, actor: Actor, *, handoff_id: UUID, engineer_notes: str | None
) -> HandedOff:
    """The claimer, a lead or an admin gives the session back to the queue; tells what waits there now.

    Without notes those of before stay. A repeat by the claimer succeeds and publishes nothing. Raises
    InvalidInput, NotFound, PermissionDenied and InvalidTransition.
    """
    check = Validation()
    notes = check.optional_text(("engineerNotes",), engineer_notes, 4000)
    check.done()
    require_write(actor)
    async with runtime.work(actor) as work:
        session, handoff = await lock_handoff(work, actor, handoff_id)
        if handoff.claim_end is ClaimEnd.RELEASED and handoff.claimed_by == actor.user_id:
            continuing = select(Handoff.id).where(
                Handoff.account_id == work.account_id, Handoff.returned_from == handoff_id
            )
            return await handed_off(
                work.db, actor, (await work.db.execute(continuing)).scalar_one()
            )
        require_write_in(actor, session)
        _require_held(handoff, HandoffState.OPEN)
        ended = (await work.db.execute(_ending(handoff, ClaimEnd.RELEASED))).one()
        opened = await _put_back(work, session, cast("Handoff", ended), notes)
        return await handed_off(work.db, actor, opened.id)


async def return_claim(runtime: Runtime, account_id: UUID, handoff_id: UUID) -> None:
    """When the lease has run out. While the claim is held it comes back at the lease's new end."""
    async with runtime.assistant_work(account_id) as work:
        found = await hold_handoff(work, handoff_id)
        if found is None:
            return
        session, handoff = found
        if handoff.claim_ended_at is not None or handoff.lease is None:
            return
        # A heartbeat does not wait for the session, so only this statement tells who was first.
        late = _ending(handoff, ClaimEnd.EXPIRED).where(Handoff.lease_expires_at <= func.now())
        ended = (await work.db.execute(late)).one_or_none()
        if ended is not None:
            await _put_back(work, session, cast("Handoff", ended), None)
            return
        renewed = select(Handoff.lease_expires_at).where(
            Handoff.account_id == account_id, Handoff.id == handoff_id
        )
        at = (await work.db.execute(renewed)).scalar_one()
        work.enqueue(enqueue.return_claim(account_id, handoff_id, cast("datetime", at)))


def _ending(handoff: Handoff, end: ClaimEnd) -> ReturningUpdate[Any]:
    return (
        update(Handoff)
        .where(
            Handoff.account_id == handoff.account_id,
            Handoff.id == handoff.id,
            Handoff.claim_ended_at.is_(None),
        )
        .values(claim_ended_at=func.now(), claim_end=end, version=Handoff.version + 1)
        .returning(*Handoff.__table__.c)
    )


async def _put_back(
    work: UnitOfWork, session: AiSession, ended: Handoff, engineer_notes: str | None
) -> Handoff:
    """Into the queue, as it was before the claim, with a new snapshot."""
    released = ended.claim_end is ClaimEnd.RELEASED
    work.record(
        event_of(HandoffReturned, session, ended, claim_end=cast("ClaimEnd", ended.claim_end)),
        action=AuditAction.HANDOFF_RELEASED if released else None,
    )
    was = ended.snapshot
    notes = Notes(
        engineer_notes or ended.engineer_notes,
        was["next_step"],
        was["waiting_on"],
        was["watch_out"],
    )
    opened = await open_handoff(
        work,
        session,
        id=new_id(),
        intent=ended.intent,
        priority=ended.priority,
        handed_off_by=ended.handed_off_by,
        engineer_notes=notes.engineer_notes,
        snapshot={
            **await snapshot(work.db, session, notes),
            "notes_by_assistant": was["notes_by_assistant"],
        },
        returned_from=ended.id,
        waiting_since=ended.waiting_since,
        wake_at=ended.wake_at,
        woken_at=ended.woken_at,
        **_resumed_clock(ended),
    )
    status = PUTS_DOWN_AS[ended.intent]
    await set_status(work, session, status)
    if ended.claimed_from is not None and ended.claimed_from != session.assignee_id:
        await set_assignee(work, session, status, ended.claimed_from)
    return opened


def _resumed_clock(ended: Handoff) -> dict[str, Any]:
    """With as much left as there was when it was claimed."""
    if ended.sla_at_risk_at is None or ended.sla_due_at is None or ended.claimed_at is None:
        return {}
    return {
        "sla_state": ended.sla_state,
        "sla_at_risk_at": func.now() + (ended.sla_at_risk_at - ended.claimed_at),
        "sla_due_at": func.now() + (ended.sla_due_at - ended.claimed_at),
    }


def _require_held(handoff: Handoff, target: HandoffState) -> None:
    """Raises InvalidTransition where nobody holds it."""
    if handoff.state is HandoffState.CLAIMED and handoff.claim_ended_at is None:
        return
    ended = handoff.state is HandoffState.CLAIMED
    raise InvalidTransition(
        "The claim has ended." if ended else f"The handoff is {handoff.state.name}.",
        source=handoff.state.name,
        target=target.name,
        allowed=sorted(state.name for state in lifecycle.HANDOFF[handoff.state]),
    )
