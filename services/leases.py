"""Claims hold for a while: each sign of life of the claimer makes it longer, and other moves end it."""

from sqlalchemy import bindparam, func, update

from models.handoff import ClaimEnd, Handoff, HandoffState
from models.session import AiSession
from services.unit_of_work import UnitOfWork

RENEW = (
    update(Handoff)
    .where(
        Handoff.account_id == bindparam("in_account"),
        Handoff.session_id == bindparam("in_session"),
        Handoff.state == HandoffState.CLAIMED,
        Handoff.claim_ended_at.is_(None),
        Handoff.claimed_by == bindparam("holder"),
        Handoff.lease.is_not(None),
    )
    .values(lease_expires_at=func.now() + Handoff.lease)
)


async def renew_lease(work: UnitOfWork, session: AiSession) -> None:
    """After a write of whoever does this; nothing where they hold no claim of the session.

    The caller has locked the session.
    """
    await work.db.execute(
        RENEW,
        {"in_account": work.account_id, "in_session": session.id, "holder": work.user_id},
    )


async def end_claim(work: UnitOfWork, session: AiSession, end: ClaimEnd) -> None:
    """Nothing where nobody holds the session. The caller has locked it."""
    await work.db.execute(
        update(Handoff)
        .where(
            Handoff.account_id == work.account_id,
            Handoff.session_id == session.id,
            Handoff.state == HandoffState.CLAIMED,
            Handoff.claim_ended_at.is_(None),
        )
        .values(claim_ended_at=func.now(), claim_end=end, version=Handoff.version + 1)
    )
