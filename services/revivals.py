"""Bringing dead ends back, with the evidence that speaks for it."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.audit import AuditAction
from models.branch import Branch, BranchStatus, Revival, RevivalEvidence
from models.hypothesis import RevivalProposal, RevivalProposalState
from models.message import BranchMessage, MessageRole, MessageState
from services import lifecycle
from services.access import Actor
from services.audit import Change
from services.branches import (
    Changed,
    changed,
    in_session,
    lock_branch,
    require_unarchived,
    set_status,
)
from services.database import fetch
from services.errors import InvalidTransition, NotFound
from services.events import MessageAdded, RevivalProposalChanged
from services.ids import Kind, new_id, node_id
from services.runtime import Runtime
from services.unit_of_work import UnitOfWork
from services.validation import Validation


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
        source = await in_session(work.db, session, evidence_from_branch_id)
        await _require_messages_of(work.db, source, evidence_message_ids)
        await revive(
            work,
            branch,
            source_id=source.id,
            message_ids=evidence_message_ids,
            description=description,
        )
        return await changed(work, actor, branch)


async def revive(
    work: UnitOfWork,
    branch: Branch,
    *,
    source_id: UUID,
    message_ids: Sequence[UUID],
    description: str,
) -> None:
    """A dead end whose session is held; open proposals to revive it are settled by that.

    Raises InvalidTransition where it is none.
    """
    require_unarchived(branch, "revived")
    if branch.status is not BranchStatus.DEAD_END:
        raise InvalidTransition(
            "Only a dead end can be revived.",
            source=branch.status.name,
            target=BranchStatus.REVIVED.name,
            allowed=[state.name for state in sorted(lifecycle.MARKABLE[branch.status])],
        )
    await _record_revival(work, branch, source_id, message_ids, description)
    await set_status(work, branch, BranchStatus.REVIVED, description, versions=1)
    note_id = await append_note(
        work, branch, f"[Branch Revived] New evidence from another branch: {description}"
    )
    work.record(MessageAdded(branch.session_id, branch.id, note_id))
    await decide_proposals(
        work,
        RevivalProposal.branch_id == branch.id,
        RevivalProposal.state == RevivalProposalState.OPEN,
        state=RevivalProposalState.DISMISSED,
    )


async def decide_proposals(
    work: UnitOfWork, *which: ColumnElement[bool], state: RevivalProposalState
) -> None:
    decided = (
        update(RevivalProposal)
        .where(RevivalProposal.account_id == work.account_id, *which)
        .values(state=state, decided_at=func.now(), decided_by=work.user_id)
        .returning(RevivalProposal.session_id, RevivalProposal.id)
    )
    for row in (await work.db.execute(decided)).all():
        work.record(
            RevivalProposalChanged(row.session_id, row.id),
            Change("state", RevivalProposalState.OPEN.name, state.name),
            action=AuditAction.REVIVAL_DECIDED,
        )


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
    source_id: UUID,
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
            evidence_from_branch_id=source_id,
            evidence_description=description,
            dead_end_reason=branch.status_reason,
            dead_end_at=branch.status_changed_at,
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
