"""Subscriptions over HTTP: server-sent events, and Apollo's multipart form."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import orjson
import pytest
from sqlalchemy.event import listen, remove

from services.runtime import Runtime
from tests.client import Client
from tests.conftest import SECRET
from tests.factories import Colleagues
from tests.tables import as_owner, snapshot

SOON = 20
FOLLOW = "subscription($after: String) { sessionsChanged(after: $after) { __typename } }"
STARTED = {"data": {"sessionsChanged": {"__typename": "SessionStarted"}}}
MULTIPART = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"


@asynccontextmanager
async def stream(
    client: Client, document: str, accept: str = "text/event-stream", **variables: Any
) -> AsyncIterator[httpx.Response]:
    headers = {"Accept": accept}
    if client.token:
        headers["Authorization"] = f"Bearer {client.token}"
    body = {"query": document, "variables": variables}
    async with (
        asyncio.timeout(SOON),
        client.http.stream("POST", "/graphql", json=body, headers=headers) as response,
    ):
        yield response


async def events(response: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """Each event's name and data; None where it has none."""
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data = line.removeprefix("data: ")
            yield name, orjson.loads(data) if data else None


async def cursor(client: Client) -> str:
    found: str = (await client.run("{ sessions { eventCursor } }"))["sessions"]["eventCursor"]
    return found


async def start(client: Client) -> str:
    made = await client.mutate("startSession", "session { id }", intake={"text": "The VPN drops"})
    session_id: str = made["session"]["id"]
    return session_id


async def test_events_come_as_they_happen(client: Client, colleagues: Colleagues) -> None:
    engineer = client.as_(colleagues.engineer)
    after = await cursor(engineer)
    async with stream(engineer, FOLLOW, after=after) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["X-Accel-Buffering"] == "no"
        await start(engineer)
        assert await anext(events(response)) == ("next", STARTED)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_query_is_one_event_and_the_end(
    client: Client, colleagues: Colleagues, method: str
) -> None:
    query = "{ viewer { scopes } }"
    headers = {
        "Accept": "text/event-stream",
        "Authorization": f"Bearer {colleagues.engineer.token}",
    }
    sent = {"params": {"query": query}} if method == "GET" else {"json": {"query": query}}
    async with client.http.stream(method, "/graphql", headers=headers, **sent) as response:
        seen = [event async for event in events(response)]
    data = {"data": {"viewer": {"scopes": ["READ", "WRITE"]}}}
    assert seen[0][1].pop("extensions")["cost"]["requested"] == 2
    assert seen == [("next", data), ("complete", None)]


async def test_get_changes_nothing(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    async with as_owner(database_url) as db:
        before = await snapshot(db, colleagues.account_id)
    mutation = 'mutation { switchBranch(input: {branchId: "x"}) { __typename } }'
    headers = {
        "Accept": "text/event-stream",
        "Authorization": f"Bearer {colleagues.engineer.token}",
    }
    params = {"query": mutation}
    async with client.http.stream("GET", "/graphql", params=params, headers=headers) as response:
        (name, refused), end = [event async for event in events(response)]
    assert (name, end) == ("next", ("complete", None))
    assert "data" not in refused
    assert refused["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
    async with as_owner(database_url) as db:
        assert await snapshot(db, colleagues.account_id) == before


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { sessionsChanged(after: 5) { __typename } }", "GRAPHQL_VALIDATION_FAILED"),
        ('subscription { branchChanged(sessionId: "x") { __typename } }', "NOT_FOUND"),
    ],
)
async def test_what_cannot_run_is_an_event_with_errors_and_the_end(
    client: Client, colleagues: Colleagues, document: str, code: str
) -> None:
    async with stream(client.as_(colleagues.engineer), document) as response:
        (name, refused), end = [event async for event in events(response)]
    assert (name, end) == ("next", ("complete", None))
    assert {error["extensions"]["code"] for error in refused["errors"]} == {code}


async def test_a_stranger_and_another_account_hear_nothing(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    engineer, foreigner = client.as_(colleagues.engineer), client.as_(strangers.engineer)
    after = await cursor(engineer)
    async with stream(client, FOLLOW) as response:
        (_, refused), _ = [event async for event in events(response)]
        assert refused["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    async with stream(foreigner, FOLLOW, after=after) as response:
        reset = await anext(events(response))
        assert reset == ("next", {"data": {"sessionsChanged": {"__typename": "FeedReset"}}})
    document = FOLLOW.replace("__typename", "... on SessionStarted { session { id } }")
    async with stream(foreigner, document, after=await cursor(foreigner)) as response:
        await start(engineer)
        own = await start(foreigner)
        _, heard = await anext(events(response))
        assert heard == {"data": {"sessionsChanged": {"session": {"id": own}}}}


async def test_apollos_multipart_form(client: Client, colleagues: Colleagues) -> None:
    engineer = client.as_(colleagues.engineer)
    after = await cursor(engineer)
    async with stream(engineer, FOLLOW, accept=MULTIPART, after=after) as response:
        assert response.headers["Content-Type"].startswith("multipart/mixed;boundary=graphql")
        await start(engineer)
        async for line in response.aiter_lines():
            if line.startswith("{") and line != "{}":
                assert orjson.loads(line) == {"payload": STARTED}
                return
    raise AssertionError("the stream ended")


async def test_a_caller_has_so_many_streams_and_gets_them_back(
    client: Client, colleagues: Colleagues
) -> None:
    engineer, lead = client.as_(colleagues.engineer), client.as_(colleagues.lead)
    after = await cursor(engineer)
    async with AsyncExitStack() as held:
        for _ in range(50):
            opened = await held.enter_async_context(stream(engineer, FOLLOW, after=after))
            assert opened.status_code == 200
        async with stream(engineer, FOLLOW) as refused:
            assert refused.status_code == 429
            await refused.aread()
            assert refused.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED"}
        async with stream(lead, FOLLOW) as other:
            assert other.status_code == 200
    await _until_open(engineer)


async def _until_open(client: Client) -> None:
    """The server hears of a closed connection a moment later."""
    async with asyncio.timeout(SOON):
        while True:
            async with stream(client, FOLLOW) as response:
                if response.status_code == 200:
                    return


async def test_a_deactivated_person_hears_no_event_more(
    client: Client, colleagues: Colleagues
) -> None:
    engineer, lead = client.as_(colleagues.engineer), client.as_(colleagues.lead)
    after = await cursor(engineer)
    async with (
        stream(engineer, FOLLOW, after=after) as leaver,
        stream(lead, FOLLOW, after=after) as stays,
    ):
        left, told = people_only(leaver), people_only(stays)
        await start(lead)
        assert await anext(left) == await anext(told) == ("next", STARTED)
        await client.as_(colleagues.admin).mutate(
            "deactivateMember", "member { id }", userId=colleagues.engineer.id
        )
        await start(lead)
        assert await anext(told) == ("next", STARTED)
        assert [shut_out(event) async for event in left] == [True, False]


async def test_a_revoked_key_hears_its_end_where_nothing_happens(
    client: Client, colleagues: Colleagues
) -> None:
    admin = client.as_(colleagues.admin)
    made = await admin.mutate("createApiKey", "secret apiKey { id }", name="Robot", scopes=["READ"])
    robot = client.with_token(made["secret"])
    async with stream(robot, FOLLOW, after=await cursor(admin)) as response:
        await admin.mutate("revokeApiKey", "apiKey { id }", apiKeyId=made["apiKey"]["id"])
        assert [shut_out(event) async for event in events(response)] == [True, False]


async def test_a_stream_ends_with_its_token(client: Client, colleagues: Colleagues) -> None:
    claims = jwt.decode(colleagues.engineer.token, options={"verify_signature": False})
    claims["exp"] = datetime.now(UTC) + timedelta(seconds=2)
    short = client.with_token(jwt.encode(claims, SECRET, algorithm="HS256"))
    async with stream(short, FOLLOW) as response:
        assert [shut_out(event) async for event in events(response)] == [True, False]


async def test_the_database_is_asked_who_hears_only_when_rights_have_changed(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    engineer, lead = client.as_(colleagues.engineer), client.as_(colleagues.lead)
    after = await cursor(engineer)
    own = UUID(colleagues.engineer.id.removeprefix("us_"))
    asked: list[str] = []

    def remember(*arguments: Any) -> None:
        if "flowpilot_user_by_id" in arguments[2] and own in arguments[3]:
            asked.append(arguments[2])

    listen(runtime.engine.sync_engine, "before_cursor_execute", remember)
    try:
        async with stream(engineer, FOLLOW, after=after) as response:
            told = people_only(response)
            for _ in range(3):
                await start(lead)
                assert await anext(told) == ("next", STARTED)
            assert len(asked) == 2  # by the request, and when the following began
            await client.as_(colleagues.admin).mutate(
                "saveMember",
                "member { role }",
                userId=colleagues.engineer2.id,
                role="LEAD",
                expectedVersion=1,
            )
            await start(lead)
            assert await anext(told) == ("next", STARTED)
            assert len(asked) == 3
    finally:
        remove(runtime.engine.sync_engine, "before_cursor_execute", remember)


async def people_only(response: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """Without what the assistant does meanwhile."""
    updated = {"data": {"sessionsChanged": {"__typename": "SessionUpdated"}}}
    async for event in events(response):
        if event != ("next", updated):
            yield event


def shut_out(event: tuple[str, Any]) -> bool:
    """Whether it says that its hearer may hear no more; the only other thing is the end."""
    if event == ("complete", None):
        return False
    name, result = event
    assert (name, "data" in result) == ("next", False)
    assert [error["extensions"] for error in result["errors"]] == [{"code": "UNAUTHENTICATED"}]
    return True
