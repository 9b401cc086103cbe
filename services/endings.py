"""How a session ends, and begins again: resolved, abandoned, reopened."""

from uuid import UUID

from sqlalchemy import func, select, update

from models.branch import BranchStatus
from models.handoff import Handoff, HandoffState
from models.message import BranchMessage, MessageState
from models.session import AiSession, SessionStatus
from services import branches, lifecycle
from services.access import Actor, require_write_in
from services.archive import archive_open_branches
from services.database import fetch, fetch_one
from services.errors import InvalidTransition
from services.events import HandoffCancelled
from services.handoffs import close, event_of
from services.messages import finish, stream_topic
from services.outputs.review import ask_for_all
from services.runtime import Runtime
from services.sessions import SessionView, lock_session, set_status, view
from services.unit_of_work import UnitOfWork
from services.validation import Validation

REASON = 2_000
"""Characters of the summary that the branch keeps as its reason."""


async def resolve_session(
    runtime: Runtime,
    actor: Actor,
    *,
    session_id: UUID,
    solved_branch_id: UUID | None,
    summary: str,
    close_open_branches: bool,
    expected_version: int,
) -> SessionView:
    """With the branch that solved it, if one did: it is marked SOLVED. Others stay as they are, unless what
    is still open is to be archived. The three documents are asked for.

    Raises InvalidInput, NotFound, PermissionDenied, InvalidTransition and StaleVersion.
    """
    return await _end(
        runtime,
        actor,
        session_id,
        SessionStatus.RESOLVED,
        _checked("summary", summary),
        expected_version,
        solved_branch_id,
        close_open_branches=close_open_branches,
    )


async def abandon_session(
    runtime: Runtime, actor: Actor, *, session_id: UUID, reason: str, expected_version: int
) -> SessionView:
    """Raises InvalidInput, NotFound, PermissionDenied, InvalidTransition and StaleVersion."""
    return await _end(
        runtime,
        actor,
        session_id,
        SessionStatus.ABANDONED,
        _checked("reason", reason),
        expected_version,
    )


def _checked(name: str, words: str) -> str:
    check = Validation()
    words = check.text((name,), words, 5, 4000)
    check.done()
    return words


async def _end(
    runtime: Runtime,
    actor: Actor,
    session_id: UUID,
    status: SessionStatus,
    summary: str,
    expected_version: int,
    solved_branch_id: UUID | None = None,
    *,
    close_open_branches: bool = False,
) -> SessionView:
    """What was under way ends with it: the open handoff, and replies that are not finished."""
    async with runtime.work(actor) as work:
        session = await lock_session(work, actor, session_id)
        require_write_in(actor, session)
        branches.require_version(session.version, expected_version)
        lifecycle.require_transition(
            lifecycle.SESSION, session.status, status, f"The session is {session.status.name}."
        )
        if solved_branch_id is not None:
            await _solve(work, session, solved_branch_id, summary)
        if close_open_branches:
            await archive_open_branches(work, session, solved_branch_id)
        await _cancel_handoff(work, session)
        cancelled = await _cancel_replies(work, session)
        await work.db.execute(
            update(AiSession)
            .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
            .values(
                resolution_summary=summary,
                resolved_at=func.now() if status is SessionStatus.RESOLVED else None,
            )
        )
        await set_status(work, session, status)
        if status is SessionStatus.RESOLVED:
            await ask_for_all(work, session)
        ended = await view(work.db, actor, session.id)
    for message_id in cancelled:
        runtime.bus.wake(stream_topic(message_id))
    return ended


async def reopen_session(
    runtime: Runtime, actor: Actor, *, session_id: UUID, expected_version: int
) -> SessionView:
    """What was said of its end stays until it ends again.

    Raises NotFound, PermissionDenied, InvalidTransition and StaleVersion.
    """
    async with runtime.work(actor) as work:
        session = await lock_session(work, actor, session_id)
        require_write_in(actor, session)
        branches.require_version(session.version, expected_version)
        if session.status in lifecycle.WORKABLE:  # it becomes active by other verbs
            raise InvalidTransition(
                f"The session is {session.status.name}; nothing has to be reopened.",
                source=session.status.name,
                target=SessionStatus.ACTIVE.name,
                allowed=sorted(state.name for state in lifecycle.SESSION[session.status]),
            )
        await work.db.execute(
            update(AiSession)
            .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
            .values(resolved_at=None)
        )
        await set_status(work, session, SessionStatus.ACTIVE)
        return await view(work.db, actor, session.id)


async def _solve(work: UnitOfWork, session: AiSession, branch_id: UUID, summary: str) -> None:
    """Nothing where it is marked already."""
    branch = await branches.in_session(work.db, session, branch_id)
    branches.require_unarchived(branch, "marked")
    if branch.status is BranchStatus.SOLVED:
        return
    lifecycle.require_transition(
        lifecycle.MARKABLE,
        branch.status,
        BranchStatus.SOLVED,
        f"A branch that is {branch.status.name} cannot have solved the session.",
    )
    await branches.set_status(work, branch, BranchStatus.SOLVED, summary[:REASON], versions=1)
    branches.have_analysed(work, branch)


async def _cancel_handoff(work: UnitOfWork, session: AiSession) -> None:
    statement = select(Handoff).where(
        Handoff.account_id == work.account_id,
        Handoff.session_id == session.id,
        Handoff.state == HandoffState.OPEN,
    )
    handoff = await fetch_one(work.db, statement)
    if handoff is not None:
        await close(work, handoff, HandoffState.CANCELLED)
        work.record(event_of(HandoffCancelled, session, handoff))


async def _cancel_replies(work: UnitOfWork, session: AiSession) -> list[UUID]:
    statement = (
        select(BranchMessage)
        .where(
            BranchMessage.account_id == work.account_id,
            BranchMessage.session_id == session.id,
            BranchMessage.state.in_(lifecycle.UNFINISHED),
        )
        .order_by(BranchMessage.id)
    )
    replies = await fetch(work.db, statement)
    return [reply.id for reply in replies if await finish(work, reply, MessageState.CANCELLED)]
