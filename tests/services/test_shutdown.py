"""What a server that is told to end does for those who are with it."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from websockets.exceptions import ConnectionClosed

from tests.client import Client
from tests.conftest import SECRET
from tests.factories import Colleagues
from tests.locks import until_waiting
from tests.tables import as_owner

ROOT = Path(__file__).parents[2]
SOON = 30
EVENTS = "subscription { sessionsChanged { __typename } }"
LOCK_ACCOUNT = text("SELECT 1 FROM accounts WHERE id = :id FOR UPDATE")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(database_url: str, tmp_path: Path, **settings: Any) -> AsyncIterator[Any]:
    """A process of its own, and a client that speaks to it."""
    port = free_port()
    settings |= {"data_dir": tmp_path, "database_url": database_url, "port": port}
    settings |= {"secret_key": SECRET, "pool_size": 5}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "serve"),
        cwd=ROOT,
        env=os.environ | {f"FLOWPILOT_{name.upper()}": str(v) for name, v in settings.items()},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(SOON):
            assert (await process.stdout.readline()).startswith(b"FlowPilot serves")
            async with Client(f"127.0.0.1:{port}") as client:
                yield process, client
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ended(process: Process) -> list[dict[str, Any]]:
    """Its log; it must have ended well."""
    async with asyncio.timeout(SOON):
        _, problems = await process.communicate()
    assert process.returncode == 0, problems.decode()
    return [json.loads(line) for line in problems.splitlines()]


async def until_status(client: Client, status: int) -> None:
    async with asyncio.timeout(SOON):
        while (await client.http.get("/readyz")).status_code != status:
            pass


PRESENCE = "subscription($id: ID!) { presenceChanged(sessionId: $id) { presence { isAsking } } }"


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_who_follows_presence_is_sent_elsewhere_and_nothing_is_said_to_fail(
    database_url: str, colleagues: Colleagues, tmp_path: Path, told: signal.Signals
) -> None:
    async with serving(database_url, tmp_path, drain_seconds=0) as (process, stranger):
        engineer = stranger.as_(colleagues.engineer)
        started = await engineer.mutate("startSession", "session { id }", intake={"text": "VPN"})
        async with engineer.subscribe(PRESENCE, id=started["session"]["id"]) as states:
            assert await anext(states) == {"presenceChanged": {"presence": []}}
            process.send_signal(told)
            with pytest.raises(ConnectionClosed) as closed:
                await anext(states)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        log = await ended(process)
    assert [line for line in log if line["level"] in {"error", "critical"}] == []


async def test_a_request_under_way_is_answered_and_a_socket_sent_elsewhere(
    database_url: str, colleagues: Colleagues, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path, drain_seconds=1) as (process, stranger):
        engineer = stranger.as_(colleagues.engineer)
        await until_status(stranger, 200)
        async with engineer.socket() as socket_, as_owner(database_url) as db:
            await socket_.send({"id": "1", "type": "subscribe", "payload": {"query": EVENTS}})
            await db.execute(LOCK_ACCOUNT, {"id": colleagues.account_id})
            starting = asyncio.create_task(
                engineer.mutate("startSession", "session { status }", intake={"text": "Printer"})
            )
            await until_waiting(db, 1)
            process.send_signal(signal.SIGTERM)
            await until_status(stranger, 503)
            with pytest.raises(ConnectionClosed) as closed:
                await socket_.receive()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
            with pytest.raises(httpx.NetworkError):  # cut, if it was in the listener's queue
                await stranger.http.get("/healthz")
            with pytest.raises(httpx.ConnectError):
                await stranger.http.get("/healthz")
            assert not starting.done()
            await db.commit()
            assert (await starting)["session"] == {"status": "ACTIVE"}
        log = await ended(process)
    operations = [(line["field"], line["codes"]) for line in log if line["event"] == "operation"]
    assert sorted(operations) == [("sessionsChanged", []), ("startSession", [])]
    assert [line for line in log if line["level"] not in {"info", "warning"}] == []


async def test_an_event_stream_ends_without_complete(
    database_url: str, colleagues: Colleagues, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path) as (process, stranger):
        headers = {
            "Accept": "text/event-stream",
            "Authorization": f"Bearer {colleagues.engineer.token}",
        }
        async with stranger.http.stream(
            "POST", "/graphql", json={"query": EVENTS}, headers=headers
        ) as answer:
            parts = answer.aiter_text()
            seen = await anext(parts)
            process.send_signal(signal.SIGTERM)
            async for part in parts:
                seen += part
        assert "event:" not in seen
        log = await ended(process)
    assert [line["level"] for line in log if line["level"] != "info"] == []


async def test_a_request_that_takes_too_long_does_not_hold_the_process(
    database_url: str, colleagues: Colleagues, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path, shutdown_seconds=1) as (process, stranger):
        engineer = stranger.as_(colleagues.engineer)
        async with as_owner(database_url) as db:
            await db.execute(LOCK_ACCOUNT, {"id": colleagues.account_id})
            starting = asyncio.create_task(
                engineer.mutate("startSession", "session { status }", intake={"text": "Printer"})
            )
            await until_waiting(db, 1)
            process.send_signal(signal.SIGTERM)
            log = await ended(process)
            with pytest.raises((httpx.HTTPError, ValueError)):
                await starting
    [line] = [line for line in log if line["event"] == "operation"]
    assert (line["field"], line["codes"]) == ("startSession", ["CANCELLED"])
    async with as_owner(database_url) as db:
        started = text("SELECT count(*) FROM ai_sessions WHERE account_id = :id")
        assert (await db.execute(started, {"id": colleagues.account_id})).scalar_one() == 0


async def test_the_last_spans_are_sent_before_the_end(
    database_url: str, colleagues: Colleagues, tmp_path: Path
) -> None:
    posts: list[bytes] = []

    async def collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        posts.append(head.split(b"\r\n")[0] + await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(collect, "127.0.0.1", 0) as collector:
        port = collector.sockets[0].getsockname()[1]
        endpoint = f"http://127.0.0.1:{port}"
        async with serving(database_url, tmp_path, otlp_endpoint=endpoint) as (process, stranger):
            await stranger.as_(colleagues.engineer).run("query Mine { sessions { eventCursor } }")
            process.send_signal(signal.SIGTERM)
            await ended(process)
    whole = b"".join(posts)
    assert whole.startswith(b"POST /v1/traces HTTP/1.1")
    for told in (b"query sessions", b"Mine", b"transaction", b"flowpilot"):
        assert told in whole
