"""What was parked until a certain time is due then."""

from typing import cast
from uuid import UUID

from sqlalchemy import func, update

from models.handoff import Handoff, HandoffState
from services.events import HandoffDue
from services.handoff_events import event_of
from services.held_handoffs import hold_handoff
from services.runtime import Runtime
from services.slas import new_clock, watch


async def wake_handoff(runtime: Runtime, account_id: UUID, handoff_id: UUID) -> None:
    """Once; its target counts from now on. Nothing where it waits no more, or its time has not come."""
    async with runtime.assistant_work(account_id) as work:
        found = await hold_handoff(work, handoff_id)
        if found is None:
            return
        session, handoff = found
        woken = (
            update(Handoff)
            .where(
                Handoff.account_id == account_id,
                Handoff.id == handoff_id,
                Handoff.state == HandoffState.OPEN,
                Handoff.wake_at <= func.now(),
                Handoff.woken_at.is_(None),
            )
            .values(woken_at=func.now(), **await new_clock(work.db, account_id, handoff.priority))
            .returning(*Handoff.__table__.c)
        )
        row = (await work.db.execute(woken)).one_or_none()
        if row is None:
            return
        due = cast("Handoff", row)
        work.record(event_of(HandoffDue, session, due))
        watch(work, due)
