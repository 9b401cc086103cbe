"""Hints between processes: "look at this topic again". Nothing but hints, so losing one costs a moment.

broadcaster carries them, supervised, because each of these was seen of it: concurrent publishing fails,
a lost LISTEN connection is silent for ever, a listener dies untold, and subscribing races. So there is one
channel, one task that publishes, a beat to itself that must come back, and when the first beat of a
connection has come back everybody looks again. While there is none everybody polls, and nothing fails.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self
from uuid import uuid4

from broadcaster import Broadcast
from broadcaster._base import Subscriber
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.bus_backends import connected, end

log = logging.getLogger("flowpilot.wakebus")

CHANNEL = "flowpilot_hints"
JOBS_TOPIC = "jobs"
MAX_PAYLOAD = 4_000
"""Characters of one message; PostgreSQL refuses 8,000."""

MAX_WAITING = 10_000
"""Topics that wait for the bus while it is away; those beyond are found by polling."""

BEAT = 3.0
"""Seconds between beats; two that stay away mean that the connection is dead.

So does a connection that takes as long to be made, to publish or to be left."""

FIRST_BACKOFF = 0.1
MAX_BACKOFF = 5.0

WAKE_WORKERS = text(
    """SELECT pg_notify('procrastinate_any_queue_v1', '{"type": "job_inserted", "job_id": 0}')"""
)


class Listener:
    """Remembers a wake that came while nobody waited."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def wait(self, seconds: float) -> None:
        """Until woken, at most so long."""
        await _set_within(seconds, self._woken)
        self._woken.clear()


class WakeBus:
    """Wakes listeners of this process at once, and those of others through the broadcaster."""

    def __init__(self, url: str, engine: AsyncEngine, *, beat: float = BEAT) -> None:
        self._url = url
        self._engine = engine
        self._beat = beat
        self._patience = 2 * beat
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._waiting: set[str] = set()
        self._has_work = asyncio.Event()
        self._has_jobs = asyncio.Event()
        self._carries = asyncio.Event()
        """Set while the connection is known to bring what is sent."""
        self._told_away = False
        self._tasks: list[asyncio.Task[None]] = []
        self._name = uuid4().hex[:12]
        self.rebuilds = 0
        """How often the connection was found dead and made anew."""

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._supervise()),
            asyncio.create_task(self._keep_waking_workers()),
        ]
        await _set_within(self._patience, self._carries)
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(*self._tasks, again=self._patience)  # to close takes time of its own

    def wake(self, topic: str) -> None:
        """Never waits and never fails; many wakes of a topic may become one."""
        self._wake_here(topic)
        if topic == JOBS_TOPIC:
            self._has_jobs.set()
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.add(topic)
            self._has_work.set()

    @contextmanager
    def listen(self, topic: str) -> Iterator[Listener]:
        listener = Listener()
        self._listeners[topic].add(listener)
        try:
            yield listener
        finally:
            self._listeners[topic].discard(listener)
            if not self._listeners[topic]:
                del self._listeners[topic]

    def _wake_here(self, topic: str) -> None:
        for listener in self._listeners.get(topic, ()):
            listener.wake()

    def _wake_everybody(self) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.wake()

    async def _supervise(self) -> None:
        backoff = FIRST_BACKOFF
        while True:
            began = time.monotonic()
            try:
                await self._run()
            except Exception:  # whatever a driver raises, the answer is to rebuild
                if not self._told_away:
                    log.warning("the bus is away; until it is back everybody polls", exc_info=True)
                self._told_away = True
            self._carries.clear()
            self.rebuilds += 1
            if time.monotonic() - began > MAX_BACKOFF:
                backoff = FIRST_BACKOFF
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, MAX_BACKOFF)

    async def _run(self) -> None:
        """One life of the connection; raises when it is over."""
        async with connected(self._url, CHANNEL, self._patience) as (broadcast, listener):
            await self._carry(broadcast, listener)

    async def _carry(self, broadcast: Broadcast, listener: asyncio.Task[None]) -> None:
        """Hears and publishes until one of them fails; to subscribe and to leave may hang."""
        async with (
            asyncio.timeout(self._patience) as patience,
            broadcast.subscribe(CHANNEL) as messages,
        ):
            patience.reschedule(None)
            beats = asyncio.Event()
            tasks = (
                asyncio.create_task(self._hear(messages, beats)),
                asyncio.create_task(self._publish(broadcast, beats)),
            )
            try:
                done, _ = await asyncio.wait(
                    (*tasks, listener), return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    task.result()
            finally:
                await end(*tasks)
                patience.reschedule(asyncio.get_running_loop().time() + self._patience)

    async def _hear(self, messages: Subscriber, beats: asyncio.Event) -> None:
        while True:
            message = await messages.get()
            sender, *topics = message.message.split("\n")
            if sender == self._name:
                beats.set()
                self._know_it_carries()
                continue
            for topic in topics:
                self._wake_here(topic)

    def _know_it_carries(self) -> None:
        """Hints before the first beat may have been missed."""
        if self._carries.is_set():
            return
        self._carries.set()
        self._wake_everybody()
        if self._told_away:
            log.warning("the bus is back")
        self._told_away = False

    async def _publish(self, broadcast: Broadcast, beats: asyncio.Event) -> None:
        """Raises ConnectionError when two beats in a row have not come back."""
        missed = 0
        next_beat = 0.0
        beats.set()
        while True:
            if time.monotonic() >= next_beat:
                missed = 0 if beats.is_set() else missed + 1
                if missed == 2:  # noqa: PLR2004 - one may be late
                    raise ConnectionError("no beat came back")
                beats.clear()
                next_beat = time.monotonic() + self._beat
                await self._send(broadcast, self._name)
            await _set_within(next_beat - time.monotonic(), self._has_work)
            self._has_work.clear()
            await self._publish_waiting(broadcast)

    async def _publish_waiting(self, broadcast: Broadcast) -> None:
        topics, self._waiting = self._waiting, set()
        try:
            for payload in _payloads(self._name, topics):
                await self._send(broadcast, payload)
        except BaseException:  # the next connection says it again; whoever heard it looks twice
            self._waiting |= topics
            self._has_work.set()
            raise

    async def _send(self, broadcast: Broadcast, payload: str) -> None:
        async with asyncio.timeout(self._patience):
            await broadcast.publish(CHANNEL, payload)

    async def _keep_waking_workers(self) -> None:
        while True:
            await self._has_jobs.wait()
            self._has_jobs.clear()
            await self._wake_workers()

    async def _wake_workers(self) -> None:
        """Workers listen to PostgreSQL; a notice inside the enqueuing transaction makes commits queue."""
        try:
            async with asyncio.timeout(self._patience), self._engine.connect() as db:
                await db.execute(WAKE_WORKERS)
                await db.commit()
        except (SQLAlchemyError, OSError):
            log.warning("workers were not woken and will poll", exc_info=True)


async def _set_within(seconds: float, event: asyncio.Event) -> None:
    """Returns when it is set, or when the time is up. (Python 3.11's wait_for loses cancellations.)"""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _payloads(name: str, topics: set[str]) -> Iterator[str]:
    """All topics in as few messages as their length allows."""
    payload = name
    for topic in topics:
        if len(payload) + len(topic) >= MAX_PAYLOAD:
            yield payload
            payload = name
        payload += "\n" + topic
    if payload != name:
        yield payload
