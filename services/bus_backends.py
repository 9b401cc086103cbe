"""What carries hints from process to process. Each scheme of a URL has its own.

PostgreSQL's is broadcaster's. Its others, as of 0.3.1, do not hold: `redis://` listens before it has
subscribed and, with redis-py 8, hears nothing for ever, and its listener dies where nobody sees it;
`redis-stream://` never trims its stream and asks it ten times a second; `kafka://` takes several brokers
for one and leaves clients open that could not start.

These subscribe to their one channel while they connect, break with an exception, and can be closed at any
moment, also twice.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from broadcaster import Broadcast, BroadcastBackend, Event
from broadcaster._backends.postgres import PostgresBackend
from redis.asyncio import Redis

STREAM_LENGTH = 1_000
"""Entries that a stream keeps, about: who lags further finds by polling what it missed."""

STREAM_READ = 100
STREAM_BLOCK_MS = 1_000
"""Milliseconds of one question to a stream; redis-py gives up a silent server after 5,000."""

KAFKA_REQUEST_MS = 2_000
"""Milliseconds of one request, and of a flush: the supervisor waits no longer for a stop."""

FIELD = b"hint"

Entry = tuple[bytes, dict[bytes, bytes]]
"""Its id and its fields."""


def backend_for(url: str, channel: str) -> BroadcastBackend:
    """Not connected yet. Raises KeyError for a scheme that settings refuse."""
    return BACKENDS[urlsplit(url).scheme](url, channel)


@asynccontextmanager
async def connected(
    url: str, channel: str, patience: float
) -> AsyncIterator[tuple[Broadcast, asyncio.Task[None]]]:
    """Also the task that listens, which dies with its connection. Raises what the driver does, or
    TimeoutError; `patience` in seconds, for each step.

    Broadcast.disconnect() closes the connection under a listener that still reads, and not at all when
    the listener died; redis-py then leaves a socket open.
    """
    backend = backend_for(url, channel)
    broadcast = Broadcast(backend=backend)
    try:
        async with asyncio.timeout(patience):
            await broadcast.connect()
        listener = broadcast._listener_task  # noqa: SLF001 - there is no other way to it
        try:
            yield broadcast, listener
        finally:
            await end(listener)
    finally:
        with suppress(Exception):  # a dead connection may refuse to be closed
            async with asyncio.timeout(patience):
                await backend.disconnect()


async def end(*tasks: asyncio.Task[None], again: float = 0.1) -> None:
    """Cancels every so many seconds until they are done.

    redis-py sends through wait_for, and that of Python 3.11 loses cancellations.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again)
    await asyncio.gather(*tasks, return_exceptions=True)  # or they are said to have failed unheard


class _OneChannel(BroadcastBackend):
    """Subscribed from connecting to disconnecting."""

    async def subscribe(self, group: str) -> None: ...

    async def unsubscribe(self, group: str) -> None: ...


class RedisBackend(_OneChannel):
    def __init__(self, url: str, channel: str) -> None:
        self._channel = channel
        self._redis = Redis.from_url(url)
        self._subscription = self._redis.pubsub(ignore_subscribe_messages=True)

    async def connect(self) -> None:
        await self._subscription.subscribe(self._channel)

    async def disconnect(self) -> None:
        await self._subscription.aclose()  # type: ignore[no-untyped-call]
        await self._redis.aclose()

    async def publish(self, channel: str, message: str) -> None:
        await self._redis.publish(channel, message)

    async def next_published(self) -> Event:
        message = None
        while message is None:
            message = await self._subscription.get_message(timeout=None)
        return Event(self._channel, message["data"].decode())


class RedisStreamBackend(_OneChannel):
    def __init__(self, url: str, channel: str) -> None:
        self._channel = channel
        self._redis = Redis.from_url(url.replace("redis-stream:", "redis:", 1))
        self._last = b"0-0"
        self._read: deque[Entry] = deque()

    async def connect(self) -> None:
        newest: list[Entry] = await self._redis.xrevrange(self._channel, count=1)  # type: ignore[assignment]
        if newest:
            self._last = newest[0][0]

    async def disconnect(self) -> None:
        await self._redis.aclose()

    async def publish(self, channel: str, message: str) -> None:
        await self._redis.xadd(channel, {FIELD: message}, maxlen=STREAM_LENGTH, approximate=True)

    async def next_published(self) -> Event:
        while not self._read:
            streams: list[tuple[bytes, list[Entry]]] = await self._redis.xread(
                {self._channel: self._last}, count=STREAM_READ, block=STREAM_BLOCK_MS
            )  # type: ignore[assignment]
            for _, entries in streams:
                self._read.extend(entries)
        self._last, fields = self._read.popleft()
        return Event(self._channel, fields[FIELD].decode())


class KafkaBackend(_OneChannel):
    """Every process hears every partition from now on: there is no group, and nothing is committed."""

    def __init__(self, url: str, channel: str) -> None:
        self._channel = channel
        options: dict[str, Any] = {
            "bootstrap_servers": urlsplit(url).netloc.split(","),
            "request_timeout_ms": KAFKA_REQUEST_MS,
        }
        # The bus says once what aiokafka says at every try.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
        self._producer = AIOKafkaProducer(**options)
        self._consumer = AIOKafkaConsumer(channel, auto_offset_reset="latest", **options)

    async def connect(self) -> None:
        await self._producer.start()
        await self._consumer.start()

    async def disconnect(self) -> None:
        try:
            await self._producer.stop()
        finally:
            await self._consumer.stop()

    async def publish(self, channel: str, message: str) -> None:
        await self._producer.send_and_wait(channel, message.encode())

    async def next_published(self) -> Event:
        record = await self._consumer.getone()
        return Event(self._channel, record.value.decode())


BACKENDS: dict[str, Callable[[str, str], BroadcastBackend]] = {
    "postgresql": lambda url, _: PostgresBackend(url),
    "postgres": lambda url, _: PostgresBackend(url),
    "redis": RedisBackend,
    "rediss": RedisBackend,
    "redis-stream": RedisStreamBackend,
    "kafka": KafkaBackend,
}
