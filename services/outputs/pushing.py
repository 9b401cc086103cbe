"""Documents on their way out: only approved ones, each with a line in the ledger.

Systems outside are reached by a job (services.delivering). The account's own library is part of the
database, so an article is there when the push commits; the clipboard only takes down who took what.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.audit import AuditAction
from models.delivery import Delivery, DeliveryAttempt, DeliveryState, Destination
from models.integration import Integration
from models.knowledge import KbArticle
from models.output import ResolutionOutput, ResolutionOutputStatus, ResolutionOutputType
from models.session import AiSession
from services import deliveries
from services.access import Actor
from services.database import fetch_one
from services.deliveries import Consignment, Source, enter_delivery, queue_delivery, without_secrets
from services.destinations.email import address_problem
from services.destinations.port import (
    ArticleParts,
    DeliveryFailed,
    Dispatch,
    Document,
    DocumentKind,
    Plan,
)
from services.destinations.webhook import instant
from services.errors import FieldProblem, InvalidInput, InvalidTransition, NotFound
from services.events import ResolutionOutputChanged
from services.ids import Kind, new_id, node_id, parse_node_id
from services.integrations import all_for, unavailable, usable
from services.outputs.reading import content_of, one
from services.outputs.review import lock_output
from services.outputs.text import article_parts, without_title
from services.runtime import Runtime
from services.tickets import ticket_of
from services.unit_of_work import UnitOfWork
from services.validation import Validation

PREVIEWED = UUID(int=0)
"""Stands in a preview for the id that the delivery gets when it is made."""

MOST_RECIPIENTS = 20

PUSHABLE = (ResolutionOutputStatus.APPROVED, ResolutionOutputStatus.PUSHED)
"""What was pushed is what was approved, so it may go elsewhere, too."""

ARTICLES_ONLY = frozenset({Destination.KB_LIBRARY, Destination.HUDU, Destination.IT_GLUE})

INSIDE = frozenset({Destination.KB_LIBRARY, Destination.CLIPBOARD})
"""No system outside is asked."""

KINDS: Mapping[ResolutionOutputType, tuple[DocumentKind, str]] = {
    ResolutionOutputType.PSA_TICKET_NOTES: (DocumentKind.TICKET_NOTES, "Resolution"),
    ResolutionOutputType.KNOWLEDGE_BASE: (DocumentKind.ARTICLE, "Article"),
    ResolutionOutputType.CLIENT_SUMMARY: (DocumentKind.CLIENT_SUMMARY, "What was done"),
}
"""And how one without a title is called."""

SEEN_BY = {
    Destination.KB_LIBRARY: "Everybody of your account, in its library.",
    Destination.CLIPBOARD: "Whoever you show it to.",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where an output is to go, as somebody asked for it."""

    destination: Destination
    integration_id: UUID | None = None
    recipients: Sequence[str] = ()
    is_client_visible: bool = False


@dataclass(frozen=True, slots=True)
class Pushed:
    output: ResolutionOutput
    delivery: Delivery


async def push_output(
    runtime: Runtime,
    actor: Actor,
    *,
    key: UUID,
    output_id: UUID,
    address: Address,
    expected_version: int,
) -> Pushed:
    """Raises InvalidInput, NotFound, PermissionDenied, StaleVersion, ServiceUnavailable (its credentials
    cannot be read), and InvalidTransition for what is not approved, or is on its way there already.
    """
    address = _checked(address)
    delivery_id = new_id()
    content = {
        "output": str(output_id),
        "destination": address.destination,
        "integration": str(address.integration_id),
        "to": list(address.recipients),
        "visible": address.is_client_visible,
        "version": expected_version,
    }
    async with runtime.work(actor) as work:
        made = await work.once("pushResolutionOutput", key, content, {"delivery": str(delivery_id)})
        if made is not None:
            return await _pushed(work.db, actor, output_id, UUID(made["delivery"]))
        session, output = await lock_output(work, actor, output_id, expected_version)
        _require_pushable(output, address.destination)
        consignment, integration = await _consignment(work.db, actor, session, output, address)
        if integration is not None:
            await _require_none_under_way(work, consignment)
            _require_readable(runtime, integration)
            await queue_delivery(work, session, delivery_id, consignment)
        elif address.destination is Destination.CLIPBOARD:
            await enter_delivery(work, session, delivery_id, consignment, DeliveryState.TAKEN)
        else:
            await _shelve(work, session, delivery_id, consignment)
            await mark_pushed(work, await deliveries.one(work.db, actor.account_id, delivery_id))
        return await _pushed(work.db, actor, output_id, delivery_id)


async def plan_push(runtime: Runtime, actor: Actor, *, output_id: UUID, address: Address) -> Plan:
    """What `push_output` would send, to the letter but for the delivery's id; of a draft, too.

    Raises NotFound, InvalidInput and ServiceUnavailable.
    """
    address = _checked(address)
    async with runtime.read(actor) as db:
        output = await one(db, actor.account_id, output_id)
        statement = select(AiSession).where(
            AiSession.account_id == actor.account_id, AiSession.id == output.session_id
        )
        session = await fetch_one(db, statement)
        if session is None:
            raise NotFound(node_id(Kind.OUTPUT, output_id))
        consignment, integration = await _consignment(db, actor, session, output, address)
    if integration is None:
        return Plan((), SEEN_BY[address.destination])
    dispatch = Dispatch(
        PREVIEWED,
        without_secrets(consignment.document),
        is_client_visible=consignment.is_client_visible,
        ticket_id=consignment.ticket_id,
        recipients=consignment.recipients,
        about=deliveries.about(session.id, None, output.id),
        pushed_at=instant(datetime.now(UTC)),
    )
    try:
        return await runtime.destinations.of(integration).plan(dispatch)
    except DeliveryFailed as failure:
        raise unavailable(integration, failure) from None


async def mark_pushed(work: UnitOfWork, delivery: Delivery) -> None:
    """Once it has arrived, unless somebody has changed it since."""
    pushed = (
        update(ResolutionOutput)
        .where(
            ResolutionOutput.account_id == work.account_id,
            ResolutionOutput.id == delivery.output_id,
            ResolutionOutput.version == delivery.output_version,
            ResolutionOutput.status == ResolutionOutputStatus.APPROVED,
        )
        .values(status=ResolutionOutputStatus.PUSHED, updated_at=func.now())
        .returning(ResolutionOutput.id)
    )
    if (await work.db.execute(pushed)).first() is not None and delivery.output_id is not None:
        work.record(
            ResolutionOutputChanged(delivery.session_id, delivery.output_id),
            action=AuditAction.OUTPUT_PUSHED,
        )


# ------------------------------------------------------------------ what may go where


def _checked(address: Address) -> Address:
    check = Validation()
    recipients = list(address.recipients)
    if address.destination is Destination.EMAIL:
        check.count(("to",), recipients, 1, MOST_RECIPIENTS)
        recipients = [text.strip() for text in recipients[:MOST_RECIPIENTS]]
        for place, text in enumerate(recipients):
            problem = address_problem(text)
            if problem:
                check.add(("to", str(place)), problem)
    elif recipients:
        check.add(("to",), "Only EMAIL has recipients.")
    if address.is_client_visible and address.destination is not Destination.PSA:
        check.add(("clientVisible",), "Only PSA asks for it.")
    if address.integration_id is not None and address.destination in INSIDE:
        check.add(("integrationId",), "No integration is needed for it.")
    check.done()
    unique = tuple(dict.fromkeys(recipients))
    return Address(address.destination, address.integration_id, unique, address.is_client_visible)


def _require_pushable(output: ResolutionOutput, destination: Destination) -> None:
    if destination is Destination.CLIPBOARD or output.status in PUSHABLE:
        return
    raise InvalidTransition(
        f"The document is {output.status.name}; only what is approved is pushed.",
        source=output.status.name,
        target=ResolutionOutputStatus.PUSHED.name,
        allowed=[status.name for status in PUSHABLE],
    )


async def _consignment(
    db: AsyncConnection,
    actor: Actor,
    session: AiSession,
    output: ResolutionOutput,
    address: Address,
) -> tuple[Consignment, Integration | None]:
    """And the system outside it goes to. Raises InvalidInput and NotFound."""
    document = document_of(output)
    if address.destination in ARTICLES_ONLY and document.kind is not DocumentKind.ARTICLE:
        raise InvalidInput([FieldProblem(("destination",), "Only articles go there.")])
    integration: Integration | None = None
    ticket_id: str | None = None
    if address.destination is Destination.PSA:
        if address.integration_id is not None:
            await usable(db, actor, address.integration_id)
        integration, ticket_id = await ticket_of(db, actor, session, "destination")
        if address.integration_id not in {None, integration.id}:
            problem = "The session's ticket is in another system."
            raise InvalidInput([FieldProblem(("integrationId",), problem)])
    elif address.destination not in INSIDE:
        integration = await _integration(db, actor, address)
    consignment = Consignment(
        Source(output_id=output.id, output_version=output.version),
        address.destination,
        document,
        integration_id=None if integration is None else integration.id,
        is_client_visible=address.is_client_visible,
        ticket_id=ticket_id,
        recipients=address.recipients,
    )
    return consignment, integration


async def _integration(db: AsyncConnection, actor: Actor, address: Address) -> Integration:
    """The one that was named, or the only one there is."""
    there = await all_for(db, actor, address.destination)
    if address.integration_id is not None:
        integration = await usable(db, actor, address.integration_id)
        if integration.id not in {each.id for each in there}:
            problem = f"It does not lead to {address.destination.name}."
            raise InvalidInput([FieldProblem(("integrationId",), problem)])
        return integration
    if len(there) != 1:
        problem = "Name one: the account has several." if there else "The account has none."
        raise InvalidInput([FieldProblem(("integrationId",), problem)])
    return there[0]


def _require_readable(runtime: Runtime, integration: Integration) -> None:
    try:
        runtime.destinations.of(integration)
    except DeliveryFailed as failure:
        raise unavailable(integration, failure) from None


async def _require_none_under_way(work: UnitOfWork, consignment: Consignment) -> None:
    under_way = select(Delivery.state).where(
        Delivery.account_id == work.account_id,
        Delivery.output_id == consignment.source.output_id,
        Delivery.integration_id == consignment.integration_id,
        Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.SENDING)),
    )
    state = (await work.db.execute(under_way.limit(1))).scalar_one_or_none()
    if state is not None:
        raise InvalidTransition(
            "It is on its way there already.",
            source=state.name,
            target=DeliveryState.QUEUED.name,
            allowed=[],
        )


def document_of(output: ResolutionOutput) -> Document:
    """Raises InvalidTransition where there is no text."""
    content = content_of(output)
    if content is None:
        raise InvalidTransition(
            "The document has no text yet.",
            source=output.status.name,
            target=ResolutionOutputStatus.PUSHED.name,
            allowed=[status.name for status in PUSHABLE],
        )
    kind, name = KINDS[output.output_type]
    if kind is not DocumentKind.ARTICLE:
        return Document(name, content, kind)
    parts = article_parts(content)
    stored = output.structured_data or {}
    return Document(
        parts.title or stored.get("title") or name,
        without_title(content),
        kind,
        ArticleParts(
            parts.symptoms,
            parts.root_cause,
            parts.steps,
            parts.rule_out_first,
            stored.get("tags", ()),
        ),
    )


# ------------------------------------------------------------------ the library


async def _shelve(
    work: UnitOfWork, session: AiSession, delivery_id: UUID, consignment: Consignment
) -> None:
    """The article that an earlier push of this output made is brought up to date, if it is still there."""
    document = without_secrets(consignment.document)
    parts = document.parts or ArticleParts()
    columns = {
        "title": document.title[:300],
        "body": document.markdown,
        "content": {
            "symptoms": list(parts.symptoms),
            "root_cause": parts.root_cause,
            "steps": list(parts.steps),
            "rule_out_first": list(parts.rule_out_first),
            "tags": list(parts.tags),
        },
    }
    article_id = await _shelved_before(work, consignment)
    if article_id is None:
        article_id = new_id()
        await work.db.execute(
            insert(KbArticle).values(
                account_id=work.account_id,
                id=article_id,
                source_session_id=session.id,
                **columns,
            )
        )
    else:
        await work.db.execute(
            update(KbArticle)
            .where(KbArticle.account_id == work.account_id, KbArticle.id == article_id)
            .values(updated_at=func.now(), **columns)
        )
    await enter_delivery(
        work,
        session,
        delivery_id,
        consignment,
        DeliveryState.DELIVERED,
        reference=node_id(Kind.KB_ARTICLE, article_id),
        delivered_at=func.now(),
    )
    await work.db.execute(
        insert(DeliveryAttempt).values(
            account_id=work.account_id, delivery_id=delivery_id, attempt=1, succeeded=True
        )
    )


async def _shelved_before(work: UnitOfWork, consignment: Consignment) -> UUID | None:
    last = (
        select(Delivery.reference)
        .where(
            Delivery.account_id == work.account_id,
            Delivery.output_id == consignment.source.output_id,
            Delivery.destination == Destination.KB_LIBRARY,
        )
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    reference = (await work.db.execute(last)).scalar_one_or_none()
    if reference is None:
        return None
    _, article_id = parse_node_id(reference)
    there = select(KbArticle.id).where(
        KbArticle.account_id == work.account_id, KbArticle.id == article_id
    )
    found: UUID | None = (await work.db.execute(there)).scalar_one_or_none()
    return found


# ------------------------------------------------------------------ reads


async def _pushed(db: AsyncConnection, actor: Actor, output_id: UUID, delivery_id: UUID) -> Pushed:
    delivery = await deliveries.one(db, actor.account_id, delivery_id)
    return Pushed(await one(db, actor.account_id, output_id), delivery)
