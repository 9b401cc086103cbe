"""Handoffs as notes on the session's ticket: their text, a look at what would be sent, and the push."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import User
from models.delivery import Delivery, DeliveryState, Destination
from models.handoff import Handoff, HandoffIntent, HandoffPriority
from models.session import AiSession
from services import deliveries
from services.access import Actor, require_write_in
from services.database import fetch_one
from services.deliveries import Consignment, Source, queue_delivery, without_secrets
from services.destinations.port import DeliveryFailed, Dispatch, Document, DocumentKind, Plan
from services.errors import InvalidTransition, NotFound
from services.held_handoffs import lock_handoff
from services.ids import Kind, new_id, node_id
from services.integrations import unavailable
from services.outputs.text import inert
from services.runtime import Runtime
from services.tickets import ticket_of
from services.unit_of_work import UnitOfWork

PREVIEWED = UUID(int=0)
"""Stands in a preview for the id that the delivery gets when it is made."""

MOST_BRANCHES = 50
"""That a note tells of."""


@dataclass(frozen=True, slots=True)
class Pushed:
    handoff: Handoff
    delivery: Delivery


async def push_handoff(
    runtime: Runtime, actor: Actor, *, key: UUID, handoff_id: UUID, is_client_visible: bool
) -> Pushed:
    """Raises InvalidInput (no ticket, or its integration is off), NotFound, PermissionDenied, and
    InvalidTransition while another note of this handoff is on its way.
    """
    delivery_id = new_id()
    content = {"handoff": str(handoff_id), "visible": is_client_visible}
    async with runtime.work(actor) as work:
        made = await work.once("pushHandoff", key, content, {"delivery": str(delivery_id)})
        if made is not None:
            return await _pushed(work.db, actor, handoff_id, UUID(made["delivery"]))
        session, handoff = await lock_handoff(work, actor, handoff_id)
        require_write_in(actor, session)
        integration, ticket_id = await ticket_of(work.db, actor, session, "handoffId")
        await _require_none_under_way(work, handoff)
        await queue_delivery(
            work,
            session,
            delivery_id,
            Consignment(
                Source(handoff_id=handoff_id),
                Destination.PSA,
                await document_of(work.db, handoff),
                integration_id=integration.id,
                is_client_visible=is_client_visible,
                ticket_id=ticket_id,
            ),
        )
        return await _pushed(work.db, actor, handoff_id, delivery_id)


async def plan_handoff_note(
    runtime: Runtime, actor: Actor, *, handoff_id: UUID, is_client_visible: bool
) -> Plan:
    """What `push_handoff` would send, to the letter but for the delivery's id.

    Raises NotFound, InvalidInput and ServiceUnavailable.
    """
    async with runtime.read(actor) as db:
        handoff = await _handoff(db, actor, handoff_id)
        statement = select(AiSession).where(
            AiSession.account_id == actor.account_id, AiSession.id == handoff.session_id
        )
        session = await fetch_one(db, statement)
        if session is None:
            raise NotFound(node_id(Kind.HANDOFF, handoff_id))
        integration, ticket_id = await ticket_of(db, actor, session, "handoffId")
        document = await document_of(db, handoff)
    dispatch = Dispatch(
        PREVIEWED,
        without_secrets(document),
        is_client_visible=is_client_visible,
        ticket_id=ticket_id,
    )
    try:
        return await runtime.destinations.of(integration).plan(dispatch)
    except DeliveryFailed as failure:
        raise unavailable(integration, failure) from None


async def _require_none_under_way(work: UnitOfWork, handoff: Handoff) -> None:
    under_way = select(Delivery.state).where(
        Delivery.account_id == work.account_id,
        Delivery.handoff_id == handoff.id,
        Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.SENDING)),
    )
    state = (await work.db.execute(under_way.limit(1))).scalar_one_or_none()
    if state is not None:
        raise InvalidTransition(
            "A note of this handoff is on its way already.",
            source=state.name,
            target=DeliveryState.QUEUED.name,
            allowed=[],
        )


async def _handoff(db: AsyncConnection, actor: Actor, handoff_id: UUID) -> Handoff:
    """Raises NotFound."""
    statement = select(Handoff).where(
        Handoff.account_id == actor.account_id, Handoff.id == handoff_id
    )
    handoff = await fetch_one(db, statement)
    if handoff is None:
        raise NotFound(node_id(Kind.HANDOFF, handoff_id))
    return handoff


async def _pushed(db: AsyncConnection, actor: Actor, handoff_id: UUID, delivery_id: UUID) -> Pushed:
    delivery = await deliveries.one(db, actor.account_id, delivery_id)
    return Pushed(await _handoff(db, actor, handoff_id), delivery)


# ------------------------------------------------------------------ the text


async def document_of(db: AsyncConnection, handoff: Handoff) -> Document:
    name = select(User.display_name).where(
        User.account_id == handoff.account_id, User.id == handoff.handed_off_by
    )
    person = (await db.execute(name)).scalar_one()
    done = "Escalated" if handoff.intent is HandoffIntent.ESCALATE else "Parked"
    title = f"{done} by {person}"
    return Document(
        title, "\n\n".join([f"**{title}**", *_paragraphs(handoff)]), DocumentKind.HANDOFF_NOTE
    )


def _paragraphs(handoff: Handoff) -> Iterator[str]:
    """From the assessment where there is one, else from the tree of the snapshot."""
    snapshot, assessment = handoff.snapshot, handoff.assessment
    if handoff.priority is HandoffPriority.ELEVATED:
        yield "Priority: elevated"
    if snapshot["problem_summary"]:
        yield f"Problem: {inert(snapshot['problem_summary'])}"
    if handoff.engineer_notes:
        yield f"Notes: {inert(handoff.engineer_notes)}"
    for name, text in (
        ("Next step", snapshot["next_step"]),
        ("Waiting on", snapshot["waiting_on"]),
    ):
        if text:
            yield f"{name}: {inert(text)}"
    if snapshot["watch_out"]:
        yield _listed("Watch out", snapshot["watch_out"])
    if assessment:
        yield f"Likely cause ({assessment['confidence']} confidence): {inert(assessment['likely_cause'])}"
        yield inert(assessment["text"])
        if assessment["suggested_steps"]:
            yield _listed("Suggested steps", assessment["suggested_steps"])
    elif tried := [_branch(each) for each in snapshot["branch_map"] if each["parent_branch_id"]]:
        yield _listed("Hypotheses", tried[:MOST_BRANCHES])


def _listed(name: str, items: list[str]) -> str:
    return "\n".join([f"{name}:", "", *(f"- {inert(item)}" for item in items)])


def _branch(stored: dict[str, str | None]) -> str:
    status = (stored["status"] or "").replace("_", " ")
    reason = f": {stored['status_reason']}" if stored["status_reason"] else ""
    return f"{stored['label']} ({status}){reason}"
