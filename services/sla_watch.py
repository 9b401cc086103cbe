"""Telling that what waits is at risk, or was not claimed in time: each once, by a timer."""

from typing import cast
from uuid import UUID

from sqlalchemy import func, update

from models.handoff import Handoff, HandoffState
from models.session import AiSession
from models.sla import SlaState
from services.events import HandoffSlaChanged
from services.handoff_events import event_of
from services.held_handoffs import hold_handoff
from services.runtime import Runtime
from services.slas import watch
from services.unit_of_work import UnitOfWork

STEPS = (
    (SlaState.ON_TRACK, SlaState.AT_RISK, Handoff.sla_at_risk_at),
    (SlaState.AT_RISK, SlaState.BREACHED, Handoff.sla_due_at),
)


async def settle_sla(work: UnitOfWork, session: AiSession, handoff: Handoff) -> Handoff:
    """The handoff with its state as of now; the steps it has gone are told, one after the other.

    Nothing where it waits no more, or no time runs. The caller has locked the session.
    """
    for source, target, at in STEPS:
        if handoff.sla_state is not source:
            continue
        moved = (
            update(Handoff)
            .where(
                Handoff.account_id == work.account_id,
                Handoff.id == handoff.id,
                Handoff.state == HandoffState.OPEN,
                Handoff.sla_state == source,
                at <= func.now(),
            )
            .values(sla_state=target)
            .returning(*Handoff.__table__.c)
        )
        row = (await work.db.execute(moved)).one_or_none()
        if row is None:
            break
        handoff = cast("Handoff", row)
        work.record(event_of(HandoffSlaChanged, session, handoff, previous_sla_state=source))
    return handoff


async def watch_sla(runtime: Runtime, account_id: UUID, handoff_id: UUID) -> None:
    """Nothing where it waits no more, or its time has not come."""
    async with runtime.assistant_work(account_id) as work:
        found = await hold_handoff(work, handoff_id)
        if found is None:
            return
        session, handoff = found
        settled = await settle_sla(work, session, handoff)
        if settled.sla_state is not handoff.sla_state:
            watch(work, settled)
