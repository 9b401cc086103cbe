"""Writing a complete answer anew, in its own row: the texts that it had are kept, and can come back."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Update, delete, func, insert, select, update

from models.branch import Branch, ForkPoint
from models.message import (
    BranchMessage,
    MessageAlternative,
    MessagePrompt,
    MessageRole,
    MessageState,
)
from models.session import Step
from services import enqueue, lifecycle
from services.access import Actor
from services.audit import Change
from services.branches import lock_branch, require_open
from services.database import fetch
from services.errors import FieldProblem, InvalidInput, InvalidTransition
from services.events import MessageFinished, MessageRestarted
from services.messages import have_analysed_from, message_row, not_from
from services.runtime import Runtime
from services.unit_of_work import UnitOfWork
from services.usage import require_budget

OF_MESSAGE = 20


async def regenerate_message(
    runtime: Runtime, actor: Actor, *, key: UUID, message_id: UUID
) -> BranchMessage:
    """The answer is pending again; its text becomes an alternative.

    Raises InvalidInput, NotFound, PermissionDenied, InvalidTransition and BudgetExceeded.
    """
    async with runtime.work(actor) as work:
        made = await work.once("regenerateMessage", key, {"message": str(message_id)}, {})
        if made is not None:
            return await message_row(work.db, actor, message_id)
        branch, message = await _lock(work, actor, message_id)
        if message.role is not MessageRole.ASSISTANT or message.state is not MessageState.COMPLETE:
            raise not_from(message, MessageState.PENDING)
        await _require_free(work, branch, message, MessageState.PENDING)
        await require_budget(runtime, work.db, work.account_id)
        await _keep(work, message)
        await work.db.execute(
            _of(message).values(
                state=MessageState.PENDING,
                body="",
                model=None,
                suggested_fork=None,
                finished_at=None,
            )
        )
        work.record(MessageRestarted(message.session_id, branch.id, message.id))
        work.enqueue(enqueue.answer_message(work.account_id, branch.id, message.id))
        return await message_row(work.db, actor, message_id)


async def choose_alternative(
    runtime: Runtime, actor: Actor, *, message_id: UUID, number: int
) -> BranchMessage:
    """The answer's text is an earlier one again; the one it had, if any, becomes an alternative.

    Raises InvalidInput, NotFound, PermissionDenied and InvalidTransition.
    """
    async with runtime.work(actor) as work:
        branch, message = await _lock(work, actor, message_id)
        if message.state in lifecycle.UNFINISHED:
            raise not_from(message, MessageState.COMPLETE)
        chosen = await _take(work, message, number)
        if message.state is MessageState.COMPLETE:
            await _require_free(work, branch, message, MessageState.COMPLETE)
            await _keep(work, message)
        await work.db.execute(
            _of(message).values(
                state=MessageState.COMPLETE,
                # As if it were written now, so that nothing takes it for what stood here before.
                attempt=BranchMessage.attempt + 1,
                body=chosen.body,
                model=chosen.model,
                failure=None,
                suggested_fork=chosen.suggested_fork,
                finished_at=chosen.finished_at,
            )
        )
        await _give_step(work, message, chosen.step_id)
        await _forget_prompt(work, message)
        await have_analysed_from(work, message)
        work.record(
            MessageFinished(message.session_id, branch.id, message.id),
            Change("state", message.state.name, MessageState.COMPLETE.name),
            Change("alternative", after=str(number)),
        )
        return await message_row(work.db, actor, message_id)


async def _lock(work: UnitOfWork, actor: Actor, message_id: UUID) -> tuple[Branch, BranchMessage]:
    message = await message_row(work.db, actor, message_id)
    _, branch = await lock_branch(work, actor, message.branch_id)
    require_open(branch, "retry")
    return branch, await message_row(work.db, actor, message_id)


async def _require_free(
    work: UnitOfWork, branch: Branch, message: BranchMessage, target: MessageState
) -> None:
    """Raises InvalidTransition where something was said, forked or proposed on the text that stands."""
    fork = select(ForkPoint.id).where(
        ForkPoint.account_id == work.account_id,
        ForkPoint.session_id == branch.session_id,
        ForkPoint.parent_branch_id == branch.id,
        ForkPoint.position >= message.position,
    )
    kept = (
        select(func.count())
        .select_from(MessageAlternative)
        .where(
            MessageAlternative.account_id == work.account_id,
            MessageAlternative.message_id == message.id,
        )
    )
    problem = None
    if branch.last_position > message.position:
        problem = "Something was said after this answer."
    elif (await work.db.execute(fork.limit(1))).first() is not None:
        problem = "A branch was forked from this answer."
    elif (await work.db.execute(kept)).scalar_one() >= OF_MESSAGE:
        problem = f"This answer was written anew {OF_MESSAGE} times already."
    if problem is not None:
        raise InvalidTransition(problem, source=message.state.name, target=target.name, allowed=[])


async def _keep(work: UnitOfWork, message: BranchMessage) -> None:
    """The text that the message has, as an alternative, with the move that it made."""
    moved = (
        update(Step)
        .where(Step.account_id == work.account_id, Step.message_id == message.id)
        .values(message_id=None)
        .returning(Step.id)
    )
    step_id = (await work.db.execute(moved)).scalar_one_or_none()
    await work.db.execute(
        insert(MessageAlternative).values(
            account_id=work.account_id,
            message_id=message.id,
            number=message.attempt,
            session_id=message.session_id,
            body=message.body,
            model=message.model,
            suggested_fork=message.suggested_fork,
            step_id=step_id,
            finished_at=message.finished_at or message.created_at,
        )
    )


async def _take(work: UnitOfWork, message: BranchMessage, number: int) -> MessageAlternative:
    taken = (
        delete(MessageAlternative)
        .where(
            MessageAlternative.account_id == work.account_id,
            MessageAlternative.message_id == message.id,
            MessageAlternative.number == number,
        )
        .returning(*MessageAlternative.__table__.c)
    )
    chosen: MessageAlternative | None = (await work.db.execute(taken)).one_or_none()  # type: ignore[assignment]
    if chosen is None:
        raise InvalidInput([FieldProblem(("number",), "Names no alternative of this answer.")])
    return chosen


async def _give_step(work: UnitOfWork, message: BranchMessage, step_id: UUID | None) -> None:
    await work.db.execute(
        update(Step)
        .where(Step.account_id == work.account_id, Step.id == step_id)
        .values(message_id=message.id)
    )


async def _forget_prompt(work: UnitOfWork, message: BranchMessage) -> None:
    """What is remembered is what the last text was asked for with."""
    await work.db.execute(
        delete(MessagePrompt).where(
            MessagePrompt.account_id == work.account_id, MessagePrompt.message_id == message.id
        )
    )


def _of(message: BranchMessage) -> Update:
    return update(BranchMessage).where(
        BranchMessage.account_id == message.account_id, BranchMessage.id == message.id
    )


async def by_message(
    runtime: Runtime, actor: Actor, message_ids: Sequence[UUID]
) -> dict[UUID, list[MessageAlternative]]:
    """Newest first; a message has at most 20."""
    statement = (
        select(MessageAlternative)
        .where(
            MessageAlternative.account_id == actor.account_id,
            MessageAlternative.message_id.in_(message_ids),
        )
        .order_by(MessageAlternative.number.desc())
    )
    found: defaultdict[UUID, list[MessageAlternative]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[row.message_id].append(row)
    return found
