"""GraphQL over HTTP: media types, status codes, and what is refused before GraphQL sees it."""

import asyncio
from typing import Any

import pytest

from tests.client import Client
from tests.factories import Colleagues

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
SCOPES = "{ viewer { scopes } }"
SUBSCRIPTION = "subscription { queueChanged { __typename } }"


def headers(colleagues: Colleagues, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {colleagues.admin.token}", **more}


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/html, application/*;q=0.8", JSON),
        (JSON, JSON),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}, {JSON};q=0.9", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE};q=0.1, {JSON};q=0.9", JSON),
        (f"{GRAPHQL_RESPONSE};q=0, {JSON};q=nonsense, */*", JSON),
        ("Application/GraphQL-Response+JSON; charset=UTF-8", GRAPHQL_RESPONSE),
    ],
)
async def test_the_answer_comes_in_the_media_type_that_is_wanted(
    client: Client, colleagues: Colleagues, accept: str | None, answered: str
) -> None:
    wanted = {} if accept is None else {"Accept": accept}
    request = client.http.build_request(
        "POST", "/graphql", json={"query": SCOPES}, headers=headers(colleagues, **wanted)
    )
    if accept is None:
        del request.headers["Accept"]
    answer = await client.http.send(request)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == f"{answered}; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.json()["data"] == {"viewer": {"scopes": ["READ", "WRITE", "ADMIN"]}}


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/json;q=0"])
async def test_what_cannot_be_answered_as_wanted_is_not_run(
    client: Client, colleagues: Colleagues, accept: str
) -> None:
    answer = await client.http.post(
        "/graphql", json={"query": SCOPES}, headers=headers(colleagues, Accept=accept)
    )
    assert answer.status_code == 406
    assert answer.json()["errors"][0]["extensions"] == {"code": "NOT_ACCEPTABLE"}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
    (
        {"query": "query($n: Int!) { sessions(first: $n) { nodes { id } } }"},
        "GRAPHQL_VALIDATION_FAILED",
    ),
    ({"query": "query a { viewer { scopes } } query b { viewer { scopes } }"}, "BAD_USER_INPUT"),
    ({"query": SCOPES, "operationName": "missing"}, "BAD_USER_INPUT"),
    ({"query": "fragment a on Account { id }"}, "BAD_USER_INPUT"),
]


@pytest.mark.parametrize(("body", "code"), REFUSED)
@pytest.mark.parametrize(("media", "status"), [(JSON, 200), (GRAPHQL_RESPONSE, 400)])
async def test_an_operation_that_does_not_run_has_no_data(
    client: Client, colleagues: Colleagues, body: dict[str, Any], code: str, media: str, status: int
) -> None:
    answer = await client.http.post(
        "/graphql", json=body, headers=headers(colleagues, Accept=media)
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        status,
        f"{media}; charset=utf-8",
    )
    assert "data" not in answer.json()
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {code}


@pytest.mark.parametrize("media", [JSON, GRAPHQL_RESPONSE])
async def test_a_field_that_fails_is_an_answer(client: Client, media: str) -> None:
    answer = await client.http.post("/graphql", json={"query": SCOPES}, headers={"Accept": media})
    assert answer.status_code == 200
    assert answer.json()["data"] is None
    assert answer.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_a_query_may_come_in_the_address(client: Client, colleagues: Colleagues) -> None:
    params = {
        "query": "query one($id: ID!) { node(id: $id) { id } } query two { viewer { scopes } }",
        "operationName": "one",
        "variables": '{"id": "nobody"}',
    }
    answer = await client.http.get("/graphql", params=params, headers=headers(colleagues))
    assert answer.json()["data"] == {"node": None}


@pytest.mark.parametrize("name", ["variables", "extensions"])
@pytest.mark.parametrize("value", ["{", "5", "[]", '"x"'])
async def test_an_address_that_is_no_request_is_refused(
    client: Client, colleagues: Colleagues, name: str, value: str
) -> None:
    answer = await client.http.get(
        "/graphql", params={"query": SCOPES, name: value}, headers=headers(colleagues)
    )
    assert answer.status_code == 400
    assert name in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_told_which_there_are(client: Client, method: str) -> None:
    answer = await client.http.request(method, "/graphql", json={"query": SCOPES})
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST"
    assert answer.json()["errors"][0]["extensions"] == {"code": "METHOD_NOT_ALLOWED"}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json-patch+json",
        "application/json; charset=utf-16",
        "multipart/mixed; boundary=x",
    ],
)
async def test_only_json_in_utf_8_is_read(
    client: Client, colleagues: Colleagues, content_type: str
) -> None:
    answer = await client.http.post(
        "/graphql",
        content=b'{"query": "{ viewer { scopes } }"}',
        headers=headers(colleagues, **{"Content-Type": content_type}),
    )
    assert answer.status_code == 415


async def test_a_compressed_body_is_refused(client: Client, colleagues: Colleagues) -> None:
    encoding = {"Content-Type": JSON, "Content-Encoding": "gzip"}
    answer = await client.http.post(
        "/graphql", content=b"x", headers=headers(colleagues, **encoding)
    )
    assert answer.status_code == 415


@pytest.mark.parametrize("media", [JSON, GRAPHQL_RESPONSE])
async def test_a_subscription_is_told_where_it_can_run(
    client: Client, colleagues: Colleagues, media: str
) -> None:
    answer = await client.http.post(
        "/graphql", json={"query": SUBSCRIPTION}, headers=headers(colleagues, Accept=media)
    )
    assert answer.status_code == 406
    assert answer.json()["errors"] == [
        {
            "message": "A subscription needs a socket, or `Accept: text/event-stream`.",
            "extensions": {"code": "NOT_ACCEPTABLE"},
        }
    ]


async def test_an_upload_that_is_given_up_leaves_no_trace(
    client: Client, colleagues: Colleagues, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = client.host.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{"
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await reader.read() == b""
    assert (await client.as_(colleagues.admin).run(SCOPES))["viewer"]["scopes"]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
