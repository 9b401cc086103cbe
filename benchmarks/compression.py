"""What permessage-deflate costs the server for each delivery of a queue's event, and what it saves.

Two servers send the same events to as many sockets, one with compression and one without, in turns of
one run: CPU a delivery, bytes a delivery, and memory a socket.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
import zlib
from pathlib import Path
from random import Random

import httpx
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.report import finish, table
from server import Sockets
from services.ids import Kind, new_id, node_id

SOCKETS = 200
EVENTS = 50
ROUNDS = 7
WORDS = ("Outlook", "VPN", "printer", "drops", "since", "this", "morning", "for", "everybody", "at")


def events() -> list[str]:
    """As the console hears them: ids and a sentence change, names of fields and types do not."""
    dice, made = Random(7), []
    for cursor in range(EVENTS):
        ids = [node_id(kind, new_id()) for kind in (Kind.HANDOFF, Kind.SESSION, Kind.USER)]
        handoff = {
            "__typename": "Handoff",
            "id": ids[0],
            "priority": "ELEVATED",
            "intent": "ESCALATE",
            "state": "WAITING",
            "waitingSince": "2026-11-28T09:31:33.123456Z",
            "isDue": False,
            "sla": {"__typename": "Sla", "dueAt": "2026-11-28T10:01:33Z", "state": "ON_TRACK"},
            "session": {
                "__typename": "AiSession",
                "id": ids[1],
                "title": " ".join(dice.choices(WORDS, k=8)),
                "status": "HANDED_OFF",
                "assignee": {"__typename": "User", "id": ids[2], "displayName": "Engineer"},
            },
        }
        event = {"__typename": "HandoffCreated", "cursor": f"c{cursor:08}", "handoff": handoff}
        message = {"id": "1", "type": "next", "payload": {"data": {"queueChanged": event}}}
        made.append(orjson.dumps(message).decode())
    return made


# ------------------------------------------------------------------ the served side


def application() -> Starlette:
    sockets: list[WebSocket] = []

    async def hold(socket: WebSocket) -> None:
        await socket.accept()
        sockets.append(socket)
        async for _ in socket.iter_text():
            pass

    def memory(_: Request) -> JSONResponse:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return JSONResponse(pages * os.sysconf("SC_PAGE_SIZE"))

    async def deliver(_: Request) -> JSONResponse:
        texts = events()
        began = time.process_time()
        for text in texts:
            for socket in sockets:
                await socket.send_text(text)
            await asyncio.sleep(0)
        return JSONResponse((time.process_time() - began) / len(texts) / len(sockets))

    return Starlette(
        routes=[
            WebSocketRoute("/", hold),
            Route("/memory", memory),
            Route("/deliver", deliver, methods=["POST"]),
        ]
    )


def serve(*, compressing: bool) -> None:
    config = uvicorn.Config(
        application(),
        host="127.0.0.1",
        port=0,
        log_level="warning",
        ws=Sockets,
        ws_per_message_deflate=compressing,
    )
    socket = config.bind_socket()
    socket.listen(SOCKETS)
    print(socket.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[socket])


# ------------------------------------------------------------------ who listens


class Side:
    def __init__(self, mode: str) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.compression", mode],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.server.stdout is not None
        self.address = f"127.0.0.1:{self.server.stdout.readline().strip()}"
        self.lines: list[ClientConnection] = []
        self.microseconds: list[float] = []
        self.memory = 0.0

    async def ask(self, http: httpx.AsyncClient, method: str, path: str) -> float:
        answer = await http.request(method, f"http://{self.address}{path}", timeout=120)
        return float(answer.json())

    async def listen(self, http: httpx.AsyncClient) -> None:
        before = await self.ask(http, "GET", "/memory")
        for _ in range(SOCKETS):
            self.lines.append(await connect(f"ws://{self.address}/", ping_interval=None))
        await self.round(http)
        self.memory = (await self.ask(http, "GET", "/memory") - before) / SOCKETS
        self.microseconds.clear()

    async def round(self, http: httpx.AsyncClient) -> None:
        hearing = asyncio.gather(*(self.hear(line) for line in self.lines))
        told = await self.ask(http, "POST", "/deliver")
        await hearing
        self.microseconds.append(told * 1_000_000)

    async def hear(self, line: ClientConnection) -> None:
        for _ in range(EVENTS):
            await line.recv()


def compressed() -> float:
    """Bytes of an event, with the settings that uvicorn has and the memory of those before."""
    packer = zlib.compressobj(wbits=-12, memLevel=5)
    sizes = [
        len(packer.compress(text.encode()) + packer.flush(zlib.Z_SYNC_FLUSH)) for text in events()
    ]
    return statistics.mean(sizes)


async def run() -> int:
    plain, packed = Side("plain"), Side("packed")
    try:
        async with httpx.AsyncClient() as http:
            for side in (plain, packed):
                await side.listen(http)
            for _ in range(ROUNDS):
                for side in (plain, packed):
                    await side.round(http)
            for line in (*plain.lines, *packed.lines):
                await line.close()
    finally:
        for side in (plain, packed):
            side.server.terminate()
            side.server.wait(20)
    sizes = statistics.mean(len(text) for text in events()), compressed()
    cpu = [statistics.median(side.microseconds) for side in (plain, packed)]
    rows = [
        (name, f"{time:.1f}", f"{size:.0f}", f"{side.memory / 1000:.0f}")
        for name, time, size, side in zip(
            ("plain", "compressed"), cpu, sizes, (plain, packed), strict=True
        )
    ]
    head = ("socket", "CPU us a delivery", "bytes a delivery", "kB a socket")
    table(f"{EVENTS} events to {SOCKETS} sockets, median of {ROUNDS} rounds", head, rows)
    ratios = {"cpu_compressed": cpu[1] / cpu[0], "bytes_compressed": sizes[1] / sizes[0]}
    return finish("compression", ratios, {})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(compressing=sys.argv[1] == "packed")
    else:
        sys.exit(asyncio.run(run()))
