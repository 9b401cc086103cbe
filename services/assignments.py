"""A lead or an admin gives a session to somebody."""

from uuid import UUID

from sqlalchemy import update

from models.account import User
from models.audit import AuditAction
from models.handoff import ClaimEnd
from models.session import AiSession, SessionStatus
from services.access import Actor, require_lead
from services.accounts import people
from services.branches import require_version
from services.database import fetch_one
from services.errors import FieldProblem, InvalidInput, NotFound
from services.handoffs import take, waiting
from services.ids import Kind, node_id
from services.leases import end_claim
from services.runtime import Runtime
from services.sessions import SessionView, lock_workable, set_assignee, view
from services.unit_of_work import UnitOfWork
from services.validation import Validation


async def reassign_session(
    runtime: Runtime,
    actor: Actor,
    *,
    session_id: UUID,
    assignee_id: UUID,
    note: str | None,
    expected_version: int,
) -> SessionView:
    """Where it waits in the queue they hold it, without a lease: they have not asked for it. Ends another's
    claim.

    Raises InvalidInput, NotFound (session, person), PermissionDenied, InvalidTransition and StaleVersion.
    """
    check = Validation()
    note = check.optional_text(("note",), note, 2000)
    check.done()
    require_lead(actor)
    async with runtime.work(actor) as work:
        session = await lock_workable(work, actor, session_id)
        require_version(session.version, expected_version)
        await _require_colleague(work, actor, assignee_id)
        handoff = await waiting(work.db, session)
        if handoff is not None:
            await take(work, session, handoff, assignee_id, lease=None)
        elif session.assignee_id == assignee_id:
            raise InvalidInput([FieldProblem(("assigneeId",), "Has the session already.")])
        else:
            await end_claim(work, session, ClaimEnd.REASSIGNED)
            await work.db.execute(
                update(AiSession)
                .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
                .values(version=AiSession.version + 1)
            )
        await set_assignee(
            work,
            session,
            SessionStatus.ACTIVE,
            assignee_id,
            note=note,
            action=AuditAction.SESSION_REASSIGNED,
        )
        return await view(work.db, actor, session.id)


async def _require_colleague(work: UnitOfWork, actor: Actor, user_id: UUID) -> None:
    """Who is deactivated at this moment waits until the session is theirs, or is refused."""
    statement = people(actor).where(User.id == user_id).with_for_update(read=True)
    person = await fetch_one(work.db, statement)
    if person is None:
        raise NotFound(node_id(Kind.USER, user_id))
    if person.deactivated_at is not None:
        raise InvalidInput([FieldProblem(("assigneeId",), "Can no longer sign in.")])
