"""What a second server process is worth, and what one account's counter of events allows.

`serve --workers 2` against `serve`, in turns, on the same database: the tree of 100 branches over HTTP,
asked for by processes of their own, and from commit to 200 subscribers. Callers and PostgreSQL share the
machine with the servers, so on few cores the second process gets what they leave, and requests a second
are no must; server CPU a request tells what it costs by itself.

Then commits a second, each waited for until it is on the disk: 16 writers in one account, whose commits
wait for each other, against 16 writers with an account each. Their transactions are the shortest that
record an event, so no verb commits more often.
"""

import asyncio
import os
import statistics
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.feed import Shape, bare, furnish, measure
from benchmarks.report import finish, table
from benchmarks.stage import EMAIL, PASSWORD, Stage, plant_tree, stage
from benchmarks.tree import NESTED
from services.authentication import sign_in
from services.ids import Kind, node_id

BRANCHES = 100
LOADERS = 2
"""Processes of callers, or of writers."""
CALLERS = 8
"""In each of them."""
ROUNDS = 5
SECONDS = 2.0
"""Of one round at one target."""
FOLLOWED = Shape("fan_out", accounts=1, commits=12, pause=0.5)
FOLLOWED_ROUNDS = 2

MUST = {"cpu_a_request": 1.5}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Servers:
    host: str
    pid: int

    def cpu(self) -> float:
        """Seconds that they have used, the parent included."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return sum(_cpu(pid) for pid in (self.pid, *map(int, children)))


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@asynccontextmanager
async def serving(place: Stage, processes: int) -> AsyncIterator[Servers]:
    settings = {
        "DATABASE_URL": place.url,
        "DATA_DIR": str(place.data_dir),
        "PORT": "0",
        "WORKER_CONCURRENCY": "0",
        "MAX_CONNECTIONS": "1000",
        "COST_PER_MINUTE": str(10**12),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "serve", "--workers", str(processes)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {f"FLOWPILOT_{name}": value for name, value in settings.items()},
    )
    try:
        assert process.stdout is not None
        greeting = (await process.stdout.readline()).decode()
        yield Servers(greeting.split("http://")[1].split("/")[0], process.pid)
    finally:
        process.terminate()
        await process.wait()


Ask = Callable[[Sequence[Mapping[str, Any]]], Awaitable[int]]


@asynccontextmanager
async def loaders(module: str, *arguments: str) -> AsyncIterator[Ask]:
    """Processes of that module. Given an order each, they say how much they have done together."""
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(LOADERS)
    ]

    async def one(process: asyncio.subprocess.Process, order: Mapping[str, Any]) -> int:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(orjson.dumps(order) + b"\n")
        return int(await process.stdout.readline())

    async def ask(orders: Sequence[Mapping[str, Any]]) -> int:
        return sum(await asyncio.gather(*map(one, processes, orders)))

    yield ask
    for process in processes:
        await process.communicate(b"")


async def run() -> int:
    async with stage() as place:
        async with serving(place, 1) as alone, serving(place, 2) as pair:
            ratios = await trees(place, (alone, pair))
            ratios |= await deliveries(place, (alone, pair))
        ratios |= await commits(place)
    return finish("scale", ratios, MUST)


async def trees(place: Stage, targets: Sequence[Servers]) -> dict[str, float]:
    session_id = await plant_tree(place, BRANCHES, fan_out=5)
    signed_in = await sign_in(place.runtime, email=EMAIL, password=PASSWORD, address="127.0.0.1")
    body = {"query": NESTED, "variables": {"id": node_id(Kind.SESSION, session_id)}}
    order = {
        "token": signed_in.tokens.access_token,
        "body": orjson.dumps(body).decode(),
        "callers": CALLERS,
        "seconds": SECONDS,
    }
    rates: tuple[list[float], list[float]] = ([], [])
    costs: tuple[list[float], list[float]] = ([], [])
    async with loaders("benchmarks.scale_clients") as ask:
        for number in range(ROUNDS + 1):
            for target, rate, cost in zip(targets, rates, costs, strict=True):
                before = target.cpu()
                answers = await ask([{**order, "host": target.host}] * LOADERS)
                if number:  # the first warms up
                    rate.append(answers / SECONDS)
                    cost.append((target.cpu() - before) / answers)
    alone, pair = (
        (statistics.median(rate), statistics.median(cost) * 1e3)
        for rate, cost in zip(rates, costs, strict=True)
    )
    table(
        f"The tree of {BRANCHES} branches, {LOADERS * CALLERS} callers",
        ["processes", "requests a second", "server CPU a request, ms"],
        [[1, *alone], [2, *pair]],
    )
    print(f"x {pair[0] / alone[0]:.2f} requests a second, x {pair[1] / alone[1]:.2f} CPU")
    return {"seconds_a_request": alone[0] / pair[0], "cpu_a_request": pair[1] / alone[1]}


async def deliveries(place: Stage, targets: Sequence[Servers]) -> dict[str, float]:
    desks = [await furnish(place, "scale")]
    seconds: tuple[list[float], list[float]] = ([], [])
    async with bare(place) as round_trip:
        for _ in range(FOLLOWED_ROUNDS):
            for target, seen in zip(targets, seconds, strict=True):
                seen.extend((await measure(place, [target.host], desks, FOLLOWED, round_trip))[0])
    alone, pair = (
        [statistics.quantiles(seen, n=100)[percent - 1] * 1e3 for percent in (50, 99)]
        for seen in seconds
    )
    table(
        "Commit to 200 subscribers, milliseconds",
        ["processes", "p50", "p99"],
        [[1, *alone], [2, *pair]],
    )
    return {f"delivery_p{n}": b / a for n, a, b in zip((50, 99), alone, pair, strict=True)}


async def commits(place: Stage) -> dict[str, float]:
    """In one account, and in as many as there are writers."""
    async with place.owner.begin() as db:
        await db.exec_driver_sql("ALTER ROLE flowpilot SET synchronous_commit = on")
    desks = [await furnish(place, f"writer-{number}") for number in range(LOADERS * CALLERS)]
    many = [
        {"account": str(desk.actor.account_id), "session": str(desk.session_id)} for desk in desks
    ]
    rates: tuple[list[float], list[float]] = ([], [])
    async with loaders("benchmarks.scale_writers", place.url) as ask:
        for number in range(ROUNDS + 1):
            for places, rate in zip((many[:1] * len(many), many), rates, strict=True):
                done = await ask(
                    [
                        {"places": places[loader::LOADERS], "seconds": SECONDS}
                        for loader in range(LOADERS)
                    ]
                )
                if number:
                    rate.append(done / SECONDS)
    crowded, apart = (statistics.median(rate) for rate in rates)
    table(
        f"The shortest transactions with an event, {len(desks)} writers",
        ["accounts", "commits a second"],
        [[1, crowded], [len(desks), apart]],
    )
    return {"commits_in_one_account": apart / crowded}


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
