"""Forking: new hypotheses below a branch, at a point of its conversation, within the plan's limit."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from models.account import Account
from models.branch import Branch, BranchStatus, ForkPoint
from models.message import BranchMessage, MessageRole, MessageState
from models.session import AiSession, Step, StepType
from services.access import Actor
from services.accounts import PLAN_BRANCH_LIMITS
from services.branches import in_session, labels_below, require_open
from services.database import fetch, fetch_one
from services.errors import (
    BranchLimit,
    FieldProblem,
    InvalidInput,
    InvalidTransition,
    NotFound,
)
from services.events import (
    BranchForked,
)
from services.ids import Kind, new_id, node_id
from services.runtime import Limits, Runtime
from services.sessions import SessionView, lock_workable, view
from services.steps import insert_step
from services.tree import branch_rows
from services.unit_of_work import UnitOfWork
from services.validation import Validation


@dataclass(frozen=True, slots=True)
class ForkOption:
    """`likelihood` is 0 to 1, where the suggestion that is taken gave one."""

    label: str
    description: str
    likelihood: float | None = None


@dataclass(frozen=True, slots=True)
class Forked:
    session: SessionView
    fork_point: ForkPoint
    branches: Sequence[Branch]


async def fork_branch(
    runtime: Runtime,
    actor: Actor,
    *,
    key: UUID,
    session_id: UUID,
    parent_branch_id: UUID | None,
    fork_point_id: UUID | None,
    after_message_id: UUID | None,
    reason: str,
    options: Sequence[ForkOption],
) -> Forked:
    """New hypotheses below a branch: 2 to 10 at a new fork point, or one more at an existing one.

    Costs the same however long the parent's conversation is: nothing is copied. Raises InvalidInput,
    NotFound, PermissionDenied, InvalidTransition and BranchLimit.
    """
    reason, options = _valid_fork(reason, options, adds_one=fork_point_id is not None)
    point_id = fork_point_id or new_id()
    branch_ids = [new_id() for _ in options]
    async with runtime.work(actor) as work:
        content = {
            "ids": [str(session_id), str(parent_branch_id), str(fork_point_id)],
            "after": str(after_message_id),
            "reason": reason,
            "options": [
                [option.label, option.description, option.likelihood] for option in options
            ],
        }
        makes = {"branches": [str(branch_ids[0])]}  # the others come next, in order
        made = await work.once("forkBranch", key, content, makes)
        if made is None:
            session = await lock_workable(work, actor, session_id)
            if fork_point_id is None:
                parent = await in_session(
                    work.db, session, parent_branch_id or session.active_branch_id
                )
                require_open(parent, "fork")
                after = await _fork_after(work.db, session, parent, after_message_id)
                position = after.position if after else parent.fork_position
                step_order = await _make_room(
                    work, runtime.limits, session, parent, options, steps=1
                )
                await _add_fork_point(work, parent, point_id, after, position, reason, step_order)
            else:
                point = await _known_fork_point(work, session, fork_point_id, parent_branch_id)
                parent = await in_session(work.db, session, point.parent_branch_id)
                require_open(parent, "fork")
                position = point.position
                await _make_room(work, runtime.limits, session, parent, options, steps=0)
            await _add_branches(work, parent, point_id, position, branch_ids, options)
            work.record(
                BranchForked(
                    session.id,
                    point_id,
                    tuple(branch_ids),
                    tuple(option.label for option in options),
                    tuple(option.likelihood for option in options),
                )
            )
        first_id = branch_ids[0] if made is None else UUID(made["branches"][0])
        return await _forked(work.db, actor, session_id, first_id, len(options))


def _valid_fork(
    reason: str, options: Sequence[ForkOption], *, adds_one: bool
) -> tuple[str, list[ForkOption]]:
    check = Validation()
    reason = check.text(("reason",), reason, 5, 2000)
    low, high = (1, 1) if adds_one else (2, 10)
    check.count(("options",), options, low, high)
    cleaned: list[ForkOption] = []
    seen: set[str] = set()
    for index, option in enumerate(options[:10]):
        path = ("options", str(index))
        label = check.text((*path, "label"), option.label, 1, 200)
        if label.casefold() in seen:
            check.add((*path, "label"), "Is the label of another option, too.")
        seen.add(label.casefold())
        description = check.text((*path, "description"), option.description, 1, 500)
        if option.likelihood is not None and not 0 <= option.likelihood <= 1:
            check.add((*path, "likelihood"), "Must be between 0 and 1.")
        cleaned.append(ForkOption(label, description, option.likelihood))
    check.done()
    return reason, cleaned


async def _fork_after(
    db: AsyncConnection, session: AiSession, parent: Branch, after_message_id: UUID | None
) -> BranchMessage | None:
    """The message named, or the branch's last complete answer, or its last complete message.

    None where the branch has said nothing yet: then the fork inherits what the branch inherited.
    """
    own = select(BranchMessage).where(
        BranchMessage.account_id == session.account_id, BranchMessage.branch_id == parent.id
    )
    if after_message_id is not None:
        message = await fetch_one(db, own.where(BranchMessage.id == after_message_id))
        if message is None:
            raise NotFound(node_id(Kind.MESSAGE, after_message_id))
        if message.state is not MessageState.COMPLETE:
            raise InvalidTransition(
                "Only a complete message can be forked from.",
                source=message.state.name,
                target="FORKED",
                allowed=[],
            )
        return message
    complete = (
        own.where(BranchMessage.state == MessageState.COMPLETE)
        .order_by(BranchMessage.position.desc())
        .limit(1)
    )
    answer = await fetch_one(db, complete.where(BranchMessage.role == MessageRole.ASSISTANT))
    return answer or await fetch_one(db, complete)


async def _make_room(
    work: UnitOfWork,
    limits: Limits,
    session: AiSession,
    parent: Branch,
    options: Sequence[ForkOption],
    *,
    steps: int,
) -> int:
    """Counts what will be made, in one update of each row; returns the order of the session's last step."""
    await _require_unique_labels(work.db, parent, options)
    if parent.depth >= limits.max_depth:
        raise InvalidInput(
            [FieldProblem(("parentBranchId",), f"Is {limits.max_depth} deep; no deeper ones.")]
        )
    step_order = await count_hypotheses(
        work, limits, session, added=len(options), new=len(options), steps=steps
    )
    await work.db.execute(
        update(Branch)
        .where(Branch.account_id == work.account_id, Branch.id == parent.id)
        .values(
            last_child_order=Branch.last_child_order + len(options),
            step_count=Branch.step_count + steps,
        )
    )
    return step_order


async def _add_fork_point(
    work: UnitOfWork,
    parent: Branch,
    point_id: UUID,
    after: BranchMessage | None,
    position: int,
    reason: str,
    step_order: int,
) -> None:
    """Also as a move of the diagnosis; the step it was triggered by is marked."""
    await work.db.execute(
        insert(ForkPoint).values(
            account_id=work.account_id,
            id=point_id,
            session_id=parent.session_id,
            parent_branch_id=parent.id,
            after_message_id=after.id if after else None,
            position=position,
            fork_reason=reason,
            created_by=work.user_id,
        )
    )
    if after is not None:
        await work.db.execute(
            update(Step)
            .where(Step.account_id == work.account_id, Step.message_id == after.id)
            .values(is_fork_point=True)
        )
    await insert_step(
        work,
        session_id=parent.session_id,
        branch_id=parent.id,
        step_order=step_order,
        step_type=StepType.FORK,
        content={},
        fork_point_id=point_id,
    )


async def _known_fork_point(
    work: UnitOfWork, session: AiSession, fork_point_id: UUID, parent_branch_id: UUID | None
) -> ForkPoint:
    statement = select(ForkPoint).where(
        ForkPoint.account_id == work.account_id,
        ForkPoint.session_id == session.id,
        ForkPoint.id == fork_point_id,
    )
    point = await fetch_one(work.db, statement)
    if point is None:
        raise NotFound(node_id(Kind.FORK_POINT, fork_point_id))
    if parent_branch_id is not None and parent_branch_id != point.parent_branch_id:
        await in_session(work.db, session, parent_branch_id)
        raise InvalidInput(
            [FieldProblem(("parentBranchId",), "Is not the branch that this fork point is on.")]
        )
    return point


async def _add_branches(
    work: UnitOfWork,
    parent: Branch,
    point_id: UUID,
    position: int,
    branch_ids: Sequence[UUID],
    options: Sequence[ForkOption],
) -> None:
    await work.db.execute(
        insert(Branch),
        [
            {
                "account_id": work.account_id,
                "id": branch_id,
                "session_id": parent.session_id,
                "parent_branch_id": parent.id,
                "fork_point_id": point_id,
                "fork_position": position,
                "last_position": position,
                "depth": parent.depth + 1,
                "branch_order": parent.last_child_order + place,
                "label": option.label,
                "description": option.description,
                "likelihood": option.likelihood,
                "status": BranchStatus.UNTRIED,
            }
            for place, (branch_id, option) in enumerate(
                zip(branch_ids, options, strict=True), start=1
            )
        ],
    )


async def _require_unique_labels(
    db: AsyncConnection, parent: Branch, options: Sequence[ForkOption]
) -> None:
    taken = set((await labels_below(db, parent, parent.id)).values())
    check = Validation()
    for index, option in enumerate(options):
        if option.label.casefold() in taken:
            check.add(("options", str(index), "label"), "Is the label of a sibling, too.")
    check.done()


async def count_hypotheses(
    work: UnitOfWork, limits: Limits, session: AiSession, *, added: int, new: int, steps: int = 0
) -> int:
    """Makes room for `added` unarchived hypotheses, `new` of them new; the caller holds the session.

    Counts `steps` as well, and returns the order of the session's last one. Raises BranchLimit, or
    InvalidInput when the tree as a whole is full.
    """
    if session.branch_count + new > limits.max_branches:
        raise InvalidInput(
            [FieldProblem(("options",), f"A session holds {limits.max_branches:,} branches.")]
        )
    plan = (
        await work.db.execute(select(Account.plan).where(Account.id == work.account_id))
    ).scalar_one()
    limit = PLAN_BRANCH_LIMITS[plan]
    if limit is not None and session.hypothesis_count + added > limit:
        raise BranchLimit(plan=plan, limit=limit, current=session.hypothesis_count, requested=added)
    counted = (
        update(AiSession)
        .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
        .values(
            is_branching=True,
            branch_count=AiSession.branch_count + new,
            hypothesis_count=AiSession.hypothesis_count + added,
            step_count=AiSession.step_count + steps,
            updated_at=func.now(),
        )
        .returning(AiSession.step_count)
    )
    return int((await work.db.execute(counted)).scalar_one())


async def _forked(
    db: AsyncConnection, actor: Actor, session_id: UUID, first_id: UUID, count: int
) -> Forked:
    """What was made at once: the first of the branches and those after it below the same parent."""
    first = aliased(Branch)
    made = (
        branch_rows(actor.account_id)
        .join(
            first,
            (first.account_id == Branch.account_id)
            & (first.parent_branch_id == Branch.parent_branch_id)
            & (first.branch_order <= Branch.branch_order),
        )
        .where(first.id == first_id)
        .order_by(Branch.branch_order)
        .limit(count)
    )
    branches = await fetch(db, made)
    point = select(ForkPoint).where(
        ForkPoint.account_id == actor.account_id, ForkPoint.id == branches[0].fork_point_id
    )
    return Forked(await view(db, actor, session_id), (await fetch(db, point))[0], branches)


async def fork_points_by_id(
    runtime: Runtime, actor: Actor, fork_point_ids: Sequence[UUID]
) -> dict[UUID, ForkPoint]:
    statement = select(ForkPoint).where(
        ForkPoint.account_id == actor.account_id, ForkPoint.id.in_(fork_point_ids)
    )
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}


async def fork_points_by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, list[ForkPoint]]:
    """In the order they were made."""
    statement = (
        select(ForkPoint)
        .where(ForkPoint.account_id == actor.account_id, ForkPoint.session_id.in_(session_ids))
        .order_by(ForkPoint.created_at, ForkPoint.id)
    )
    found: defaultdict[UUID, list[ForkPoint]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[row.session_id].append(row)
    return found


async def options_by_fork_point(
    runtime: Runtime, actor: Actor, fork_point_ids: Sequence[UUID]
) -> dict[UUID, list[Branch]]:
    """The branches that left at each point, by order, archived ones too. Found by their parent."""
    statement = (
        branch_rows(actor.account_id)
        .join(
            ForkPoint,
            (ForkPoint.account_id == Branch.account_id)
            & (ForkPoint.parent_branch_id == Branch.parent_branch_id)
            & (ForkPoint.id == Branch.fork_point_id),
        )
        .where(ForkPoint.id.in_(fork_point_ids))
        .order_by(Branch.branch_order)
    )
    found: defaultdict[UUID, list[Branch]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            if row.fork_point_id is not None:
                found[row.fork_point_id].append(row)
    return found
