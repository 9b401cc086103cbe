"""Memory of a server while subscribers come, listen, drop and come back: `python -m benchmarks.churn 30`
for thirty minutes. Draws docs/memory.svg with matplotlib.

Half of the subscribers cut the line without a word, as laptops do; the others end in order, over a socket
or an event stream. Flat means that the last third of the time needs no more than the second.
"""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import orjson
from matplotlib.figure import Figure
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.feed import Desk, commit, furnish, server
from benchmarks.feed_listeners import FOLLOW
from benchmarks.report import finish, table
from benchmarks.stage import Stage, stage

SUBSCRIBERS = 40
ACCOUNTS = 4
COMMITS_A_SECOND = 15
"""So that the ring of recent events, which each account has, is full in the first third."""
SAMPLE = 5.0
"""Seconds."""

PICTURE = Path(__file__).parents[1] / "docs" / "memory.svg"
PROTOCOL = Subprotocol("graphql-transport-ws")
MUST = {"growth": 1.05}


async def run(minutes: float) -> int:
    until = time.monotonic() + minutes * 60
    async with stage() as place, server(place) as (host, pid):
        desks = [await furnish(place, f"churn-{number}") for number in range(ACCOUNTS)]
        samples: list[tuple[float, float]] = []
        lives = [0]
        async with asyncio.TaskGroup() as everybody:
            everybody.create_task(write(place, desks, until))
            everybody.create_task(weigh(pid, samples, until))
            for number in range(SUBSCRIBERS):
                desk = desks[number % ACCOUNTS]
                everybody.create_task(come_and_go(host, desk, lives, until))
    draw(samples, lives[0])
    second, last = (_third(samples, place) for place in (1, 2))
    table(
        f"Resident memory of the server in {minutes:g} minutes and {lives[0]:,} subscriptions, MB",
        ["second third", "last third", "x"],
        [[second, last, last / second]],
    )
    return finish("churn", {"growth": last / second}, MUST)


def _third(samples: Sequence[tuple[float, float]], place: int) -> float:
    size = len(samples) // 3
    return statistics.mean(megabytes for _, megabytes in samples[place * size : (place + 1) * size])


async def write(place: Stage, desks: Sequence[Desk], until: float) -> None:
    while time.monotonic() < until:
        await commit(place, random.choice(desks))
        await asyncio.sleep(1 / COMMITS_A_SECOND)


async def weigh(pid: int, samples: list[tuple[float, float]], until: float) -> None:
    began = time.monotonic()
    while time.monotonic() < until:
        samples.append(((time.monotonic() - began) / 60, resident(pid)))
        await asyncio.sleep(SAMPLE)


def resident(pid: int) -> float:
    """Megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


async def come_and_go(host: str, desk: Desk, lives: list[int], until: float) -> None:
    """Each life follows the account's session from a little while ago on."""
    while time.monotonic() < until:
        if random.random() < 0.25:
            await over_http(host, desk)
        else:
            await over_a_socket(host, desk, cut=random.random() < 0.6)
        lives[0] += 1


async def over_a_socket(host: str, desk: Desk, *, cut: bool) -> None:
    async with connect(f"ws://{host}/graphql", subprotocols=[PROTOCOL]) as socket:
        who = {"Authorization": f"Bearer {desk.token}"}
        await send(socket, {"type": "connection_init", "payload": who})
        await socket.recv()
        payload = {"query": FOLLOW, "variables": variables(desk)}
        await send(socket, {"id": "1", "type": "subscribe", "payload": payload})
        with suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0.1, 5)):
                async for _ in socket:
                    pass
        if cut:
            socket.transport.abort()


async def over_http(host: str, desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {desk.token}", "Accept": "text/event-stream"}
    body = {"query": FOLLOW, "variables": variables(desk)}
    address = f"http://{host}/graphql"
    async with (
        httpx.AsyncClient() as http,
        http.stream("POST", address, json=body, headers=headers) as response,
    ):
        with suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0.1, 5)):
                async for _ in response.raise_for_status().aiter_lines():
                    pass


def variables(desk: Desk) -> dict[str, str]:
    place = desk.seen_from("")
    return {"id": place["id"], "after": place["after"]}


async def send(socket: ClientConnection, message: object) -> None:
    await socket.send(orjson.dumps(message).decode())


def draw(samples: Sequence[tuple[float, float]], lives: int) -> None:
    figure = Figure(figsize=(8, 3.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([minute for minute, _ in samples], [size for _, size in samples], linewidth=1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("minutes")
    axes.set_ylabel("resident memory, MB")
    axes.set_title(f"One server, {SUBSCRIBERS} subscribers that come and go: {lives:,} lives")
    axes.grid(alpha=0.3)
    figure.savefig(PICTURE)


if __name__ == "__main__":
    sys.exit(asyncio.run(run(float(sys.argv[1]) if len(sys.argv) > 1 else 30)))
