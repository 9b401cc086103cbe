"""Notes on tickets: once each, whatever the ticket system does, and the ledger says what happened."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from sqlalchemy import text

from services.ids import Kind, uuid_of
from tests.client import Client
from tests.factories import Colleagues
from tests.fakes.far_ends import autotask
from tests.fakes.far_ends.autotask import Autotask
from tests.fakes.far_ends.behaviour import (
    Away,
    Behaviour,
    Giant,
    HangUp,
    Held,
    Page,
    Status,
    Stored,
)
from tests.fakes.far_ends.halopsa import HaloPsa
from tests.tables import as_owner, until_idle
from tests.talk import SOON
from tests.tickets import SECRETS, TicketDesk


async def test_a_note_arrives_internally_and_without_secrets(desk: TicketDesk) -> None:
    id = await desk.push()
    delivery = await desk.done(id)
    (note,) = desk.far_end.told(desk.ticket)
    text = (
        "**Parked by Engineer**\n\n"
        "Problem: Mail stopped arriving. password: [PASSWORD-1]\n\n"
        "Notes: The password: [PASSWORD-1] works. Ask the <b>provider</b>.\n\n"
        "Next step: Call back\n\n"
        "Watch out:\n\n- The quota"
    )
    sent = {
        "text": f"{text}\n\n[ref fp-{id[3:]}]",
        "internalAnalysisFlag": True,
        "detailDescriptionFlag": False,
        "resolutionFlag": False,
        "processNotifications": False,
    }
    assert note == {"id": note["id"], "ticketId": int(desk.ticket), **sent}
    assert delivery["content"] == text.replace("<", r"\<"), "Markdown, in which it stays what it is"
    (request,) = delivery.pop("requests")
    assert request["method"] == "POST"
    assert json.loads(request["body"]) == sent
    (attempt,) = delivery.pop("attempts")
    assert (attempt["succeeded"], attempt["failure"], attempt["detail"]) == (True, None, None)
    assert delivery.pop("deliveredAt") is not None
    assert delivery == {
        "destination": "PSA",
        "state": "DELIVERED",
        "guarantee": "EXACTLY_ONCE",
        "isClientVisible": False,
        "psaTicketId": desk.ticket,
        "reference": str(note["id"]),
        "nextTryAt": None,
        "title": "Parked by Engineer",
        "content": delivery["content"],
        "createdBy": {"id": desk.people.engineer.id},
        "integration": {"id": desk.integration},
        "handoff": {"id": desk.handoff},
        "session": {"id": desk.session},
    }
    assert await desk.told() == ["QUEUED", "SENDING", "DELIVERED"]


async def test_a_preview_is_what_is_sent(desk: TicketDesk) -> None:
    document = """query($id: ID!, $visible: Boolean!) {
      deliveryPreview(handoffId: $id, clientVisible: $visible) {
        visibleTo requests { method url body }
      }
    }"""
    seen = []
    for visible in (False, True):
        told = await desk.client.run(document, id=desk.handoff, visible=visible)
        seen.append(told["deliveryPreview"])
    assert desk.far_end.told(desk.ticket) == []
    assert [each["visibleTo"] for each in seen] == [
        "Internal analysis: only technicians see it.",
        "Discussion: the client sees it in the portal. Nobody is mailed.",
    ]
    id = await desk.push(clientVisible=True)
    delivery = await desk.done(id)
    (expected,) = seen[1]["requests"]
    expected["body"] = expected["body"].replace("0" * 32, id[3:])
    assert delivery["requests"] == [expected]
    (note,) = desk.far_end.told(desk.ticket)
    assert (note["detailDescriptionFlag"], note["internalAnalysisFlag"]) == (True, False)


LOCKED = Status(409, {"code": "RecordLocked", "message": "Ticket is locked by somebody"})
SOON_AGAIN = {"Retry-After": "0"}


def in_a_second() -> dict[str, str]:
    return {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)}


PASSING: dict[str, tuple[Behaviour, str]] = {
    "429": (Status(429, {}, SOON_AGAIN), "RATE_LIMITED"),
    "a locked record": (LOCKED, "CONFLICT"),
    "500": (Status(500, {"message": "SQL timeout"}), "AMBIGUOUS"),
    "503": (Status(503, {}, SOON_AGAIN), "AMBIGUOUS"),
    "500 though it was stored": (Stored(500, {"message": "timeout"}), "AMBIGUOUS"),
    "502 as HTML": (Status(502, "Bad gateway"), "AMBIGUOUS"),
    "html": (Page(), "AMBIGUOUS"),
    "hung up before": (HangUp(stores=False), "AMBIGUOUS"),
    "hung up after": (HangUp(stores=True), "AMBIGUOUS"),
    "a giant answer": (Giant(), "AMBIGUOUS"),
    "an answer without an id": (Stored(201, {"text": "ok"}), "AMBIGUOUS"),
}


@pytest.mark.parametrize("fault", PASSING)
async def test_a_fault_that_passes_leaves_one_note(any_desk: TicketDesk, fault: str) -> None:
    desk = any_desk
    behaviour, kind = PASSING[fault]
    desk.far_end.script.add(desk.ticket, behaviour)
    delivery = await desk.done(await desk.push())
    (note,) = desk.far_end.told(desk.ticket)
    assert (delivery["state"], delivery["reference"]) == ("DELIVERED", str(note["id"]))
    assert [(each["succeeded"], each["failure"]) for each in delivery["attempts"]] == [
        (False, kind),
        (True, None),
    ]
    assert await desk.told() == ["QUEUED", "SENDING", "SENDING", "DELIVERED"]
    was_there = isinstance(behaviour, Stored | Giant) or behaviour == HangUp(stores=True)
    found = delivery["attempts"][1]["detail"] == "It had arrived by an earlier try."
    assert found is was_there


async def test_a_date_to_retry_after_is_waited_for(desk: TicketDesk) -> None:
    desk.far_end.script.add(desk.ticket, Status(429, {}, in_a_second()))
    delivery = await desk.done(await desk.push())
    first, second = (datetime.fromisoformat(each["at"]) for each in delivery["attempts"])
    assert delivery["state"] == "DELIVERED"
    assert second - first < timedelta(seconds=10)
    assert len(desk.far_end.told(desk.ticket)) == 1


INVALID = {
    "code": "InvalidObject",
    "message": "Wrong",
    "errors": [{"message": "No.", "field": "x"}],
}
LASTING: dict[str, tuple[Behaviour, str, str]] = {
    "400": (
        Status(400, INVALID),
        "VALIDATION",
        "It did not accept what was sent. It says: Wrong No.",
    ),
    "401": (Status(401, {}), "AUTH", "It did not accept the credentials."),
    "403": (
        Status(403, {"message": "<script>alert(1)</script>\nNo\0pe"}),
        "PERMISSION",
        "The credentials do not allow this. It says: <script>alert(1)</script> No pe",
    ),
    "404": (Status(404, {}), "NOT_FOUND", "It knows nothing of that name."),
    "a redirect": (
        Away("http://127.0.0.1:1/elsewhere"),
        "VALIDATION",
        "Its address leads to another one: enter that instead.",
    ),
}


@pytest.mark.parametrize("fault", LASTING)
async def test_a_fault_that_lasts_is_told_and_can_be_retried(desk: TicketDesk, fault: str) -> None:
    behaviour, kind, sentence = LASTING[fault]
    desk.far_end.script.add(desk.ticket, behaviour)
    id = await desk.push()
    failed = await desk.done(id)
    assert (failed["state"], failed["reference"], failed["nextTryAt"]) == ("FAILED", None, None)
    (attempt,) = failed["attempts"]
    assert (attempt["failure"], attempt["detail"]) == (kind, sentence)
    assert desk.far_end.told(desk.ticket) == []

    retried = await desk.client.mutate("retryDelivery", "delivery { state }", deliveryId=id)
    assert retried["delivery"]["state"] == "QUEUED"
    delivered = await desk.done(id)
    assert delivered["state"] == "DELIVERED"
    assert [each["succeeded"] for each in delivered["attempts"]] == [False, True]
    assert len(desk.far_end.told(desk.ticket)) == 1
    assert await desk.told() == ["QUEUED", "SENDING", "FAILED", "QUEUED", "SENDING", "DELIVERED"]


async def test_it_is_given_up_after_seven_tries(desk: TicketDesk) -> None:
    desk.far_end.script.add(desk.ticket, *[HangUp(stores=False)] * 7)
    id = await desk.push()
    failed = await desk.done(id)
    assert failed["state"] == "FAILED"
    assert [each["failure"] for each in failed["attempts"]] == ["AMBIGUOUS"] * 7
    await desk.client.mutate("retryDelivery", "delivery { state }", deliveryId=id)
    assert (await desk.done(id))["state"] == "DELIVERED"
    assert len(desk.far_end.told(desk.ticket)) == 1


async def test_what_arrived_before_it_was_given_up_is_found_by_a_retry(desk: TicketDesk) -> None:
    desk.far_end.script.add(desk.ticket, HangUp(stores=True))
    desk.far_end.script.add(desk.ticket, *[HangUp(stores=False)] * 7)
    ticket = desk.far_end.tickets.pop(desk.ticket)
    id = await desk.push()
    assert [each["failure"] for each in (await desk.done(id))["attempts"]] == ["NOT_FOUND"]
    desk.far_end.tickets[desk.ticket] = ticket
    await desk.client.mutate("retryDelivery", "delivery { state }", deliveryId=id)
    delivered = await desk.done(id)
    assert [each["failure"] for each in delivered["attempts"]] == ["NOT_FOUND", "AMBIGUOUS", None]
    assert len(desk.far_end.told(desk.ticket)) == 1


async def test_a_fault_of_ours_ends_in_a_failure_that_is_seen(desk: TicketDesk) -> None:
    async with as_owner(desk.url) as db:
        broken = text("UPDATE integrations SET settings = '{}', version = 9 WHERE id = :id")
        await db.execute(broken, {"id": uuid_of(Kind.INTEGRATION, desk.integration)})
    failed = await desk.done(await desk.push())
    assert failed["state"] == "FAILED"
    assert {each["detail"] for each in failed["attempts"]} == {"Something went wrong on our side."}
    assert desk.far_end.told(desk.ticket) == []


async def test_a_double_click_is_one_note(desk: TicketDesk) -> None:
    key = {"idempotencyKey": "0192f3c1-0000-7000-8000-000000000001"}
    ids = await asyncio.gather(*(desk.push(**key) for _ in range(10)))
    assert len(set(ids)) == 1
    assert (await desk.done(ids[0]))["state"] == "DELIVERED"
    assert len(desk.far_end.told(desk.ticket)) == 1


async def test_of_many_pushes_at_once_one_is_taken(desk: TicketDesk) -> None:
    held = Held()
    desk.far_end.script.add(desk.ticket, held)
    answers = await asyncio.gather(
        *(
            desk.client.mutate("pushHandoff", "delivery { id }", handoffId=desk.handoff)
            for _ in range(10)
        )
    )
    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["InvalidTransitionError"] * 9 + ["PushHandoffSuccess"]
    held.goes_on.set()
    await until_idle(desk.url, desk.people.account_id)
    assert len(desk.far_end.told(desk.ticket)) == 1
    assert await desk.told() == ["QUEUED", "SENDING", "DELIVERED"]


async def test_a_second_push_is_a_second_note(desk: TicketDesk) -> None:
    for _ in range(2):
        await desk.done(await desk.push())
    assert len(desk.far_end.told(desk.ticket)) == 2
    document = "query($id: ID!) { node(id: $id) { ... on Handoff { deliveries { id state } } } }"
    found = await desk.client.run(document, id=desk.handoff)
    assert [each["state"] for each in found["node"]["deliveries"]] == ["DELIVERED"] * 2


async def test_what_cannot_be_pushed_is_refused_and_nothing_is_sent(
    desk: TicketDesk, client: Client, strangers: Colleagues
) -> None:
    other = client.as_(desk.people.engineer2)
    refused = await other.mutate("pushHandoff", "delivery { id }", handoffId=desk.handoff)
    assert refused["__typename"] == "PermissionDeniedError"
    stranger = client.as_(strangers.admin)
    refused = await stranger.mutate("pushHandoff", "delivery { id }", handoffId=desk.handoff)
    assert (refused["__typename"], refused["id"]) == ("NotFoundError", desk.handoff)
    admin = client.as_(desk.people.admin)
    await admin.mutate(
        "saveIntegration",
        "integration { id }",
        integrationId=desk.integration,
        isEnabled=False,
        expectedVersion=1,
    )
    refused = await desk.client.mutate("pushHandoff", "delivery { id }", handoffId=desk.handoff)
    assert refused["fields"] == [{"path": ["integrationId"], "message": "It is switched off."}]
    await admin.mutate(
        "removeIntegration", "integration { isEnabled }", integrationId=desk.integration
    )
    refused = await desk.client.mutate("pushHandoff", "delivery { id }", handoffId=desk.handoff)
    assert [each["path"] for each in refused["fields"]] == [["handoffId"]]
    assert await desk.told() == []
    assert desk.far_end.told(desk.ticket) == []


async def test_only_what_failed_is_retried(desk: TicketDesk, client: Client) -> None:
    id = await desk.push()
    await desk.done(id)
    for person, kind in (
        (desk.people.engineer, "InvalidTransitionError"),
        (desk.people.engineer2, "PermissionDeniedError"),
    ):
        refused = await client.as_(person).mutate("retryDelivery", "delivery { id }", deliveryId=id)
        assert refused["__typename"] == kind
    assert len(desk.far_end.told(desk.ticket)) == 1
    assert await desk.told() == ["QUEUED", "SENDING", "DELIVERED"]


async def test_what_is_on_its_way_when_its_integration_goes_is_given_up(
    desk: TicketDesk, client: Client
) -> None:
    desk.far_end.script.add(desk.ticket, Status(429, {}, {"Retry-After": "2"}))
    id = await desk.push()
    async with asyncio.timeout(SOON):
        while not (await desk.delivery(id))["nextTryAt"]:
            pass  # asking lets the worker go on
    await client.as_(desk.people.admin).mutate(
        "removeIntegration", "integration { id }", integrationId=desk.integration
    )
    failed = await desk.done(id)
    assert failed["state"] == "FAILED"
    assert failed["integration"] is None
    assert failed["attempts"][1]["detail"] == "Its integration was removed or switched off."
    assert desk.far_end.told(desk.ticket) == []


async def test_every_note_carries_what_its_system_wants(any_desk: TicketDesk) -> None:
    ids = []
    for visible in (False, True):
        ids.append(await any_desk.push(clientVisible=visible))
        assert (await any_desk.done(ids[-1]))["state"] == "DELIVERED"
    notes = any_desk.far_end.told(any_desk.ticket)
    for note in notes:
        del note["id"]
    ticket = int(any_desk.ticket)
    text = (
        "**Parked by Engineer**\n\n"
        "Problem: Mail stopped arriving. password: [PASSWORD-1]\n\n"
        "Notes: The password: [PASSWORD-1] works. Ask the <b>provider</b>.\n\n"
        "Next step: Call back\n\n"
        "Watch out:\n\n- The quota"
    )
    html = (
        "<p><strong>Parked by Engineer</strong></p>\n"
        "<p>Problem: Mail stopped arriving. password: [PASSWORD-1]</p>\n"
        "<p>Notes: The password: [PASSWORD-1] works. Ask the &lt;b&gt;provider&lt;/b&gt;.</p>\n"
        "<p>Next step: Call back</p>\n"
        "<p>Watch out:</p>\n<ul>\n<li>The quota</li>\n</ul>"
    )
    marks = [f"[ref fp-{id[3:]}]" for id in ids]
    if isinstance(any_desk.far_end, HaloPsa):
        common = {"ticket_id": ticket, "sendemail": False, "timetaken": 0}
        assert notes == [
            {
                **common,
                "outcome": "Internal note",
                "note_html": f"{html}\n<p>{marks[0]}</p>",
                "hiddenfromuser": True,
            },
            {
                **common,
                "outcome": "Public note",
                "note_html": f"{html}\n<p>{marks[1]}</p>",
                "hiddenfromuser": False,
            },
        ]
    elif isinstance(any_desk.far_end, Autotask):
        assert notes == [
            {
                "ticketID": ticket,
                "title": "Parked by Engineer",
                "description": f"{text}\n\n{mark}",
                "noteType": autotask.NOTE,
                "publish": publish,
            }
            for mark, publish in zip(marks, (autotask.INTERNAL, autotask.ALL), strict=True)
        ]
    else:
        assert notes == [
            {
                "ticketId": ticket,
                "text": f"{text}\n\n{mark}",
                "internalAnalysisFlag": not visible,
                "detailDescriptionFlag": visible,
                "resolutionFlag": False,
                "processNotifications": False,
            }
            for mark, visible in zip(marks, (False, True), strict=True)
        ]


async def test_a_ticket_is_read_as_an_intake(any_desk: TicketDesk) -> None:
    ticket = any_desk.far_end.new_ticket("The VPN drops", "Since Monday, for everybody.")
    started = await any_desk.client.mutate(
        "startSession",
        "session { psaTicketId intake { type text } integration { id } }",
        intake={"type": "PSA_TICKET", "text": "My guess: MTU."},
        integrationId=any_desk.integration,
        psaTicketId=ticket,
    )
    assert started["session"] == {
        "psaTicketId": ticket,
        "intake": {
            "type": "PSA_TICKET",
            "text": "My guess: MTU.\n\nThe VPN drops\n\nSince Monday, for everybody.",
        },
        "integration": {"id": any_desk.integration},
    }


async def test_a_ticket_that_is_not_there_opens_no_session(any_desk: TicketDesk) -> None:
    for ticket in ("99999999", "abc", "1/../2"):
        refused = await any_desk.client.mutate(
            "startSession",
            "session { id }",
            intake={"text": "Mail again"},
            integrationId=any_desk.integration,
            psaTicketId=ticket,
        )
        assert [each["path"] for each in refused["fields"]] == [["psaTicketId"]], refused
        linked = await any_desk.client.mutate(
            "linkTicket",
            "session { id }",
            sessionId=any_desk.session,
            integrationId=any_desk.integration,
            psaTicketId=ticket,
            expectedVersion=2,
        )
        assert [each["path"] for each in linked["fields"]] == [["psaTicketId"]], linked
    assert await any_desk.told() == []


async def test_nothing_of_the_credentials_is_shown(any_desk: TicketDesk, client: Client) -> None:
    desk = any_desk
    desk.far_end.script.add(desk.ticket, *[Status(401, {"message": "no"})] * 2)
    id = await desk.push()
    failed = await desk.done(id)
    everything = """{ integrations { id name baseUrl lastFailure provider isEnabled }
      viewer { account { auditEntries(first: 100) { edges { node { changes { before after } } } } } }
    }"""
    seen = str([failed, await client.as_(desk.people.admin).run(everything)])
    for secret in SECRETS:
        assert secret not in seen
    assert "It did not accept the credentials." in seen


COPY_TO_ALL = text(
    """
    INSERT INTO deliveries (account_id, id, session_id, handoff_id, integration_id, destination, state,
                            document, created_by)
    SELECT d.account_id, gen_random_uuid(), d.session_id, h.id, d.integration_id, d.destination, d.state,
           d.document, d.created_by
      FROM deliveries d JOIN session_handoffs h USING (account_id, session_id)
     WHERE d.id = :id AND h.id <> d.handoff_id
    """
)
TRY_ALL = text(
    """
    INSERT INTO delivery_attempts (account_id, delivery_id, attempt, succeeded)
    SELECT account_id, id, 2, true FROM deliveries WHERE account_id = :account_id
    """
)


async def test_a_ledger_costs_the_same_for_one_handoff_and_for_twenty(
    desk: TicketDesk, statements: list[str]
) -> None:
    id = await desk.push()
    await desk.done(id)
    document = """query($id: ID!) { session(id: $id) { integration { name } handoffs { deliveries {
      id state content session { id } handoff { id } integration { id } createdBy { id }
      attempts { at succeeded } requests { body }
    } } } }"""

    async def ledger() -> list[dict[str, Any]]:
        found = (await desk.client.run(document, id=desk.session))["session"]
        return [each for handoff in found["handoffs"] for each in handoff["deliveries"]]

    statements.clear()
    assert len(await ledger()) == 1
    one = len(statements)
    for _ in range(19):
        handoffs = await desk.client.run(
            "query($id: ID!) { session(id: $id) { openHandoff { id } } }", id=desk.session
        )
        open_one = handoffs["session"]["openHandoff"]["id"]
        await desk.client.mutate("cancelHandoff", "handoff { id }", handoffId=open_one)
        await desk.client.mutate(
            "handOffSession", "handoff { id }", sessionId=desk.session, intent="PARK"
        )
    await until_idle(desk.url, desk.people.account_id)
    async with as_owner(desk.url) as db:
        await db.execute(COPY_TO_ALL, {"id": uuid_of(Kind.DELIVERY, id)})
        await db.execute(TRY_ALL, {"account_id": desk.people.account_id})
    statements.clear()
    found = await ledger()
    assert len(found) == 20
    assert sorted(len(each["attempts"]) for each in found) == [1] * 19 + [2]
    assert len(statements) == one
