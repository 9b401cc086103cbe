"""Branch trees a second, against the servers that one would build instead: `python -m benchmarks.peers`.

PostGraphile 5, Mercurius with graphql-jit, and Strawberry as its guide teaches it, each in one process over
the same database. FlowPilot is what `python -m cli serve` runs: it authenticates, keeps accounts apart by
row-level security, counts costs and listens for events. The others do nothing of that and connect as the
owner. All are asked for the same branches, five levels deep, ten fields each, and every answer is looked
at: all at first, and then their length. The caller is a process of its own; how fast it is where nothing
is done stands beside the others.

Rounds take turns in changing order. Ratios are medians over the rounds, each of one round alone.
"""

import asyncio
import json
import os
import statistics
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from benchmarks.peers.servers import (
    MERCURIUS,
    OURS,
    POSTGRAPHILE,
    STRAWBERRY,
    TRIVIAL,
    Server,
    branches,
    install,
    question,
    servers,
    version,
)
from benchmarks.report import finish, table
from benchmarks.stage import Stage, plant_tree, stage

SIZES = (13, 100, 1_000)
OTHERS = 200
"""Sessions of the smallest size beside: in a table of three PostgreSQL reads all of it to find one."""
CLIENTS = (1, 8)
ROUNDS = 9
SECONDS = 0.4
WARM_UP = 2.0
"""Seconds for each server and size: V8 compiles what it has seen often."""
PEERS = (POSTGRAPHILE, MERCURIUS, STRAWBERRY)


class Cell(NamedTuple):
    name: str
    size: int
    clients: int


@dataclass
class Seen:
    rates: list[float] = field(default_factory=list)
    answers: int = 0
    server: float = 0.0
    """Processor seconds, as below."""
    database: float = 0.0


class Question(NamedTuple):
    port: int
    pid: int
    request: str
    length: int
    """Of the answer, in bytes."""


async def run() -> int:
    async with stage() as place:
        for _ in range(OTHERS):
            await plant_tree(place, min(SIZES), fan_out=5)
        sessions = {size: await plant_tree(place, size, fan_out=5) for size in SIZES}
        async with place.owner.begin() as db:
            # As FlowPilot does it for itself.
            await db.exec_driver_sql("ALTER DATABASE flowpilot SET jit = off")
        async with servers(place) as started, caller() as process:
            questions = await checked(place, started, sessions)
            seen = await measure(place, questions, process)
    print(*map(version, ("postgraphile", "mercurius", "graphql-jit", "fastify", "pg")), sep=", ")
    return tell(seen)


async def checked(
    place: Stage, started: Sequence[Server], sessions: Mapping[int, UUID]
) -> dict[tuple[str, int], Question]:
    """What to ask of whom, once all have given the same branches."""
    questions = {}
    for size, session_id in sessions.items():
        expected: list[dict[str, object]] = []
        length = 0
        for server in started:
            body = question(server.name, place.actor.account_id, session_id)
            path = "/graphql"
            if server.name == TRIVIAL:
                path = f"/{length}"
            else:
                answer = await server.answer(body)
                found, length = branches(answer), len(answer)
                expected = expected or found
                assert len(found) == size
                assert found == expected, f"{server.name} has another tree"
            request = server.request(path, body)
            questions[server.name, size] = Question(server.port, server.pid, request, length)
    return questions


@asynccontextmanager
async def caller() -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.peers.caller"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()  # which ends it
        await process.wait()


async def call(
    process: asyncio.subprocess.Process, asked: Question, clients: int, seconds: float
) -> tuple[int, float]:
    order = {
        "port": asked.port,
        "request": asked.request,
        "length": asked.length,
        "clients": clients,
        "seconds": seconds,
    }
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(order).encode() + b"\n")
    answers, took = json.loads(await process.stdout.readline())
    return answers, took


async def measure(
    place: Stage,
    questions: Mapping[tuple[str, int], Question],
    process: asyncio.subprocess.Process,
) -> dict[Cell, Seen]:
    for asked in questions.values():
        await call(process, asked, max(CLIENTS), WARM_UP)
    names = list(dict.fromkeys(name for name, _ in questions))
    cells = [(size, clients) for size in SIZES for clients in CLIENTS]
    seen = {Cell(name, *cell): Seen() for cell in cells for name in names}
    postmaster = int((place.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])
    for number in range(ROUNDS):
        for size, clients in cells:
            for name in (*names[number % len(names) :], *names[: number % len(names)]):
                asked, here = questions[name, size], seen[Cell(name, size, clients)]
                before = processor_seconds(asked.pid), backends_seconds(postmaster)
                answers, took = await call(process, asked, clients, SECONDS)
                here.server += processor_seconds(asked.pid) - before[0]
                here.database += backends_seconds(postmaster) - before[1]
                here.rates.append(answers / took)
                here.answers += answers
    return seen


def processor_seconds(pid: int) -> float:
    return _stat(pid)[1]


def backends_seconds(postmaster: int) -> float:
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            parent, seconds = _stat(int(folder.name))
            total += seconds if parent == postmaster else 0
    return total


def _stat(pid: int) -> tuple[int, float]:
    """Its parent, and what it has used of the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tell(seen: Mapping[Cell, Seen]) -> int:
    names = list(dict.fromkeys(cell.name for cell in seen))
    kinds = list(dict.fromkeys((cell.size, cell.clients) for cell in seen))
    head = ["branches", "clients"]
    table(
        f"Trees a second, medians of {ROUNDS} rounds",
        [*head, *names],
        [
            [*kind, *(statistics.median(seen[Cell(name, *kind)].rates) for name in names)]
            for kind in kinds
        ],
    )
    table(
        "Processor a tree, milliseconds: the server's and the database's",
        [*head, *(f"{name}{part}" for name in names[:-1] for part in ("", " db"))],
        [
            [
                *kind,
                *(
                    1e3 * seconds / one.answers
                    for one in (seen[Cell(name, *kind)] for name in names[:-1])
                    for seconds in (one.server, one.database)
                ),
            ]
            for kind in kinds
        ],
    )
    ratios = {peer: {kind: _ratio(seen, peer, *kind) for kind in kinds} for peer in PEERS}
    table(
        "Times as fast as",
        [*head, *PEERS],
        [[*kind, *(ratios[peer][kind] for peer in PEERS)] for kind in kinds],
    )
    told = {
        f"{peer.split()[0].lower()}_{size}_{clients}": ratio
        for peer in PEERS
        for (size, clients), ratio in ratios[peer].items()
    }
    for key, ratio in told.items():
        if key.startswith("mercurius") and ratio <= 1:
            print(f"WANTED: {key} is {ratio:.2f}, and above 1 would be better")
    return finish("peers", told, {}, {key: 1.0 for key in told if key.startswith("postgraphile")})


def _ratio(seen: Mapping[Cell, Seen], peer: str, size: int, clients: int) -> float:
    ours, theirs = (seen[Cell(name, size, clients)].rates for name in (OURS, peer))
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    install()
    sys.exit(asyncio.run(run()))
