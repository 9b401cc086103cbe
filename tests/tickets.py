"""A session whose ticket is at a fake ticket system, parked, as its engineer sees it."""

import asyncio
from dataclasses import dataclass
from typing import Any

from tests.client import Client
from tests.factories import Colleagues
from tests.fakes.far_ends import autotask, connectwise, halopsa
from tests.fakes.far_ends.autotask import Autotask
from tests.fakes.far_ends.connectwise import ConnectWise
from tests.fakes.far_ends.halopsa import HaloPsa
from tests.fakes.far_ends.serving import FarEnds
from tests.tables import until_idle
from tests.talk import SOON

DELIVERY = """
query($id: ID!) { node(id: $id) { ... on Delivery {
  destination state guarantee isClientVisible psaTicketId reference nextTryAt deliveredAt
  title content requests { method url body } createdBy { id } integration { id }
  handoff { id } session { id }
  attempts { at succeeded failure detail }
} } }
"""
EVENTS = """
subscription($id: ID!, $after: String) { sessionChanged(sessionId: $id, after: $after) {
  __typename ... on Event { cursor }
  ... on DeliveryChanged { actor { id } deliveryState delivery { id } }
} }
"""


@dataclass(frozen=True)
class TicketDesk:
    """A parked session whose ticket is at the fake."""

    client: Client
    people: Colleagues
    far_end: ConnectWise | HaloPsa | Autotask
    url: str
    integration: str
    session: str
    handoff: str
    ticket: str
    cursor: str

    async def push(self, **given: Any) -> str:
        pushed = await self.client.mutate(
            "pushHandoff", "delivery { id state }", handoffId=self.handoff, **given
        )
        assert pushed["delivery"]["state"] == "QUEUED", pushed
        return str(pushed["delivery"]["id"])

    async def delivery(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.run(DELIVERY, id=id))["node"]
        return found

    async def done(self, id: str) -> dict[str, Any]:
        await until_idle(self.url, self.people.account_id)
        return await self.delivery(id)

    async def told(self) -> list[str]:
        """The states that events have told of so far."""
        document = "query($id: ID!) { session(id: $id) { eventCursor } }"
        last = (await self.client.run(document, id=self.session))["session"]["eventCursor"]
        states: list[str] = []
        if last == self.cursor:
            return states
        async with (
            asyncio.timeout(SOON),
            self.client.subscribe(EVENTS, id=self.session, after=self.cursor) as events,
        ):
            async for data in events:
                event = data["sessionChanged"]
                if event["__typename"] == "DeliveryChanged":
                    states.append(event["deliveryState"])
                if event["cursor"] == last:
                    break
        return states


SECRETS = (
    connectwise.PUBLIC,
    connectwise.PRIVATE,
    halopsa.SECRET,
    autotask.SECRET,
    autotask.CODE,
)
LOGINS = {
    "connectwise": connectwise.LOGIN,
    "halopsa": halopsa.LOGIN,
    "autotask": autotask.LOGIN,
}


async def open_ticket_desk(
    client: Client, people: Colleagues, far_ends: FarEnds, url: str, vendor: str = "connectwise"
) -> TicketDesk:
    admin, engineer = client.as_(people.admin), client.as_(people.engineer)
    saved = await admin.mutate(
        "saveIntegration",
        "integration { id }",
        idempotencyKey=str(people.account_id),
        name="Tickets",
        baseUrl=f"{far_ends.url}/{vendor}",
        connection={vendor: LOGINS[vendor]},
    )
    integration = saved["integration"]["id"]
    far_end: ConnectWise | HaloPsa | Autotask = getattr(far_ends, vendor)
    ticket = far_end.new_ticket()
    started = await engineer.mutate(
        "startSession",
        "session { id } reply { id }",
        intake={"text": "Mail stopped arriving. password: hunter2-secret"},
        integrationId=integration,
        psaTicketId=ticket,
    )
    session = started["session"]["id"]
    await engineer.answered(started["reply"]["id"])
    parked = await engineer.mutate(
        "handOffSession",
        "handoff { id }",
        sessionId=session,
        intent="PARK",
        engineerNotes="The password: hunter2-secret works. Ask the <b>provider</b>.",
        nextStep="Call back",
        watchOut=["The quota"],
    )
    await until_idle(url, people.account_id)
    document = "query($id: ID!) { session(id: $id) { eventCursor } }"
    cursor = (await engineer.run(document, id=session))["session"]["eventCursor"]
    return TicketDesk(
        engineer,
        people,
        far_end,
        url,
        integration,
        session,
        parked["handoff"]["id"],
        ticket,
        cursor,
    )
