"""Which ticket a session is about."""

from uuid import UUID

from sqlalchemy import func, update

from models.session import AiSession
from services.access import Actor, require_write_in
from services.audit import Change
from services.errors import StaleVersion
from services.events import SessionUpdated
from services.ids import Kind, node_id
from services.integrations import usable
from services.runtime import Runtime
from services.sessions import SessionView, lock_session, view
from services.tickets import read_ticket
from services.validation import Validation


async def link_ticket(
    runtime: Runtime,
    actor: Actor,
    *,
    session_id: UUID,
    integration_id: UUID,
    psa_ticket_id: str,
    expected_version: int,
) -> SessionView:
    """Also when the session is over: its documents may still have to go there.

    The ticket is read first, so a wrong number is noticed now. Raises InvalidInput, NotFound,
    PermissionDenied, StaleVersion and ServiceUnavailable.
    """
    check = Validation()
    wanted = check.text(("psaTicketId",), psa_ticket_id, 1, 100)
    check.done()
    async with runtime.work(actor) as work:
        require_write_in(actor, await lock_session(work, actor, session_id))
    ticket = await read_ticket(runtime, actor, integration_id, wanted)
    async with runtime.work(actor) as work:
        session = await lock_session(work, actor, session_id)
        require_write_in(actor, session)
        await usable(work.db, actor, integration_id)
        if session.version != expected_version:
            raise StaleVersion(session.version)
        await work.db.execute(
            update(AiSession)
            .where(AiSession.account_id == work.account_id, AiSession.id == session_id)
            .values(
                psa_ticket_id=ticket.id,
                integration_id=integration_id,
                version=AiSession.version + 1,
                updated_at=func.now(),
            )
        )
        linked_before = session.integration_id
        before = None if linked_before is None else node_id(Kind.INTEGRATION, linked_before)
        work.record(
            SessionUpdated(
                session_id,
                session.status,
                session.assignee_id,
                session.assignee_id,
                session.team_id,
            ),
            Change("psaTicketId", session.psa_ticket_id, ticket.id),
            Change("integration", before, node_id(Kind.INTEGRATION, integration_id)),
        )
        return await view(work.db, actor, session_id)
