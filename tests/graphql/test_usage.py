"""What models used, at every level the same; and budgets, which refuse before anything is done."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from app import create_app
from cli import migrate
from models.account import Plan
from services import answers
from services.ai.port import Usage
from services.ai.scripted import Answer, Fail, FailAfter, Hold, ScriptedProvider
from services.ai.tasks import GiveSecondOpinion
from services.answers import answer_message
from services.database import sync_url
from services.ids import Kind, uuid_of
from services.runtime import Runtime
from services.usage import TokenCounts, weighted
from settings import Settings
from tests.client import Client
from tests.conftest import SECRET, UNTHROTTLED, served
from tests.factories import Colleagues, make_account
from tests.locks import until_waiting
from tests.tables import as_owner, event_seq, snapshot, until_idle
from tests.talk import Conversation, new_question

SOON = 30
"""Seconds after which a test gives up; nothing takes so long when it works."""

LIMIT = 1_000_000
"""Of the plan FREE."""

SPENT = """{
  viewer { account {
    usage { ...Tokens }
    usageByMonth { startsAt answers weighted usage { ...Tokens } }
    budget { limit used remaining renewsAt }
  } }
  sessions { edges { node {
    usage { ...Tokens }
    branches { usage { ...Tokens } messages { edges { node { state usage { ...Tokens } } } } }
  } } }
}
fragment Tokens on TokenUsage { input output cacheRead cacheWrite }"""

Tokens = dict[str, int]
NOTHING: Tokens = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}


def tokens(input: int = 0, output: int = 0, read: int = 0, write: int = 0) -> Tokens:
    return {"input": input, "output": output, "cacheRead": read, "cacheWrite": write}


def added(parts: list[Tokens]) -> Tokens:
    return {name: sum(part[name] for part in parts) for name in NOTHING}


class Desk:
    """An account with one session, whose intake cost nothing."""

    def __init__(
        self, client: Client, provider: ScriptedProvider, url: str, people: Colleagues
    ) -> None:
        self.client = client.as_(people.engineer)
        self.provider = provider
        self.url = url
        self.people = people
        self.intake = new_question()

    async def open(self) -> "Desk":
        self.provider.script(self.intake, Answer("Seen.", usage=Usage()))
        started = await self.client.mutate(
            "startSession",
            "session { id eventCursor rootBranch { id } } reply { id }",
            intake={"text": self.intake},
        )
        await self.client.answered(started["reply"]["id"])
        await self.idle()
        self.talk = Conversation(self.client, self.people, started["session"])
        self.session, self.trunk = self.talk.id, self.talk.trunk
        return self

    async def ask(self, *script: str | Answer | Fail | FailAfter | Hold, branch: str = "") -> str:
        """The id of the reply, which is pending."""
        question = new_question()
        self.provider.script(question, *script)
        sent = await self.client.mutate(
            "sendBranchMessage", "reply { id }", branchId=branch or self.trunk, body=question
        )
        return str(sent["reply"]["id"])

    async def fork(self) -> tuple[str, str]:
        return await self.talk.fork()

    async def reply(self, id: str) -> dict[str, Any]:
        document = """query($id: ID!) { node(id: $id) { ... on BranchMessage {
            state body failure usage { input output cacheRead cacheWrite } } } }"""
        found: dict[str, Any] = (await self.client.run(document, id=id))["node"]
        return found

    async def ended(self, id: str) -> dict[str, Any]:
        async with asyncio.timeout(SOON):
            await self.client.answered(id)
        return await self.reply(id)

    async def idle(self) -> None:
        await until_idle(self.url, self.people.account_id)

    async def run(self, statement: str, **values: object) -> None:
        async with as_owner(self.url) as db:
            await db.execute(text(statement), {"account": self.people.account_id, **values})

    async def kept(self) -> object:
        async with as_owner(self.url) as db:
            account_id = self.people.account_id
            return await event_seq(db, account_id), await snapshot(db, account_id)

    async def use(self, **counts: int) -> None:
        """As if answers of this month had used it."""
        names = ", ".join(counts)
        values = ", ".join(f":{name}" for name in counts)
        await self.run("DELETE FROM account_usage WHERE account_id = :account")
        await self.run(
            f"INSERT INTO account_usage (account_id, month, {names}) "
            f"VALUES (:account, date_trunc('month', now() AT TIME ZONE 'UTC'), {values})",
            **counts,
        )


@pytest.fixture
async def desk(
    client: Client,
    provider: ScriptedProvider,
    runtime: Runtime,
    database_url: str,
) -> Desk:
    """On FREE."""
    people = await make_account(runtime, database_url, Plan.FREE)
    return await Desk(client, provider, database_url, people).open()


def held(then: Answer | FailAfter) -> Hold:
    return Hold(asyncio.Event(), then)


async def reached(*holds: Hold) -> None:
    async with asyncio.timeout(SOON):
        for hold in holds:
            await hold.reached.wait()


def next_month() -> datetime:
    now = datetime.now(UTC)
    return datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)


def sentence(used: int, renews_at: datetime | None = None) -> str:
    renews_at = renews_at or next_month()
    return (
        f"This month's budget of 1,000,000 model tokens is used up: {used:,} were used, weighted by "
        f"their price. It renews on {renews_at:%Y-%m-%d} at 00:00 UTC."
    )


def refusal(used: int, renews_at: datetime | None = None) -> dict[str, Any]:
    return {
        "__typename": "BudgetExceededError",
        "message": sentence(used, renews_at),
        "budget": LIMIT,
        "used": used,
        "resetsAt": f"{renews_at or next_month():%Y-%m-%dT00:00:00Z}",
    }


# ------------------------------------------------------------------ sums


async def sums(desk: Desk) -> dict[str, Any]:
    """The account as it shows itself; every level is the sum of the one below."""
    found = await desk.client.run(SPENT)
    account: dict[str, Any] = found["viewer"]["account"]
    sessions = [edge["node"] for edge in found["sessions"]["edges"]]
    assert account["usage"] == added([month["usage"] for month in account["usageByMonth"]])
    assert account["usage"] == added([session["usage"] for session in sessions])
    for session in sessions:
        assert session["usage"] == added([branch["usage"] for branch in session["branches"]])
        for branch in session["branches"]:
            messages = [edge["node"] for edge in branch["messages"]["edges"]]
            assert branch["usage"] == added([each["usage"] or NOTHING for each in messages])
    return account


@pytest.mark.parametrize(
    ("counts", "weight"),
    [
        (TokenCounts(), 0),
        (TokenCounts(input_tokens=7), 7),
        (TokenCounts(output_tokens=3), 15),
        (TokenCounts(input_tokens=1000, cache_read_tokens=1000), 100),
        (TokenCounts(input_tokens=1000, cache_write_tokens=1000), 1250),
        (TokenCounts(1000, 100, 500, 300), 200 + 500 + 50 + 375),
        (TokenCounts(input_tokens=1, cache_read_tokens=1), 1),
    ],
)
def test_tokens_weigh_what_they_cost(counts: TokenCounts, weight: int) -> None:
    assert weighted(counts) == weight


async def test_every_level_adds_up_whatever_became_of_the_attempts(
    desk: Desk, provider: ScriptedProvider, strangers: Colleagues
) -> None:
    first, second = await desk.fork()
    plain = await desk.ask(Answer("Said.", usage=Usage(10, 2, cache_read=300, cache_write=40)))
    again = await desk.ask(
        Fail("First.", usage=Usage(5, 0, cache_read=1)),
        FailAfter("one two", "Second.", usage=Usage(6, 1)),
        Answer("Third.", usage=Usage(7, 3)),
        branch=first,
    )
    failed = await desk.ask(
        FailAfter("one two", "The key is wrong.", retryable=False, usage=Usage(100, 20)),
        branch=second,
    )
    untold = await desk.ask(Fail("The key is wrong.", retryable=False), branch=second)
    other = new_question()
    provider.script(other, Answer("Seen.", usage=Usage(1000, 4)))
    started = await desk.client.mutate("startSession", "reply { id }", intake={"text": other})
    used = {
        id: (await desk.ended(id))["usage"]
        for id in (plain, again, failed, untold, started["reply"]["id"])
    }
    assert list(used.values()) == [
        tokens(350, 2, 300, 40),
        tokens(19, 4, 1, 0),
        tokens(100, 20),
        None,
        tokens(1000, 4),
    ]
    account = await sums(desk)
    assert account["usage"] == tokens(1469, 30, 301, 40)
    weight = 1128 + 150 + 50 + 31  # 30.1 of cache reads, rounded up at the end
    this_month = f"{datetime.now(UTC):%Y-%m-01T00:00:00Z}"
    assert account["usageByMonth"] == [
        {
            "startsAt": this_month,
            "answers": 4,
            "weighted": weight,
            "usage": tokens(1469, 30, 301, 40),
        }
    ]
    assert account["budget"] == {
        "limit": LIMIT,
        "used": weight,
        "remaining": LIMIT - weight,
        "renewsAt": f"{next_month():%Y-%m-%dT00:00:00Z}",
    }
    others = (await desk.client.as_(strangers.admin).run(SPENT))["viewer"]["account"]
    assert (others["usage"], others["usageByMonth"], others["budget"]["used"]) == (NOTHING, [], 0)


async def test_what_is_cancelled_or_takes_too_long_counts_as_far_as_it_was_told(
    desk: Desk, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "CHUNK_INTERVAL", 0.0)
    stopped = held(FailAfter("one two three", usage=Usage(30, 1)))
    reply = await desk.ask(stopped)
    await reached(stopped)
    await desk.client.mutate("cancelMessage", "cancelledMessage { id }", messageId=reply)
    stopped.event.set()
    await desk.idle()
    found = await desk.reply(reply)
    assert (found["state"], found["usage"]) == ("CANCELLED", tokens(30, 1))

    overtaken, endless = (held(FailAfter("one two", usage=Usage(n, 1))) for n in (400, 5000))
    reply = await desk.ask(overtaken, endless)
    await reached(overtaken)
    hasty = replace(runtime, limits=replace(runtime.limits, reply_timeout=0.2))
    message_id = uuid_of(Kind.MESSAGE, reply)
    await answer_message(hasty, desk.people.account_id, message_id, last_try=True)
    overtaken.event.set()
    await desk.idle()
    found = await desk.reply(reply)
    assert (found["state"], found["usage"]) == ("FAILED", tokens(5400, 2))
    account = await sums(desk)
    assert account["usage"] == tokens(5430, 3)
    assert account["usageByMonth"][0]["answers"] == 1  # the intake's


async def test_an_answer_that_nobody_waits_for_any_more_was_used_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "CHUNK_INTERVAL", SOON)  # so that it learns only at the end
    late = held(Answer("one two three", usage=Usage(30, 3)))
    reply = await desk.ask(late)
    await reached(late)
    await desk.client.mutate("cancelMessage", "cancelledMessage { id }", messageId=reply)
    late.event.set()
    await desk.idle()
    found = await desk.reply(reply)
    assert (found["state"], found["usage"]) == ("CANCELLED", tokens(30, 3))
    account = await sums(desk)
    assert (account["usage"], account["usageByMonth"][0]["answers"]) == (tokens(30, 3), 1)


async def test_tries_of_other_work_count_on_the_session(desk: Desk) -> None:
    desk.provider.script_task(
        GiveSecondOpinion,
        desk.intake,
        Fail("Busy.", usage=Usage(100, 1)),
        Fail("The key is wrong.", retryable=False, usage=Usage(10)),
    )
    asked = "secondOpinion { id }"
    await desk.client.mutate("requestSecondOpinion", asked, sessionId=desk.session)
    await desk.idle()
    document = (
        "query($id: ID!) { session(id: $id) { usage { input output cacheRead cacheWrite } } }"
    )
    session = (await desk.client.run(document, id=desk.session))["session"]
    account = (await desk.client.run(SPENT))["viewer"]["account"]
    assert session["usage"] == account["usage"] == tokens(110, 1)


@pytest.mark.parametrize("begun", [True, False], ids=["a month begun", "a new month"])
async def test_two_answers_that_end_at_once_add_up(desk: Desk, begun: bool) -> None:
    """Of two sessions: both wait for the month's row before either may add to it."""
    other = await Desk(desk.client, desk.provider, desk.url, desk.people).open()
    holds = [held(Answer("Said.", usage=Usage(n, n, n, n))) for n in (1, 20)]
    replies = [await place.ask(hold) for place, hold in zip((desk, other), holds, strict=True)]
    await reached(*holds)
    if not begun:
        await desk.run("DELETE FROM account_usage WHERE account_id = :account")
    async with as_owner(desk.url) as db:
        lock = (
            "SELECT FROM account_usage WHERE account_id = :account FOR UPDATE"
            if begun
            else "INSERT INTO account_usage (account_id, month) "
            "VALUES (:account, date_trunc('month', now() AT TIME ZONE 'UTC'))"
        )
        await db.execute(text(lock), {"account": desk.people.account_id})
        for hold in holds:
            hold.event.set()
        await until_waiting(db, 2)
        if not begun:
            await db.execute(
                text("DELETE FROM account_usage WHERE account_id = :account"),
                {"account": desk.people.account_id},
            )
    for reply in replies:
        assert (await desk.ended(reply))["state"] == "COMPLETE"
    account = await sums(desk)
    assert account["usage"] == tokens(63, 21, 21, 21)
    assert account["usageByMonth"][0]["answers"] == (4 if begun else 2)


async def test_branches_of_one_session_that_end_at_once_add_up(desk: Desk) -> None:
    holds = [held(Answer("Said.", usage=Usage(n, n, n, n))) for n in (1, 20)]
    branches = await desk.fork()
    replies = [
        await desk.ask(hold, branch=branch) for hold, branch in zip(holds, branches, strict=True)
    ]
    await reached(*holds)
    async with as_owner(desk.url) as db:
        lock = text("SELECT FROM ai_sessions WHERE account_id = :account FOR UPDATE")
        await db.execute(lock, {"account": desk.people.account_id})
        for hold in holds:
            hold.event.set()
        await until_waiting(db, 2)
    for reply in replies:
        assert (await desk.ended(reply))["state"] == "COMPLETE"
    account = await sums(desk)
    assert account["usage"] == tokens(63, 21, 21, 21)


# ------------------------------------------------------------------ budgets


async def test_a_plan_says_how_much_it_holds_and_settings_say_otherwise(
    client: Client, runtime: Runtime, database_url: str, serve_also: Any
) -> None:
    other = await serve_also(budget_free=5, budget_enterprise=7)
    document = "{ viewer { account { budget { limit used remaining } } } }"
    for plan, limit, elsewhere in (
        (Plan.FREE, LIMIT, 5),
        (Plan.PRO, 10_000_000, 10_000_000),
        (Plan.TEAM, 50_000_000, 50_000_000),
        (Plan.ENTERPRISE, None, 7),
    ):
        people = await make_account(runtime, database_url, plan)
        for server, expected in ((client, limit), (other, elsewhere)):
            found = await server.as_(people.engineer).run(document)
            assert found["viewer"]["account"]["budget"] == {
                "limit": expected,
                "used": 0,
                "remaining": expected,
            }


async def test_beyond_the_budget_nothing_more_is_asked(
    desk: Desk, provider: ScriptedProvider, strangers: Colleagues, serve_also: Any
) -> None:
    failed = await desk.ask(Fail("The key is wrong.", retryable=False))
    await desk.ended(failed)
    earlier = {"idempotencyKey": str(uuid4()), "branchId": desk.trunk, "body": new_question()}
    last = held(Answer("To the end.", usage=Usage(LIMIT, 2)))
    provider.script(earlier["body"], last)
    sent = await desk.client.mutate("sendBranchMessage", "reply { id }", **earlier)
    await reached(last)
    await desk.use(input_tokens=LIMIT - 1)
    last.event.set()
    await desk.idle()
    crossed = await desk.reply(sent["reply"]["id"])
    assert (crossed["state"], crossed["body"]) == ("COMPLETE", "To the end.")

    used = LIMIT - 1 + LIMIT + 10
    budget = (await desk.client.run(SPENT))["viewer"]["account"]["budget"]
    assert (budget["used"], budget["remaining"]) == (used, 0)
    other = Desk(desk.client, provider, desk.url, strangers)
    other.client = desk.client.as_(strangers.engineer)
    await other.open()
    asked = len(provider.requests)
    before, theirs = await desk.kept(), await other.kept()
    for mutation, values in (
        ("sendBranchMessage", {"branchId": desk.trunk, "body": "And now?"}),
        (
            "sendMessage",
            {"sessionId": desk.session, "expectedBranchId": desk.trunk, "body": "And now?"},
        ),
        ("startSession", {"intake": {"text": "Another problem"}}),
        ("retryMessage", {"messageId": failed}),
    ):
        refused = await desk.client.mutate(mutation, "__typename", **values)
        assert refused == refusal(used), mutation
    complete = await desk.client.mutate("retryMessage", "__typename", messageId=sent["reply"]["id"])
    assert (complete["__typename"], complete["from"]) == ("InvalidTransitionError", "COMPLETE")
    repeated = await desk.client.mutate("sendBranchMessage", "reply { id }", **earlier)
    assert repeated["reply"] == sent["reply"]
    assert await desk.kept() == before
    assert await other.kept() == theirs
    assert len(provider.requests) == asked
    reply = await other.ask("Still here.")
    assert (await other.ended(reply))["state"] == "COMPLETE"

    offline = (await serve_also()).as_(desk.people.engineer)
    sent = await offline.mutate("startSession", "reply { state }", intake={"text": "It fails"})
    assert sent["reply"] == {"state": "PENDING"}


async def test_up_to_the_budget_everything_is_answered(desk: Desk) -> None:
    await desk.use(input_tokens=LIMIT - 1)
    reply = await desk.ask(Answer("Said.", usage=Usage(1)))
    assert (await desk.ended(reply))["state"] == "COMPLETE"
    refused = await desk.client.mutate(
        "sendBranchMessage", "__typename", branchId=desk.trunk, body="?"
    )
    assert refused == refusal(LIMIT)


async def test_replies_that_wait_fail_and_are_retried_by_hand(
    desk: Desk, provider: ScriptedProvider
) -> None:
    running = held(Answer("To the end.", usage=Usage(LIMIT)))
    first = await desk.ask(running)
    await reached(running)
    queued = [await desk.ask("Too late."), await desk.ask("Too late.")]
    asked = len(provider.requests)
    running.event.set()
    assert (await desk.ended(first))["state"] == "COMPLETE"
    for reply in queued:
        ended = await desk.ended(reply)
        assert ended == {"state": "FAILED", "body": "", "failure": sentence(LIMIT), "usage": None}
    await desk.idle()
    assert len(provider.requests) == asked
    assert (await sums(desk))["usage"] == tokens(LIMIT)

    await desk.run(
        "UPDATE account_usage SET month = month - interval '1 month' WHERE account_id = :account"
    )
    retried = await desk.client.mutate("retryMessage", "reply { state }", messageId=queued[0])
    assert retried["reply"] == {"state": "PENDING"}
    assert (await desk.ended(queued[0]))["body"] == "Too late."


async def test_a_try_after_the_budget_was_used_up_is_the_last(
    desk: Desk, provider: ScriptedProvider
) -> None:
    asked = len(provider.requests)
    reply = await desk.ask(FailAfter("one", "Overloaded.", usage=Usage(LIMIT)), "Never said.")
    ended = await desk.ended(reply)
    assert (ended["state"], ended["failure"]) == ("FAILED", sentence(LIMIT))
    await desk.idle()
    assert len(provider.requests) == asked + 1


# ------------------------------------------------------------------ months

CLOCK = """
CREATE SCHEMA clock;
CREATE TABLE clock.hands (at timestamptz NOT NULL);
INSERT INTO clock.hands VALUES ('2027-12-31 23:59:59.999999Z');
CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM clock.hands';
GRANT USAGE ON SCHEMA clock TO flowpilot_app;
GRANT SELECT ON clock.hands TO flowpilot_app;
"""
"""What statements take for the time where it is looked up before PostgreSQL's own."""


@pytest.fixture
def clocked_url(make_database: Callable[[str], str]) -> str:
    """A database a microsecond before the end of 2027, in whose own zone the next year has begun."""
    url = make_database("clock")
    migrate(url)
    engine = create_engine(sync_url(url))
    with engine.begin() as db:
        name = engine.url.database
        for statement in (
            *CLOCK.strip().split(";\n"),
            f"ALTER DATABASE {name} SET search_path = clock, pg_catalog, public",
            f"ALTER DATABASE {name} SET timezone = 'Pacific/Kiritimati'",
            # Bound to PostgreSQL's own clock when it was made: by this one no worker would seem alive.
            "ALTER TABLE procrastinate_workers ALTER last_heartbeat SET DEFAULT clock.now()",
        ):
            db.execute(text(statement))
    engine.dispose()
    return url


async def test_a_budget_renews_when_the_month_begins_in_utc(
    clocked_url: str, tmp_path: Path
) -> None:
    provider = ScriptedProvider()
    app = create_app(
        Settings(data_dir=tmp_path, secret_key=SECRET), clocked_url, provider, limits=UNTHROTTLED
    )
    async with served(app) as host, Client(host) as client:
        people = await make_account(app.state.runtime, clocked_url, Plan.FREE)
        desk = await Desk(client, provider, clocked_url, people).open()
        await desk.ended(await desk.ask(Answer("Said.", usage=Usage(LIMIT))))
        refused = await desk.client.mutate(
            "sendBranchMessage", "__typename", branchId=desk.trunk, body="Now?"
        )
        assert refused == refusal(LIMIT, datetime(2028, 1, 1, tzinfo=UTC))

        await desk.run("UPDATE clock.hands SET at = '2028-01-01 00:00:00Z'")
        account = await sums(desk)
        assert account["budget"] == {
            "limit": LIMIT,
            "used": 0,
            "remaining": LIMIT,
            "renewsAt": "2028-02-01T00:00:00Z",
        }
        reply = await desk.ask(Answer("Said.", usage=Usage(7)))
        assert (await desk.ended(reply))["state"] == "COMPLETE"
        await desk.idle()
        account = await sums(desk)
        months = [(month["startsAt"], month["weighted"]) for month in account["usageByMonth"]]
        assert months == [("2028-01-01T00:00:00Z", 7), ("2027-12-01T00:00:00Z", LIMIT)]
        assert account["usage"] == tokens(LIMIT + 7)


async def test_months_are_listed_newest_first_and_not_without_end(desk: Desk) -> None:
    await desk.run(
        "INSERT INTO account_usage (account_id, month, input_tokens) "
        "SELECT :account, month, 1 FROM generate_series("
        "timestamp '2020-01-01', timestamp '2023-12-01', interval '1 month') AS month"
    )
    await desk.run("DELETE FROM account_usage WHERE account_id = :account AND month > '2024-01-01'")
    account = (await desk.client.run(SPENT))["viewer"]["account"]
    months = [month["startsAt"] for month in account["usageByMonth"]]
    expected = [date(2023 - n // 12, 12 - n % 12, 1) for n in range(36)]
    assert months == [f"{month:%Y-%m-%d}T00:00:00Z" for month in expected]
    assert account["usage"] == tokens(48)
