"""The caller, a process that does nothing else: a line of JSON in says what to ask, one out what it saw."""

import asyncio
import json
import sys
from time import perf_counter
from typing import cast

import uvloop
from httptools import HttpResponseParser

SLACK = 32
"""Bytes: FlowPilot tells what is left of the caller's allowance, now in more digits, now in fewer."""


class Caller(asyncio.Protocol):
    """One connection that is kept, with one request under way at a time."""

    def __init__(self, request: bytes, length: int) -> None:
        self._request = request
        self._length = length
        self._parser = HttpResponseParser(self)
        self._received = 0
        self._until = 0.0
        self.answers = 0
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def begin(self, until: float) -> None:
        self._until = until
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._received += len(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status != 200 or abs(self._received - self._length) > SLACK:
            self.over.set_exception(ValueError(f"{status} with {self._received} bytes"))
            return
        self.answers += 1
        self._received = 0
        if perf_counter() < self._until:
            self._transport.write(self._request)
        else:
            self.over.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(exc or ConnectionError("hung up"))

    def close(self) -> None:
        self._transport.close()


async def call(
    port: int, request: str, length: int, clients: int, seconds: float
) -> tuple[int, float]:
    """How many answers of about `length` bytes came, and in which time."""
    loop = asyncio.get_running_loop()
    callers = []
    for _ in range(clients):
        _, caller = await loop.create_connection(
            lambda: Caller(request.encode(), length), "127.0.0.1", port
        )
        callers.append(caller)
    began = perf_counter()
    for caller in callers:
        caller.begin(began + seconds)
    await asyncio.gather(*(caller.over for caller in callers))
    took = perf_counter() - began
    for caller in callers:
        caller.close()
    return sum(caller.answers for caller in callers), took


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(uvloop.run(call(**json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
