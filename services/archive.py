"""Putting branches out of sight, and bringing them back."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.audit import AuditAction
from models.branch import Branch
from models.session import AiSession
from services import lifecycle
from services.access import Actor
from services.branches import (
    Changed,
    activate,
    changed,
    lock_branch,
    require_free_label,
    require_unarchived,
    require_version,
    update_branches,
)
from services.database import fetch
from services.errors import (
    InvalidTransition,
)
from services.events import (
    BranchUpdated,
)
from services.forks import count_hypotheses
from services.runtime import Runtime
from services.tree import Tree
from services.unit_of_work import UnitOfWork


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
        await _archive(work, session, below)
        return await changed(work, actor, branch)


async def archive_open_branches(
    work: UnitOfWork, session: AiSession, solved_branch_id: UUID | None
) -> None:
    """Of a session that is held: hypotheses that are open with all below them. The team's work goes to the
    solving branch, or the trunk, where it was on one of them.
    """
    tree = await _tree(work.db, session)
    found = still_open(tree)
    if session.active_branch_id in {branch.id for branch in found}:
        await activate(work, session, solved_branch_id or tree.root.id)
    if found:
        await _archive(work, session, found)


def still_open(tree: Tree) -> list[Branch]:
    """Hypotheses in sight that are neither settled nor on the way to one that is."""
    kept = {
        line.id
        for branch in tree.by_id.values()
        if branch.archived_at is None and branch.status not in lifecycle.OPEN_BRANCH
        for line in (*tree.ancestors(branch.id), branch)
    }
    return [
        branch
        for branch in tree.by_id.values()
        if branch.archived_at is None
        and branch.parent_branch_id is not None
        and branch.id not in kept
    ]


async def _archive(work: UnitOfWork, session: AiSession, found: Sequence[Branch]) -> None:
    await update_branches(work, [branch.id for branch in found], archived_at=func.now())
    await work.db.execute(
        update(AiSession)
        .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
        .values(hypothesis_count=AiSession.hypothesis_count - len(found), updated_at=func.now())
    )
    for branch in found:
        work.record(
            BranchUpdated(session.id, branch.id, archived=True), action=AuditAction.BRANCH_ARCHIVED
        )


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
        await require_free_label(work.db, branch, branch.label)
        await count_hypotheses(work, runtime.limits, session, added=len(together), new=0)
        await update_branches(work, [found.id for found in together], archived_at=None)
        for found in together:
            work.record(
                BranchUpdated(session.id, found.id, archived=False),
                action=AuditAction.BRANCH_RESTORED,
            )
        return await changed(work, actor, branch)


def _not_archivable(message: str) -> InvalidTransition:
    return InvalidTransition(message, source="UNARCHIVED", target="ARCHIVED", allowed=[])


def _not_restorable(message: str) -> InvalidTransition:
    return InvalidTransition(message, source="ARCHIVED", target="UNARCHIVED", allowed=[])


async def _tree(db: AsyncConnection, session: AiSession) -> Tree:
    statement = (
        select(Branch)
        .where(Branch.account_id == session.account_id, Branch.session_id == session.id)
        .order_by(Branch.depth, Branch.branch_order)
    )
    return Tree(await fetch(db, statement))
