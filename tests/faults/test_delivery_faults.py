"""Workers killed between sending and recording, and far ends that are down for a while."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
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
from tests.fakes.far_ends.connectwise import LOGIN
from tests.fakes.far_ends.serving import FarEnds, serving
from tests.faults.installation import Process, running
from tests.tables import as_owner
from tests.tickets import TicketDesk, open_ticket_desk

PASSWORD = "flowpilot-demo"
STATE = """query($id: ID!) { node(id: $id) { ... on Delivery {
  state reference attempts { succeeded detail } } } }"""

PATIENCE = 90
"""Seconds: a silent worker is given up after 12, and its try is waited for until it is 30 old."""


async def signed_in(client: Client, who: str) -> Client:
    answer = await client.mutate(
        "signIn", "tokens { accessToken }", email=f"{who}@first.example", password=PASSWORD
    )
    return client.with_token(answer["tokens"]["accessToken"])


async def test_a_note_whose_worker_is_killed_is_there_once(tmp_path: Path) -> None:
    async with serving(FarEnds()) as far_ends, AsyncExitStack() as stack:
        shared = {
            "data_dir": tmp_path / "home",
            "demo_password": PASSWORD,
            "outgoing_allowed": "127.0.0.1",
        }
        server = Process(tmp_path, "server", "serve", **shared, worker_concurrency=0)
        workers = [Process(tmp_path, name, "worker", **shared) for name in ("one", "other")]
        await stack.enter_async_context(running(server, workers[0]))
        stack.push_async_callback(workers[1].stop)
        client = await stack.enter_async_context(Client(server.host))
        admin, engineer = await signed_in(client, "admin"), await signed_in(client, "engineer")
        saved = await admin.mutate(
            "saveIntegration",
            "integration { id }",
            idempotencyKey=str(uuid4()),
            name="Tickets",
            baseUrl=f"{far_ends.url}/connectwise",
            connection={"connectwise": LOGIN},
        )
        tickets = far_ends.connectwise
        ticket = tickets.new_ticket()
        started = await engineer.mutate(
            "startSession",
            "session { id }",
            intake={"text": "Nothing works."},
            integrationId=saved["integration"]["id"],
            psaTicketId=ticket,
        )
        parked = await engineer.mutate(
            "handOffSession", "handoff { id }", sessionId=started["session"]["id"], intent="PARK"
        )
        held = Held()
        tickets.script.add(ticket, held)
        pushed = await engineer.mutate(
            "pushHandoff", "delivery { id }", handoffId=parked["handoff"]["id"]
        )
        async with asyncio.timeout(PATIENCE):
            await held.stored.wait()
            await workers[0].kill()
            held.goes_on.set()
            await workers[1].start()
            while True:
                found = await engineer.run(STATE, id=pushed["delivery"]["id"])
                if found["node"]["state"] == "DELIVERED":
                    break
                await asyncio.sleep(0.2)  # another process tells in no other way
    (note,) = tickets.told(ticket)
    assert found["node"] == {
        "state": "DELIVERED",
        "reference": str(note["id"]),
        "attempts": [
            {"succeeded": False, "detail": CUT_SHORT.sentence},
            {"succeeded": True, "detail": "It had arrived by an earlier try."},
        ],
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
