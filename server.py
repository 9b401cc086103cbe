"""The HTTP server: says where to go once it answers, and ends without cutting anybody short."""

import asyncio
import socket
from collections.abc import Callable
from time import monotonic

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app import create_app
from services.runtime import Runtime
from settings import Settings

TICK = 0.1


class Sockets(WebSocketsSansIOProtocol):
    """Cuts the line of whoever answers no ping. uvicorn waits for what it has written to be read
    first, and a client that reads nothing would be waited for as long as it likes.
    """

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


def http_config(settings: Settings, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        ws=Sockets,
        ws_max_size=settings.max_body,
        proxy_headers=settings.trusted_proxies is not None,
        forwarded_allow_ips=settings.trusted_proxies,
        # uvicorn waits in whole seconds, and for ever when given none
        timeout_graceful_shutdown=max(1, round(settings.shutdown_seconds)),
    )


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
