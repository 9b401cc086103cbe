"""A thousand notes to each ticket system, of which one in twenty is lost on its way or back, and one in ten
asked to come again in a second: each must be there once. Beside it the stand-in's own ceiling.

`python -m benchmarks.deliveries [notes]`
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from benchmarks.report import finish, table
from benchmarks.stage import Stage, fresh_key, plant_tree, stage
from models.delivery import Delivery, DeliveryState, Destination
from models.handoff import HandoffIntent, HandoffPriority
from models.integration import Integration, IntegrationProvider
from services.deliveries import Consignment, Source, queue_delivery
from services.destinations.port import Dispatch, Document, DocumentKind
from services.handoffs import Notes, hand_off_session
from services.ids import new_id
from services.integrations import IntegrationDetails, save_integration
from services.jobs import worker
from services.sessions import lock_session
from tests.fakes.far_ends import autotask, connectwise, halopsa
from tests.fakes.far_ends.behaviour import HangUp, Status
from tests.fakes.far_ends.serving import FarEnds, serving

NOTES = 1_000
AT_ONCE = 8
NOTE = Document("Mail is back", "It was the quota. " * 40, DocumentKind.HANDOFF_NOTE)

LOGINS: dict[IntegrationProvider, dict[str, str | None]] = {
    IntegrationProvider.CONNECTWISE: {
        "company_id": connectwise.COMPANY,
        "client_id": connectwise.CLIENT,
        "public_key": connectwise.PUBLIC,
        "private_key": connectwise.PRIVATE,
    },
    IntegrationProvider.HALOPSA: {
        "client_id": halopsa.CLIENT,
        "client_secret": halopsa.SECRET,
        "tenant": "first",
    },
    IntegrationProvider.AUTOTASK: {
        "user_name": autotask.USER,
        "secret": autotask.SECRET,
        "integration_code": autotask.CODE,
    },
}


@dataclass(frozen=True)
class Measured:
    seconds: float
    ceiling: float
    """Seconds for as many notes without faults, sent by nothing but the destination."""
    once: int
    tries: int


async def run(notes: int) -> int:
    rows: list[Sequence[object]] = []
    ratios: dict[str, float] = {}
    async with serving(FarEnds()) as far_ends, stage() as place:
        session_id, handoff_id = await _handed_off(place)
        for provider in LOGINS:
            found = await measure(place, far_ends, provider, session_id, handoff_id, notes)
            rows.append(
                [
                    provider.name,
                    notes / found.seconds,
                    notes / found.ceiling,
                    found.tries,
                    found.once,
                ]
            )
            ratios[f"{provider.value}_not_once"] = float(notes - found.once)
            ratios[f"{provider.value}_of_ceiling"] = found.seconds / found.ceiling
    table(
        f"{notes:,} notes, 5 % lost, 10 % put off for a second",
        ["", "notes/s", "ceiling/s", "tries", "there once"],
        rows,
    )
    return finish("deliveries", ratios, {f"{each.value}_not_once": 0.0 for each in LOGINS})


async def _handed_off(place: Stage) -> tuple[UUID, UUID]:
    session_id = await plant_tree(place, 1, 1)
    done = await hand_off_session(
        place.runtime,
        place.actor,
        key=fresh_key(),
        session_id=session_id,
        intent=HandoffIntent.PARK,
        priority=HandoffPriority.NORMAL,
        notes=Notes(None, None, None, ()),
    )
    return session_id, done.handoff.id


async def measure(
    place: Stage,
    far_ends: FarEnds,
    provider: IntegrationProvider,
    session_id: UUID,
    handoff_id: UUID,
    notes: int,
) -> Measured:
    integration = await save_integration(
        place.runtime,
        place.actor,
        IntegrationDetails(
            provider.name, f"{far_ends.url}/{provider.value}", None, provider, LOGINS[provider]
        ),
        key=fresh_key(),
        integration_id=None,
        expected_version=None,
    )
    far_end = getattr(far_ends, provider.value)
    ceiling = await _ceiling(place, integration, [far_end.new_ticket() for _ in range(notes)])
    tickets = [far_end.new_ticket() for _ in range(notes)]
    for number, ticket in enumerate(tickets):
        if number % 20 == 0:
            far_end.script.add(ticket, HangUp(stores=number % 40 == 0))
        elif number % 10 == 1:
            far_end.script.add(ticket, Status(429, {}, {"Retry-After": "1"}))
    await _queue(place, integration, session_id, handoff_id, tickets)
    began = time.monotonic()
    async with worker(place.url, place.runtime, concurrency=AT_ONCE, grace=10.0):
        await _until_delivered(place, integration, notes)
    seconds = time.monotonic() - began
    once = sum(len(far_end.told(ticket)) == 1 for ticket in tickets)
    return Measured(seconds, ceiling, once, await _tries(place, integration))


async def _ceiling(place: Stage, integration: Integration, tickets: Sequence[str]) -> float:
    destination = place.runtime.destinations.of(integration)
    turns = asyncio.Semaphore(AT_ONCE)

    async def send(ticket: str) -> None:
        async with turns:
            await destination.deliver(Dispatch(new_id(), NOTE, ticket_id=ticket))

    began = time.monotonic()
    await asyncio.gather(*map(send, tickets))
    return time.monotonic() - began


async def _queue(
    place: Stage,
    integration: Integration,
    session_id: UUID,
    handoff_id: UUID,
    tickets: Sequence[str],
) -> None:
    async with place.runtime.work(place.actor) as work:
        session = await lock_session(work, place.actor, session_id)
        for ticket in tickets:
            await queue_delivery(
                work,
                session,
                new_id(),
                Consignment(
                    Source(handoff_id=handoff_id),
                    Destination.PSA,
                    NOTE,
                    integration_id=integration.id,
                    ticket_id=ticket,
                ),
            )


async def _until_delivered(place: Stage, integration: Integration, notes: int) -> None:
    delivered = select(func.count()).where(
        Delivery.account_id == place.actor.account_id,
        Delivery.integration_id == integration.id,
        Delivery.state == DeliveryState.DELIVERED,
    )
    while True:
        async with place.runtime.read(place.actor) as db:
            if (await db.execute(delivered)).scalar_one() == notes:
                return
        await asyncio.sleep(0.1)


async def _tries(place: Stage, integration: Integration) -> int:
    tries = select(func.sum(Delivery.tries)).where(
        Delivery.account_id == place.actor.account_id, Delivery.integration_id == integration.id
    )
    async with place.runtime.read(place.actor) as db:
        return int((await db.execute(tries)).scalar_one())


if __name__ == "__main__":
    sys.exit(asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else NOTES)))
