"""From commit to subscriber with two servers and 200 subscribers, against a bare LISTEN/NOTIFY.

Both are measured in turns, in one run, on the same database: a branch is renamed, then a notice goes
around. `accounts` has ten subscribers in each of 20 accounts, as dashboards have; `fan_out` has all 200 in
one account, so that each event is told 200 times.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import orjson

from benchmarks.report import finish, table
from benchmarks.stage import PASSWORD, Stage, plant_tree, stage, trunk_of
from models.account import Plan, Role
from services.access import SCOPES_OF, Actor
from services.accounts import NewPerson, create_account
from services.authentication import sign_in
from services.branches import rename_branch
from services.database import plain_url
from services.feed import encode_cursor
from services.ids import Kind, node_id

SERVERS = 2
SUBSCRIBERS = 200


@dataclass(frozen=True)
class Shape:
    name: str
    accounts: int
    commits: int
    pause: float
    """Seconds between two commits: long enough for the last to have been told."""


SHAPES = (Shape("accounts", 20, 400, 0.04), Shape("fan_out", 1, 40, 0.5))

MUST = {"accounts_p99": 50.0}


@dataclass
class Desk:
    """An account with one session, whose trunk is renamed again and again."""

    actor: Actor
    token: str
    session_id: UUID
    branch_id: UUID
    version: int = 1
    seq: int = 0

    def seen_from(self, host: str) -> dict[str, str]:
        return {
            "host": host,
            "token": self.token,
            "id": node_id(Kind.SESSION, self.session_id),
            "after": encode_cursor(self.actor.account_id, self.seq),
        }


async def run() -> int:
    async with stage() as place, servers(place) as hosts, bare(place) as round_trip:
        ratios, rows = {}, []
        for shape in SHAPES:
            name = shape.name
            desks = [await furnish(place, f"{name}-{number}") for number in range(shape.accounts)]
            ours, theirs = await measure(place, hosts, desks, shape, round_trip)
            for percent in (50, 99):
                ours_at, theirs_at = _percentile(ours, percent), _percentile(theirs, percent)
                ratios[f"{name}_p{percent}"] = ours_at / theirs_at
                rows.append(
                    [name, f"p{percent}", ours_at * 1e3, theirs_at * 1e3, ours_at / theirs_at]
                )
    table(
        f"Commit to subscriber, milliseconds, {SERVERS} servers, {SUBSCRIBERS} subscribers",
        ["subscribers", "", "FlowPilot", "LISTEN/NOTIFY", "x"],
        rows,
    )
    return finish("feed", ratios, MUST)


def _percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


@asynccontextmanager
async def servers(place: Stage) -> AsyncIterator[list[str]]:
    async with AsyncExitStack() as stack:
        started = [await stack.enter_async_context(server(place)) for _ in range(SERVERS)]
        yield [host for host, _ in started]


@asynccontextmanager
async def server(
    place: Stage, module: str = "benchmarks.tree_server"
) -> AsyncIterator[tuple[str, int]]:
    """Its host with port, and its process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, place.url, str(place.data_dir)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    try:
        assert process.stdout is not None
        address = (await process.stdout.readline()).decode().strip()
        async with httpx.AsyncClient() as http:
            (await http.get(f"{address}/readyz")).raise_for_status()
        yield address.removeprefix("http://"), process.pid
    finally:
        process.terminate()
        await process.wait()


class RoundTrip:
    """One connection notifies, another listens."""

    def __init__(self, speaker: asyncpg.Connection, listener: asyncpg.Connection) -> None:
        self._speaker, self._listener = speaker, listener
        self._heard = asyncio.Event()

    async def listen(self) -> None:
        await self._listener.add_listener("bare", lambda *_: self._heard.set())

    async def seconds(self) -> float:
        self._heard.clear()
        began = time.monotonic()
        await self._speaker.execute("NOTIFY bare")
        await self._heard.wait()
        return time.monotonic() - began


@asynccontextmanager
async def bare(place: Stage) -> AsyncIterator[RoundTrip]:
    url = plain_url(place.url)
    speaker, listener = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        round_trip = RoundTrip(speaker, listener)
        await round_trip.listen()
        yield round_trip
    finally:
        await asyncio.gather(speaker.close(), listener.close())


async def furnish(place: Stage, name: str) -> Desk:
    email = f"{name}@benchmark.example"
    people = [NewPerson(email, "Engineer", Role.ADMIN, PASSWORD)]
    made = await create_account(place.url, name=name, plan=Plan.TEAM, people=people)
    user_id = made.user_ids[email]
    actor = Actor(made.account_id, user_id, Role.ADMIN, SCOPES_OF[Role.ADMIN], user_id, None)
    place = replace(place, actor=actor)
    session_id = await plant_tree(place, size=3, fan_out=2)
    signed_in = await sign_in(place.runtime, email=email, password=PASSWORD, address="127.0.0.1")
    trunk_id = await trunk_of(place, session_id)
    return Desk(actor, signed_in.tokens.access_token, session_id, trunk_id)


async def measure(
    place: Stage,
    hosts: Sequence[str],
    desks: Sequence[Desk],
    shape: Shape,
    round_trip: RoundTrip,
) -> tuple[list[float], list[float]]:
    """Seconds from each commit to each of its subscribers, and of each bare round trip."""
    places = [desk.seen_from(host) for desk in desks for host in hosts]
    listeners = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.feed_listeners"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**26,
    )
    assert listeners.stdin is not None
    assert listeners.stdout is not None
    total = shape.commits * SUBSCRIBERS // len(desks)
    order = {"places": list(islice(cycle(places), SUBSCRIBERS)), "events": total}
    listeners.stdin.write(orjson.dumps(order) + b"\n")
    assert (await listeners.stdout.readline()).strip() == b"listening"
    committed: dict[str, float] = {}
    round_trips = []
    for number in range(shape.commits):
        desk = desks[number % len(desks)]
        committed.update([await commit(place, desk)])
        await asyncio.sleep(shape.pause / 2)
        round_trips.append(await round_trip.seconds())
        await asyncio.sleep(shape.pause / 2)
    heard: list[tuple[str, float]] = orjson.loads(await listeners.stdout.readline())
    await listeners.wait()
    assert len(heard) == total
    return [at - committed[cursor] for cursor, at in heard], round_trips


async def commit(place: Stage, desk: Desk) -> tuple[str, float]:
    """The event's cursor, and when its transaction was over."""
    await rename_branch(
        place.runtime,
        desk.actor,
        branch_id=desk.branch_id,
        label=f"Name {desk.version}",
        description=None,
        expected_version=desk.version,
    )
    now = time.monotonic()
    desk.version += 1
    desk.seq += 1
    return encode_cursor(desk.actor.account_id, desk.seq), now


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
