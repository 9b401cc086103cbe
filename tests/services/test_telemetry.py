"""What those who run the server are told, and what they never are."""

import asyncio
import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY
from sqlalchemy import text, update
from sqlalchemy.exc import SQLAlchemyError

from models.account import User
from services.authentication import hash_password
from services.runtime import Runtime
from services.telemetry import logs, traces
from services.telemetry.exposition import exposed
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues
from tests.tables import as_owner

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
EVENTS = "subscription { sessionsChanged { __typename } }"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The log as a service manager gets it, with everything that may be told."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    logs.configure("debug", "json", stream)
    for handler in before:
        root.addHandler(handler)
    yield stream
    root.handlers = before
    root.setLevel(level)
    logging.getLogger("flowpilot").setLevel(logging.NOTSET)
    logging.captureWarnings(capture=False)


def told(stream: io.StringIO, event: str) -> list[dict[str, Any]]:
    parsed = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in parsed if line["event"] == event]


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_an_operation_is_one_line_with_ids_and_no_text(
    client: Client, colleagues: Colleagues, database_url: str, lines: io.StringIO
) -> None:
    person, email = colleagues.engineer, f"engineer@{colleagues.account_id.hex}.example"
    hashed = await hash_password(PASSWORD)
    async with as_owner(database_url) as db:
        await db.execute(update(User).where(User.id == person.key).values(password_hash=hashed))
    signed_in = await client.mutate(
        "signIn",
        "tokens { accessToken refreshToken }",
        email=email,
        password=PASSWORD,
    )
    tokens = signed_in["tokens"]
    engineer = client.with_token(tokens["accessToken"])
    started = await engineer.mutate(
        "startSession", "session { id } reply { id }", intake={"text": "The boss's secret mailbox"}
    )
    await engineer.answered(started["reply"]["id"])
    answer = await engineer.post(
        "query Mine($x: Int = 7) { viewer { user { id } } sessions(first: $x) { eventCursor } }"
    )
    assert answer.json().get("errors") is None, answer.text
    whole = lines.getvalue()
    for secret in (PASSWORD, *tokens.values(), "secret mailbox", email, person.token, hashed):
        assert secret not in whole

    signed, began, streamed, mine = (
        {key: value for key, value in line.items() if key not in CHANGING}
        for line in told(lines, "operation")
    )
    who = {"viewer_id": str(person.key), "account_id": str(colleagues.account_id)}
    common = {"event": "operation", "level": "info", "logger": "flowpilot.operations", "codes": []}
    anonymous = {"operation": "anonymous", **common}
    assert all(line.pop("cost") > 0 for line in (signed, began, streamed))
    assert mine.pop("cost") == answer.json()["extensions"]["cost"]["requested"]
    assert signed == {**anonymous, **who, "kind": "mutation", "field": "signIn"}
    assert began == {**anonymous, **who, "kind": "mutation", "field": "startSession"}
    assert streamed.pop("results") >= 2
    assert re.fullmatch("[0-9a-f]{32}", streamed.pop("socket_id"))
    assert streamed == {**anonymous, **who, "kind": "subscription", "field": "messageStreamed"}
    assert mine == {**common, **who, "operation": "Mine", "kind": "query", "field": "several"}


WRITTEN = "a customer's words"

CHANGING = {"timestamp", "duration_ms", "request_id"}


@pytest.mark.parametrize(
    ("document", "kind", "field", "codes"),
    [
        ("query {", "unknown", "unknown", ["GRAPHQL_PARSE_FAILED"]),
        ("query Q { madeUp }", "query", "unknown", ["GRAPHQL_VALIDATION_FAILED"]),
        ("{ sessions { eventCursor } }", "query", "sessions", ["UNAUTHENTICATED"]),
        ("{ __schema { types { name } } }", "query", "__schema", ["UNAUTHENTICATED"]),
        ("query A { __typename } query B { __typename }", "unknown", "unknown", ["BAD_USER_INPUT"]),
    ],
)
async def test_refused_documents_are_told_and_counted_too(
    client: Client,
    lines: io.StringIO,
    document: str,
    kind: str,
    field: str,
    codes: list[str],
) -> None:
    labels = {"kind": kind, "field": field, "code": codes[0]}
    before = count("flowpilot_operations_total", **labels)
    answer = await client.post(document)
    [line] = told(lines, "operation")
    assert (line["kind"], line["field"], line["codes"]) == (kind, field, codes)
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert count("flowpilot_operations_total", **labels) == before + 1


START = """mutation { startSession(input: {
  idempotencyKey: "01a208d5-0435-7603-8035-5c8acd80afb3", intake: {text: "Printer"}
}) { __typename } }"""


@asynccontextmanager
async def without_new_sessions(database_url: str, colleagues: Colleagues) -> AsyncIterator[None]:
    """A rule of the database that the server does not know."""
    rule = f"CHECK (account_id <> '{colleagues.account_id}') NOT VALID"
    async with as_owner(database_url) as db:
        await db.execute(text(f"ALTER TABLE ai_sessions ADD CONSTRAINT no_sessions {rule}"))
    try:
        yield
    finally:
        async with as_owner(database_url) as db:
            await db.execute(text("ALTER TABLE ai_sessions DROP CONSTRAINT no_sessions"))


@pytest.mark.parametrize("kind", ["http", "socket"])
async def test_a_fault_of_ours_is_told_with_an_id_that_the_client_sees(
    client: Client,
    colleagues: Colleagues,
    lines: io.StringIO,
    database_url: str,
    kind: str,
) -> None:
    """The database refuses the row, and repeats it in its error."""
    engineer = client.as_(colleagues.engineer)
    async with without_new_sessions(database_url, colleagues):
        if kind == "http":
            answer = await engineer.post(START)
            [error] = answer.json()["errors"]
            assert error["extensions"]["requestId"] == answer.headers["X-Request-Id"]
        else:
            with pytest.raises(GraphQLFailure) as failure:
                async with engineer.subscribe(START) as results:
                    await anext(results)
            [error] = failure.value.errors
    assert error["message"] == "Something went wrong on our side."
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    [line] = [json.loads(one) for one in lines.getvalue().splitlines() if "exception" in one]
    assert line["request_id"] == error["extensions"]["requestId"]
    assert line["event"].startswith("an operation failed: ")
    assert 'violates check constraint "no_sessions"' in line["exception"]
    [operation] = told(lines, "operation")
    assert operation["request_id"] == line["request_id"]
    assert operation["codes"] == ["INTERNAL_SERVER_ERROR"]
    assert "Printer" not in lines.getvalue()


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("job-4711:a.b_c", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("two words", False),
        ('"}', False),
        ("é", False),
        ("", False),
    ],
)
async def test_a_sane_request_id_is_kept_and_another_replaced(
    client: Client, lines: io.StringIO, given: str, taken: bool
) -> None:
    answer = await client.http.post(
        "/graphql",
        json={"query": "{ __typename }"},
        headers={"X-Request-Id": given.encode()},  # type: ignore[dict-item]
    )
    [line] = told(lines, "operation")
    known = answer.headers["X-Request-Id"]
    assert line["request_id"] == known
    assert known == given if taken else re.fullmatch("[0-9a-f]{32}", known)


async def test_what_graphql_never_saw_is_told_without_its_query(
    client: Client, lines: io.StringIO
) -> None:
    before = count("flowpilot_http_responses_total", status="404")
    answer = await client.http.get(f"/nowhere{'e' * 200}?token=hunter2")
    assert answer.status_code == 404
    [line] = told(lines, "refused")
    assert (line["method"], line["status"]) == ("GET", 404)
    assert line["path"] == "/nowhere" + "e" * 92
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert "hunter2" not in lines.getvalue()
    assert count("flowpilot_http_responses_total", status="404") == before + 1


async def test_an_error_of_the_database_repeats_no_parameter(
    runtime: Runtime, lines: io.StringIO
) -> None:
    try:
        async with runtime.engine.connect() as db:
            await db.execute(text("SELECT CAST(:row AS json)"), {"row": WRITTEN})
    except SQLAlchemyError:
        logging.getLogger("flowpilot.test").exception("failed")
    [line] = told(lines, "failed")
    assert "invalid input syntax for type json" in line["exception"]
    assert "customer" not in line["exception"]


def test_a_terminal_gets_plain_text_and_libraries_keep_their_details() -> None:
    code = (
        "import logging; from services.telemetry import logs; logs.configure('debug', 'text')\n"
        "logging.getLogger('websockets.server').debug('< TEXT token')\n"
        "logging.getLogger('uvicorn.error').warning('hm')\n"
        "logging.getLogger('flowpilot.x').debug('done', extra={'n': 1})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    first, second = run.stderr.splitlines()
    assert re.search(r"\[warning *\] hm +\[uvicorn.error\]", first)
    assert re.search(r"\[debug *\] done +\[flowpilot.x\] +n=1", second)


async def test_metrics_say_what_goes_on(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    engineer = client.as_(colleagues.engineer)
    async with exposed(runtime, "127.0.0.1", 0) as port, httpx.AsyncClient() as prometheus:

        async def sample(name: str) -> float:
            answer = await prometheus.get(f"http://127.0.0.1:{port}/metrics")
            assert answer.status_code == 200
            [value] = re.findall(rf"^{re.escape(name)} (\S+)$", answer.text, re.MULTILINE)
            return float(value)

        names = (
            "flowpilot_open_sockets",
            "flowpilot_running_subscriptions",
            "flowpilot_feed_followers",
        )
        before = [await sample(name) for name in names]
        delivered = await sample("flowpilot_events_delivered_total")
        lags = await sample("flowpilot_feed_lag_seconds_count")
        answers = count("flowpilot_ai_answers_total", result="complete")
        async with engineer.subscribe(EVENTS) as events:
            first = asyncio.ensure_future(anext(events))
            async with asyncio.timeout(20):
                while runtime.feed.followers == before[2]:  # noqa: ASYNC110 - nothing tells it
                    await asyncio.sleep(0)  # the server is in this loop
            assert [await sample(name) for name in names] == [value + 1 for value in before]
            started = await engineer.mutate(
                "startSession", "reply { id }", intake={"text": "Printer"}
            )
            await first
            await engineer.answered(started["reply"]["id"])
        assert await sample("flowpilot_events_delivered_total") > delivered
        assert await sample("flowpilot_feed_lag_seconds_count") > lags
        assert await sample('flowpilot_pool_connections{state="most"}') == 20
        assert await sample('flowpilot_pool_connections{state="in_use"}') <= 20
        assert await sample('flowpilot_jobs{state="failed"}') >= 0
        assert await sample("flowpilot_bus_rebuilds_total") == runtime.bus.rebuilds
        assert count("flowpilot_ai_answers_total", result="complete") > answers
        assert (await client.http.get("/metrics")).status_code == 404
        async with asyncio.timeout(20):  # the socket's end is noticed a moment later
            while [await sample(name) for name in names] != before:
                pass


async def test_a_cursor_of_nowhere_is_counted_as_a_reset(
    client: Client, colleagues: Colleagues
) -> None:
    before = count("flowpilot_feed_resets_total")
    document = 'subscription { sessionsChanged(after: "ev_1") { __typename } }'
    async with client.as_(colleagues.engineer).subscribe(document) as events:
        assert await anext(events) == {"sessionsChanged": {"__typename": "FeedReset"}}
    assert count("flowpilot_feed_resets_total") == before + 1


async def test_a_trace_has_the_operation_and_its_transactions(
    client: Client, colleagues: Colleagues
) -> None:
    spans = InMemorySpanExporter()
    trace_id, parent_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    async with traces.exporting(SimpleSpanProcessor(spans)):
        answer = await client.http.post(
            "/graphql",
            json={"query": "query Mine { sessions { eventCursor } }"},
            headers={
                "Authorization": f"Bearer {colleagues.engineer.token}",
                "traceparent": f"00-{trace_id}-{parent_id}-01",
            },
        )
        assert answer.json().get("errors") is None
        await client.post("{ sessions { eventCursor } }")
        *inner, operation, refused = spans.get_finished_spans()
    assert operation.name == "query sessions"
    assert operation.parent is not None
    assert operation.context is not None
    assert f"{operation.context.trace_id:032x}" == trace_id
    assert f"{operation.parent.span_id:016x}" == parent_id
    assert operation.attributes == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Mine",
        "flowpilot.request_id": answer.headers["X-Request-Id"],
    }
    assert {span.name for span in inner} == {"transaction"}
    assert {span.parent and span.parent.span_id for span in inner} == {operation.context.span_id}
    assert operation.status.is_ok
    assert refused.status.description == "UNAUTHENTICATED"
    assert not refused.status.is_ok


def test_nobody_loads_the_exporter_without_an_endpoint() -> None:
    code = (
        "import app, sys; unwanted = ('opentelemetry.sdk.trace', 'opentelemetry.exporter')\n"
        "sys.exit(any(name.startswith(unwanted) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
