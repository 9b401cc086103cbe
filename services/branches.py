"""Branches: switching, marking and renaming them, and what every verb of the tree shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.audit import AuditAction
from models.branch import Branch, BranchStatus
from models.session import AiSession
from services import enqueue, lifecycle
from services.access import Actor
from services.audit import Change
from services.database import fetch
from services.errors import (
    FieldProblem,
    InvalidInput,
    InvalidTransition,
    NotFound,
    StaleVersion,
)
from services.events import (
    BranchStatusChanged,
    BranchSwitched,
    BranchUpdated,
)
from services.ids import Kind, node_id
from services.readings import Reading
from services.runtime import Runtime
from services.sessions import SessionView, lock_workable, view
from services.tree import branch_rows
from services.unit_of_work import UnitOfWork
from services.validation import Validation


@dataclass(frozen=True, slots=True)
class Changed:
    session: SessionView
    branch: Branch


async def switch_branch(runtime: Runtime, actor: Actor, *, branch_id: UUID) -> Changed:
    """What the team works on. An untried branch becomes active. A repeat publishes nothing.

    Raises NotFound, PermissionDenied and InvalidTransition (archived, or the session is over).
    """
    async with runtime.work(actor) as work:
        session, branch = await lock_branch(work, actor, branch_id)
        require_unarchived(branch, "switched to")
        if session.active_branch_id != branch.id:
            await activate(work, session, branch.id)
            have_analysed(work, await in_session(work.db, session, session.active_branch_id))
        if branch.status is BranchStatus.UNTRIED:
            await set_status(work, branch, BranchStatus.ACTIVE, None)
        return await changed(work, actor, branch)


ACTIVATE = (
    update(AiSession)
    .where(AiSession.account_id == bindparam("in_account"), AiSession.id == bindparam("in_session"))
    .values(active_branch_id=bindparam("branch"), updated_at=func.now())
)


async def activate(work: UnitOfWork, session: AiSession, branch_id: UUID) -> None:
    await work.db.execute(
        ACTIVATE,
        {"in_account": work.account_id, "in_session": session.id, "branch": branch_id},
    )
    work.record(BranchSwitched(session.id, session.active_branch_id, branch_id))


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
        have_analysed(work, branch)
        return await changed(work, actor, branch)


def _unmarkable(source: BranchStatus, target: BranchStatus) -> str:
    if target is BranchStatus.REVIVED:
        return "A dead end is brought back by reviveBranch, with evidence."
    if source is BranchStatus.UNTRIED and target is BranchStatus.ACTIVE:
        return "An untried branch becomes active by switchBranch or its first message."
    return f"A branch that is {source.name} cannot be marked {target.name}."


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
        await require_free_label(work.db, branch, label)
        await update_branches(
            work, [branch.id], label=label, description=description or branch.description
        )
        work.record(
            BranchUpdated(branch.session_id, branch.id, label=label),
            Change("label", branch.label, label),
            action=AuditAction.BRANCH_RENAMED,
        )
        return await changed(work, actor, branch)


async def require_free_label(db: AsyncConnection, branch: Branch, label: str) -> None:
    labels = await labels_below(db, branch, branch.parent_branch_id)
    labels.pop(branch.id, None)
    if label.casefold() in labels.values():
        raise InvalidInput([FieldProblem(("label",), "Is the label of a sibling, too.")])


async def labels_below(
    db: AsyncConnection, relative: Branch, parent_id: UUID | None
) -> dict[UUID, str]:
    """Case-folded labels of the unarchived branches right below a branch, by their keys.

    Folded here, because what a database takes for the same letter depends on its locale.
    """
    statement = select(Branch.id, Branch.label).where(
        Branch.account_id == relative.account_id,
        Branch.session_id == relative.session_id,
        Branch.parent_branch_id == parent_id,
        Branch.archived_at.is_(None),
    )
    return {row.id: row.label.casefold() for row in (await db.execute(statement)).all()}


IN_SESSION: Reading[Branch] = Reading(
    branch_rows(bindparam("account_id")).where(
        Branch.session_id == bindparam("session_id"), Branch.id == bindparam("branch_id")
    )
)


async def in_session(db: AsyncConnection, session: AiSession, branch_id: UUID) -> Branch:
    """Raises NotFound for a branch of another session, as for none."""
    branch = await IN_SESSION.fetch_one(
        db, account_id=session.account_id, session_id=session.id, branch_id=branch_id
    )
    if branch is None:
        raise NotFound(node_id(Kind.BRANCH, branch_id))
    return branch


OWNER: Reading[Branch] = Reading(
    select(Branch.session_id).where(
        Branch.account_id == bindparam("account_id"), Branch.id == bindparam("branch_id")
    )
)


async def lock_branch(work: UnitOfWork, actor: Actor, branch_id: UUID) -> tuple[AiSession, Branch]:
    """The branch with its session, which is held; raises as `lock_workable` does."""
    owner = await OWNER.fetch_one(work.db, account_id=work.account_id, branch_id=branch_id)
    if owner is None:
        raise NotFound(node_id(Kind.BRANCH, branch_id))
    session = await lock_workable(work, actor, owner.session_id)
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


def have_analysed(work: UnitOfWork, branch: Branch) -> None:
    """On leaving a branch: what was said on it after its last answer is taken into account, too."""
    if branch.last_position > max(branch.analysed_position, branch.fork_position):
        work.enqueue(enqueue.analyse_branch(work.account_id, branch.session_id, branch.id))


async def update_branches(work: UnitOfWork, branch_ids: Sequence[UUID], **values: object) -> None:
    await work.db.execute(
        update(Branch)
        .where(Branch.account_id == work.account_id, Branch.id.in_(branch_ids))
        .values(updated_at=func.now(), version=Branch.version + 1, **values)
    )


async def changed(work: UnitOfWork, actor: Actor, branch: Branch) -> Changed:
    session = await view(work.db, actor, branch.session_id)
    return Changed(session, await in_session(work.db, session.row, branch.id))


async def by_id(runtime: Runtime, actor: Actor, branch_ids: Sequence[UUID]) -> dict[UUID, Branch]:
    statement = branch_rows(actor.account_id).where(Branch.id.in_(branch_ids))
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}
