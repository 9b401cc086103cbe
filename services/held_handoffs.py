"""The lock under which a handoff changes: its session's."""

from uuid import UUID

from sqlalchemy import select

from models.handoff import Handoff
from models.session import AiSession
from services.access import Actor
from services.database import fetch, fetch_one
from services.errors import NotFound
from services.ids import Kind, node_id
from services.sessions import hold_session, lock_session
from services.unit_of_work import UnitOfWork


async def lock_handoff(
    work: UnitOfWork, actor: Actor, handoff_id: UUID
) -> tuple[AiSession, Handoff]:
    """The handoff as it is once its session is held. Raises NotFound."""
    known = select(Handoff).where(Handoff.account_id == work.account_id, Handoff.id == handoff_id)
    handoff = await fetch_one(work.db, known)
    if handoff is None:
        raise NotFound(node_id(Kind.HANDOFF, handoff_id))
    session = await lock_session(work, actor, handoff.session_id)
    return session, (await fetch(work.db, known))[0]


async def hold_handoff(work: UnitOfWork, handoff_id: UUID) -> tuple[AiSession, Handoff] | None:
    """The same for a timer; None where it is gone."""
    known = select(Handoff).where(Handoff.account_id == work.account_id, Handoff.id == handoff_id)
    handoff = await fetch_one(work.db, known)
    if handoff is None:
        return None
    session = await hold_session(work, handoff.session_id)
    if session is None:
        return None
    return session, (await fetch(work.db, known))[0]
