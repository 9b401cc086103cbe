"""Sessions about tickets: linking them, and opening them with a ticket's text."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from services import tickets
from tests.client import Client
from tests.factories import Colleagues
from tests.fakes.far_ends import hudu
from tests.fakes.far_ends.serving import FarEnds
from tests.tables import as_owner, snapshot, until_idle
from tests.tickets import TicketDesk

SESSION = "session { id psaTicketId version integration { id } }"


async def link(client: Client, desk: TicketDesk, ticket: str, **given: Any) -> dict[str, Any]:
    return await client.mutate(
        "linkTicket",
        SESSION,
        **{
            "sessionId": desk.session,
            "integrationId": desk.integration,
            "psaTicketId": ticket,
            "expectedVersion": 2,
            **given,
        },
    )


async def test_a_session_is_linked_anew_and_everybody_hears(desk: TicketDesk) -> None:
    other = desk.far_end.new_ticket()
    linked = await link(desk.client, desk, f" {other} ")
    assert linked["session"] == {
        "id": desk.session,
        "psaTicketId": other,
        "version": 3,
        "integration": {"id": desk.integration},
    }
    document = """query($id: ID!) { viewer { account {
      auditEntries(filter: { targetId: $id, action: [SESSION_UPDATED] }) {
        edges { node { changes { field before after } } }
      } } } }"""
    admin = desk.client.as_(desk.people.admin)
    found = await admin.run(document, id=desk.session)
    newest = found["viewer"]["account"]["auditEntries"]["edges"][0]["node"]
    assert newest["changes"] == [
        {"field": "psaTicketId", "before": desk.ticket, "after": other},
        {"field": "integration", "before": desk.integration, "after": desk.integration},
    ]
    await desk.done(await desk.push())
    assert len(desk.far_end.told(other)) == 1
    assert desk.far_end.told(desk.ticket) == []


async def test_of_many_links_at_once_one_is_made(desk: TicketDesk) -> None:
    others = [desk.far_end.new_ticket() for _ in range(6)]
    answers = await asyncio.gather(*(link(desk.client, desk, other) for other in others))
    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["LinkTicketSuccess"] + ["StaleVersionError"] * 5


async def test_what_may_not_be_linked_changes_nothing(
    desk: TicketDesk, client: Client, strangers: Colleagues, far_ends: FarEnds
) -> None:
    admin = client.as_(desk.people.admin)
    library = await admin.mutate(
        "saveIntegration",
        "integration { id }",
        idempotencyKey=str(uuid4()),
        name="Articles",
        baseUrl=f"{far_ends.url}/hudu",
        connection={"hudu": {"apiKey": hudu.KEY}},
    )
    other = desk.far_end.new_ticket()
    async with as_owner(desk.url) as db:
        before = await snapshot(db, desk.people.account_id)
    asked = len(desk.far_end.asked)
    refused = await link(client.as_(desk.people.engineer2), desk, other)
    assert refused["__typename"] == "PermissionDeniedError"
    refused = await link(client.as_(strangers.admin), desk, other)
    assert (refused["__typename"], refused["id"]) == ("NotFoundError", desk.session)
    assert len(desk.far_end.asked) == asked, "nobody was asked about it"
    refused = await link(desk.client, desk, other, integrationId=library["integration"]["id"])
    assert refused["fields"] == [
        {"path": ["integrationId"], "message": "Hudu is no ticket system."}
    ]
    refused = await link(desk.client, desk, "424242424242")
    assert refused["fields"] == [
        {"path": ["psaTicketId"], "message": "ConnectWise has no such ticket."}
    ]
    refused = await link(desk.client, desk, other, expectedVersion=1)
    assert (refused["__typename"], refused["currentVersion"]) == ("StaleVersionError", 2)
    async with as_owner(desk.url) as db:
        assert await snapshot(db, desk.people.account_id) == before


async def test_a_ticket_system_that_is_away_is_told(desk: TicketDesk, client: Client) -> None:
    """Nothing listens at port 1."""
    await client.as_(desk.people.admin).mutate(
        "saveIntegration",
        "integration { id }",
        integrationId=desk.integration,
        expectedVersion=1,
        baseUrl="http://127.0.0.1:1",
        connection={"connectwise": {"publicKey": "p", "privateKey": "q"}},
    )
    async with as_owner(desk.url) as db:
        before = await snapshot(db, desk.people.account_id)
    start = {
        "intake": {"type": "PSA_TICKET", "text": ""},
        "integrationId": desk.integration,
        "psaTicketId": desk.ticket,
    }
    for refused in (
        await link(desk.client, desk, desk.ticket),
        await desk.client.mutate("startSession", "session { id }", **start),
    ):
        assert refused == {
            "__typename": "ServiceUnavailableError",
            "message": "ConnectWise: It cannot be reached.",
            "service": "ConnectWise",
            "retryable": True,
        }
    async with as_owner(desk.url) as db:
        assert await snapshot(db, desk.people.account_id) == before


async def opened(desk: TicketDesk, **given: Any) -> dict[str, Any]:
    return await desk.client.mutate(
        "startSession",
        "session { id psaTicketId intake { text } } reply { id }",
        **{
            "intake": {"type": "PSA_TICKET", "text": ""},
            "integrationId": desk.integration,
            **given,
        },
    )


async def test_a_ticket_alone_is_an_intake(desk: TicketDesk) -> None:
    ticket = desk.far_end.new_ticket("The VPN drops", "x" * 30_000)
    started = await opened(desk, psaTicketId=ticket)
    text = started["session"]["intake"]["text"]
    assert text.startswith("The VPN drops\n\nxxx")
    assert len(text) == tickets.LONGEST_INTAKE
    await desk.client.answered(started["reply"]["id"])
    await until_idle(desk.url, desk.people.account_id)


async def test_a_ticket_that_says_nothing_needs_words(desk: TicketDesk) -> None:
    ticket = desk.far_end.new_ticket("", "")
    refused = await opened(desk, psaTicketId=ticket)
    assert [each["path"] for each in refused["fields"]] == [["intake", "text"]]


async def test_another_intake_is_only_linked(desk: TicketDesk) -> None:
    ticket = desk.far_end.new_ticket("The VPN drops", "Since Monday.")
    started = await opened(
        desk, psaTicketId=f"  {ticket} ", intake={"type": "ALERT", "text": "Ping lost"}
    )
    assert started["session"]["intake"] == {"text": "Ping lost"}
    assert started["session"]["psaTicketId"] == ticket


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, "psaTicketId"),
        ({"psaTicketId": " "}, "psaTicketId"),
        ({"psaTicketId": "1001", "intake": {"type": "ALERT", "text": ""}}, "intake.text"),
    ],
)
async def test_what_does_not_go_together_is_refused(
    desk: TicketDesk, given: dict[str, Any], path: str
) -> None:
    refused = await opened(desk, **given)
    assert [".".join(each["path"]) for each in refused["fields"]] == [path]


async def test_a_repeat_is_the_same_session_though_the_ticket_is_gone(desk: TicketDesk) -> None:
    ticket = desk.far_end.new_ticket()
    key = {"idempotencyKey": str(uuid4()), "psaTicketId": ticket}
    first = await opened(desk, **key)
    del desk.far_end.tickets[ticket]
    assert (await opened(desk, **key))["session"]["id"] == first["session"]["id"]
    refused = await opened(desk, **{**key, "psaTicketId": desk.ticket})
    assert [each["path"] for each in refused["fields"]] == [["idempotencyKey"]]
    await until_idle(desk.url, desk.people.account_id)


async def test_many_repeats_at_once_are_one_session(desk: TicketDesk) -> None:
    given = {"idempotencyKey": str(uuid4()), "psaTicketId": desk.far_end.new_ticket()}
    answers = await asyncio.gather(*(opened(desk, **given) for _ in range(6)))
    assert len({answer["session"]["id"] for answer in answers}) == 1
    await until_idle(desk.url, desk.people.account_id)
