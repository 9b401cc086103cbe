"""`serve --workers`: two processes on one port, as real ones on a real database."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from websockets.exceptions import ConnectionClosed

from tests.client import Client
from tests.conftest import SECRET
from tests.factories import Colleagues
from tests.faults.installation import ROOT, STARTS_WITHIN, environment, free_port
from tests.locks import until_waiting
from tests.tables import as_owner, until_idle

SOON = 60
"""Seconds after which a test gives up; nothing takes so long when it works."""

SERVES = "a server process serves"
DIED = "a server process died and is replaced"
UNSHARED = (
    "each of 2 processes counts calls and sign-ins for itself, so callers may do as many times what the "
    "limits say; with FLOWPILOT_LIMITS_URL they count together"
)
LOCK_ACCOUNT = text("SELECT 1 FROM accounts WHERE id = :id FOR UPDATE")
BRANCHES = """subscription($id: ID!, $after: String) { branchChanged(sessionId: $id, after: $after) {
  ... on Event { cursor } ... on BranchUpdated { branch { label } } } }"""


@dataclass
class Together:
    parent: Process
    host: str
    metrics: list[str]
    log: list[dict[str, Any]] = field(default_factory=list)
    pids: set[int] = field(default_factory=set)
    """Of the processes that serve."""

    async def told(self, event: str) -> dict[str, Any]:
        """The next line of the log that says so."""
        assert self.parent.stderr is not None
        async with asyncio.timeout(STARTS_WITHIN):
            while True:
                said = await self.parent.stderr.readline()
                assert said, self.log
                line: dict[str, Any] = json.loads(said)
                self.log.append(line)
                if line["event"] == event:
                    return line

    @contextmanager
    def only(self, pid: int) -> Iterator[None]:
        """Whoever connects meanwhile gets this process; connections stay where they are."""
        others = self.pids - {pid}
        for other in others:
            os.kill(other, signal.SIGSTOP)
        try:
            yield
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)

    @asynccontextmanager
    async def client_of(self, pid: int, token: str) -> AsyncIterator[Client]:
        """Its line to the process stays open, and another is made only for what is asked meanwhile."""
        async with Client(self.host, token) as client:
            with self.only(pid):
                assert (await client.http.get("/readyz")).json() == {"status": "ready"}
            yield client

    async def all_end(self, code: int) -> None:
        """Until the parent has ended with the code, and nobody is left who could write to its log."""
        async with asyncio.timeout(SOON):
            _, rest = await self.parent.communicate()
        assert self.parent.returncode == code
        self.log += [json.loads(line) for line in rest.splitlines()]
        await self.refuses()

    async def refuses(self) -> None:
        """Until nobody takes connections any more; those that waited to be taken are cut."""
        async with asyncio.timeout(SOON), httpx.AsyncClient() as client:
            while True:
                with suppress(httpx.ReadError, httpx.RemoteProtocolError):
                    try:
                        await client.get(f"http://{self.host}/healthz")
                    except httpx.ConnectError:
                        return


def two_free_ports() -> int:
    """The first; the next is free, too."""
    while True:
        first = free_port()
        with suppress(OSError), socket.create_server(("127.0.0.1", first + 1)):
            return first


@asynccontextmanager
async def together(database_url: str, folder: Path, **settings: object) -> AsyncIterator[Together]:
    port, metrics = free_port(), two_free_ports()
    settings = {
        "data_dir": folder,
        "database_url": database_url,
        "port": port,
        "metrics_port": metrics,
        "secret_key": SECRET,
        "pool_size": 5,
        "worker_concurrency": 0,
        "workers": 64,  # the flag says otherwise
        **settings,
    }
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "serve", "--workers", "2"),
        cwd=ROOT,
        env=os.environ | environment(**settings),
        stdout=PIPE,
        stderr=PIPE,
    )
    addresses = [f"http://127.0.0.1:{metrics + number}/metrics" for number in range(2)]
    server = Together(parent, f"127.0.0.1:{port}", addresses)
    try:
        yield server
    finally:
        if parent.returncode is None:
            parent.kill()  # the others end by themselves
            await parent.communicate()


async def serving(server: Together) -> None:
    server.pids = {(await server.told(SERVES))["pid"], (await server.told(SERVES))["pid"]}
    assert server.parent.stdout is not None
    async with asyncio.timeout(SOON):
        greeting = await server.parent.stdout.readline()
    assert greeting.startswith(f"FlowPilot serves http://{server.host}/".encode())


@dataclass
class Trunk:
    """A branch that is renamed at one process and followed at another."""

    writer: Client
    session: str
    id: str
    cursor: str
    """Of what was heard last."""
    version: int
    last: int
    """Sequence of the newest event."""

    async def rename(self, times: int) -> None:
        for _ in range(times):
            await self.writer.mutate(
                "renameBranch",
                "branch { id }",
                branchId=self.id,
                label=f"Name {self.version}",
                expectedVersion=self.version,
            )
            self.version += 1
            self.last += 1

    async def hear(self, events: AsyncIterator[dict[str, Any]], *, and_more: bool = False) -> None:
        """Each event from where this was left, once and in order."""
        while (heard := sequence(self.cursor)) < self.last or and_more:
            self.cursor = (await anext(events))["branchChanged"]["cursor"]
            assert sequence(self.cursor) == heard + 1


def sequence(cursor: str) -> int:
    return int(cursor[-16:], 16)


async def planted(writer: Client, database_url: str, account_id: UUID) -> Trunk:
    """Its session has been answered, so that nothing happens but names."""
    started = await writer.mutate("startSession", "session { id }", intake={"text": "Mail stopped"})
    await until_idle(database_url, account_id)
    document = """query($id: ID!) {
      sessions { eventCursor } session(id: $id) { rootBranch { id version } } }"""
    seen = await writer.run(document, id=started["session"]["id"])
    trunk, cursor = seen["session"]["rootBranch"], seen["sessions"]["eventCursor"]
    return Trunk(
        writer,
        started["session"]["id"],
        trunk["id"],
        cursor,
        trunk["version"],
        sequence(cursor),
    )


async def test_a_killed_process_is_replaced_and_its_subscribers_miss_nothing(
    database_url: str, colleagues: Colleagues, tmp_path: Path
) -> None:
    token = colleagues.engineer.token
    async with together(database_url, tmp_path) as server, AsyncExitStack() as stack:
        await serving(server)
        first, second = server.pids
        writer = await stack.enter_async_context(server.client_of(first, token))
        reader = await stack.enter_async_context(server.client_of(second, token))
        trunk = await planted(writer, database_url, colleagues.account_id)

        with server.only(second):
            entering = reader.subscribe(BRANCHES, id=trunk.session, after=trunk.cursor)
            events = await stack.enter_async_context(entering)
        async with asyncio.timeout(SOON):
            await trunk.rename(3)
            await trunk.hear(events)
        assert sorted([await sockets(address) for address in server.metrics]) == [0, 1]

        await trunk.rename(1)
        os.kill(second, signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            await trunk.hear(events, and_more=True)
        await trunk.rename(2)
        async with (
            asyncio.timeout(SOON),
            writer.subscribe(BRANCHES, id=trunk.session, after=trunk.cursor) as events,
        ):
            await trunk.rename(2)
            await trunk.hear(events)

        died = await server.told(DIED)
        assert (died["pid"], died["exit_code"], died["level"]) == (second, -9, "error")
        third = (await server.told(SERVES))["pid"]
        server.pids = {first, third}
        async with server.client_of(third, token) as other:
            session = "query($id: ID!) { session(id: $id) { rootBranch { version } } }"
            seen = await other.run(session, id=trunk.session)
            assert seen["session"]["rootBranch"]["version"] == trunk.version
        for address in server.metrics:
            assert await sockets(address) == 0


async def sockets(metrics: str) -> int:
    """How many a process has open, by its own metrics."""
    async with httpx.AsyncClient() as prometheus:
        told = (await prometheus.get(metrics)).text
    [value] = [line for line in told.splitlines() if line.startswith("flowpilot_open_sockets ")]
    return int(float(value.split()[1]))


async def test_all_drain_and_end_when_the_parent_is_told_to(
    database_url: str, colleagues: Colleagues, tmp_path: Path
) -> None:
    async with together(database_url, tmp_path, drain_seconds=2) as server:
        await serving(server)
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(server.client_of(pid, colleagues.engineer.token))
                for pid in server.pids
            ]
            ends = []
            for pid, client in zip(server.pids, clients, strict=True):
                with server.only(pid):
                    ends.append(await stack.enter_async_context(client.socket()))
            db = await stack.enter_async_context(as_owner(database_url))
            await db.execute(LOCK_ACCOUNT, {"id": colleagues.account_id})
            asking, other = clients
            starting = asyncio.create_task(
                asking.mutate("startSession", "session { status }", intake={"text": "Printer"})
            )
            await until_waiting(db, 1)
            server.parent.send_signal(signal.SIGTERM)
            async with asyncio.timeout(SOON):
                while (await other.http.get("/readyz")).json() != {"status": "closing"}:
                    pass
                for end in ends:
                    with pytest.raises(ConnectionClosed) as closed:
                        await end.receive()
                    assert closed.value.rcvd is not None
                    assert closed.value.rcvd.code == 1012
            await server.refuses()
            assert not starting.done()
            await db.commit()
            assert (await starting)["session"] == {"status": "ACTIVE"}
        await server.all_end(0)
    assert [line["event"] for line in server.log if line["level"] != "info"] == [UNSHARED]


async def test_nobody_outlives_a_parent_that_was_killed(database_url: str, tmp_path: Path) -> None:
    async with together(database_url, tmp_path, limits_url="redis://127.0.0.1:1/0") as server:
        await serving(server)
        server.parent.kill()
        await server.all_end(-signal.SIGKILL)
    assert {line["level"] for line in server.log} == {"info"}


async def test_a_start_that_fails_ends_all(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "secret.key").mkdir()
    async with together(database_url, tmp_path, secret_key="") as server:
        async with asyncio.timeout(SOON):
            said, problems = await server.parent.communicate()
        assert (server.parent.returncode, said) == (2, b"")
        *_, last = problems.decode().splitlines()
        assert last == "A server process could not start; the log above says why."
