"""What the limits cost an honest caller, and what a hostile one at their edge costs everybody else.

The first is server CPU a request, with what the limits count and without it, in alternating rounds of
one run. The second is the 99th percentile of another viewer's simple query while one hostile document
after another runs, each a text never seen before, less the same percentile alone; budgets are off,
which would end such a caller's minute after a few of them.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx

from benchmarks.limits_attacker import DOCUMENTS
from benchmarks.report import finish, table
from benchmarks.stage import EMAIL, PASSWORD, plant_tree, stage
from benchmarks.tree import NESTED, SIGN_IN, Call, interleaved
from services.ids import Kind, node_id

SIMPLE = "{ viewer { scopes } }"
SAMPLES = 300
MUST = {
    "cpu_simple": 1.05,
    "cpu_tree_13": 1.05,
    "delay_ms_tokens": 50.0,
    "delay_ms_characters": 50.0,
    "delay_ms_values": 50.0,
    "delay_ms_unreadable": 50.0,
    "delay_ms_fields": 50.0,
    "delay_ms_repeats": 50.0,
    "delay_ms_cost": 50.0,
}


async def run() -> int:
    async with stage() as place:
        sessions = {
            size: node_id(Kind.SESSION, await plant_tree(place, size, fan_out=5))
            for size in (13, 100, 1_000)
        }
        server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.limits_server", place.url, str(place.data_dir)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
        try:
            assert server.stdout is not None
            address = (await asyncio.to_thread(server.stdout.readline)).strip()
            async with httpx.AsyncClient(base_url=address, timeout=60) as http:
                await sign_in(http)
                ratios = await honest(http, sessions[13])
                return finish("limits", ratios | await hostile(http, sessions), MUST)
        finally:
            server.terminate()
            server.wait(10)


async def sign_in(http: httpx.AsyncClient) -> None:
    variables = {"email": EMAIL, "password": PASSWORD}
    answer = await http.post("/graphql", json={"query": SIGN_IN, "variables": variables})
    token = answer.json()["data"]["signIn"]["tokens"]["accessToken"]
    http.headers["Authorization"] = f"Bearer {token}"


# ------------------------------------------------------------------ an honest caller


async def honest(http: httpx.AsyncClient, session: str) -> dict[str, float]:
    ratios, rows = {}, []
    for name, document in (("simple", SIMPLE), ("tree_13", NESTED)):
        variables = {} if document == SIMPLE else {"id": session}
        limited = caller(http, "/graphql", document, variables)
        bare = caller(http, "/bare", document, variables)
        told = (await limited()).json()
        assert told.pop("extensions")["cost"]["requested"] > 1
        assert told == (await bare()).json()
        costs = await interleaved(http, limited, bare, repeat=20, rounds=100)
        ratios[f"cpu_{name}"] = costs[0] / costs[1]
        rows.append([name, costs[0] * 1e3, costs[1] * 1e3, costs[0] / costs[1]])
    table("Server CPU a request, milliseconds", ["document", "limited", "bare", "x bare"], rows)
    return ratios


def caller(http: httpx.AsyncClient, path: str, document: str, variables: dict[str, str]) -> Call:
    async def call() -> httpx.Response:
        return await http.post(path, json={"query": document, "variables": variables})

    return call


# ------------------------------------------------------------------ a hostile one


async def hostile(http: httpx.AsyncClient, sessions: dict[int, str]) -> dict[str, float]:
    ratios, rows = {}, []
    for name in DOCUMENTS:
        await percentile(http)
        alone = await percentile(http)
        attack = Attack(http, name, sessions)
        beside = await percentile(http)
        sent, code = await asyncio.to_thread(attack.end)
        ratios[f"delay_ms_{name}"] = (beside[1] - alone[1]) * 1e3
        rows.append([name, code, sent, alone[1] * 1e3, beside[0] * 1e3, beside[1] * 1e3])
    table(
        "Another viewer's simple query, milliseconds",
        ["hostile", "answer", "sent", "alone p99", "beside p50", "beside p99"],
        rows,
    )
    return ratios


class Attack:
    """A process of its own, so that what it does with its answers delays nobody here."""

    def __init__(self, http: httpx.AsyncClient, name: str, sessions: dict[int, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.limits_attacker", str(http.base_url), name]
            + [f"{size}={session}" for size, session in sessions.items()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(http.headers["Authorization"] + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "attacking\n"

    def end(self) -> tuple[int, str]:
        """How many documents were answered, and how."""
        told = self.process.communicate()[0].split()
        return int(told[0]), told[1]


async def percentile(http: httpx.AsyncClient) -> tuple[float, float]:
    """The 50th and the 99th, in seconds."""
    seen = []
    for _ in range(SAMPLES):
        began = time.perf_counter()
        (await http.post("/graphql", json={"query": SIMPLE})).raise_for_status()
        seen.append(time.perf_counter() - began)
        await asyncio.sleep(0.001)
    cuts = statistics.quantiles(seen, n=100)
    return cuts[49], cuts[98]


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
