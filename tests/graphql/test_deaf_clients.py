"""Clients that ask for much and read none of it: what they hold is bounded, and for how long."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from graphql import get_introspection_query
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app import create_app
from server import Requests, http_config
from settings import Settings
from tests.client import Client
from tests.conftest import SECRET, served
from tests.factories import Colleagues

SOON = 30
PROTOCOL = Subprotocol("graphql-transport-ws")
MUCH = 90
"""Answers of some hundred thousand bytes each: more than the machine keeps for a connection."""


async def test_a_socket_that_reads_nothing_is_cut(
    colleagues: Colleagues, database_url: str, tmp_path: Path
) -> None:
    settings = Settings(
        data_dir=tmp_path,
        secret_key=SECRET,
        port=0,
        worker_concurrency=0,
        max_connections=1,
        max_cost=10**6,
        cost_per_minute=10**9,
    )
    config = http_config(settings, create_app(settings, database_url))
    config.ws_ping_interval = config.ws_ping_timeout = 3
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(served(config))
        client = await stack.enter_async_context(Client(host, colleagues.engineer.token))
        deaf = await stack.enter_async_context(
            connect(f"ws://{host}/graphql", subprotocols=[PROTOCOL], compression=None)
        )
        who = {"Authorization": f"Bearer {client.token}"}
        await deaf.send(json.dumps({"type": "connection_init", "payload": who}))
        assert json.loads(await deaf.recv())["type"] == "connection_ack"
        deaf.transport.pause_reading()
        payload = {"query": get_introspection_query()}
        for number in range(MUCH):
            message = {"id": str(number), "type": "subscribe", "payload": payload}
            await deaf.send(json.dumps(message))
        assert not await _gets_in(client)
        async with asyncio.timeout(SOON):
            while not await _gets_in(client):
                pass  # being refused lets the server go on
        deaf.transport.abort()


# ------------------------------------------------------------------ over HTTP


@dataclass
class Impatient:
    host: str
    cut: asyncio.Event
    """Set when a line has ended, which nobody tells a client that does not read."""


@pytest.fixture
async def impatient(database_url: str, tmp_path: Path) -> AsyncIterator[Impatient]:
    cut = asyncio.Event()

    class Impatience(Requests):
        headers_within = read_within = 1.0

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            cut.set()

    settings = Settings(
        data_dir=tmp_path, secret_key=SECRET, port=0, worker_concurrency=0, cost_per_minute=10**9
    )
    config = http_config(settings, create_app(settings, database_url))
    config.http = Impatience
    async with served(config) as host:
        yield Impatient(host, cut)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_an_answer_that_nobody_reads_is_given_up(
    impatient: Impatient, colleagues: Colleagues, accept: str
) -> None:
    body = json.dumps({"query": get_introspection_query()}).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: {impatient.host}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {colleagues.engineer.token}\r\nAccept: {accept}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    async with deaf_line(impatient.host) as line:
        await asyncio.to_thread(line.sendall, (head.encode() + body) * MUCH)
        async with asyncio.timeout(SOON):
            await impatient.cut.wait()
    async with Client(impatient.host, colleagues.engineer.token) as client:
        assert (await client.run("{ viewer { scopes } }"))["viewer"]["scopes"]


HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("whole", "half"),
    [(b"", b""), (b"", b"POST /gra"), (HEALTH, b"GET /heal")],
    ids=["nothing", "half a request", "half of a second request"],
)
async def test_who_is_too_slow_to_ask_is_cut(
    impatient: Impatient, whole: bytes, half: bytes
) -> None:
    async with deaf_line(impatient.host) as line:
        if whole:
            await asyncio.to_thread(line.sendall, whole)
            assert (await asyncio.to_thread(line.recv, 1_000)).startswith(b"HTTP/1.1 200")
        await asyncio.to_thread(line.sendall, half)
        async with asyncio.timeout(SOON):
            await impatient.cut.wait()


@asynccontextmanager
async def deaf_line(host: str) -> AsyncIterator[socket.socket]:
    """The kernel of a client that reads nothing keeps little for it."""
    name, port = host.split(":")
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await asyncio.to_thread(line.connect, (name, int(port)))
        yield line


async def _gets_in(client: Client) -> bool:
    """Whether a caller who may hold one socket holds none."""
    try:
        async with client.socket():
            return True
    except ConnectionClosed:
        return False
