"""What takes too long ends, with a word about it; whoever comes next is served."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.client import Client
from tests.factories import Colleagues
from tests.locks import until_waiting
from tests.tables import Snapshot, as_owner, event_seq, snapshot

Serve = Callable[..., Awaitable[Client]]

SOON = 20
SESSIONS = "{ sessions { edges { cursor } } }"
SWITCH = """mutation($id: ID!) { switchBranch(input: {branchId: $id}) { __typename } }"""


async def test_a_query_that_waits_too_long_is_stopped(
    serve_also: Serve, colleagues: Colleagues, strangers: Colleagues, database_url: str
) -> None:
    server = await serve_also(operation_timeout=1)
    engineer = server.as_(colleagues.engineer)
    assert await engineer.run(SESSIONS) == {"sessions": {"edges": []}}
    async with as_owner(database_url) as db:
        await db.execute(text("LOCK TABLE ai_sessions IN ACCESS EXCLUSIVE MODE"))
        asked = asyncio.create_task(engineer.post(SESSIONS))
        await until_waiting(db, 1)
        viewer = await server.as_(strangers.engineer).run("{ viewer { scopes } }")
        assert viewer == {"viewer": {"scopes": ["READ", "WRITE"]}}
        answer = await asked
    assert answer.status_code == 200
    assert answer.json()["errors"] == [
        {
            "message": "The operation was stopped after 1 seconds.",
            "extensions": {"code": "TIMEOUT"},
        }
    ]
    assert await engineer.run(SESSIONS) == {"sessions": {"edges": []}}


@pytest.mark.parametrize("has_called", [False, True])
async def test_nobody_waits_for_ever_to_be_recognised(
    serve_also: Serve, colleagues: Colleagues, database_url: str, has_called: bool
) -> None:
    server = await serve_also(operation_timeout=1)
    engineer = server.as_(colleagues.engineer)
    for _ in range(3 * has_called):
        assert await engineer.run(SESSIONS) == {"sessions": {"edges": []}}
    async with as_owner(database_url) as db:
        await db.execute(text("LOCK TABLE users IN ACCESS EXCLUSIVE MODE"))
        answer = await engineer.post(SESSIONS)
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"] == {"code": "SERVICE_UNAVAILABLE"}
    assert await engineer.run(SESSIONS) == {"sessions": {"edges": []}}


async def test_a_mutation_that_is_stopped_has_changed_nothing(
    serve_also: Serve, client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    made = await engineer.mutate(
        "startSession",
        "session { rootBranch { id } } reply { id }",
        intake={"text": "The VPN drops"},
    )
    await engineer.answered(made["reply"]["id"])
    server = await serve_also(operation_timeout=0.3, reply_timeout=0.2)
    async with as_owner(database_url) as db:
        before = (
            await event_seq(db, colleagues.account_id),
            await snapshot(db, colleagues.account_id),
        )
        await db.execute(text("LOCK TABLE ai_sessions IN ACCESS EXCLUSIVE MODE"))
        async with server.as_(colleagues.engineer).socket() as socket:
            payload = {"query": SWITCH, "variables": {"id": made["session"]["rootBranch"]["id"]}}
            await socket.send({"id": "1", "type": "subscribe", "payload": payload})
            await until_waiting(db, 1)
            async with asyncio.timeout(SOON):
                answer = await socket.receive()
    assert answer["payload"]["errors"][0]["extensions"] == {"code": "TIMEOUT"}
    assert await _state(database_url, colleagues) == before


async def _state(database_url: str, colleagues: Colleagues) -> tuple[int, Snapshot]:
    async with as_owner(database_url) as db:
        account_id = colleagues.account_id
        return await event_seq(db, account_id), await snapshot(db, account_id)


async def test_a_body_that_dribbles_is_read_no_longer(serve_also: Serve) -> None:
    server = await serve_also(body_timeout=0.2)
    host, port = server.host.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{"
    )
    async with asyncio.timeout(SOON):
        assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
    writer.close()


async def test_a_socket_that_says_nothing_is_closed(serve_also: Serve) -> None:
    server = await serve_also(init_timeout=0.2)
    async with connect(
        f"ws://{server.host}/graphql", subprotocols=["graphql-transport-ws"]
    ) as connection:
        with pytest.raises(ConnectionClosed) as caught:
            async with asyncio.timeout(SOON):
                await connection.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4408


async def test_an_acknowledged_socket_may_be_silent_longer(
    serve_also: Serve, colleagues: Colleagues
) -> None:
    server = await serve_also(init_timeout=0.2)
    async with server.as_(colleagues.engineer).socket() as socket:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await socket.receive()
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}
