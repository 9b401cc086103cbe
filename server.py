"""The HTTP server: says where to go once it answers, and ends without cutting anybody short."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from app import create_app
from schema.transport.sockets import PUSH
from services.runtime import Runtime
from settings import Settings

TICK = 0.1


class Requests(HttpToolsProtocol):
    """Cuts the line of whoever is too slow to ask, or reads nothing of what is written, be it an answer
    or a stream of events. uvicorn waits for them as long as they like.
    """

    headers_within = 15.0
    """Seconds from the first byte, or from connecting."""
    read_within = 30.0
    """Seconds in which at least something must be read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._reading: asyncio.TimerHandle | None = None
        self._asking = self.loop.call_later(self.headers_within, transport.abort)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._asking.cancel()
        self._asking = self.loop.call_later(self.headers_within, self.transport.abort)

    def on_headers_complete(self) -> None:
        self._asking.cancel()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading:
            self._reading.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._asking.cancel()
        if self._reading:
            self._reading.cancel()
        super().connection_lost(exc)

    def _expect_reading(self) -> None:
        unread = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(self.read_within, self._look_again, unread)

    def _look_again(self, unread: int) -> None:
        if self.transport.get_write_buffer_size() < unread:
            self._expect_reading()
        else:
            self.transport.abort()


class Sockets(WebSocketsSansIOProtocol):
    """Cuts the line of whoever answers no ping. uvicorn waits for what it has written to be read
    first, and a client that reads nothing would be waited for as long as it likes.

    An application may push text to whoever reads, without a task that waits for each.
    """

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.handshake_initiated and not self.close_sent:
            cast("dict[str, Any]", self.scope["extensions"])[PUSH] = self.push

    def push(self, text: bytes) -> bool:
        """Sends it, in UTF-8; False where it would have to wait for what was sent before to be read."""
        if not self.writable.is_set() or self.close_sent or self.transport.is_closing():
            return False
        if self.conn.extensions:
            self.conn.send_text(text)
            self.transport.write(b"".join(self.conn.data_to_send()))
        else:
            self.transport.write(_head_of_text(len(text)) + text)
        return True

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


def _head_of_text(length: int) -> bytes:
    """Of an unmasked frame (RFC 6455, 5.2); a third of a push is spent where the library makes it."""
    if length < 126:  # noqa: PLR2004 - these are the RFC's
        return bytes((0x81, length))
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")


def http_config(settings: Settings, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        http=Requests,
        ws=Sockets,
        ws_max_size=settings.max_body,
        ws_per_message_deflate=False,  # docs/decisions/0030-sockets-are-not-compressed.md
        proxy_headers=settings.trusted_proxies is not None,
        forwarded_allow_ips=settings.trusted_proxies,
        # uvicorn waits in whole seconds, and for ever when given none
        timeout_graceful_shutdown=max(1, round(settings.shutdown_seconds)),
    )


def end_with_success() -> None:
    """After SIGTERM and Ctrl-C, which uvicorn repeats once it has ended."""
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, lambda *_: sys.exit(0))


class Server(uvicorn.Server):
    def __init__(self, settings: Settings, database_url: str, greet: Callable[[], None]) -> None:
        self.app = create_app(settings, database_url)
        self.drain_seconds = settings.drain_seconds
        self.greet = greet
        super().__init__(http_config(settings, self.app))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.greet()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets readiness say so first. Then uvicorn refuses connections, closes sockets with 1012,
        waits for requests, and at last ends the lifespan, which waits for jobs.
        """
        runtime: Runtime = self.app.state.runtime
        runtime.draining.set()
        until = monotonic() + self.drain_seconds
        while monotonic() < until and not self.force_exit:  # noqa: ASYNC110 - a signal sets it
            await asyncio.sleep(TICK)
        runtime.closing.set()
        await super().shutdown(sockets)
