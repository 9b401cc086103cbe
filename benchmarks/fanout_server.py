"""FlowPilot as it is served, and beside it the limit of fan-out: bare sockets at `/raw`.

Started by `benchmarks.fanout` with the database's address and the data folder.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path
from socket import SO_SNDBUF, SOL_SOCKET

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app import create_app
from benchmarks.stage import LIMITS
from server import Sockets, http_config
from services.ai.scripted import ScriptedProvider
from settings import Settings

ROOMY = replace(LIMITS, max_connections=2_000)
"""Who comes back may be here before it is seen that they left."""

SMALL = 16_384
"""Bytes that the system takes in for a client before it must read; by itself it takes megabytes."""

sockets: set[WebSocket] = set()


async def raw(socket: WebSocket) -> None:
    await socket.accept(subprotocol="graphql-transport-ws")
    sockets.add(socket)
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        sockets.discard(socket)


async def fire(request: Request) -> Response:
    """Sends the body to every raw socket."""
    text = (await request.body()).decode()
    for socket in tuple(sockets):
        await socket.send_text(text)
    return Response()


def main() -> None:
    url, data_dir = sys.argv[1], Path(sys.argv[2])
    settings = Settings(data_dir=data_dir, worker_concurrency=0, port=0)
    app: Starlette = create_app(settings, url, ScriptedProvider(), ROOMY)
    config = http_config(settings, app)
    config.ws_ping_interval = 600  # those who do not read must stay
    server = uvicorn.Server(config)

    async def state(_: Request) -> Response:
        """CPU seconds so far, and how many clients do not read what was sent."""
        stalled = sum(
            isinstance(one, Sockets) and not one.writable.is_set()
            for one in server.server_state.connections
        )
        return Response(orjson.dumps([time.process_time(), stalled]))

    app.routes.extend(
        [
            WebSocketRoute("/raw", raw),
            Route("/fire", fire, methods=["POST"]),
            Route("/state", state),
        ]
    )
    socket = config.bind_socket()
    socket.setsockopt(SOL_SOCKET, SO_SNDBUF, SMALL)  # inherited by those it accepts
    socket.listen(1_024)
    print(f"http://127.0.0.1:{socket.getsockname()[1]}", flush=True)
    server.run(sockets=[socket])


if __name__ == "__main__":
    main()
