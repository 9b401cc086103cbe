"""The served side of benchmarks.tree: FlowPilot, and beside it the limit, in one process."""

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvicorn
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import create_app
from benchmarks.stage import LIMITS
from services.access import Actor
from services.ai.scripted import ScriptedProvider
from services.authentication import authenticate, presume
from services.database import APP_ROLE, plain_url
from services.entering import require_active
from services.ids import Kind, node_id, uuid_of
from services.runtime import Runtime
from services.session_tree import with_tree
from settings import Settings


async def tree_sql(runtime: Runtime, actor: Actor, session_id: UUID) -> tuple[str, list[Any]]:
    """The statement that the product runs, as the driver gets it."""
    seen: list[tuple[str, Any]] = []

    def remember(*arguments: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own
        seen.append((arguments[2], arguments[3]))

    engine = runtime.engine.sync_engine
    event.listen(engine, "before_cursor_execute", remember)
    await with_tree(runtime, actor, session_id)
    event.remove(engine, "before_cursor_execute", remember)
    statement, parameters = seen[-1]
    return statement, list(parameters)


def instant(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def plain(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": node_id(Kind.BRANCH, row["id"]),
        "label": row["label"],
        "description": row["description"],
        "order": row["branch_order"],
        "depth": row["depth"],
        "status": row["status"].upper(),
        "statusReason": row["status_reason"],
        "isActive": row["is_active"],
        "version": row["version"],
        "createdAt": instant(row["created_at"]),
    }


def nested(rows: list[asyncpg.Record]) -> dict[str, Any]:
    nodes = {row["id"].bytes: plain(row) for row in rows}  # their hash is quicker than the ids'
    root: dict[str, Any] = {}
    for row in rows:
        node = nodes[row["id"].bytes]
        if row["depth"] < 5:
            node["children"] = []
        if row["parent_branch_id"] is None:
            root = node
        elif row["depth"] <= 5:
            nodes[row["parent_branch_id"].bytes]["children"].append(node)
    return root


class Limit:
    def __init__(self, url: str) -> None:
        self.url = url
        self.pool: asyncpg.Pool | None = None
        self.statements: dict[UUID, tuple[str, list[Any]]] = {}

    async def answer(self, request: Request) -> Response:
        runtime: Runtime = request.app.state.runtime
        token = request.headers["authorization"].partition(" ")[2]
        actor = presume(runtime, token) or await authenticate(runtime, token)
        session_id = uuid_of(Kind.SESSION, request.path_params["session"])
        if session_id not in self.statements:
            self.statements[session_id] = await tree_sql(runtime, actor, session_id)
        statement, parameters = self.statements[session_id]
        if self.pool is None:
            self.pool = await asyncpg.create_pool(
                self.url, server_settings={"role": APP_ROLE, "jit": "off"}
            )
        rows = await self.pool.fetch(statement, *parameters)
        require_active(actor, rows[0]["caller_role"])
        session: dict[str, Any] = {"id": request.path_params["session"]}
        if request.path_params["shape"] == "nested":
            session["rootBranch"] = nested(rows)
        else:
            session["branches"] = [plain(row) for row in rows]
        body = orjson.dumps({"data": {"session": session}})
        return Response(body, media_type="application/json")


async def cpu(_: Request) -> Response:
    return Response(orjson.dumps(time.process_time()))


def application(url: str, data_dir: Path) -> Starlette:
    settings = Settings(data_dir=data_dir, worker_concurrency=0)
    app = create_app(settings, url, ScriptedProvider(), LIMITS)
    app.routes.append(Route("/cpu", cpu))
    app.routes.append(Route("/limit/{shape}/{session}", Limit(plain_url(url)).answer))
    return app


def serve(app: Starlette) -> None:
    """On a port of its own, whose address is the first line of the output."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_level="warning",
        access_log=False,
    )
    socket = config.bind_socket()
    socket.listen()  # so that nobody is turned away who read the address
    print(f"http://127.0.0.1:{socket.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[socket])


if __name__ == "__main__":
    serve(application(sys.argv[1], Path(sys.argv[2])))
