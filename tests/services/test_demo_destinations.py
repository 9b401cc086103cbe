"""The far ends that a person may watch: started by a command, shown on a page."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.client import Client
from tests.factories import Colleagues
from tests.faults.installation import free_port
from tests.tables import until_idle
from tests.talk import SOON
from tests.tickets import LOGINS

ROOT = Path(__file__).parents[2]


async def test_the_command_serves_a_page_and_takes_notes(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.far_ends", "--port", str(port)), cwd=ROOT, stdout=PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(SOON):
            said = await process.stdout.readline()
        url = f"http://127.0.0.1:{port}"
        assert said.decode() == f"What arrives is shown at {url}/\n"
        for vendor, login in LOGINS.items():
            await _push(client, colleagues, f"{url}/{vendor}", vendor, login)
        await until_idle(database_url, colleagues.account_id)
        async with httpx.AsyncClient() as browser:
            shown = (await browser.get(url)).text
    finally:
        process.terminate()
        await process.wait()
    assert shown.count("[ref fp-") == 3
    assert "&lt;b&gt;the quota&lt;/b&gt;" in shown
    assert "<b>the quota</b>" not in shown
    assert process.returncode == 0


async def _push(
    client: Client, people: Colleagues, url: str, vendor: str, login: dict[str, Any]
) -> None:
    engineer = client.as_(people.engineer)
    saved = await client.as_(people.admin).mutate(
        "saveIntegration",
        "integration { id }",
        idempotencyKey=str(uuid4()),
        name=vendor,
        baseUrl=url,
        connection={vendor: login},
    )
    ticket = {"connectwise": "1001", "halopsa": "2001", "autotask": "3001"}[vendor]
    started = await engineer.mutate(
        "startSession",
        "session { id } reply { id }",
        intake={"text": "Mail is down"},
        integrationId=saved["integration"]["id"],
        psaTicketId=ticket,
    )
    parked = await engineer.mutate(
        "handOffSession",
        "handoff { id }",
        sessionId=started["session"]["id"],
        intent="PARK",
        engineerNotes="It is <b>the quota</b>.",
    )
    pushed = await engineer.mutate(
        "pushHandoff", "delivery { id }", handoffId=parked["handoff"]["id"]
    )
    assert pushed["__typename"] == "PushHandoffSuccess"
