"""The tree in one query, nested and flat: server CPU a request, against the limit.

The limit is a plain route in the same process that checks the same token, opens the same kind of
transaction with the same account setting, runs the same SQL through asyncpg, builds the same dicts and
writes the same bytes with orjson. What remains is the cost of GraphQL.
"""

import asyncio
import os
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from benchmarks.report import finish, table
from benchmarks.stage import EMAIL, PASSWORD, plant_tree, stage
from services.ids import Kind, node_id

SIZES = (10, 100, 1_000, 10_000)
ROUNDS = 7
SCALARS = """id label description order depth status statusReason isActive version createdAt"""


def fan_out(size: int) -> int:
    """So wide that no branch is below the five levels that NESTED asks for."""
    return 5 if size <= 1_000 else 7


def nested(depth: int) -> str:
    below = f"children {{ {nested(depth - 1)} }}" if depth else ""
    return f"{SCALARS} {below}"


NESTED = f"query Tree($id: ID!) {{ session(id: $id) {{ id rootBranch {{ {nested(5)} }} }} }}"
FLAT = f"query Flat($id: ID!) {{ session(id: $id) {{ id branches {{ {SCALARS} }} }} }}"
MOST = {10: 3.5, 100: 1.8, 1_000: 1.25, 10_000: 1.25}
MUST = {f"{shape}_{size}": most for size, most in MOST.items() for shape in ("nested", "flat")}

SIGN_IN = """mutation($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) {
    ... on SignInSuccess { tokens { accessToken } } ... on UserError { message } } }"""


async def run() -> int:
    async with stage() as place:
        sessions = {size: await plant_tree(place, size, fan_out=fan_out(size)) for size in SIZES}
        server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.tree_server", place.url, str(place.data_dir)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
        try:
            assert server.stdout is not None
            address = (await asyncio.to_thread(server.stdout.readline)).strip()
            async with httpx.AsyncClient(base_url=address, timeout=60) as http:
                return await compare(
                    http, {size: node_id(Kind.SESSION, key) for size, key in sessions.items()}
                )
        finally:
            server.terminate()
            server.wait(10)


async def compare(http: httpx.AsyncClient, sessions: dict[int, str]) -> int:
    answer = await http.post(
        "/graphql",
        json={"query": SIGN_IN, "variables": {"email": EMAIL, "password": PASSWORD}},
    )
    token = answer.json()["data"]["signIn"]["tokens"]["accessToken"]
    http.headers["Authorization"] = f"Bearer {token}"
    ratios, rows = {}, []
    for size, session in sessions.items():
        for shape, document in (("nested", NESTED), ("flat", FLAT)):
            ours = poster(http, document, session)
            limit = getter(http, shape, session)
            assert (await ours()).json()["data"] == (await limit()).json()["data"]
            costs = await interleaved(http, ours, limit, repeat=max(5, 2_000 // size))
            ratio = costs[0] / costs[1]
            ratios[f"{shape}_{size}"] = ratio
            rows.append([shape, size, costs[0] * 1e3, costs[1] * 1e3, ratio])
    table(
        "Server CPU a request, milliseconds",
        ["shape", "branches", "FlowPilot", "limit", "x limit"],
        rows,
    )
    return finish("tree", ratios, MUST)


Call = Callable[[], Awaitable[httpx.Response]]


def poster(http: httpx.AsyncClient, document: str, session: str) -> Call:
    async def call() -> httpx.Response:
        return await http.post("/graphql", json={"query": document, "variables": {"id": session}})

    return call


def getter(http: httpx.AsyncClient, shape: str, session: str) -> Call:
    async def call() -> httpx.Response:
        return await http.get(f"/limit/{shape}/{session}")

    return call


async def interleaved(
    http: httpx.AsyncClient, ours: Call, limit: Call, repeat: int, rounds: int = ROUNDS
) -> tuple[float, float]:
    """Median CPU seconds a request of each, in alternating rounds."""
    costs: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for call, seen in zip((ours, limit), costs, strict=True):
            before = (await http.get("/cpu")).json()
            for _ in range(repeat):
                (await call()).raise_for_status()
            after = (await http.get("/cpu")).json()
            seen.append((after - before) / repeat)
    return statistics.median(costs[0]), statistics.median(costs[1])


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
