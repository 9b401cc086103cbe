"""Dead ends that a finding elsewhere has put in doubt: proposed by the assistant, decided by people."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from models.branch import Branch, BranchStatus
from models.finding import Finding, FindingEvidence
from models.hypothesis import RevivalProposal, RevivalProposalState
from models.message import BranchMessage, MessageState
from services.access import Actor
from services.branches import Changed, changed, lock_branch
from services.database import fetch, fetch_one
from services.errors import InvalidTransition, NotFound
from services.events import RevivalProposalChanged
from services.ids import Kind, new_id, node_id
from services.revivals import decide_proposals, revive
from services.runtime import Runtime
from services.unit_of_work import UnitOfWork

OF_SESSION = 100


@dataclass(frozen=True, slots=True)
class Decided:
    proposal: RevivalProposal
    changed: Changed


async def propose_revival(work: UnitOfWork, branch_id: UUID, finding_id: UUID, why: str) -> None:
    """Of a dead end in sight, once for each finding and while none is open that rests on one of the same
    messages; for any other branch nothing happens. The session is held.
    """
    branch = await fetch_one(
        work.db,
        select(Branch).where(
            Branch.account_id == work.account_id,
            Branch.id == branch_id,
            Branch.status == BranchStatus.DEAD_END,
            Branch.archived_at.is_(None),
        ),
    )
    if branch is None or await _is_proposed(work, branch_id, finding_id):
        return
    last_said = (
        select(BranchMessage.id)
        .where(
            BranchMessage.account_id == work.account_id,
            BranchMessage.branch_id == branch.id,
            BranchMessage.state == MessageState.COMPLETE,
            BranchMessage.created_at <= branch.status_changed_at,
        )
        .order_by(BranchMessage.position.desc())
        .limit(1)
    )
    made = (
        upsert(RevivalProposal)
        .values(
            account_id=work.account_id,
            id=new_id(),
            session_id=branch.session_id,
            branch_id=branch.id,
            finding_id=finding_id,
            reason=branch.status_reason,
            reason_message_id=last_said.scalar_subquery(),
            why=why,
        )
        .on_conflict_do_nothing()
        .returning(RevivalProposal.id)
    )
    proposal_id = (await work.db.execute(made)).scalar_one_or_none()
    if proposal_id is not None:
        work.record(RevivalProposalChanged(branch.session_id, proposal_id))


async def _is_proposed(work: UnitOfWork, branch_id: UUID, finding_id: UUID) -> bool:
    """One message can say the same in several sentences; a person decides about it once."""
    messages = select(FindingEvidence.message_id).where(
        FindingEvidence.account_id == work.account_id, FindingEvidence.finding_id == finding_id
    )
    same = (
        select(RevivalProposal.id)
        .join(
            FindingEvidence,
            (FindingEvidence.account_id == RevivalProposal.account_id)
            & (FindingEvidence.finding_id == RevivalProposal.finding_id),
        )
        .where(
            RevivalProposal.account_id == work.account_id,
            RevivalProposal.branch_id == branch_id,
            RevivalProposal.state == RevivalProposalState.OPEN,
            FindingEvidence.message_id.in_(messages),
        )
        .limit(1)
    )
    return (await work.db.execute(same)).first() is not None


async def accept_revival_proposal(runtime: Runtime, actor: Actor, *, proposal_id: UUID) -> Decided:
    """Revives the dead end on the finding's evidence; its other open proposals are dismissed.

    Raises NotFound, PermissionDenied and InvalidTransition.
    """
    async with runtime.work(actor) as work:
        proposal, branch = await _open_proposal(
            work, actor, proposal_id, RevivalProposalState.ACCEPTED
        )
        finding = await _finding(work, proposal.finding_id)
        await decide_proposals(
            work, RevivalProposal.id == proposal.id, state=RevivalProposalState.ACCEPTED
        )
        await revive(
            work,
            branch,
            source_id=finding.branch_id,
            message_ids=await _evidence(work, finding),
            description=f"{finding.claim} {proposal.why}"[:2_000],
        )
        return Decided(await _one(work, proposal_id), await changed(work, actor, branch))


async def dismiss_revival_proposal(
    runtime: Runtime, actor: Actor, *, proposal_id: UUID
) -> RevivalProposal:
    """The branch stays a dead end. Raises NotFound, PermissionDenied and InvalidTransition."""
    async with runtime.work(actor) as work:
        proposal, _ = await _open_proposal(work, actor, proposal_id, RevivalProposalState.DISMISSED)
        await decide_proposals(
            work, RevivalProposal.id == proposal.id, state=RevivalProposalState.DISMISSED
        )
        return await _one(work, proposal_id)


async def _open_proposal(
    work: UnitOfWork, actor: Actor, proposal_id: UUID, target: RevivalProposalState
) -> tuple[RevivalProposal, Branch]:
    """With its dead end, whose session is held."""
    branch_id = (await _one(work, proposal_id)).branch_id
    _, branch = await lock_branch(work, actor, branch_id)
    proposal = await _one(work, proposal_id)
    if proposal.state is not RevivalProposalState.OPEN:
        raise InvalidTransition(
            f"The proposal is {proposal.state.name}.",
            source=proposal.state.name,
            target=target.name,
            allowed=[],
        )
    return proposal, branch


async def _one(work: UnitOfWork, proposal_id: UUID) -> RevivalProposal:
    statement = select(RevivalProposal).where(
        RevivalProposal.account_id == work.account_id, RevivalProposal.id == proposal_id
    )
    proposal = await fetch_one(work.db, statement)
    if proposal is None:
        raise NotFound(node_id(Kind.REVIVAL_PROPOSAL, proposal_id))
    return proposal


async def _finding(work: UnitOfWork, finding_id: UUID) -> Finding:
    statement = select(Finding).where(
        Finding.account_id == work.account_id, Finding.id == finding_id
    )
    return (await fetch(work.db, statement))[0]


async def _evidence(work: UnitOfWork, finding: Finding) -> Sequence[UUID]:
    """What of it was said on the finding's own branch; a revival quotes that branch alone."""
    statement = (
        select(FindingEvidence.message_id)
        .join(
            BranchMessage,
            (BranchMessage.account_id == FindingEvidence.account_id)
            & (BranchMessage.id == FindingEvidence.message_id),
        )
        .where(
            FindingEvidence.account_id == work.account_id,
            FindingEvidence.finding_id == finding.id,
            BranchMessage.branch_id == finding.branch_id,
        )
        .order_by(FindingEvidence.ordinal)
    )
    return (await work.db.execute(statement)).scalars().all()


# ------------------------------------------------------------------ reads


async def by_id(
    runtime: Runtime, actor: Actor, proposal_ids: Sequence[UUID]
) -> dict[UUID, RevivalProposal]:
    statement = select(RevivalProposal).where(
        RevivalProposal.account_id == actor.account_id, RevivalProposal.id.in_(proposal_ids)
    )
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}


async def by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, list[RevivalProposal]]:
    """Newest first, at most 100 of each session."""
    place = (
        func.row_number()
        .over(partition_by=RevivalProposal.session_id, order_by=RevivalProposal.id.desc())
        .label("place")
    )
    placed = (
        select(RevivalProposal.id, place)
        .where(
            RevivalProposal.account_id == actor.account_id,
            RevivalProposal.session_id.in_(session_ids),
        )
        .subquery()
    )
    statement = (
        select(RevivalProposal)
        .join(placed, RevivalProposal.id == placed.c.id)
        .where(RevivalProposal.account_id == actor.account_id, placed.c.place <= OF_SESSION)
        .order_by(placed.c.place)
    )
    found: defaultdict[UUID, list[RevivalProposal]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[row.session_id].append(row)
    return found
