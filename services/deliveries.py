"""The ledger of what was sent where: queueing, trying again, reading. services.delivering sends."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from models.delivery import (
    Delivery,
    DeliveryAttempt,
    DeliveryGuarantee,
    DeliveryState,
    Destination,
)
from models.session import AiSession
from services import enqueue, lifecycle
from services.access import Actor, require_write_in
from services.ai.redaction import Redactor
from services.database import fetch, fetch_one
from services.destinations.port import ArticleParts, Dispatch, Document, DocumentKind
from services.destinations.webhook import instant
from services.errors import NotFound
from services.events import DeliveryChanged
from services.ids import Kind, node_id
from services.runtime import Runtime
from services.sessions import lock_session
from services.unit_of_work import UnitOfWork

SHOWN = 100
"""Deliveries of one handoff or output, and attempts of one delivery, that are read at a time."""

GUARANTEES = {
    Destination.PSA: DeliveryGuarantee.EXACTLY_ONCE,
    Destination.KB_LIBRARY: DeliveryGuarantee.EXACTLY_ONCE,
    Destination.HUDU: DeliveryGuarantee.AT_LEAST_ONCE,
    Destination.IT_GLUE: DeliveryGuarantee.AT_LEAST_ONCE,
    Destination.CLIPBOARD: DeliveryGuarantee.NONE,
    Destination.EMAIL: DeliveryGuarantee.AT_LEAST_ONCE,
    Destination.WEBHOOK: DeliveryGuarantee.AT_LEAST_ONCE,
}


@dataclass(frozen=True, slots=True)
class Source:
    """What a delivery delivers: a handoff, or one text of an output."""

    handoff_id: UUID | None = None
    output_id: UUID | None = None
    output_version: int | None = None


@dataclass(frozen=True, slots=True)
class Consignment:
    """What goes where, and who may see it there."""

    source: Source
    destination: Destination
    document: Document
    integration_id: UUID | None = None
    is_client_visible: bool = False
    ticket_id: str | None = None
    recipients: Sequence[str] = ()


async def queue_delivery(
    work: UnitOfWork, session: AiSession, delivery_id: UUID, consignment: Consignment
) -> None:
    """Within a push, which has locked the session and seen that it may."""
    await enter_delivery(work, session, delivery_id, consignment, DeliveryState.QUEUED)
    work.enqueue(enqueue.deliver(work.account_id, delivery_id))


async def enter_delivery(
    work: UnitOfWork,
    session: AiSession,
    delivery_id: UUID,
    consignment: Consignment,
    state: DeliveryState,
    **values: object,
) -> None:
    """In the ledger; its document as it is now, without secrets."""
    source = consignment.source
    await work.db.execute(
        insert(Delivery).values(
            account_id=work.account_id,
            id=delivery_id,
            session_id=session.id,
            handoff_id=source.handoff_id,
            output_id=source.output_id,
            output_version=source.output_version,
            integration_id=consignment.integration_id,
            destination=consignment.destination,
            state=state,
            document=asdict(without_secrets(consignment.document)),
            is_client_visible=consignment.is_client_visible,
            ticket_id=consignment.ticket_id,
            recipients=list(consignment.recipients),
            created_by=work.user_id,
            **values,
        )
    )
    work.record(DeliveryChanged(session.id, delivery_id, None, state))


async def retry_delivery(runtime: Runtime, actor: Actor, delivery_id: UUID) -> Delivery:
    """A delivery that failed is queued again, as it is. Raises NotFound, PermissionDenied and
    InvalidTransition.
    """
    async with runtime.work(actor) as work:
        delivery = await one(work.db, actor.account_id, delivery_id)
        session = await lock_session(work, actor, delivery.session_id)
        require_write_in(actor, session)
        delivery = await lock(work, delivery_id)
        lifecycle.require_transition(
            lifecycle.DELIVERY,
            delivery.state,
            DeliveryState.QUEUED,
            f"The delivery is {delivery.state.name}.",
        )
        await move(work, delivery, DeliveryState.QUEUED, tries=0, next_try_at=None)
        work.enqueue(enqueue.deliver(work.account_id, delivery_id))
        return await one(work.db, actor.account_id, delivery_id)


def without_secrets(document: Document) -> Document:
    redactor = Redactor()
    parts = document.parts
    return replace(
        document,
        title=redactor.redact(document.title),
        markdown=redactor.redact(document.markdown),
        parts=parts
        and ArticleParts(
            symptoms=[redactor.redact(text) for text in parts.symptoms],
            root_cause=parts.root_cause and redactor.redact(parts.root_cause),
            steps=[redactor.redact(text) for text in parts.steps],
            rule_out_first=[redactor.redact(text) for text in parts.rule_out_first],
            tags=list(parts.tags),
        ),
    )


def dispatch_of(delivery: Delivery) -> Dispatch:
    return Dispatch(
        delivery.id,
        _document(delivery.document),
        is_client_visible=delivery.is_client_visible,
        ticket_id=delivery.ticket_id,
        recipients=delivery.recipients,
        about=about(delivery.session_id, delivery.handoff_id, delivery.output_id),
        pushed_at=instant(delivery.created_at),
    )


def about(session_id: UUID, handoff_id: UUID | None, output_id: UUID | None) -> dict[str, str]:
    ids = (
        ("sessionId", Kind.SESSION, session_id),
        ("handoffId", Kind.HANDOFF, handoff_id),
        ("outputId", Kind.OUTPUT, output_id),
    )
    return {name: node_id(kind, key) for name, kind, key in ids if key is not None}


def _document(stored: dict[str, Any]) -> Document:
    parts = stored.get("parts")
    return Document(
        stored["title"],
        stored["markdown"],
        DocumentKind(stored["kind"]),
        None if parts is None else ArticleParts(**parts),
    )


async def lock(work: UnitOfWork, delivery_id: UUID) -> Delivery:
    """As it is now, held until the work ends. Raises NotFound."""
    return await _required(
        work.db, _of_account(work.account_id, delivery_id).with_for_update(), delivery_id
    )


async def move(
    work: UnitOfWork, delivery: Delivery, state: DeliveryState, **values: object
) -> None:
    """The caller has locked it and checked the transition."""
    await work.db.execute(
        update(Delivery)
        .where(Delivery.account_id == work.account_id, Delivery.id == delivery.id)
        .values(state=state, **values)
    )
    work.record(DeliveryChanged(delivery.session_id, delivery.id, delivery.state, state))


# ------------------------------------------------------------------ reads


def _of_account(account_id: UUID, delivery_id: UUID) -> Select[Delivery]:
    return select(Delivery).where(Delivery.account_id == account_id, Delivery.id == delivery_id)


async def one(db: AsyncConnection, account_id: UUID, delivery_id: UUID) -> Delivery:
    """Raises NotFound."""
    return await _required(db, _of_account(account_id, delivery_id), delivery_id)


async def _required(
    db: AsyncConnection, statement: Select[Delivery], delivery_id: UUID
) -> Delivery:
    delivery = await fetch_one(db, statement)
    if delivery is None:
        raise NotFound(node_id(Kind.DELIVERY, delivery_id))
    return delivery


async def by_id(
    runtime: Runtime, actor: Actor, delivery_ids: Sequence[UUID]
) -> dict[UUID, Delivery]:
    statement = select(Delivery).where(
        Delivery.account_id == actor.account_id, Delivery.id.in_(delivery_ids)
    )
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}


async def by_handoff(
    runtime: Runtime, actor: Actor, handoff_ids: Sequence[UUID]
) -> dict[UUID, list[Delivery]]:
    """Newest first, at most 100 of each."""
    return await _grouped(runtime, actor, Delivery.handoff_id, handoff_ids)


async def by_output(
    runtime: Runtime, actor: Actor, output_ids: Sequence[UUID]
) -> dict[UUID, list[Delivery]]:
    """Newest first, at most 100 of each."""
    return await _grouped(runtime, actor, Delivery.output_id, output_ids)


async def _grouped(
    runtime: Runtime,
    actor: Actor,
    source: InstrumentedAttribute[UUID | None],
    keys: Sequence[UUID],
) -> dict[UUID, list[Delivery]]:
    place = func.row_number().over(partition_by=source, order_by=Delivery.id.desc()).label("place")
    placed = (
        select(Delivery.id, place)
        .where(Delivery.account_id == actor.account_id, source.in_(keys))
        .subquery()
    )
    statement = (
        select(Delivery)
        .join(placed, Delivery.id == placed.c.id)
        .where(Delivery.account_id == actor.account_id, placed.c.place <= SHOWN)
        .order_by(placed.c.place)
    )
    found: defaultdict[UUID, list[Delivery]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[getattr(row, source.key)].append(row)
    return found


async def attempts_by_delivery(
    runtime: Runtime, actor: Actor, delivery_ids: Sequence[UUID]
) -> dict[UUID, list[DeliveryAttempt]]:
    """Oldest first, the latest 100 of each."""
    latest = (
        select(DeliveryAttempt.delivery_id, func.max(DeliveryAttempt.attempt).label("last"))
        .where(
            DeliveryAttempt.account_id == actor.account_id,
            DeliveryAttempt.delivery_id.in_(delivery_ids),
        )
        .group_by(DeliveryAttempt.delivery_id)
        .subquery()
    )
    statement = (
        select(DeliveryAttempt)
        .join(latest, DeliveryAttempt.delivery_id == latest.c.delivery_id)
        .where(
            DeliveryAttempt.account_id == actor.account_id,
            DeliveryAttempt.attempt > latest.c.last - SHOWN,
        )
        .order_by(DeliveryAttempt.attempt)
    )
    found: defaultdict[UUID, list[DeliveryAttempt]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[row.delivery_id].append(row)
    return found
