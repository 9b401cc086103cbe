"""Workers killed between sending and recording, and far ends that are down for a while."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from app import create_app
from cli import migrate
from services.delivering import CUT_SHORT
from services.ids import Kind, uuid_of
from services.runtime import Limits
from settings import Settings
from tests.client import Client
from tests.conftest import OUTGOING, SECRET, served
from tests.factories import make_account
from tests.fakes.far_ends.behaviour import HangUp, Held
from tests.fakes.far_ends.page import WEBHOOK_SECRET
from tests.fakes.far_ends.serving import FarEnds, serving
from tests.faults.installation import Process, running
from tests.tables import as_owner
from tests.tickets import LOGINS, TicketDesk, open_ticket_desk

PASSWORD = "flowpilot-demo"
STATE = """query($id: ID!) { node(id: $id) { ... on Delivery {
  state reference attempts { succeeded detail } } } }"""

RESOLVED = """{ sessions(filter: { status: [RESOLVED] }) { edges { node {
  resolutionOutputs { id version } } } } }"""

PATIENCE = 90
"""Seconds: a silent worker is given up after 12, and its try is waited for until it is 30 old."""


async def signed_in(client: Client, who: str) -> Client:
    answer = await client.mutate(
        "signIn", "tokens { accessToken }", email=f"{who}@first.example", password=PASSWORD
    )
    return client.with_token(answer["tokens"]["accessToken"])


@dataclass(frozen=True)
class Site:
    """An installation whose worker is killed while a far end has what it sent, and has not said so yet."""

    far_ends: FarEnds
    admin: Client
    engineer: Client
    workers: tuple[Process, Process]

    async def connect(self, connection: dict[str, Any], base_url: str) -> str:
        saved = await self.admin.mutate(
            "saveIntegration",
            "integration { id }",
            idempotencyKey=str(uuid4()),
            name="Outside",
            baseUrl=base_url,
            connection=connection,
        )
        return str(saved["integration"]["id"])

    async def killed(self, held: Held, delivery: str) -> dict[str, Any]:
        """What the ledger says once another worker has delivered it."""
        async with asyncio.timeout(PATIENCE):
            await held.stored.wait()
            await self.workers[0].kill()
            held.goes_on.set()
            await self.workers[1].start()
            while True:
                found = await self.admin.run(STATE, id=delivery)
                if found["node"]["state"] == "DELIVERED":
                    return dict(found["node"])
                await asyncio.sleep(0.2)  # another process tells in no other way


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(FarEnds()) as far_ends, AsyncExitStack() as stack:
        shared = {
            "data_dir": tmp_path / "home",
            "demo_password": PASSWORD,
            "outgoing_allowed": "127.0.0.1",
        }
        server = Process(tmp_path, "server", "serve", **shared, worker_concurrency=0)
        one, other = (Process(tmp_path, name, "worker", **shared) for name in ("one", "other"))
        await stack.enter_async_context(running(server, one))
        stack.push_async_callback(other.stop)
        client = await stack.enter_async_context(Client(server.host))
        yield Site(
            far_ends,
            await signed_in(client, "admin"),
            await signed_in(client, "engineer"),
            (one, other),
        )


@pytest.mark.parametrize("vendor", LOGINS)
async def test_a_note_whose_worker_is_killed_is_there_once(site: Site, vendor: str) -> None:
    integration = await site.connect({vendor: LOGINS[vendor]}, f"{site.far_ends.url}/{vendor}")
    tickets = getattr(site.far_ends, vendor)
    ticket = tickets.new_ticket()
    started = await site.engineer.mutate(
        "startSession",
        "session { id }",
        intake={"text": "Nothing works."},
        integrationId=integration,
        psaTicketId=ticket,
    )
    parked = await site.engineer.mutate(
        "handOffSession", "handoff { id }", sessionId=started["session"]["id"], intent="PARK"
    )
    held = Held()
    tickets.script.add(ticket, held)
    pushed = await site.engineer.mutate(
        "pushHandoff", "delivery { id }", handoffId=parked["handoff"]["id"]
    )
    found = await site.killed(held, pushed["delivery"]["id"])
    (note,) = tickets.told(ticket)
    assert found == {
        "state": "DELIVERED",
        "reference": str(note["id"]),
        "attempts": [
            {"succeeded": False, "detail": CUT_SHORT.sentence},
            {"succeeded": True, "detail": "It had arrived by an earlier try."},
        ],
    }


async def test_a_webhook_whose_worker_is_killed_comes_twice_with_one_id(site: Site) -> None:
    await site.connect({"webhook": {"secret": WEBHOOK_SECRET}}, f"{site.far_ends.url}/webhook/hook")
    found = await site.admin.run(RESOLVED)
    (session,) = [edge["node"] for edge in found["sessions"]["edges"]]
    notes = session["resolutionOutputs"][0]
    await site.admin.mutate(
        "approveResolutionOutput", "output { id }", outputId=notes["id"], expectedVersion=1
    )
    held = Held()
    site.far_ends.webhook.script.add("hook", held)
    pushed = await site.admin.mutate(
        "pushResolutionOutput",
        "delivery { id }",
        outputId=notes["id"],
        destination="WEBHOOK",
        expectedVersion=2,
    )
    delivery = await site.killed(held, pushed["delivery"]["id"])
    assert [each["detail"] for each in delivery["attempts"]] == [CUT_SHORT.sentence, None]
    first, second = site.far_ends.webhook.heard["hook"]
    assert first.body == second.body
    assert {each.headers["webhook-id"] for each in (first, second)} == {
        f"fp-{pushed['delivery']['id'][3:]}"
    }


@pytest.fixture
async def hasty(
    make_database: Callable[[str], str], far_ends: FarEnds, tmp_path: Path
) -> AsyncIterator[TicketDesk]:
    """At a server of its own that pauses for 1.5 seconds at first."""
    url = make_database("pauses")
    migrate(url)
    settings = Settings(data_dir=tmp_path, secret_key=SECRET, outgoing_allowed=OUTGOING)
    app = create_app(settings, url, limits=Limits(retry_wait=0.1))
    async with served(app) as host, Client(host) as client:
        people = await make_account(app.state.runtime, url)
        yield await open_ticket_desk(client, people, far_ends, url)


async def test_a_far_end_that_fails_again_and_again_is_left_alone_for_a_while(
    hasty: TicketDesk,
) -> None:
    failing = text("UPDATE integrations SET failures = 4 WHERE id = :id")
    async with as_owner(hasty.url) as db:
        await db.execute(failing, {"id": uuid_of(Kind.INTEGRATION, hasty.integration)})
    document = """query($id: ID!) { node(id: $id) { ... on Integration {
      pausedUntil lastFailure lastSuccessAt } } }"""

    async def seen() -> dict[str, Any]:
        found: dict[str, Any] = (await hasty.client.run(document, id=hasty.integration))["node"]
        return found

    hasty.far_end.script.add(hasty.ticket, HangUp(stores=False))
    id = await hasty.push()
    async with asyncio.timeout(PATIENCE):
        while (await seen())["pausedUntil"] is None:
            pass  # asking lets the worker go on
    assert (await seen())["lastFailure"] == "The connection broke off."
    asked = len(hasty.far_end.asked)
    async with asyncio.timeout(PATIENCE):
        while not (await hasty.delivery(id))["nextTryAt"]:
            pass
    delivered = await hasty.done(id)
    assert [each["failure"] for each in delivered["attempts"]] == ["AMBIGUOUS", None]
    first, second = delivered["attempts"]
    assert second["at"] > first["at"]
    assert len(hasty.far_end.asked) == asked + 2, "a look, and the note"
    after = await seen()
    assert (after["pausedUntil"], after["lastFailure"]) == (None, None)
    assert after["lastSuccessAt"] is not None
    assert len(hasty.far_end.told(hasty.ticket)) == 1
