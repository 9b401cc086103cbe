"""Documents, bodies and frames that are too large or no such thing: refused at once, and alone."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from services.runtime import Runtime
from tests.client import Client, Socket
from tests.factories import Colleagues
from tests.tables import as_owner, event_seq, snapshot

AT_ONCE = 2.0
"""Seconds, of which a busy machine needs the most."""


@pytest.fixture
async def untouched(colleagues: Colleagues, database_url: str) -> AsyncIterator[None]:
    account_id = colleagues.account_id
    async with as_owner(database_url) as db:
        before = await event_seq(db, account_id), await snapshot(db, account_id)
    yield
    async with as_owner(database_url) as db:
        assert (await event_seq(db, account_id), await snapshot(db, account_id)) == before


# ------------------------------------------------------------------ documents


def nested_fragments() -> str:
    fragments = [
        f"fragment f{place} on Account {{ ...f{place + 1} ...f{place + 1} }}" for place in range(30)
    ]
    last = "fragment f30 on Account { id }"
    return " ".join(["{ viewer { account { ...f0 } } }", *fragments, last])


def deep(levels: int) -> str:
    opened = "{ session(id: 1) { rootBranch "
    middle = "{ session { rootBranch " * ((levels - 2) // 2)
    return opened + middle + "{ id }" + " } }" * ((levels - 2) // 2 + 1)


def circular() -> str:
    a, b = "fragment a on Account { ...b }", "fragment b on Account { ...a }"
    return f"{{ viewer {{ account {{ ...a }} }} }} {a} {b}"


DOCUMENTS = {
    "thirty fragments": (nested_fragments(), "DOCUMENT_TOO_LARGE"),
    "fragments in a circle": (circular(), "GRAPHQL_VALIDATION_FAILED"),
    "101 aliases": (
        "{" + " ".join(f"a{n}: __typename" for n in range(101)) + "}",
        "DOCUMENT_TOO_LARGE",
    ),
    "101 aliases below": (
        "{ viewer { account {" + " ".join(f"a{n}: id" for n in range(101)) + "} } }",
        "DOCUMENT_TOO_LARGE",
    ),
    "51 times one verb": (
        "mutation {" + " ".join(f'a{n}: switchBranch(input: {{branchId: "x"}}) {{ __typename }}'
                                for n in range(51)) + "}",
        "DOCUMENT_TOO_LARGE",
    ),
    "51 root fields": ("{" + " __typename" * 51 + "}", "DOCUMENT_TOO_LARGE"),
    "60 levels": (deep(60), "DOCUMENT_TOO_LARGE"),
    "50,001 characters": ("#" + "x" * 49_998 + "\n}", "DOCUMENT_TOO_LARGE"),
    "50,000 characters": ("#" + "x" * 49_997 + "\n}", "GRAPHQL_PARSE_FAILED"),
    "50,000 operations": ("query A{a}" * 50_000, "DOCUMENT_TOO_LARGE"),
    "3,000 operations": ("query A{a}" * 3_000, "GRAPHQL_PARSE_FAILED"),
    "150 operations": ("query A{a}" * 150, "BAD_USER_INPUT"),
    "4,000 tokens": ("{" + " __typename" * 4_000 + "}", "GRAPHQL_PARSE_FAILED"),
    "20,000 braces": ("{a" * 20_000, "GRAPHQL_PARSE_FAILED"),
    "20,000 brackets": ("{a(b:" + "[" * 20_000, "GRAPHQL_PARSE_FAILED"),
    "2,000 braces": ("{a" * 2_000 + "}" * 2_000, "GRAPHQL_PARSE_FAILED"),
    "2,000 brackets": (
        "{ node(id: " + "[" * 2_000 + "]" * 2_000 + ") { id } }", "GRAPHQL_PARSE_FAILED",
    ),
    "nothing": ("   ", "GRAPHQL_PARSE_FAILED"),
    "no GraphQL": ("SELECT 1", "GRAPHQL_PARSE_FAILED"),
    "half a character": ('{ node(id: "\\ud800") { id } }', "GRAPHQL_PARSE_FAILED"),
    "an unknown field": ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
    "an unknown argument": ("{ node(nonsense: 1) { id } }", "GRAPHQL_VALIDATION_FAILED"),
    "a missing argument": ("{ node { id } }", "GRAPHQL_VALIDATION_FAILED"),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_document_that_is_too_much_or_none_is_refused_at_once(
    client: Client, colleagues: Colleagues, untouched: None, name: str
) -> None:
    document, code = DOCUMENTS[name]
    for caller in (client.as_(colleagues.admin), client):
        began = time.monotonic()
        answer = await caller.post(document)
        assert time.monotonic() - began < AT_ONCE
        assert answer.status_code == 200
        assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {code}
        assert not answer.json().get("data")


async def test_the_same_document_is_refused_on_a_socket(
    client: Client, colleagues: Colleagues
) -> None:
    async with client.as_(colleagues.admin).socket() as socket:
        for place, (document, code) in enumerate(DOCUMENTS.values()):
            await _subscribe(socket, str(place), document)
            refused = await socket.receive()
            assert (refused["type"], refused["id"]) == ("error", str(place))
            assert {error["extensions"]["code"] for error in refused["payload"]} == {code}


NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
FORK = "mutation($input: ForkBranchInput!) { forkBranch(input: $input) { __typename } }"
VARIABLES: list[tuple[str, dict[str, Any], str]] = [
    (NODES, {"ids": ["x"] * 4_999}, "BAD_USER_INPUT"),
    (NODES, {"ids": ["x"] * 5_000}, "DOCUMENT_TOO_LARGE"),
    (FORK, {"input": {"options": [{}] * 4_998}}, "GRAPHQL_VALIDATION_FAILED"),
    (FORK, {"input": {"options": [{}] * 4_999}}, "DOCUMENT_TOO_LARGE"),
    (NODES, {"ids": [[["x"]]] * 1_666}, "GRAPHQL_VALIDATION_FAILED"),
    (NODES, {"ids": [[["x"]]] * 1_667}, "DOCUMENT_TOO_LARGE"),
    (NODES, {str(place): 1 for place in range(5_001)}, "DOCUMENT_TOO_LARGE"),
]


@pytest.mark.parametrize(("document", "variables", "code"), VARIABLES, ids=range(len(VARIABLES)))
async def test_variables_have_so_many_values(
    client: Client,
    colleagues: Colleagues,
    untouched: None,
    document: str,
    variables: dict[str, Any],
    code: str,
) -> None:
    caller = client.as_(colleagues.admin)
    began = time.monotonic()
    answer = await caller.post(document, variables)
    assert time.monotonic() - began < AT_ONCE
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {code}
    async with caller.socket() as socket:
        payload = {"query": document, "variables": variables}
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        told = (await socket.receive())["payload"]
        errors = told["errors"] if isinstance(told, dict) else told
        assert {error["extensions"]["code"] for error in errors} == {code}


# ------------------------------------------------------------------ bodies

QUERY = orjson.dumps({"query": "{ viewer { scopes } }"})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"5", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"[]", 400),
        (b"[1, 2]", 400),
        (b"{}", 400),
        (b"", 400),
        (b"{", 400),
        (b'{"query": 5}', 400),
        (b'{"query": null}', 400),
        (b'{"query": ["{ a }"]}', 400),
        (b'{"query": "{ viewer { scopes } }", "variables": 5}', 400),
        (b'{"query": "{ viewer { scopes } }", "variables": [1]}', 400),
        (b'{"query": "{ viewer { scopes } }", "variables": "x"}', 400),
        (b'{"query": "{ viewer { scopes } }", "operationName": 5}', 400),
        (b'{"query": "{ viewer { scopes } }", "extensions": 5}', 400),
        (b'{"query": "\xff\xfe"}', 400),
        (b"\xff\xfe\x00", 400),
        (
            b'{"query": "{ viewer { scopes } }", "variables": {"x": '
            + b"9" * 5_000
            + b', "y": "\\ud800"}}',
            400,
        ),
        (b"[" * 100_000 + b'"\\ud800"', 400),
        (b'{"query": "{ viewer { scopes } }", "variables": {"x": NaN}}', 400),
        (b"[" * 100_000, 400),
        (b'{"query": "{ viewer { scopes } }", "x": "' + b"x" * 1_000_000 + b'"}', 413),
        (b"x" * 5_000_000, 413),
    ],
    ids=range(24),
)
async def test_a_body_that_is_no_request_is_refused(
    client: Client, colleagues: Colleagues, untouched: None, body: bytes, status: int
) -> None:
    headers = {
        "Authorization": f"Bearer {colleagues.admin.token}",
        "Content-Type": "application/json",
    }
    answer = await client.http.post("/graphql", content=body, headers=headers)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"query": "{ node(id: \\"\\ud800\\") { id } }"}', "GRAPHQL_PARSE_FAILED"),
        (
            b'{"query": "query($n: Int) { node(id: $n) { id } }", "variables": {"n": "\\ud800"}}',
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ],
)
async def test_half_a_surrogate_pair_is_told_of_as_any_wrong_value(
    client: Client, colleagues: Colleagues, untouched: None, body: bytes, code: str
) -> None:
    headers = {
        "Authorization": f"Bearer {colleagues.admin.token}",
        "Content-Type": "application/json",
    }
    answer = await client.http.post("/graphql", content=body, headers=headers)
    assert answer.status_code == 200
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == [code]


async def test_half_a_surrogate_pair_closes_no_socket(
    client: Client, colleagues: Colleagues, untouched: None
) -> None:
    document = "query($id: ID!) { node(id: $id) { id } }"
    async with client.as_(colleagues.admin).socket() as socket:
        payload = {"query": document, "variables": {"id": "\ud800"}}
        message = {"id": "1", "type": "subscribe", "payload": payload}
        await socket.connection.send(json.dumps(message))
        answer = await socket.receive()
        assert answer["payload"]["data"] == {"node": None}


async def test_a_body_of_no_known_length_is_read_no_further_than_allowed(
    client: Client, colleagues: Colleagues
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 100_000

    headers = {"Authorization": f"Bearer {colleagues.admin.token}"}
    answer = await client.http.post(
        "/graphql", content=endless(), headers={**headers, "Content-Type": "application/json"}
    )
    assert answer.status_code == 413


async def test_a_body_of_a_million_bytes_is_read(client: Client, colleagues: Colleagues) -> None:
    start = b'{"query": "{ viewer { scopes } }", "variables": {"x": "'
    body = start + b"x" * (1_000_000 - len(start) - 3) + b'"}}'
    answer = await client.http.post(
        "/graphql",
        content=body,
        headers={
            "Authorization": f"Bearer {colleagues.admin.token}",
            "Content-Type": "application/json",
        },
    )
    assert answer.json()["data"] == {"viewer": {"scopes": ["READ", "WRITE", "ADMIN"]}}


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml"])
async def test_a_body_of_another_kind_is_refused(
    client: Client, colleagues: Colleagues, content_type: str
) -> None:
    headers = {"Authorization": f"Bearer {colleagues.admin.token}", "Content-Type": content_type}
    answer = await client.http.post("/graphql", content=QUERY, headers=headers)
    assert answer.status_code == 415


async def test_get_changes_nothing(client: Client, colleagues: Colleagues, untouched: None) -> None:
    mutation = 'mutation { switchBranch(input: {branchId: "x"}) { __typename } }'
    headers = {"Authorization": f"Bearer {colleagues.admin.token}", "Accept": "application/json"}
    answer = await client.http.get("/graphql", params={"query": mutation}, headers=headers)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


# ------------------------------------------------------------------ frames


@asynccontextmanager
async def raw(client: Client) -> AsyncIterator[ClientConnection]:
    async with connect(
        f"ws://{client.host}/graphql", subprotocols=["graphql-transport-ws"], max_size=None
    ) as connection:
        yield connection


async def closing_code(connection: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as caught:
        await _exhaust(connection)
    assert caught.value.rcvd is not None
    assert ".py" not in caught.value.rcvd.reason
    return caught.value.rcvd.code


async def _exhaust(connection: ClientConnection) -> None:
    async with asyncio.timeout(10):
        while True:
            await connection.recv()


async def _subscribe(socket: Socket, id: str, document: str, **variables: Any) -> None:
    payload = {"query": document, "variables": variables}
    await socket.send({"id": id, "type": "subscribe", "payload": payload})


MALFORMED: list[str | bytes] = [
    "",
    "nonsense",
    "5",
    "null",
    "[]",
    '"ping"',
    "{}",
    '{"type": 5}',
    '{"type": null}',
    '{"type": "nonsense"}',
    '{"type": "subscribe"}',
    '{"type": "subscribe", "id": 5, "payload": {"query": "{ viewer { scopes } }"}}',
    '{"type": "subscribe", "id": "1"}',
    '{"type": "subscribe", "id": "1", "payload": null}',
    '{"type": "subscribe", "id": "1", "payload": "x"}',
    '{"type": "subscribe", "id": "1", "payload": {}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": 5}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 5}}',
    '{"type": "complete"}',
    '{"type": "complete", "id": null}',
    "[" * 100_000,
    b'{"type": "ping"}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("frame", MALFORMED, ids=range(len(MALFORMED)))
@pytest.mark.parametrize("signed_in", [True, False])
async def test_a_frame_that_is_no_message_closes_the_socket(
    client: Client, colleagues: Colleagues, frame: str | bytes, signed_in: bool
) -> None:
    async with raw(client) as connection:
        if signed_in:
            socket = Socket(connection)
            token = f"Bearer {colleagues.admin.token}"
            await socket.send({"type": "connection_init", "payload": {"Authorization": token}})
            assert (await socket.receive())["type"] == "connection_ack"
        await connection.send(frame)
        assert await closing_code(connection) == 4400


@pytest.mark.parametrize("payload", ["x", 5, []])
async def test_an_init_with_no_object_is_malformed(client: Client, payload: object) -> None:
    async with raw(client) as connection:
        await Socket(connection).send({"type": "connection_init", "payload": payload})
        assert await closing_code(connection) == 4400


async def test_an_init_needs_no_payload(client: Client) -> None:
    async with raw(client) as connection:
        socket = Socket(connection)
        await socket.send({"type": "connection_init"})
        assert (await socket.receive())["type"] == "connection_ack"


@pytest.mark.parametrize(
    "token", ["worthless", "Bearer worthless", "Bearer", "\0", "Bearer fp_x_y"]
)
async def test_a_wrong_token_closes_the_socket(client: Client, token: str) -> None:
    async with raw(client) as connection:
        payload = {"Authorization": token}
        await Socket(connection).send({"type": "connection_init", "payload": payload})
        assert await closing_code(connection) == 4403


async def test_subscribing_before_init_closes_the_socket(client: Client) -> None:
    async with raw(client) as connection:
        await _subscribe(Socket(connection), "1", "{ viewer { scopes } }")
        assert await closing_code(connection) == 4401


async def test_two_inits_close_the_socket(client: Client, colleagues: Colleagues) -> None:
    async with client.as_(colleagues.admin).socket() as socket:
        await socket.send({"type": "connection_init"})
        assert await closing_code(socket.connection) == 4429


async def test_two_operations_of_one_id_close_the_socket(
    client: Client, colleagues: Colleagues
) -> None:
    async with client.as_(colleagues.admin).socket() as socket:
        for _ in range(2):
            await _subscribe(socket, "1", "subscription { queueChanged { __typename } }")
        assert await closing_code(socket.connection) == 4409


@pytest.mark.parametrize(
    "document",
    [
        "{ viewer {",
        "{ nonsense }",
        'subscription { messageStreamed(messageId: "x") { __typename } }',
    ],
)
async def test_an_operation_that_fails_leaves_its_neighbour_alone(
    client: Client, colleagues: Colleagues, runtime: Runtime, document: str
) -> None:
    admin = client.as_(colleagues.admin)
    started = await admin.mutate("startSession", "session { id }", intake={"text": "Mail stopped."})
    async with admin.socket() as socket:
        cursor = (await admin.run("{ queue { eventCursor } }"))["queue"]["eventCursor"]
        following = "subscription($after: String) { queueChanged(after: $after) { __typename } }"
        await _subscribe(socket, "lives", following, after=cursor)
        await _subscribe(socket, "fails", document)
        failed = await socket.receive()
        assert failed["id"] == "fails"
        assert failed["type"] in {"error", "next"}
        if failed["type"] == "next":
            assert failed["payload"]["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
            assert await socket.receive() == {"id": "fails", "type": "complete"}
        await admin.mutate(
            "handOffSession", "__typename", sessionId=started["session"]["id"], intent="PARK"
        )
        assert await socket.receive() == {
            "id": "lives",
            "type": "next",
            "payload": {"data": {"queueChanged": {"__typename": "HandoffCreated"}}},
        }
        await _subscribe(socket, "fails", "{ viewer { scopes } }")
        answer = await socket.receive()
        assert answer["payload"]["data"] == {"viewer": {"scopes": ["READ", "WRITE", "ADMIN"]}}


async def test_a_socket_without_the_protocol_is_refused(client: Client) -> None:
    async with connect(f"ws://{client.host}/graphql") as connection:
        assert await closing_code(connection) == 4406


async def test_of_several_operations_one_must_be_named(
    client: Client, colleagues: Colleagues, untouched: None
) -> None:
    document = "mutation A($i: StartSessionInput!) { startSession(input: $i) { __typename } }"
    start = {
        "idempotencyKey": "0198c0de-0000-7000-8000-000000000002",
        "intake": {"text": "No mail at all"},
    }
    caller = client.as_(colleagues.engineer)
    answer = (await caller.post(document + " query B { viewer { scopes } }", {"i": start})).json()
    assert answer.get("data") is None
    assert [(e["message"], e["extensions"]["code"]) for e in answer["errors"]] == [
        ("Name the operation to run.", "BAD_USER_INPUT")
    ]
