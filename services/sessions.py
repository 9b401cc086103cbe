"""Sessions: opening, finding and reading them, and the lock under which their trees change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Select,
    bindparam,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import Account, Team, User
from models.audit import AuditAction
from models.branch import Branch, BranchStatus
from models.finding import Finding
from models.handoff import ClaimEnd
from models.message import BranchMessage, MessageRole, MessageState
from models.session import AiSession, IntakeType, SessionStatus, SessionType
from services import enqueue, lifecycle
from services.access import Actor, require_write, require_write_in, visible_sessions
from services.database import fetch
from services.errors import InvalidTransition, NotFound
from services.events import MessageAdded, SessionStarted, SessionStatusChanged, SessionUpdated
from services.feed import StoredEvent
from services.files.attachments import attach, check_attachments, named_uploads
from services.ids import Kind, new_id, node_id
from services.leases import end_claim, renew_lease
from services.pages import Page, page_size, read_cursor
from services.readings import Reading
from services.runtime import Runtime
from services.tickets import as_intake, read_ticket
from services.tree import Tree
from services.unit_of_work import UnitOfWork
from services.usage import require_budget
from services.validation import Validation

TRUNK_LABEL = "Trunk"

SEARCH_DOCUMENT: ColumnElement[str] = literal_column(
    "to_tsvector('english'::regconfig, "
    "COALESCE(problem_summary, ''::text) || ' '::text || intake_content)"
)
"""Word for word the expression of ix_ai_sessions_search, or the index is not used."""


@dataclass(frozen=True, slots=True)
class Intake:
    type: IntakeType
    text: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """What is None does not filter."""

    status: Sequence[SessionStatus] | None = None
    assignee_id: UUID | None = None
    team_id: UUID | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as read, with the newest event that it reflects and, if asked for, its tree."""

    row: AiSession
    seq: int
    tree: Tree | None = None


@dataclass(frozen=True, slots=True)
class Started:
    session: SessionView
    reply: BranchMessage


async def start_session(
    runtime: Runtime,
    actor: Actor,
    *,
    key: UUID,
    session_type: SessionType,
    intake: Intake,
    psa_ticket_id: str | None,
    integration_id: UUID | None = None,
    team_id: UUID | None,
    upload_ids: Sequence[UUID] = (),
) -> Started:
    """A session with its trunk, the intake as the first message, and its analysis under way.

    With an integration the ticket is read there, and an intake of type PSA_TICKET gets its text.

    Raises InvalidInput, NotFound (team, upload, integration), PermissionDenied, BudgetExceeded and
    ServiceUnavailable.
    """
    check = Validation()
    is_import = integration_id is not None and intake.type is IntakeType.PSA_TICKET
    body = check.text(("intake", "text"), intake.text, 0 if is_import else 1, 20_000)
    reference = check.optional_text(("intake", "reference"), intake.reference, 200)
    ticket = check.optional_text(("psaTicketId",), psa_ticket_id, 100)
    if integration_id is not None and ticket is None:
        check.add(("psaTicketId",), "An integration is where a ticket is: name it, too.")
    check_attachments(check, upload_ids)
    check.done()
    require_write(actor)
    session_id, branch_id, message_id, reply_id = new_id(), new_id(), new_id(), new_id()
    given: dict[str, object] = {
        "input": [session_type, intake.type, body, reference, ticket, team_id and str(team_id)],
        **named_uploads(upload_ids),
    }
    if integration_id is not None and ticket is not None:
        given["integration"] = str(integration_id)
        async with runtime.work(actor) as work:
            made = await work.made_before("startSession", key, given)
            if made is not None:
                return await _started(work.db, actor, UUID(made["session"]), UUID(made["reply"]))
        read = await read_ticket(runtime, actor, integration_id, ticket)
        ticket = read.id
        body = as_intake(body, read) if is_import else body
        check.text(("intake", "text"), body, 1, 20_000)
        check.done()
    async with runtime.work(actor) as work:
        made = await work.once(
            "startSession", key, given, {"session": str(session_id), "reply": str(reply_id)}
        )
        if made is not None:
            return await _started(work.db, actor, UUID(made["session"]), UUID(made["reply"]))
        team = await _team(work.db, actor, team_id)
        await require_budget(runtime, work.db, work.account_id)
        await work.db.execute(
            insert(AiSession).values(
                account_id=actor.account_id,
                id=session_id,
                session_type=session_type,
                intake_type=intake.type,
                intake_content=body,
                intake_reference=reference,
                opened_by=actor.user_id,
                assignee_id=actor.stands_for,
                team_id=team,
                psa_ticket_id=ticket,
                integration_id=integration_id,
                active_branch_id=branch_id,
            )
        )
        await work.db.execute(
            insert(Branch).values(
                account_id=actor.account_id,
                id=branch_id,
                session_id=session_id,
                label=TRUNK_LABEL,
                status=BranchStatus.ACTIVE,
                status_changed_at=func.now(),
                status_changed_by=actor.user_id,
                last_position=2,
            )
        )
        common = {
            "account_id": actor.account_id,
            "session_id": session_id,
            "branch_id": branch_id,
        }
        await work.db.execute(
            insert(BranchMessage),
            [
                {
                    **common,
                    "id": message_id,
                    "position": 1,
                    "role": MessageRole.USER,
                    "state": MessageState.COMPLETE,
                    "body": body,
                    "author_id": actor.user_id,
                },
                {
                    **common,
                    "id": reply_id,
                    "position": 2,
                    "role": MessageRole.ASSISTANT,
                    "state": MessageState.PENDING,
                    "body": "",
                    "author_id": None,
                },
            ],
        )
        work.record(SessionStarted(session_id, SessionStatus.ACTIVE, actor.stands_for, team))
        await attach(
            work,
            session_id=session_id,
            branch_id=branch_id,
            message_id=message_id,
            upload_ids=upload_ids,
        )
        work.record(MessageAdded(session_id, branch_id, message_id))
        work.record(MessageAdded(session_id, branch_id, reply_id))
        work.enqueue(enqueue.answer_message(actor.account_id, branch_id, reply_id))
        return await _started(work.db, actor, session_id, reply_id)


async def _started(db: AsyncConnection, actor: Actor, session_id: UUID, reply_id: UUID) -> Started:
    reply = select(BranchMessage).where(
        BranchMessage.account_id == actor.account_id, BranchMessage.id == reply_id
    )
    return Started(await view(db, actor, session_id), (await fetch(db, reply))[0])


async def _team(db: AsyncConnection, actor: Actor, team_id: UUID | None) -> UUID | None:
    """The team asked for, or the one of whom the session is assigned to."""
    if team_id is None:
        own = select(User.team_id).where(
            User.account_id == actor.account_id, User.id == actor.stands_for
        )
        return (await db.execute(own)).scalar_one()
    known = select(Team.id).where(Team.account_id == actor.account_id, Team.id == team_id)
    if (await db.execute(known)).first() is None:
        raise NotFound(node_id(Kind.TEAM, team_id))
    return team_id


HELD: Reading[AiSession] = Reading(
    visible_sessions(bindparam("account_id"))
    .where(AiSession.id == bindparam("session_id"))
    .with_for_update(key_share=True)
)


async def lock_session(work: UnitOfWork, actor: Actor, session_id: UUID) -> AiSession:
    """The session as it is, held until the work ends: its tree and handoffs change only under this.

    Whoever has claimed it has shown a sign of life. Raises NotFound.
    """
    session = await HELD.fetch_one(work.db, account_id=actor.account_id, session_id=session_id)
    if session is None:
        raise NotFound(node_id(Kind.SESSION, session_id))
    await renew_lease(work, session)
    return session


async def hold_session(work: UnitOfWork, session_id: UUID) -> AiSession | None:
    """The same for the assistant, which acts for nobody; None where it is gone."""
    return await HELD.fetch_one(work.db, account_id=work.account_id, session_id=session_id)


async def lock_workable(work: UnitOfWork, actor: Actor, session_id: UUID) -> AiSession:
    """For changes of the tree.

    Raises NotFound, PermissionDenied, and InvalidTransition when the session is over.
    """
    session = await lock_session(work, actor, session_id)
    require_write_in(actor, session)
    if session.status not in lifecycle.WORKABLE:
        raise InvalidTransition(
            f"The session is {session.status.name}; reopen it first.",
            source=session.status.name,
            target=SessionStatus.ACTIVE.name,
            allowed=[state.name for state in lifecycle.SESSION[session.status]],
        )
    return session


async def set_status(work: UnitOfWork, session: AiSession, status: SessionStatus) -> None:
    """Moves the session and closes the stretch of time it spent in its old status.

    Nobody holds a session that is not active. The caller has locked it and checked the transition.
    """
    if session.status is SessionStatus.ACTIVE:
        ended = ClaimEnd.HANDED_OFF if status in lifecycle.WORKABLE else ClaimEnd.SESSION_ENDED
        await end_claim(work, session, ended)
    elapsed = func.floor(func.extract("epoch", func.now() - AiSession.status_changed_at))
    clock = "active_seconds" if session.status is SessionStatus.ACTIVE else "parked_seconds"
    counted = (
        {clock: getattr(AiSession, clock) + elapsed} if session.status in lifecycle.WORKABLE else {}
    )
    await work.db.execute(
        update(AiSession)
        .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
        .values(
            status=status,
            status_changed_at=func.now(),
            updated_at=func.now(),
            version=AiSession.version + 1,
            **counted,
        )
    )
    work.record(
        SessionStatusChanged(
            session.id, session.status, status, session.assignee_id, session.team_id
        )
    )


async def set_assignee(
    work: UnitOfWork,
    session: AiSession,
    status: SessionStatus,
    assignee_id: UUID,
    *,
    note: str | None = None,
    action: AuditAction | None = None,
) -> None:
    """`note` is from whoever gives it to them; that of an earlier time goes."""
    await work.db.execute(
        update(AiSession)
        .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
        .values(assignee_id=assignee_id, assignment_note=note, updated_at=func.now())
    )
    changed = SessionUpdated(session.id, status, assignee_id, session.assignee_id, session.team_id)
    work.record(changed, action=action)


def event_seq(actor: Actor) -> ScalarSelect[int]:
    """The account's newest event, in the snapshot of whatever statement it is part of."""
    return newest_event(actor.account_id)


def newest_event(account_id: UUID | BindParameter[UUID]) -> ScalarSelect[int]:
    return select(Account.event_seq).where(Account.id == account_id).scalar_subquery()


def viewed(account_id: UUID | BindParameter[UUID]) -> Select[AiSession, int]:
    """Sessions, each with the account's event sequence as of the same snapshot."""
    return visible_sessions(account_id).add_columns(newest_event(account_id).label("event_seq"))


VIEWED: Reading[Any] = Reading(
    viewed(bindparam("account_id")).where(AiSession.id == bindparam("session_id"))
)


async def view(db: AsyncConnection, actor: Actor, session_id: UUID) -> SessionView:
    """Raises NotFound."""
    row = await VIEWED.fetch_one(db, account_id=actor.account_id, session_id=session_id)
    if row is None:
        raise NotFound(node_id(Kind.SESSION, session_id))
    return _view_of(row)


def _view_of(row: Any) -> SessionView:  # noqa: ANN401 - a row of `viewed`
    return SessionView(row, row.event_seq)


async def by_id(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, SessionView]:
    async with runtime.read(actor) as db:
        rows = (
            await db.execute(viewed(actor.account_id).where(AiSession.id.in_(session_ids)))
        ).all()
    return {row.id: _view_of(row) for row in rows}


async def list_sessions(
    runtime: Runtime, actor: Actor, wanted: SessionFilter, *, first: int, after: str | None
) -> tuple[Page[SessionView], int]:
    """Newest first, with the event sequence as of before. Raises InvalidInput (first, after)."""
    size = page_size("first", first)
    statement = (
        viewed(actor.account_id)
        .where(*conditions(actor, wanted))
        .order_by(AiSession.created_at.desc(), AiSession.id.desc())
        .limit(size + 1)
    )
    if after is not None:
        key = read_cursor("after", after, datetime, UUID)
        statement = statement.where(
            tuple_(AiSession.created_at, AiSession.id) < tuple_(*map(literal, key))
        )
    async with runtime.read(actor) as db:
        seq = (await db.execute(select(event_seq(actor)))).scalar_one()
        rows = (await db.execute(statement)).all()
    views = [_view_of(row) for row in rows]
    return Page(views[:size], len(views) > size, after is not None), seq


def conditions(actor: Actor, wanted: SessionFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        found.append(AiSession.status.in_(wanted.status))
    if wanted.assignee_id is not None:
        found.append(AiSession.assignee_id == wanted.assignee_id)
    if wanted.team_id is not None:
        found.append(AiSession.team_id == wanted.team_id)
    if wanted.search is not None and wanted.search.strip():
        found.append(_matches(actor, wanted.search))
    return found


def _matches(actor: Actor, search: str) -> ColumnElement[bool]:
    """Over intake and summary by index, over findings by session."""
    query = func.websearch_to_tsquery(literal_column("'english'::regconfig"), search)
    in_findings = (
        select(literal(1))
        .where(
            Finding.account_id == actor.account_id,
            Finding.session_id == AiSession.id,
            Finding.withdrawn_at.is_(None),
            func.to_tsvector(literal_column("'english'::regconfig"), Finding.claim).op("@@")(query),
        )
        .exists()
    )
    return or_(SEARCH_DOCUMENT.op("@@")(query), in_findings)


async def event_in_list(
    runtime: Runtime, actor: Actor, wanted: SessionFilter, event: StoredEvent
) -> bool:
    """Whether the event's session is in the list, or was before it: then the list must drop it."""
    now = event.payload
    statuses = {now["status"], now.get("previous_status", now["status"])}
    if wanted.status is not None and statuses.isdisjoint(wanted.status):
        return False
    assignees = {now["assignee_id"], now.get("previous_assignee_id", now["assignee_id"])}
    if wanted.assignee_id is not None and str(wanted.assignee_id) not in assignees:
        return False
    if wanted.team_id is not None and str(wanted.team_id) != now["team_id"]:
        return False
    if wanted.search is None or not wanted.search.strip():
        return True
    statement = visible_sessions(actor.account_id).where(
        AiSession.id == event.session_id, _matches(actor, wanted.search)
    )
    async with runtime.read(actor) as db:
        return (await db.execute(statement)).first() is not None
