"""The served side of benchmarks.mutations: FlowPilot, and beside it the limit, in one process."""

import sys
from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import event
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.tree_server import application, plain, serve
from services.access import Actor
from services.authentication import authenticate
from services.branches import switch_branch
from services.database import APP_ROLE, plain_url
from services.ids import Kind, node_id, uuid_of
from services.runtime import Runtime

Statement = tuple[str, Any, bool]
"""Text, parameters, and whether there is a list of those."""


async def recorded(runtime: Runtime, actor: Actor, branch_id: UUID) -> list[Statement]:
    """What a switch sends, as the driver gets it, but for what begins and ends its transaction."""
    seen: defaultdict[object, list[Statement]] = defaultdict(list)

    def remember(*arguments: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own
        connection, _, statement, parameters, _, is_many = arguments
        seen[connection].append((statement, parameters, is_many))

    engine = runtime.engine.sync_engine
    event.listen(engine, "before_cursor_execute", remember)
    await switch_branch(runtime, actor, branch_id=branch_id)
    event.remove(engine, "before_cursor_execute", remember)
    return max(seen.values(), key=len)


class Limit:
    """Each branch must be switched to from the same other one, as when it was recorded."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pool: asyncpg.Pool | None = None
        self.statements: dict[UUID, list[Statement]] = {}

    async def learn(self, request: Request) -> Response:
        """Answers with the number of statements."""
        runtime: Runtime = request.app.state.runtime
        branch_id = uuid_of(Kind.BRANCH, (await request.json())["branchId"])
        self.statements[branch_id] = await recorded(runtime, await caller(request), branch_id)
        return Response(orjson.dumps(len(self.statements[branch_id])))

    async def answer(self, request: Request) -> Response:
        branch_id = uuid_of(Kind.BRANCH, orjson.loads(await request.body())["branchId"])
        actor = await caller(request)
        if self.pool is None:
            self.pool = await asyncpg.create_pool(
                self.url, server_settings={"role": APP_ROLE, "jit": "off"}
            )
        read: list[asyncpg.Record] = []
        async with self.pool.acquire() as db, db.transaction():
            account = "SELECT set_config('app.account_id', $1, true)"
            await db.fetchval(account, str(actor.account_id))
            for statement, parameters, is_many in self.statements[branch_id]:
                if is_many:
                    await db.executemany(statement, parameters)
                else:
                    rows = await db.fetch(statement, *parameters)
                    if statement.startswith("SELECT"):
                        read += rows
        session = next(row for row in reversed(read) if "event_seq" in row.keys())  # noqa: SIM118
        branch = next(row for row in reversed(read) if "is_active" in row.keys())  # noqa: SIM118
        done = {
            "session": {
                "id": node_id(Kind.SESSION, session["id"]),
                "status": session["status"].upper(),
                "version": session["version"],
            },
            "branch": plain(branch),
        }
        body = orjson.dumps({"data": {"switchBranch": done}})
        return Response(body, media_type="application/json")


async def caller(request: Request) -> Actor:
    token = request.headers["authorization"].partition(" ")[2]
    return await authenticate(request.app.state.runtime, token)


if __name__ == "__main__":
    app = application(sys.argv[1], Path(sys.argv[2]))
    limit = Limit(plain_url(sys.argv[1]))
    app.routes.append(Route("/limit/learn", limit.learn, methods=["POST"]))
    app.routes.append(Route("/limit/switch", limit.answer, methods=["POST"]))
    serve(app)
