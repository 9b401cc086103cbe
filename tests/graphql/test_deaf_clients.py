"""Clients that ask for much and read none of it: what they hold is bounded, and for how long."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

from graphql import get_introspection_query
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app import create_app
from server import http_config
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


async def _gets_in(client: Client) -> bool:
    """Whether a caller who may hold one socket holds none."""
    try:
        async with client.socket():
            return True
    except ConnectionClosed:
        return False
