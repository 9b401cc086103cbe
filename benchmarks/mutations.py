"""`switchBranch` from request to answer: server CPU a request, against the limit.

The limit is a plain route in the same process that checks the same token, runs the same SQL through
asyncpg in one transaction (the event, its counter and the audit are part of it), builds the same dicts
and writes the same bytes with orjson. What remains is the cost of GraphQL, of the rules and of SQLAlchemy.
"""

import asyncio
import sys
from itertools import cycle

import httpx

from benchmarks.feed import server
from benchmarks.report import finish, table
from benchmarks.stage import EMAIL, PASSWORD, plant_tree, stage
from benchmarks.tree import SCALARS, SIGN_IN, Call, interleaved
from services.ids import Kind, node_id
from services.tree import by_session

REPEAT = 200
"""Even, so that each round leaves the session where it found it."""

SWITCH = f"""mutation Switch($id: ID!) {{ switchBranch(input: {{branchId: $id}}) {{
  ... on SwitchBranchSuccess {{ session {{ id status version }} branch {{ {SCALARS} }} }}
  ... on UserError {{ message }} }} }}"""

MUST = {"switch": 3.0}


async def run() -> int:
    async with stage() as place:
        session_id = await plant_tree(place, 13, fan_out=3)
        tree = (await by_session(place.runtime, place.actor, [session_id]))[session_id]
        ids = [node_id(Kind.BRANCH, key) for key in tree.by_id]
        async with (
            server(place, "benchmarks.mutation_server") as (host, _),
            httpx.AsyncClient(base_url=f"http://{host}", timeout=60) as http,
        ):
            return await compare(http, ids[:2])


async def compare(http: httpx.AsyncClient, pair: list[str]) -> int:
    answer = await http.post(
        "/graphql", json={"query": SIGN_IN, "variables": {"email": EMAIL, "password": PASSWORD}}
    )
    token = answer.json()["data"]["signIn"]["tokens"]["accessToken"]
    http.headers["Authorization"] = f"Bearer {token}"
    trunk, child = pair
    for branch in (child, trunk):
        await ours(http, [branch])()  # a branch that was untried is so no more
    for branch in (child, trunk):
        answer = await http.post("/limit/learn", json={"branchId": branch})
        statements = answer.raise_for_status().json()
    calls = ours(http, [child, trunk]), limit(http, [child, trunk])
    answers = [[(await call()).json()["data"] for _ in (child, trunk)] for call in calls]
    assert answers[0] == answers[1]
    costs = await interleaved(http, *calls, REPEAT)
    ratio = costs[0] / costs[1]
    table(
        f"Server CPU a request of {statements} statements, milliseconds",
        ["mutation", "FlowPilot", "limit", "x limit"],
        [["switchBranch", costs[0] * 1e3, costs[1] * 1e3, ratio]],
    )
    return finish("mutations", {"switch": ratio}, MUST)


def ours(http: httpx.AsyncClient, branches: list[str]) -> Call:
    targets = cycle(branches)

    async def call() -> httpx.Response:
        return await http.post(
            "/graphql", json={"query": SWITCH, "variables": {"id": next(targets)}}
        )

    return call


def limit(http: httpx.AsyncClient, branches: list[str]) -> Call:
    targets = cycle(branches)

    async def call() -> httpx.Response:
        return await http.post("/limit/switch", json={"branchId": next(targets)})

    return call


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
