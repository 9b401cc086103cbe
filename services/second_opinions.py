"""Second opinions: the model is asked anew, and told what was observed but not what anybody makes of it."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.branch import Branch
from models.finding import Finding, FindingKind
from models.opinion import SecondOpinion, SecondOpinionState
from models.session import AiSession
from services import enqueue, lifecycle
from services.access import Actor
from services.ai.port import SessionFacts
from services.ai.tasks import GiveSecondOpinion
from services.ai_tasks import TaskFailed, perform
from services.database import fetch, fetch_one, transaction
from services.errors import InvalidTransition, NotFound
from services.events import SecondOpinionChanged
from services.ids import Kind, new_id, node_id
from services.runtime import Runtime
from services.sessions import hold_session, lock_workable
from services.unit_of_work import UnitOfWork
from services.usage import require_budget

OF_SESSION = 20
MOST_OBSERVATIONS = 100


async def request_second_opinion(
    runtime: Runtime, actor: Actor, *, key: UUID, session_id: UUID
) -> SecondOpinion:
    """One at a time for a session.

    Raises NotFound, PermissionDenied, InvalidTransition and BudgetExceeded.
    """
    opinion_id = new_id()
    async with runtime.work(actor) as work:
        makes = {"opinion": str(opinion_id)}
        content = {"session": str(session_id)}
        made = await work.once("requestSecondOpinion", key, content, makes)
        if made is not None:
            return await _one(work.db, actor.account_id, UUID(made["opinion"]))
        session = await lock_workable(work, actor, session_id)
        await _require_none_pending(work, session)
        await require_budget(runtime, work.db, work.account_id)
        await work.db.execute(
            insert(SecondOpinion).values(
                account_id=work.account_id,
                id=opinion_id,
                session_id=session.id,
                leading_branch_id=await _leading(work, session),
                requested_by=work.user_id,
            )
        )
        work.record(SecondOpinionChanged(session.id, opinion_id))
        work.enqueue(enqueue.give_second_opinion(work.account_id, session.id, opinion_id))
        return await _one(work.db, actor.account_id, opinion_id)


async def _require_none_pending(work: UnitOfWork, session: AiSession) -> None:
    pending = select(SecondOpinion.id).where(
        SecondOpinion.account_id == work.account_id,
        SecondOpinion.session_id == session.id,
        SecondOpinion.state == SecondOpinionState.PENDING,
    )
    if (await work.db.execute(pending)).first() is not None:
        raise InvalidTransition(
            "A second opinion is being formed already.",
            source=SecondOpinionState.PENDING.name,
            target=SecondOpinionState.PENDING.name,
            allowed=[],
        )


async def _leading(work: UnitOfWork, session: AiSession) -> UUID | None:
    statement = (
        select(Branch.id)
        .where(
            Branch.account_id == work.account_id,
            Branch.session_id == session.id,
            Branch.parent_branch_id.is_not(None),
            Branch.archived_at.is_(None),
            Branch.status.in_(lifecycle.OPEN_BRANCH),
            Branch.likelihood.is_not(None),
        )
        .order_by(Branch.likelihood.desc(), Branch.id)
        .limit(1)
    )
    return (await work.db.execute(statement)).scalar_one_or_none()


# ------------------------------------------------------------------ the job


async def give_second_opinion(
    runtime: Runtime, account_id: UUID, opinion_id: UUID, *, last_try: bool
) -> None:
    """Raises TryAgain on a fault that may pass, unless this is the last try."""
    async with transaction(runtime.engine, account_id) as db:
        try:
            asked = await _one(db, account_id, opinion_id)
        except NotFound:
            return  # removed with its session
        if asked.state is not SecondOpinionState.PENDING:
            return
        task = await _task(db, asked)
    try:
        outcome = await perform(
            runtime,
            account_id,
            task,
            session_id=asked.session_id,
            branch_id=None,
            last_try=last_try,
        )
    except TaskFailed as failure:
        await _finish(runtime, asked, state=SecondOpinionState.FAILED, failure=str(failure))
        return
    await _finish(
        runtime,
        asked,
        state=SecondOpinionState.READY,
        opinion=outcome.result.model_dump(mode="json"),
        model=outcome.model,
        observation_count=len(task.observations),
    )


async def give_up(runtime: Runtime, account_id: UUID, opinion_id: UUID, *, why: str) -> None:
    async with transaction(runtime.engine, account_id) as db:
        try:
            asked = await _one(db, account_id, opinion_id)
        except NotFound:
            return  # removed with its session
    await _finish(runtime, asked, state=SecondOpinionState.FAILED, failure=why)


async def _task(db: AsyncConnection, asked: SecondOpinion) -> GiveSecondOpinion:
    session = await fetch(
        db,
        select(AiSession).where(
            AiSession.account_id == asked.account_id, AiSession.id == asked.session_id
        ),
    )
    observed = (
        select(Finding.claim)
        .where(
            Finding.account_id == asked.account_id,
            Finding.session_id == asked.session_id,
            # What was confirmed or ruled out tells which hypotheses there were.
            Finding.kind == FindingKind.OBSERVED,
            Finding.withdrawn_at.is_(None),
        )
        .order_by(Finding.id.desc())
        .limit(MOST_OBSERVATIONS)
    )
    claims = (await db.execute(observed)).scalars().all()
    facts = SessionFacts(session[0].intake_content, reference=session[0].intake_reference)
    return GiveSecondOpinion(facts, tuple(reversed(claims)))


async def _finish(runtime: Runtime, asked: SecondOpinion, **values: object) -> None:
    async with runtime.assistant_work(asked.account_id) as work:
        await hold_session(work, asked.session_id)
        finished = (
            update(SecondOpinion)
            .where(
                SecondOpinion.account_id == work.account_id,
                SecondOpinion.id == asked.id,
                SecondOpinion.state == SecondOpinionState.PENDING,
            )
            .values(finished_at=func.now(), **values)
            .returning(SecondOpinion.id)
        )
        if (await work.db.execute(finished)).first() is not None:
            work.record(SecondOpinionChanged(asked.session_id, asked.id))


async def _one(db: AsyncConnection, account_id: UUID, opinion_id: UUID) -> SecondOpinion:
    statement = select(SecondOpinion).where(
        SecondOpinion.account_id == account_id, SecondOpinion.id == opinion_id
    )
    opinion = await fetch_one(db, statement)
    if opinion is None:
        raise NotFound(node_id(Kind.SECOND_OPINION, opinion_id))
    return opinion


# ------------------------------------------------------------------ reads


async def by_id(
    runtime: Runtime, actor: Actor, opinion_ids: Sequence[UUID]
) -> dict[UUID, SecondOpinion]:
    statement = select(SecondOpinion).where(
        SecondOpinion.account_id == actor.account_id, SecondOpinion.id.in_(opinion_ids)
    )
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}


async def by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, list[SecondOpinion]]:
    """Newest first, at most 20 of each session."""
    place = (
        func.row_number()
        .over(partition_by=SecondOpinion.session_id, order_by=SecondOpinion.id.desc())
        .label("place")
    )
    placed = (
        select(SecondOpinion.id, place)
        .where(
            SecondOpinion.account_id == actor.account_id,
            SecondOpinion.session_id.in_(session_ids),
        )
        .subquery()
    )
    statement = (
        select(SecondOpinion)
        .join(placed, SecondOpinion.id == placed.c.id)
        .where(SecondOpinion.account_id == actor.account_id, placed.c.place <= OF_SESSION)
        .order_by(placed.c.place)
    )
    found: defaultdict[UUID, list[SecondOpinion]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[row.session_id].append(row)
    return found
