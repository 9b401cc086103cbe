"""Findings that no longer hold: kept for the record, and out of all that is concluded from them."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, update

from models.finding import Finding
from models.hypothesis import RevivalProposal, RevivalProposalState
from services.revivals import decide_proposals
from services.unit_of_work import UnitOfWork


async def withdraw_findings(work: UnitOfWork, finding_ids: Collection[UUID]) -> list[UUID]:
    """Those that held until now, in the order of their making. The session is held.

    What a withdrawn finding proposes to revive is dismissed, if nobody has decided yet.
    """
    if not finding_ids:
        return []
    withdrawn = (
        update(Finding)
        .where(
            Finding.account_id == work.account_id,
            Finding.id.in_(finding_ids),
            Finding.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=func.now())
        .returning(Finding.id)
    )
    found = sorted((await work.db.execute(withdrawn)).scalars())
    await decide_proposals(
        work,
        RevivalProposal.finding_id.in_(found),
        RevivalProposal.state == RevivalProposalState.OPEN,
        state=RevivalProposalState.DISMISSED,
    )
    return found
