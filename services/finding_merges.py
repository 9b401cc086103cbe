"""Bringing findings of other branches into one, and taking them back.

What is merged are claims with their evidence, never messages: the conversation stays as it was, and the
assistant is told of them for as long as the merge stands.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select, update

from models.audit import AuditAction
from models.branch import Branch
from models.finding import Finding, FindingMerge, MergedFinding
from services.access import Actor
from services.branches import in_session, lock_branch, require_open
from services.database import fetch, fetch_one
from services.errors import FieldProblem, InvalidInput, InvalidTransition, NotFound
from services.events import FindingMergeChanged
from services.ids import Kind, new_id, node_id
from services.runtime import Runtime
from services.sessions import view
from services.unit_of_work import UnitOfWork
from services.validation import Validation

AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Merged:
    merge: FindingMerge
    branch: Branch


async def merge_findings(
    runtime: Runtime, actor: Actor, *, key: UUID, branch_id: UUID, finding_ids: Sequence[UUID]
) -> Merged:
    """1 to 50 findings of other branches of the session.

    Raises InvalidInput, NotFound, PermissionDenied and InvalidTransition.
    """
    check = Validation()
    check.count(("findingIds",), finding_ids, 1, AT_ONCE)
    if len(set(finding_ids)) != len(finding_ids):
        check.add(("findingIds",), "Must not repeat a finding.")
    check.done()
    content = {
        "branch": str(branch_id),
        "findings": [str(finding_id) for finding_id in finding_ids],
    }
    async with runtime.work(actor) as work:
        merge_id = new_id()
        made = await work.once("mergeFindings", key, content, {"merge": str(merge_id)})
        if made is not None:
            return await _merged(work, actor, UUID(made["merge"]))
        session, branch = await lock_branch(work, actor, branch_id)
        require_open(branch, "findings")
        await _require_mergeable(work, branch, finding_ids)
        await work.db.execute(
            insert(FindingMerge).values(
                account_id=work.account_id,
                id=merge_id,
                session_id=session.id,
                branch_id=branch.id,
                merged_by=work.user_id,
            )
        )
        await work.db.execute(
            insert(MergedFinding),
            [
                {
                    "account_id": work.account_id,
                    "merge_id": merge_id,
                    "ordinal": ordinal,
                    "session_id": session.id,
                    "finding_id": finding_id,
                }
                for ordinal, finding_id in enumerate(finding_ids, start=1)
            ],
        )
        work.record(FindingMergeChanged(session.id, merge_id))
        return await _merged(work, actor, merge_id)


async def _require_mergeable(work: UnitOfWork, branch: Branch, finding_ids: Sequence[UUID]) -> None:
    of_session = select(Finding.id, Finding.branch_id, Finding.withdrawn_at).where(
        Finding.account_id == work.account_id,
        Finding.session_id == branch.session_id,
        Finding.id.in_(finding_ids),
    )
    known = {row.id: row for row in (await work.db.execute(of_session)).all()}
    merged = (
        select(MergedFinding.finding_id)
        .join(
            FindingMerge,
            (FindingMerge.account_id == MergedFinding.account_id)
            & (FindingMerge.id == MergedFinding.merge_id),
        )
        .where(
            MergedFinding.account_id == work.account_id,
            FindingMerge.branch_id == branch.id,
            FindingMerge.undone_at.is_(None),
        )
    )
    there = set((await work.db.execute(merged)).scalars())
    problems = []
    for index, finding_id in enumerate(finding_ids):
        if finding_id not in known:
            raise NotFound(node_id(Kind.FINDING, finding_id))
        path = ("findingIds", str(index))
        if known[finding_id].branch_id == branch.id or finding_id in there:
            problems.append(FieldProblem(path, "Is on this branch already."))
        elif known[finding_id].withdrawn_at is not None:
            problems.append(FieldProblem(path, "Was withdrawn."))
    if problems:
        raise InvalidInput(problems)


async def undo_finding_merge(runtime: Runtime, actor: Actor, *, merge_id: UUID) -> Merged:
    """The record of the merge stays. Raises NotFound, PermissionDenied and InvalidTransition."""
    async with runtime.work(actor) as work:
        branch_id = (await _one(work, merge_id)).branch_id
        session, _ = await lock_branch(work, actor, branch_id)
        undone = (
            update(FindingMerge)
            .where(
                FindingMerge.account_id == work.account_id,
                FindingMerge.id == merge_id,
                FindingMerge.undone_at.is_(None),
            )
            .values(undone_at=func.now(), undone_by=work.user_id)
            .returning(FindingMerge.id)
        )
        if (await work.db.execute(undone)).first() is None:
            raise InvalidTransition(
                "The merge is undone already.", source="UNDONE", target="UNDONE", allowed=[]
            )
        work.record(
            FindingMergeChanged(session.id, merge_id), action=AuditAction.FINDING_MERGE_UNDONE
        )
        return await _merged(work, actor, merge_id)


async def _merged(work: UnitOfWork, actor: Actor, merge_id: UUID) -> Merged:
    merge = await _one(work, merge_id)
    session = await view(work.db, actor, merge.session_id)
    return Merged(merge, await in_session(work.db, session.row, merge.branch_id))


async def _one(work: UnitOfWork, merge_id: UUID) -> FindingMerge:
    statement = select(FindingMerge).where(
        FindingMerge.account_id == work.account_id, FindingMerge.id == merge_id
    )
    merge = await fetch_one(work.db, statement)
    if merge is None:
        raise NotFound(node_id(Kind.FINDING_MERGE, merge_id))
    return merge


# ------------------------------------------------------------------ reads


async def by_id(
    runtime: Runtime, actor: Actor, merge_ids: Sequence[UUID]
) -> dict[UUID, FindingMerge]:
    return {row.id: row for row in await _merges(runtime, actor, FindingMerge.id.in_(merge_ids))}


async def by_branch(
    runtime: Runtime, actor: Actor, branch_ids: Sequence[UUID]
) -> dict[UUID, list[FindingMerge]]:
    """In the order they were made, those undone included."""
    found: defaultdict[UUID, list[FindingMerge]] = defaultdict(list)
    for row in await _merges(runtime, actor, FindingMerge.branch_id.in_(branch_ids)):
        found[row.branch_id].append(row)
    return found


async def _merges(
    runtime: Runtime, actor: Actor, which: ColumnElement[bool]
) -> Sequence[FindingMerge]:
    statement = (
        select(FindingMerge)
        .where(FindingMerge.account_id == actor.account_id, which)
        .order_by(FindingMerge.id)
    )
    async with runtime.read(actor) as db:
        return await fetch(db, statement)


async def findings_by_merge(
    runtime: Runtime, actor: Actor, merge_ids: Sequence[UUID]
) -> dict[UUID, list[Finding]]:
    """In the order they were given."""
    statement = (
        select(MergedFinding.merge_id, *Finding.__table__.c)
        .join(
            Finding,
            (Finding.account_id == MergedFinding.account_id)
            & (Finding.id == MergedFinding.finding_id),
        )
        .where(MergedFinding.account_id == actor.account_id, MergedFinding.merge_id.in_(merge_ids))
        .order_by(MergedFinding.ordinal)
    )
    found: defaultdict[UUID, list[Finding]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in (await db.execute(statement)).all():
            found[row.merge_id].append(row)  # type: ignore[arg-type]
    return found
