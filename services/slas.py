"""Targets for what waits: within how many minutes it should be claimed, and what becomes of that.

A handoff's time runs from when it is made, of what was parked from when it is woken, and stands still
while somebody holds it. The targets of that moment count, however they are changed afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.audit import AuditAction
from models.handoff import Handoff, HandoffPriority
from models.sla import SlaState
from models.sla import SlaTargets as Row
from services import enqueue
from services.access import Actor, require_admin
from services.audit import Change
from services.database import fetch_one
from services.errors import StaleVersion
from services.ids import Kind
from services.runtime import Runtime
from services.unit_of_work import UnitOfWork
from services.validation import Validation

DEFAULTS: Mapping[HandoffPriority, int] = MappingProxyType(
    {HandoffPriority.NORMAL: 240, HandoffPriority.ELEVATED: 30}
)
"""Minutes."""

LONGEST = 43_200

AT_RISK = 0.75
"""Share of the target after which it is at risk."""


@dataclass(frozen=True, slots=True)
class SlaTargets:
    minutes: Mapping[HandoffPriority, int]
    version: int
    """0 until an admin has set them."""


async def save_sla_targets(
    runtime: Runtime,
    actor: Actor,
    *,
    minutes: Mapping[HandoffPriority, int],
    expected_version: int,
) -> SlaTargets:
    """For what is handed off or woken from now on. Raises InvalidInput, PermissionDenied, StaleVersion."""
    require_admin(actor)
    check = Validation()
    for priority, given in minutes.items():
        if not 1 <= given <= LONGEST:
            check.add((_field(priority),), f"Must be between 1 and {LONGEST:,}.")
    check.done()
    values = {f"{priority}_minutes": given for priority, given in minutes.items()}
    first = (
        insert(Row)
        .values(account_id=actor.account_id, **values)
        .on_conflict_do_nothing()
        .returning(Row.version)
    )
    later = (
        update(Row)
        .where(Row.account_id == actor.account_id, Row.version == expected_version)
        .values(**values, version=Row.version + 1, updated_at=func.now())
        .returning(Row.version)
    )
    async with runtime.work(actor) as work:
        before = await sla_targets(work.db, work.account_id)
        saved = await work.db.execute(later if expected_version else first)
        version = saved.scalar_one_or_none()
        if version is None:
            raise StaleVersion((await sla_targets(work.db, work.account_id)).version)
        work.audit(
            AuditAction.SLA_TARGETS_CHANGED,
            Kind.ACCOUNT,
            actor.account_id,
            *(
                Change(_field(priority), str(before.minutes[priority]), str(given))
                for priority, given in minutes.items()
                if before.minutes[priority] != given
            ),
        )
        return SlaTargets(minutes, version)


def _field(priority: HandoffPriority) -> str:
    return f"{priority}Minutes"


async def sla_targets(db: AsyncConnection, account_id: UUID) -> SlaTargets:
    row = await fetch_one(db, select(Row).where(Row.account_id == account_id))
    if row is None:
        return SlaTargets(DEFAULTS, 0)
    return SlaTargets(
        {
            HandoffPriority.NORMAL: row.normal_minutes,
            HandoffPriority.ELEVATED: row.elevated_minutes,
        },
        row.version,
    )


async def by_account(
    runtime: Runtime, actor: Actor, account_ids: Sequence[UUID]
) -> dict[UUID, SlaTargets]:
    async with runtime.read(actor) as db:
        found = await sla_targets(db, actor.account_id)
    return {account_id: found for account_id in account_ids if account_id == actor.account_id}


async def new_clock(
    db: AsyncConnection, account_id: UUID, priority: HandoffPriority
) -> dict[str, object]:
    """The columns of a handoff whose time begins to run now."""
    target = timedelta(minutes=(await sla_targets(db, account_id)).minutes[priority])
    return {
        "sla_state": SlaState.ON_TRACK,
        "sla_at_risk_at": func.now() + target * AT_RISK,
        "sla_due_at": func.now() + target,
    }


def watch(work: UnitOfWork, handoff: Handoff) -> None:
    """Has it looked at again when its state changes next; nothing where none will."""
    times = {SlaState.ON_TRACK: handoff.sla_at_risk_at, SlaState.AT_RISK: handoff.sla_due_at}
    at = times.get(handoff.sla_state) if handoff.sla_state is not None else None
    if at is not None:
        work.enqueue(enqueue.watch_sla(work.account_id, handoff.id, at))
