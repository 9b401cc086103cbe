"""Mail to people about handoffs: that one waits, and that theirs was claimed.

In the app they are told by events. Mail goes through the account's first SMTP integration that is switched
on; an account without one sends none, and `notificationSent` says so.
"""

import logging
from collections.abc import Sequence
from uuid import UUID, uuid5

from sqlalchemy import Select, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import User
from models.delivery import DeliveryFailure, Destination
from models.handoff import Handoff, HandoffState
from models.integration import Integration
from models.session import AiSession
from services.database import fetch, fetch_one, transaction
from services.deliveries import without_secrets
from services.destinations.email import address_problem
from services.destinations.port import DeliveryFailed, Dispatch, Document
from services.destinations.webhook import instant
from services.enqueue import TryAgain
from services.events import HandoffUpdated
from services.handoff_events import event_of
from services.handoff_notes import document_of
from services.ids import Kind, node_id
from services.integrations import enabled_for
from services.outputs.text import inert
from services.runtime import Runtime
from services.sessions import hold_session

log = logging.getLogger("flowpilot.notifications")

PAUSE = 240.0
"""Seconds before another try, of two: a mail server that restarts is back by then."""

MOST_TOLD = 50
"""People who get one mail."""


async def notify_of_handoff(
    runtime: Runtime, account_id: UUID, handoff_id: UUID, *, last_try: bool
) -> None:
    """The colleagues who could claim it; nobody once it was claimed or cancelled.

    A second run after a lost answer mails again, under the same Message-ID. Raises TryAgain on a fault that
    may pass, unless this is the last try.
    """
    async with transaction(runtime.engine, account_id) as db:
        handoff = await _handoff(db, account_id, handoff_id)
        if handoff is None or handoff.state is not HandoffState.OPEN or handoff.notification_sent:
            return
        integration = await _mail_of(db, account_id)
        to = await _colleagues(db, handoff)
        if integration is None or not to:
            return
        document = await _about(db, handoff)
    if not await _send(runtime, integration, handoff, document, to, last_try=last_try):
        return
    async with runtime.assistant_work(account_id) as work:
        session = await hold_session(work, handoff.session_id)
        if session is None:
            return
        told = (
            update(Handoff)
            .where(
                Handoff.account_id == account_id,
                Handoff.id == handoff_id,
                Handoff.notification_sent.is_(False),
            )
            .values(notification_sent=True)
            .returning(Handoff.id)
        )
        if (await work.db.execute(told)).first() is not None:
            work.record(event_of(HandoffUpdated, session, handoff))


async def notify_of_claim(
    runtime: Runtime, account_id: UUID, handoff_id: UUID, *, last_try: bool
) -> None:
    """Whoever handed off, if somebody else has claimed it. Raises TryAgain as `notify_of_handoff` does."""
    async with transaction(runtime.engine, account_id) as db:
        handoff = await _handoff(db, account_id, handoff_id)
        if handoff is None or handoff.claimed_by in {None, handoff.handed_off_by}:
            return
        integration = await _mail_of(db, account_id)
        to = await _person(db, account_id, handoff.handed_off_by)
        claimer = await _person(db, account_id, handoff.claimed_by)
        if integration is None or not to:
            return
        document = await _about(db, handoff)
    name = claimer[0].display_name if claimer else "Somebody"
    claimed = Document(
        f"Claimed by {name}: {document.title}",
        f"{inert(name)} has claimed what you handed off.\n\n{document.markdown}",
        document.kind,
    )
    await _send(runtime, integration, handoff, claimed, to, last_try=last_try, about="claim")


async def _send(
    runtime: Runtime,
    integration: Integration,
    handoff: Handoff,
    document: Document,
    to: list[User],
    *,
    last_try: bool,
    about: str = "handoff",
) -> bool:
    dispatch = Dispatch(
        uuid5(handoff.id, about),
        without_secrets(document),
        recipients=[person.email for person in to],
        pushed_at=instant(handoff.created_at),
    )
    try:
        await runtime.destinations.of(integration).deliver(dispatch)
    except DeliveryFailed as failure:
        if failure.kind is DeliveryFailure.AMBIGUOUS:
            return True  # it may have arrived, and whoever was told once need not be told again
        if failure.is_retryable and not last_try:
            after = max(PAUSE, failure.retry_after or 0.0)
            raise TryAgain(failure.sentence, after=after) from None
        log.warning("nobody mailed", extra={"handoff": str(handoff.id), "why": failure.sentence})
        async with transaction(runtime.engine, handoff.account_id) as db:
            await db.execute(
                update(Integration)
                .where(
                    Integration.account_id == handoff.account_id,
                    Integration.id == integration.id,
                )
                .values(last_failure=failure.sentence)
            )
        return False
    return True


async def _about(db: AsyncConnection, handoff: Handoff) -> Document:
    """The note of the handoff, which says what and where it is, too."""
    note = await document_of(db, handoff)
    ticket = select(AiSession.psa_ticket_id).where(
        AiSession.account_id == handoff.account_id, AiSession.id == handoff.session_id
    )
    number = (await db.execute(ticket)).scalar_one()
    where = [f"Session: {node_id(Kind.SESSION, handoff.session_id)}"]
    if number:
        where.insert(0, f"Ticket: {inert(number)}")
    problem = handoff.snapshot["problem_summary"]
    title = f"{note.title}: {problem}" if problem else note.title
    return Document(title, "\n\n".join((note.markdown, *where)), note.kind)


async def _handoff(db: AsyncConnection, account_id: UUID, handoff_id: UUID) -> Handoff | None:
    statement = select(Handoff).where(Handoff.account_id == account_id, Handoff.id == handoff_id)
    return await fetch_one(db, statement)


async def _mail_of(db: AsyncConnection, account_id: UUID) -> Integration | None:
    found = await enabled_for(db, account_id, Destination.EMAIL)
    return found[0] if found else None


async def _colleagues(db: AsyncConnection, handoff: Handoff) -> list[User]:
    """Of the session's team, or of the account where it has none; but for who handed off."""
    team = (
        select(AiSession.team_id)
        .where(AiSession.account_id == handoff.account_id, AiSession.id == handoff.session_id)
        .scalar_subquery()
    )
    statement = (
        _active(handoff.account_id)
        .where(User.id != handoff.handed_off_by, or_(team.is_(None), User.team_id == team))
        .order_by(User.display_name, User.id)
        .limit(MOST_TOLD)
    )
    return _mailable(await fetch(db, statement))


async def _person(db: AsyncConnection, account_id: UUID, user_id: UUID) -> list[User]:
    """Empty for one who is not there any more."""
    return _mailable(await fetch(db, _active(account_id).where(User.id == user_id)))


def _active(account_id: UUID) -> Select[User]:
    return select(User).where(
        User.account_id == account_id, User.is_service.is_(False), User.deactivated_at.is_(None)
    )


def _mailable(people: Sequence[User]) -> list[User]:
    return [person for person in people if address_problem(person.email) is None]
