"""One queue event to 1,000 subscribers: CPU a delivery, against the raw frame; and then under churn.

The limit sends the same bytes, ready made, to as many bare sockets of the same server. A tenth of the
subscribers have stopped reading; the limit would wait for such, so it has none. Authentication, rights, the
event log and its reading are FlowPilot's alone.

Under churn a twentieth of those who read cut their line each second and come back with their last cursor,
while events go on. Then all who read are cut at once, as by a restart, and come back at once for what they
have missed. At the end those who stopped read on, too. Each must have been told each event once, in order,
and the server's memory must stay flat.
"""

import asyncio
import base64
import os
import random
import re
import socket
import statistics
import sys
import time
from contextlib import suppress
from uuid import UUID

import httpx
import orjson

from benchmarks.churn import resident
from benchmarks.feed import Desk, furnish, server
from benchmarks.report import finish, table
from benchmarks.stage import Stage, fresh_key, stage
from models.handoff import HandoffIntent, HandoffPriority
from services.events import HandoffUpdated
from services.feed import encode_cursor
from services.handoffs import Notes, hand_off_session

SUBSCRIBERS = 1_000
STALLED = 100
ROUNDS = 15
EVENTS = 4
"""Of each kind in a round."""
CHURN_SECONDS = 40
EVENTS_A_SECOND = 5
MISSED = 20
"""Events while nobody was there."""
MUST = {"fan_out": 1.4, "not_stalled": 0.0, "wrongly_told": 0.0, "memory": 1.05}

FOLLOW = """subscription Queue($after: String) { queueChanged(after: $after) { __typename
  ... on Event { cursor occurredAt actor { displayName } }
  ... on HandoffUpdated { handoff { id intent priority state waitingSince snapshot { nextStep }
    handedOffBy { displayName } session { id problemSummary } } } } }"""

CURSOR = re.compile(rb'"cursor":"(ev_[0-9a-f]{48})"')
SMALL = 4_096
"""Bytes that the system takes in for a subscriber who does not read."""


async def run() -> int:
    async with stage() as place, server(place, "benchmarks.fanout_server") as (host, pid):
        desk = await furnish(place, "fan-out")
        writer = Writer(place, desk, await waiting_handoff(place, desk))
        async with httpx.AsyncClient(base_url=f"http://{host}", timeout=60) as http:
            crowd = Crowd(http, int(host.rpartition(":")[2]), desk.token, writer)
            await crowd.gather()
            ours, raw = await crowd.compare()
            memory = await crowd.churn(pid)
            stalled = await crowd.stalled_now()
            back = await crowd.return_at_once()
            await crowd.let_all_read()
        everybody = [*crowd.live, *crowd.stalled]
        wrong = sum(one.cursors != writer.cursors for one in everybody)
    table(
        f"Server CPU a delivery to {SUBSCRIBERS} subscribers, {STALLED} of whom do not read, microseconds",
        ["FlowPilot", "raw frame", "x raw"],
        [[ours * 1e6, raw * 1e6, ours / raw]],
    )
    table(
        f"{CHURN_SECONDS} seconds in which a twentieth a second come back, then all read",
        ["came back", "events", "stalled", "wrongly told", "memory, x"],
        [[crowd.comebacks, len(writer.cursors) - 1, stalled, wrong, memory]],
    )
    table(
        f"All who read come back at once for {MISSED} events, server CPU of each, milliseconds",
        ["with nothing missed", "with what they missed", "an event missed"],
        [[back[0] * 1e3, back[1] * 1e3, (back[1] - back[0]) / MISSED * 1e3]],
    )
    ratios = {
        "fan_out": ours / raw,
        "not_stalled": float(STALLED - stalled),
        "wrongly_told": float(wrong),
        "memory": memory,
    }
    return finish("fanout", ratios, MUST)


async def waiting_handoff(place: Stage, desk: Desk) -> UUID:
    handed_off = await hand_off_session(
        place.runtime,
        desk.actor,
        key=fresh_key(),
        session_id=desk.session_id,
        intent=HandoffIntent.ESCALATE,
        priority=HandoffPriority.ELEVATED,
        notes=Notes("The resolver answers with an old address.", "Ask the provider", None, ()),
    )
    return handed_off.handoff.id


class Writer:
    """Commits events of the queue, and keeps their cursors."""

    def __init__(self, place: Stage, desk: Desk, handoff_id: UUID) -> None:
        self._place = place
        self._desk = desk
        self._handoff_id = handoff_id
        self._seq = 0
        self.cursors: list[str] = []

    async def begin(self) -> None:
        self._seq = await self._place.runtime.feed.newest(self._desk.actor.account_id)
        self.cursors = [encode_cursor(self._desk.actor.account_id, self._seq)]

    async def write(self) -> None:
        event = HandoffUpdated(
            self._desk.session_id,
            handoff_id=self._handoff_id,
            intent="escalate",
            priority="elevated",
            team_id=None,
            domain=None,
            sla_state=None,
            is_due=False,
        )
        async with self._place.runtime.work(self._desk.actor) as work:
            work.record(event)
        self._seq += 1
        self.cursors.append(encode_cursor(self._desk.actor.account_id, self._seq))


class Line:
    """A socket, read and written as cheaply as it can be: the machine has few cores."""

    async def open(self, port: int, path: str, *, stalls: bool = False) -> None:
        line = socket.socket()
        if stalls:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", port))
        self.reader, self.writer = await asyncio.open_connection(
            sock=line, limit=SMALL if stalls else 2**16
        )
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )
        await self.reader.readuntil(b"\r\n\r\n")

    def send(self, message: object) -> None:
        """In a frame that is masked with nothing."""
        data = orjson.dumps(message)
        self.writer.write(b"\x81\xfe" + len(data).to_bytes(2, "big") + bytes(4) + data)

    async def receive(self) -> bytes:
        """A text of less than 64 kB."""
        while True:
            first, length = await self.reader.readexactly(2)
            if length == 126:
                length = int.from_bytes(await self.reader.readexactly(2), "big")
            data = await self.reader.readexactly(length)
            if first == 0x81:
                return data


class Subscriber(Line):
    def __init__(self, port: int, token: str, after: str) -> None:
        self.port = port
        self.token = token
        self.cursors = [after]
        self.last = b""
        """The last message."""

    async def subscribe(self, *, stalls: bool = False) -> None:
        await self.open(self.port, "/graphql", stalls=stalls)
        who = {"Authorization": f"Bearer {self.token}"}
        self.send({"type": "connection_init", "payload": who})
        await self.receive()
        payload = {"query": FOLLOW, "variables": {"after": self.cursors[-1]}}
        self.send({"id": "1", "type": "subscribe", "payload": payload})

    async def listen(self, until: str | None = None) -> None:
        """To the event with that cursor, or for ever."""
        while self.cursors[-1] != until:
            self.last = await self.receive()
            found = CURSOR.search(self.last)
            assert found, self.last
            self.cursors.append(found[1].decode())

    async def come_back(self) -> None:
        self.writer.transport.abort()
        await self.subscribe()


class Crowd:
    def __init__(self, http: httpx.AsyncClient, port: int, token: str, writer: Writer) -> None:
        self.http = http
        self.port = port
        self.token = token
        self.writer = writer
        self.live: list[Subscriber] = []
        self.stalled: list[Subscriber] = []
        self.raw: list[Line] = []
        self.comebacks = 0

    async def gather(self) -> None:
        """Until those who do not read have so much waiting for them that the server notices."""
        await self.writer.begin()
        for number in range(SUBSCRIBERS):
            one = Subscriber(self.port, self.token, self.writer.cursors[0])
            stalls = number < STALLED
            await one.subscribe(stalls=stalls)
            (self.stalled if stalls else self.live).append(one)
        for _ in self.live:
            bare = Line()
            await bare.open(self.port, "/raw")
            self.raw.append(bare)
        while await self.stalled_now() < STALLED:
            await self.tell()

    async def stalled_now(self) -> int:
        return int((await self.http.get("/state")).json()[1])

    async def cpu(self) -> float:
        return float((await self.http.get("/state")).json()[0])

    async def tell(self) -> None:
        """One event, until all who read have heard it."""
        await self.writer.write()
        newest = self.writer.cursors[-1]
        await asyncio.gather(*(one.listen(newest) for one in self.live))

    async def tell_raw(self, frame: bytes) -> None:
        received = asyncio.gather(*(one.receive() for one in self.raw))
        (await self.http.post("/fire", content=frame)).raise_for_status()
        await received

    async def compare(self) -> tuple[float, float]:
        """Median CPU seconds a delivery, in alternating rounds."""
        ours, raw = [], []
        for _ in range(ROUNDS):
            begin = await self.cpu()
            for _ in range(EVENTS):
                await self.tell()
            middle = await self.cpu()
            for _ in range(EVENTS):
                await self.tell_raw(self.live[0].last)
            end = await self.cpu()
            ours.append((middle - begin) / EVENTS / len(self.live))
            raw.append((end - middle) / EVENTS / len(self.raw))
        return statistics.median(ours), statistics.median(raw)

    async def churn(self, pid: int) -> float:
        """The server's memory in the last third, against the second."""
        listening = {one: asyncio.create_task(one.listen()) for one in self.live}
        sizes = []
        until = time.monotonic() + CHURN_SECONDS
        while time.monotonic() < until:
            second = time.monotonic() + 1
            for number in range(EVENTS_A_SECOND):
                await self.writer.write()
                for one in random.sample(self.live, len(self.live) // 20 // EVENTS_A_SECOND):
                    listening[one].cancel()
                    with suppress(asyncio.CancelledError):
                        await listening[one]
                    await one.come_back()
                    listening[one] = asyncio.create_task(one.listen())
                    self.comebacks += 1
                await asyncio.sleep(
                    max(0.0, second - time.monotonic()) / (EVENTS_A_SECOND - number)
                )
            sizes.append(resident(pid))
        for task in listening.values():
            task.cancel()
        await asyncio.gather(*listening.values(), return_exceptions=True)
        third = len(sizes) // 3
        return statistics.mean(sizes[2 * third :]) / statistics.mean(sizes[third : 2 * third])

    async def return_at_once(self) -> tuple[float, float]:
        """CPU seconds of one who comes back: with nothing missed, and with what was written meanwhile."""
        costs = []
        for missed in (0, MISSED):
            for one in self.live:
                one.writer.transport.abort()
            for _ in range(missed):
                await self.writer.write()
            begin = await self.cpu()
            await asyncio.gather(*(one.subscribe() for one in self.live))
            await self.tell()
            costs.append((await self.cpu() - begin) / len(self.live))
        return costs[0], costs[1]

    async def let_all_read(self) -> None:
        newest = self.writer.cursors[-1]
        await asyncio.gather(*(one.listen(newest) for one in (*self.live, *self.stalled)))


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
