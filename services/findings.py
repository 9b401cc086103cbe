"""Reading what sessions established."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from models.finding import Finding, FindingBearing, FindingEvidence
from models.message import BranchMessage
from services.access import Actor
from services.database import fetch
from services.runtime import Runtime

OF_SESSION = 500
OF_BRANCH = 200


async def by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, list[Finding]]:
    """In the order they were made, at most 500 of each session."""
    return await _grouped(runtime, actor, Finding.session_id, session_ids, OF_SESSION)


async def by_branch(
    runtime: Runtime, actor: Actor, branch_ids: Sequence[UUID]
) -> dict[UUID, list[Finding]]:
    """In the order they were made, at most 200 of each branch."""
    return await _grouped(runtime, actor, Finding.branch_id, branch_ids, OF_BRANCH)


async def _grouped(
    runtime: Runtime,
    actor: Actor,
    owner: InstrumentedAttribute[UUID],
    keys: Sequence[UUID],
    cap: int,
) -> dict[UUID, list[Finding]]:
    place = func.row_number().over(partition_by=owner, order_by=Finding.id).label("place")
    placed = (
        select(Finding.id, place)
        .where(Finding.account_id == actor.account_id, owner.in_(keys))
        .subquery()
    )
    statement: Select[Finding] = (
        select(Finding)
        .join(placed, Finding.id == placed.c.id)
        .where(Finding.account_id == actor.account_id, placed.c.place <= cap)
        .order_by(placed.c.place)
    )
    found: defaultdict[UUID, list[Finding]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[getattr(row, owner.key)].append(row)
    return found


async def by_id(runtime: Runtime, actor: Actor, finding_ids: Sequence[UUID]) -> dict[UUID, Finding]:
    statement = select(Finding).where(
        Finding.account_id == actor.account_id, Finding.id.in_(finding_ids)
    )
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}


async def evidence_by_finding(
    runtime: Runtime, actor: Actor, finding_ids: Sequence[UUID]
) -> dict[UUID, list[BranchMessage]]:
    """In the order it was given."""
    statement = (
        select(FindingEvidence.finding_id, *BranchMessage.__table__.c)
        .join(
            BranchMessage,
            (BranchMessage.account_id == FindingEvidence.account_id)
            & (BranchMessage.id == FindingEvidence.message_id),
        )
        .where(
            FindingEvidence.account_id == actor.account_id,
            FindingEvidence.finding_id.in_(finding_ids),
        )
        .order_by(FindingEvidence.ordinal)
    )
    found: defaultdict[UUID, list[BranchMessage]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in (await db.execute(statement)).all():
            found[row.finding_id].append(row)  # type: ignore[arg-type]
    return found


async def bearings_by_finding(
    runtime: Runtime, actor: Actor, finding_ids: Sequence[UUID]
) -> dict[UUID, list[FindingBearing]]:
    """In the order in which the hypotheses were forked."""
    statement = (
        select(FindingBearing)
        .where(
            FindingBearing.account_id == actor.account_id,
            FindingBearing.finding_id.in_(finding_ids),
        )
        .order_by(FindingBearing.branch_id)
    )
    found: defaultdict[UUID, list[FindingBearing]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[row.finding_id].append(row)
    return found
