"""A socket lives no longer than the right to use it."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from schema.transport import sockets
from services.telemetry.metrics import OPEN_SOCKETS
from tests.client import Client, Socket
from tests.factories import Colleagues
from tests.locks import until_waiting
from tests.tables import as_owner, event_seq, snapshot

SOON = 20
FOLLOW = "subscription { sessionsChanged { ... on Event { cursor } } }"
NEW_KEY = """mutation($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { __typename }
}"""
DOOR = {
    "idempotencyKey": "0198c0de-0000-7000-8000-000000000001",
    "name": "Back door",
    "scopes": ["ADMIN"],
}


async def closing_code(socket: Socket) -> int | None:
    async with asyncio.timeout(SOON):
        await socket.connection.wait_closed()
    return socket.connection.close_code


async def subscribe(socket: Socket, document: str, **variables: Any) -> None:
    payload = {"query": document, "variables": variables}
    await socket.send({"id": "1", "type": "subscribe", "payload": payload})


async def test_a_revoked_key_does_nothing_more_on_an_open_socket(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    admin = client.as_(colleagues.admin)
    made = await admin.mutate(
        "createApiKey", "secret apiKey { id }", name="Robot", scopes=["READ", "WRITE", "ADMIN"]
    )
    async with client.with_token(made["secret"]).socket() as socket:
        await admin.mutate("revokeApiKey", "apiKey { id }", apiKeyId=made["apiKey"]["id"])
        async with as_owner(database_url) as db:
            before = await snapshot(db, colleagues.account_id)
        await subscribe(socket, NEW_KEY, input=DOOR)
        assert await closing_code(socket) == 4403
    async with as_owner(database_url) as db:
        assert await snapshot(db, colleagues.account_id) == before
        assert await event_seq(db, colleagues.account_id) == 0


async def test_a_deactivated_persons_subscription_ends_and_a_colleagues_goes_on(
    client: Client, colleagues: Colleagues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CALLER_CHECK", 0.05)
    admin = client.as_(colleagues.admin)
    async with (
        client.as_(colleagues.engineer).socket() as leaver,
        client.as_(colleagues.lead).socket() as stays,
    ):
        for socket in (leaver, stays):
            await subscribe(socket, FOLLOW)
        await admin.mutate("deactivateMember", "member { id }", userId=colleagues.engineer.id)
        assert await closing_code(leaver) == 4403
        await stays.send({"type": "ping"})
        assert await stays.receive() == {"type": "pong"}


async def test_who_is_shut_out_and_has_left_already_is_no_failure(
    client: Client, colleagues: Colleagues, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The line is cut while the caller is looked up."""
    engineer = client.as_(colleagues.engineer)
    admin = client.as_(colleagues.admin)
    await admin.mutate("deactivateMember", "member { id }", userId=colleagues.engineer.id)
    async with as_owner(database_url) as db:
        await db.execute(text("LOCK TABLE users IN ACCESS EXCLUSIVE MODE"))
        async with connect(
            f"ws://{engineer.host}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]
        ) as connection:
            payload = {"Authorization": f"Bearer {engineer.token}"}
            await Socket(connection).send({"type": "connection_init", "payload": payload})
            await until_waiting(db, 1)
            connection.transport.abort()
        for _ in range(3):
            (await client.http.get("/healthz")).raise_for_status()
    async with asyncio.timeout(SOON):
        while OPEN_SOCKETS._value.get():
            await client.as_(colleagues.lead).run("{ viewer { scopes } }")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_new_role_counts_on_an_open_socket(client: Client, colleagues: Colleagues) -> None:
    admin = client.as_(colleagues.admin)
    async with client.as_(colleagues.lead).socket() as socket:
        viewer = "{ viewer { user { role } } }"
        async for answer in socket.follow(viewer):
            assert answer["viewer"]["user"]["role"] == "LEAD"
        changed = await admin.mutate(
            "saveMember",
            "member { role }",
            userId=colleagues.lead.id,
            role="ENGINEER",
            expectedVersion=1,
        )
        assert changed["member"] == {"role": "ENGINEER"}
        async for answer in socket.follow(viewer):
            assert answer["viewer"]["user"]["role"] == "ENGINEER"


async def test_an_event_after_the_deactivation_is_not_heard_whenever_the_next_look_is(
    client: Client, colleagues: Colleagues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CALLER_CHECK", 600)
    admin, lead = client.as_(colleagues.admin), client.as_(colleagues.lead)
    async with client.as_(colleagues.engineer).socket() as socket:
        await subscribe(socket, FOLLOW)
        await admin.mutate("deactivateMember", "member { id }", userId=colleagues.engineer.id)
        await lead.mutate("startSession", "session { id }", intake={"text": "The VPN drops"})
        async with asyncio.timeout(SOON):
            with pytest.raises(ConnectionClosed) as closed:
                await socket.receive()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403
