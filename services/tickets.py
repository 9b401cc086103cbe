"""Tickets of the ticket systems that an account is connected to, as read from there."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.delivery import DeliveryFailure, Destination
from models.integration import Integration
from models.session import AiSession
from services.access import Actor
from services.destinations.port import DeliveryFailed, Ticket
from services.destinations.providers import PROVIDERS
from services.errors import FieldProblem, InvalidInput, NotFound
from services.integrations import unavailable, usable
from services.runtime import Runtime

LONGEST_INTAKE = 20_000


def require_ticket_system(integration: Integration) -> None:
    """Raises InvalidInput."""
    provider = PROVIDERS[integration.provider]
    if provider.destination is not Destination.PSA:
        problem = f"{provider.name} is no ticket system."
        raise InvalidInput([FieldProblem(("integrationId",), problem)])


async def ticket_of(
    db: AsyncConnection, actor: Actor, session: AiSession, named: str
) -> tuple[Integration, str]:
    """Where its session's ticket is, and its id there. Raises InvalidInput, for the argument `named`."""
    if session.integration_id is None or session.psa_ticket_id is None:
        problem = "Its session is linked to no ticket; `linkTicket` does that."
        raise InvalidInput([FieldProblem((named,), problem)])
    try:
        integration = await usable(db, actor, session.integration_id)
    except NotFound:
        problem = "The integration of its session's ticket was removed; link it anew."
        raise InvalidInput([FieldProblem((named,), problem)]) from None
    require_ticket_system(integration)
    return integration, session.psa_ticket_id


async def read_ticket(
    runtime: Runtime, actor: Actor, integration_id: UUID, ticket_id: str
) -> Ticket:
    """Calls the ticket system, so never within a unit of work.

    Raises NotFound (integration), InvalidInput (ticket, or no ticket system) and ServiceUnavailable.
    """
    async with runtime.read(actor) as db:
        integration = await usable(db, actor, integration_id)
    require_ticket_system(integration)
    try:
        return await runtime.destinations.tickets_of(integration).read_ticket(ticket_id)
    except DeliveryFailed as failure:
        if failure.kind is DeliveryFailure.NOT_FOUND:
            problem = f"{PROVIDERS[integration.provider].name} has no such ticket."
            raise InvalidInput([FieldProblem(("psaTicketId",), problem)]) from None
        raise unavailable(integration, failure) from None


def as_intake(written: str, ticket: Ticket) -> str:
    """What a person wrote stands before what the ticket says; at most 20,000 characters of both."""
    parts = (part.strip() for part in (written, ticket.title, ticket.text))
    whole = "\n\n".join(part for part in parts if part)
    return whole.replace("\0", "")[:LONGEST_INTAKE]
