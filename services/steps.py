"""The moves of a guided diagnosis, in one order over the whole session."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import insert, select, update

from models.branch import Branch, ForkPoint
from models.session import AiSession, Step, StepType
from services.access import Actor
from services.database import fetch
from services.ids import new_id
from services.pages import Page, page_size, read_cursor
from services.runtime import Runtime
from services.unit_of_work import UnitOfWork


async def add_step(
    work: UnitOfWork,
    *,
    session_id: UUID,
    branch_id: UUID,
    step_type: StepType,
    content: Mapping[str, object],
    message_id: UUID,
    confidence: float | None,
    input_tokens: int,
    output_tokens: int,
) -> None:
    """The next step of the session, whose row this locks."""
    counted = (
        update(AiSession)
        .where(AiSession.account_id == work.account_id, AiSession.id == session_id)
        .values(step_count=AiSession.step_count + 1)
        .returning(AiSession.step_count)
    )
    step_order = (await work.db.execute(counted)).scalar_one()
    await work.db.execute(
        update(Branch)
        .where(Branch.account_id == work.account_id, Branch.id == branch_id)
        .values(step_count=Branch.step_count + 1)
    )
    await insert_step(
        work,
        session_id=session_id,
        branch_id=branch_id,
        step_order=step_order,
        step_type=step_type,
        message_id=message_id,
        content=dict(content),
        confidence_at_step=confidence,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    )


async def insert_step(work: UnitOfWork, **values: object) -> None:
    """For who has counted it already, in the session and in its branch."""
    await work.db.execute(insert(Step).values(account_id=work.account_id, id=new_id(), **values))


async def list_steps(
    runtime: Runtime, actor: Actor, session_id: UUID, *, first: int, after: str | None
) -> Page[Step]:
    """By order. Raises InvalidInput (first, after)."""
    size = page_size("first", first)
    statement = (
        select(Step)
        .where(Step.account_id == actor.account_id, Step.session_id == session_id)
        .order_by(Step.step_order)
        .limit(size + 1)
    )
    if after is not None:
        (order,) = read_cursor("after", after, int)
        statement = statement.where(Step.step_order > order)
    async with runtime.read(actor) as db:
        rows = await fetch(db, statement)
    return Page(rows[:size], len(rows) > size, after is not None)


async def by_id(runtime: Runtime, actor: Actor, step_ids: Sequence[UUID]) -> dict[UUID, Step]:
    statement = select(Step).where(Step.account_id == actor.account_id, Step.id.in_(step_ids))
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}


async def by_message(
    runtime: Runtime, actor: Actor, message_ids: Sequence[UUID]
) -> dict[UUID, Step]:
    statement = select(Step).where(
        Step.account_id == actor.account_id, Step.message_id.in_(message_ids)
    )
    async with runtime.read(actor) as db:
        return {row.message_id: row for row in await fetch(db, statement) if row.message_id}


async def by_fork_point(
    runtime: Runtime, actor: Actor, fork_point_ids: Sequence[UUID]
) -> dict[UUID, Step]:
    """The FORK step that each point was recorded as. Steps are found by their branch."""
    statement = (
        select(Step)
        .join(
            ForkPoint,
            (ForkPoint.account_id == Step.account_id)
            & (ForkPoint.parent_branch_id == Step.branch_id)
            & (ForkPoint.id == Step.fork_point_id),
        )
        .where(
            Step.account_id == actor.account_id,
            ForkPoint.id.in_(fork_point_ids),
            Step.step_type == StepType.FORK,
        )
    )
    async with runtime.read(actor) as db:
        return {row.fork_point_id: row for row in await fetch(db, statement) if row.fork_point_id}
