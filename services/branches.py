"""Branches: forking, switching, marking, reviving, renaming, archiving."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import Account
from models.branch import Branch, BranchStatus, ForkPoint, Revival, RevivalEvidence
from models.message import BranchMessage, MessageRole, MessageState
from models.session import AiSession, Step, StepType
from services import lifecycle
from services.access import Actor
from services.accounts import PLAN_BRANCH_LIMITS
from services.database import fetch, fetch_one
from services.errors import (
    BranchLimit,
    FieldProblem,
    InvalidInput,
    InvalidTransition,
    NotFound,
    StaleVersion,
)
from services.events import (
    BranchForked,
    BranchStatusChanged,
    BranchSwitched,
    BranchUpdated,
    MessageAdded,
)
from services.ids import Kind, new_id, node_id
from services.runtime import Limits, Runtime
from services.sessions import SessionView, lock_workable, view
from services.steps import add_step
from services.tree import Tree, branch_rows, link
from services.unit_of_work import UnitOfWork
from services.validation import Validation


@dataclass(frozen=True, slots=True)
class ForkOption:
    label: str
    description: str


@dataclass(frozen=True, slots=True)
class Forked:
    session: SessionView
    fork_point: ForkPoint
    branches: Sequence[Branch]


@dataclass(frozen=True, slots=True)
class Changed:
    session: SessionView
    branch: Branch


# ---------------------------------------------------------------- fork


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
            "options": [[option.label, option.description] for option in options],
        }
        makes = {"fork_point": str(point_id), "branches": [str(made) for made in branch_ids]}
        made = await work.once("forkBranch", key, content, makes)
        if made is None:
            session = await lock_workable(work, actor, session_id)
            if fork_point_id is None:
                point = await _new_fork_point(
                    work, session, point_id, parent_branch_id, after_message_id, reason
                )
            else:
                point = await _known_fork_point(work, session, fork_point_id, parent_branch_id)
            await _add_branches(work, runtime.limits, session, point, branch_ids, options)
            work.record(BranchForked(session.id, point_id, tuple(branch_ids)))
        else:
            point_id = UUID(made["fork_point"])
            branch_ids = [UUID(text) for text in made["branches"]]
        return await _forked(work.db, actor, session_id, point_id, branch_ids)


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
        if label.lower() in seen:
            check.add((*path, "label"), "Is the label of another option, too.")
        seen.add(label.lower())
        description = check.text((*path, "description"), option.description, 1, 500)
        cleaned.append(ForkOption(label, description))
    check.done()
    return reason, cleaned


async def _new_fork_point(
    work: UnitOfWork,
    session: AiSession,
    point_id: UUID,
    parent_branch_id: UUID | None,
    after_message_id: UUID | None,
    reason: str,
) -> ForkPoint:
    parent = await in_session(work.db, session, parent_branch_id or session.active_branch_id)
    require_open(parent, "fork")
    after = await _fork_after(work.db, session, parent, after_message_id)
    inserted = (
        insert(ForkPoint)
        .values(
            account_id=work.account_id,
            id=point_id,
            session_id=session.id,
            parent_branch_id=parent.id,
            after_message_id=after.id if after else None,
            position=after.position if after else parent.fork_position,
            fork_reason=reason,
            created_by=work.user_id,
        )
        .returning(*ForkPoint.__table__.c)
    )
    point: ForkPoint = (await work.db.execute(inserted)).one()  # type: ignore[assignment]
    await _add_fork_step(work, session, point)
    return point


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


async def _add_fork_step(work: UnitOfWork, session: AiSession, point: ForkPoint) -> None:
    """The fork as a move of the diagnosis; the step it was triggered by is marked."""
    if point.after_message_id is not None:
        await work.db.execute(
            update(Step)
            .where(Step.account_id == work.account_id, Step.message_id == point.after_message_id)
            .values(is_fork_point=True)
        )
    await add_step(
        work,
        session_id=session.id,
        branch_id=point.parent_branch_id,
        step_type=StepType.FORK,
        content={},
        fork_point_id=point.id,
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
    if parent_branch_id not in {None, point.parent_branch_id}:
        raise InvalidInput(
            [FieldProblem(("parentBranchId",), "Is not the branch that this fork point is on.")]
        )
    require_open(await in_session(work.db, session, point.parent_branch_id), "fork")
    return point


async def _add_branches(
    work: UnitOfWork,
    limits: Limits,
    session: AiSession,
    point: ForkPoint,
    branch_ids: Sequence[UUID],
    options: Sequence[ForkOption],
) -> None:
    parent = await in_session(work.db, session, point.parent_branch_id)
    await _require_unique_labels(work.db, parent, options)
    if parent.depth >= limits.max_depth:
        raise InvalidInput(
            [FieldProblem(("parentBranchId",), f"Is {limits.max_depth} deep; no deeper ones.")]
        )
    await count_hypotheses(work, limits, session, added=len(options), new=len(options))
    await work.db.execute(
        update(Branch)
        .where(Branch.account_id == work.account_id, Branch.id == parent.id)
        .values(last_child_order=Branch.last_child_order + len(options))
    )
    await work.db.execute(
        insert(Branch),
        [
            {
                "account_id": work.account_id,
                "id": branch_id,
                "session_id": session.id,
                "parent_branch_id": parent.id,
                "fork_point_id": point.id,
                "fork_position": point.position,
                "last_position": point.position,
                "depth": parent.depth + 1,
                "branch_order": parent.last_child_order + place,
                "label": option.label,
                "description": option.description,
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
    taken = select(func.lower(Branch.label)).where(
        Branch.account_id == parent.account_id,
        Branch.session_id == parent.session_id,
        Branch.parent_branch_id == parent.id,
        Branch.archived_at.is_(None),
        func.lower(Branch.label).in_([option.label.lower() for option in options]),
    )
    found = set((await db.execute(taken)).scalars())
    check = Validation()
    for index, option in enumerate(options):
        if option.label.lower() in found:
            check.add(("options", str(index), "label"), "Is the label of a sibling, too.")
    check.done()


async def count_hypotheses(
    work: UnitOfWork, limits: Limits, session: AiSession, *, added: int, new: int
) -> None:
    """Makes room for `added` unarchived hypotheses, `new` of them new; the caller holds the session.

    Raises BranchLimit, or InvalidInput when the tree as a whole is full.
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
    await work.db.execute(
        update(AiSession)
        .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
        .values(
            is_branching=True,
            branch_count=AiSession.branch_count + new,
            hypothesis_count=AiSession.hypothesis_count + added,
            updated_at=func.now(),
        )
    )


async def _forked(
    db: AsyncConnection, actor: Actor, session_id: UUID, point_id: UUID, branch_ids: Sequence[UUID]
) -> Forked:
    point = select(ForkPoint).where(
        ForkPoint.account_id == actor.account_id, ForkPoint.id == point_id
    )
    made = (
        branch_rows(actor.account_id).where(Branch.id.in_(branch_ids)).order_by(Branch.branch_order)
    )
    return Forked(
        await view(db, actor, session_id), (await fetch(db, point))[0], await fetch(db, made)
    )


# ---------------------------------------------------------------- one branch


async def switch_branch(runtime: Runtime, actor: Actor, *, branch_id: UUID) -> Changed:
    """What the team works on. An untried branch becomes active. A repeat publishes nothing.

    Raises NotFound, PermissionDenied and InvalidTransition (archived, or the session is over).
    """
    async with runtime.work(actor) as work:
        session, branch = await lock_branch(work, actor, branch_id)
        require_unarchived(branch, "switched to")
        if session.active_branch_id != branch.id:
            await work.db.execute(
                update(AiSession)
                .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
                .values(active_branch_id=branch.id, updated_at=func.now())
            )
            work.record(BranchSwitched(session.id, session.active_branch_id, branch.id))
        if branch.status is BranchStatus.UNTRIED:
            await set_status(work, branch, BranchStatus.ACTIVE, None)
        return await changed(work, actor, branch)


async def mark_branch_status(
    runtime: Runtime,
    actor: Actor,
    *,
    branch_id: UUID,
    status: BranchStatus,
    reason: str | None,
    expected_version: int,
) -> Changed:
    """A dead end (which needs a reason), solved, or active again after it was solved.

    Raises InvalidInput, NotFound, PermissionDenied, InvalidTransition and StaleVersion.
    """
    check = Validation()
    given = check.optional_text(("reason",), reason, 2000)
    if given is not None and len(given) < 5:  # noqa: PLR2004 - the contract's
        check.add(("reason",), "Must have 5 to 2,000 characters.")
    if given is None and status is BranchStatus.DEAD_END:
        check.add(("reason",), "A dead end needs a reason.")
    check.done()
    async with runtime.work(actor) as work:
        _, branch = await lock_branch(work, actor, branch_id)
        require_version(branch.version, expected_version)
        require_unarchived(branch, "marked")
        if branch.parent_branch_id is None and status is BranchStatus.DEAD_END:
            raise InvalidTransition(
                "The trunk is never a dead end.",
                source=branch.status.name,
                target=status.name,
                allowed=[BranchStatus.SOLVED.name],
            )
        lifecycle.require_transition(
            lifecycle.MARKABLE, branch.status, status, _unmarkable(branch.status, status)
        )
        await set_status(work, branch, status, given, versions=1)
        return await changed(work, actor, branch)


def _unmarkable(source: BranchStatus, target: BranchStatus) -> str:
    if target is BranchStatus.REVIVED:
        return "A dead end is brought back by reviveBranch, with evidence."
    if source is BranchStatus.UNTRIED and target is BranchStatus.ACTIVE:
        return "An untried branch becomes active by switchBranch or its first message."
    return f"A branch that is {source.name} cannot be marked {target.name}."


async def revive_branch(
    runtime: Runtime,
    actor: Actor,
    *,
    branch_id: UUID,
    evidence_from_branch_id: UUID,
    evidence_message_ids: Sequence[UUID],
    description: str,
) -> Changed:
    """Brings a dead end back because another branch of the session learnt something; kept as a record.

    The branch's conversation gets a note that says so. Raises InvalidInput, NotFound,
    PermissionDenied and InvalidTransition.
    """
    check = Validation()
    description = check.text(("description",), description, 5, 2000)
    check.count(("evidenceMessageIds",), evidence_message_ids, 0, 20)
    if len(set(evidence_message_ids)) != len(evidence_message_ids):
        check.add(("evidenceMessageIds",), "Must not repeat a message.")
    if evidence_from_branch_id == branch_id:
        check.add(("evidenceFromBranchId",), "Must be another branch.")
    check.done()
    async with runtime.work(actor) as work:
        session, branch = await lock_branch(work, actor, branch_id)
        require_unarchived(branch, "revived")
        source = await in_session(work.db, session, evidence_from_branch_id)
        await _require_messages_of(work.db, source, evidence_message_ids)
        if branch.status is not BranchStatus.DEAD_END:
            raise InvalidTransition(
                "Only a dead end can be revived.",
                source=branch.status.name,
                target=BranchStatus.REVIVED.name,
                allowed=[state.name for state in sorted(lifecycle.MARKABLE[branch.status])],
            )
        await _record_revival(work, branch, source, evidence_message_ids, description)
        await set_status(work, branch, BranchStatus.REVIVED, description, versions=1)
        note_id = await append_note(
            work, branch, f"[Branch Revived] New evidence from another branch: {description}"
        )
        work.record(MessageAdded(session.id, branch.id, note_id))
        return await changed(work, actor, branch)


async def _require_messages_of(
    db: AsyncConnection, branch: Branch, message_ids: Sequence[UUID]
) -> None:
    known = select(BranchMessage.id).where(
        BranchMessage.account_id == branch.account_id,
        BranchMessage.branch_id == branch.id,
        BranchMessage.id.in_(message_ids),
    )
    found = set((await db.execute(known)).scalars())
    for message_id in message_ids:
        if message_id not in found:
            raise NotFound(node_id(Kind.MESSAGE, message_id))


async def _record_revival(
    work: UnitOfWork,
    branch: Branch,
    source: Branch,
    message_ids: Sequence[UUID],
    description: str,
) -> None:
    revival_id = new_id()
    await work.db.execute(
        insert(Revival).values(
            account_id=work.account_id,
            id=revival_id,
            session_id=branch.session_id,
            branch_id=branch.id,
            evidence_from_branch_id=source.id,
            evidence_description=description,
            revived_by=work.user_id,
        )
    )
    if message_ids:
        await work.db.execute(
            insert(RevivalEvidence),
            [
                {
                    "account_id": work.account_id,
                    "revival_id": revival_id,
                    "ordinal": ordinal,
                    "session_id": branch.session_id,
                    "message_id": message_id,
                }
                for ordinal, message_id in enumerate(message_ids, start=1)
            ],
        )


async def rename_branch(
    runtime: Runtime,
    actor: Actor,
    *,
    branch_id: UUID,
    label: str,
    description: str | None,
    expected_version: int,
) -> Changed:
    """A null description stays as it is.

    Raises InvalidInput, NotFound, PermissionDenied, InvalidTransition and StaleVersion.
    """
    check = Validation()
    label = check.text(("label",), label, 1, 200)
    if description is not None:
        description = check.text(("description",), description, 1, 500)
    check.done()
    async with runtime.work(actor) as work:
        _, branch = await lock_branch(work, actor, branch_id)
        require_version(branch.version, expected_version)
        await _require_free_label(work.db, branch, label)
        await _update(work, [branch.id], label=label, description=description or branch.description)
        work.record(BranchUpdated(branch.session_id, branch.id))
        return await changed(work, actor, branch)


async def archive_branch(
    runtime: Runtime, actor: Actor, *, branch_id: UUID, expected_version: int
) -> Changed:
    """Puts a branch and everything below it out of sight; they no longer count against the plan.

    Raises NotFound, PermissionDenied, InvalidTransition and StaleVersion.
    """
    async with runtime.work(actor) as work:
        session, branch = await lock_branch(work, actor, branch_id)
        require_version(branch.version, expected_version)
        require_unarchived(branch, "archived")
        below = [
            found
            for found in (await _tree(work.db, session)).subtree(branch.id)
            if found.archived_at is None
        ]
        if branch.parent_branch_id is None:
            raise _not_archivable("The trunk cannot be archived.")
        if session.active_branch_id in {found.id for found in below}:
            raise _not_archivable("The team works on it; switch to another branch first.")
        await _update(work, [found.id for found in below], archived_at=func.now())
        await work.db.execute(
            update(AiSession)
            .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
            .values(hypothesis_count=AiSession.hypothesis_count - len(below), updated_at=func.now())
        )
        for found in below:
            work.record(BranchUpdated(session.id, found.id))
        return await changed(work, actor, branch)


async def restore_branch(
    runtime: Runtime, actor: Actor, *, branch_id: UUID, expected_version: int
) -> Changed:
    """Brings back a branch and what was archived along with it; the plan's limit is checked again.

    Raises InvalidInput (its label is taken by now), NotFound, PermissionDenied, InvalidTransition,
    StaleVersion and BranchLimit.
    """
    async with runtime.work(actor) as work:
        session, branch = await lock_branch(work, actor, branch_id)
        require_version(branch.version, expected_version)
        tree = await _tree(work.db, session)
        if branch.archived_at is None:
            raise _not_restorable("It is not archived.")
        parent = tree.by_id[branch.parent_branch_id] if branch.parent_branch_id else tree.root
        if parent.archived_at is not None:
            raise _not_restorable("What it hangs on is archived; restore that first.")
        together = [
            found for found in tree.subtree(branch.id) if found.archived_at == branch.archived_at
        ]
        await _require_free_label(work.db, branch, branch.label)
        await count_hypotheses(work, runtime.limits, session, added=len(together), new=0)
        await _update(work, [found.id for found in together], archived_at=None)
        for found in together:
            work.record(BranchUpdated(session.id, found.id))
        return await changed(work, actor, branch)


def _not_archivable(message: str) -> InvalidTransition:
    return InvalidTransition(message, source="UNARCHIVED", target="ARCHIVED", allowed=[])


def _not_restorable(message: str) -> InvalidTransition:
    return InvalidTransition(message, source="ARCHIVED", target="UNARCHIVED", allowed=[])


async def _require_free_label(db: AsyncConnection, branch: Branch, label: str) -> None:
    taken = select(Branch.id).where(
        Branch.account_id == branch.account_id,
        Branch.session_id == branch.session_id,
        Branch.parent_branch_id == branch.parent_branch_id,
        Branch.archived_at.is_(None),
        Branch.id != branch.id,
        func.lower(Branch.label) == label.lower(),
    )
    if (await db.execute(taken)).first() is not None:
        raise InvalidInput([FieldProblem(("label",), "Is the label of a sibling, too.")])


# ---------------------------------------------------------------- shared by the verbs


async def in_session(db: AsyncConnection, session: AiSession, branch_id: UUID) -> Branch:
    """Raises NotFound for a branch of another session, as for none."""
    statement = branch_rows(session.account_id).where(
        Branch.session_id == session.id, Branch.id == branch_id
    )
    branch = await fetch_one(db, statement)
    if branch is None:
        raise NotFound(node_id(Kind.BRANCH, branch_id))
    return branch


async def lock_branch(work: UnitOfWork, actor: Actor, branch_id: UUID) -> tuple[AiSession, Branch]:
    """The branch with its session, which is held; raises as `lock_workable` does."""
    owner = select(Branch.session_id).where(
        Branch.account_id == work.account_id, Branch.id == branch_id
    )
    session_id = (await work.db.execute(owner)).scalar_one_or_none()
    if session_id is None:
        raise NotFound(node_id(Kind.BRANCH, branch_id))
    session = await lock_workable(work, actor, session_id)
    return session, await in_session(work.db, session, branch_id)


def require_open(branch: Branch, verb: str) -> None:
    """Raises InvalidTransition on dead ends, solved and archived branches."""
    require_unarchived(branch, "used")
    if branch.status not in lifecycle.OPEN_BRANCH:
        raise InvalidTransition(
            f"The branch is {branch.status.name}: it takes no {verb}.",
            source=branch.status.name,
            target=BranchStatus.ACTIVE.name,
            allowed=[state.name for state in sorted(lifecycle.MARKABLE[branch.status])],
        )


def require_unarchived(branch: Branch, verb: str) -> None:
    if branch.archived_at is not None:
        raise InvalidTransition(
            f"The branch is archived and cannot be {verb}; restore it first.",
            source="ARCHIVED",
            target=BranchStatus.ACTIVE.name,
            allowed=["UNARCHIVED"],
        )


def require_version(current: int, expected: int) -> None:
    if current != expected:
        raise StaleVersion(current)


async def set_status(
    work: UnitOfWork, branch: Branch, status: BranchStatus, reason: str | None, versions: int = 0
) -> None:
    """Moves a branch whose session is held. Without a reason the earlier one stays with the log."""
    await work.db.execute(
        update(Branch)
        .where(Branch.account_id == work.account_id, Branch.id == branch.id)
        .values(
            status=status,
            status_reason=reason,
            status_changed_at=func.now(),
            status_changed_by=work.user_id,
            updated_at=func.now(),
            version=Branch.version + versions,
        )
    )
    work.record(BranchStatusChanged(branch.session_id, branch.id, branch.status, status, reason))


async def append_note(work: UnitOfWork, branch: Branch, body: str) -> UUID:
    """A note in the branch's conversation, by whoever works."""
    note_id = new_id()
    position = (
        update(Branch)
        .where(Branch.account_id == work.account_id, Branch.id == branch.id)
        .values(last_position=Branch.last_position + 1)
        .returning(Branch.last_position)
    )
    await work.db.execute(
        insert(BranchMessage).values(
            account_id=work.account_id,
            id=note_id,
            session_id=branch.session_id,
            branch_id=branch.id,
            position=(await work.db.execute(position)).scalar_one(),
            role=MessageRole.NOTE,
            state=MessageState.COMPLETE,
            body=body,
            author_id=work.user_id,
        )
    )
    return note_id


async def _update(work: UnitOfWork, branch_ids: Sequence[UUID], **values: object) -> None:
    await work.db.execute(
        update(Branch)
        .where(Branch.account_id == work.account_id, Branch.id.in_(branch_ids))
        .values(updated_at=func.now(), version=Branch.version + 1, **values)
    )


async def _tree(db: AsyncConnection, session: AiSession) -> Tree:
    statement = select(Branch).where(
        Branch.account_id == session.account_id, Branch.session_id == session.id
    )
    return link(await fetch(db, statement))


async def changed(work: UnitOfWork, actor: Actor, branch: Branch) -> Changed:
    session = await view(work.db, actor, branch.session_id)
    return Changed(session, await in_session(work.db, session.row, branch.id))


# ---------------------------------------------------------------- reads


async def by_id(runtime: Runtime, actor: Actor, branch_ids: Sequence[UUID]) -> dict[UUID, Branch]:
    statement = branch_rows(actor.account_id).where(Branch.id.in_(branch_ids))
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}


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
    """The branches that left at each point, by order, archived ones too."""
    statement = (
        branch_rows(actor.account_id)
        .where(Branch.fork_point_id.in_(fork_point_ids))
        .order_by(Branch.branch_order)
    )
    found: defaultdict[UUID, list[Branch]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            if row.fork_point_id is not None:
                found[row.fork_point_id].append(row)
    return found


async def revivals_by_branch(
    runtime: Runtime, actor: Actor, branch_ids: Sequence[UUID]
) -> dict[UUID, list[Revival]]:
    """Newest first."""
    statement = (
        select(Revival)
        .where(Revival.account_id == actor.account_id, Revival.branch_id.in_(branch_ids))
        .order_by(Revival.created_at.desc(), Revival.id.desc())
    )
    found: defaultdict[UUID, list[Revival]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[row.branch_id].append(row)
    return found


async def evidence_by_revival(
    runtime: Runtime, actor: Actor, revival_ids: Sequence[UUID]
) -> dict[UUID, list[BranchMessage]]:
    """In the order they were given."""
    statement = (
        select(RevivalEvidence.revival_id, *BranchMessage.__table__.c)
        .join(
            BranchMessage,
            (BranchMessage.account_id == RevivalEvidence.account_id)
            & (BranchMessage.id == RevivalEvidence.message_id),
        )
        .where(
            RevivalEvidence.account_id == actor.account_id,
            RevivalEvidence.revival_id.in_(revival_ids),
        )
        .order_by(RevivalEvidence.ordinal)
    )
    found: defaultdict[UUID, list[BranchMessage]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in (await db.execute(statement)).all():
            found[row.revival_id].append(row)  # type: ignore[arg-type]
    return found
