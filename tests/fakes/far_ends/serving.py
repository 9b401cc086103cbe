"""All far ends behind one port, each under its name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.fakes.far_ends.autotask import Autotask
from tests.fakes.far_ends.connectwise import ConnectWise
from tests.fakes.far_ends.halopsa import HaloPsa
from tests.fakes.far_ends.hudu import Hudu
from tests.fakes.far_ends.it_glue import ItGlue
from tests.fakes.far_ends.mail import MailServer
from tests.fakes.far_ends.page import page
from tests.fakes.far_ends.webhook import WebhookReceiver


@dataclass
class FarEnds:
    connectwise: ConnectWise = field(default_factory=ConnectWise)
    halopsa: HaloPsa = field(default_factory=HaloPsa)
    autotask: Autotask = field(default_factory=Autotask)
    hudu: Hudu = field(default_factory=Hudu)
    it_glue: ItGlue = field(default_factory=ItGlue)
    webhook: WebhookReceiver = field(default_factory=WebhookReceiver)
    mail: MailServer = field(default_factory=MailServer)
    url: str = ""

    def app(self) -> Starlette:
        names = ("connectwise", "halopsa", "autotask", "hudu", "it_glue", "webhook")
        far_ends = [Mount(f"/{name}", routes=getattr(self, name).routes()) for name in names]
        app = Starlette(routes=[Route("/", partial(page, self)), *far_ends])
        app.state.connections = {}
        return app


current = FarEnds()
"""Those that the tests of this process talk to, once they are served."""


class _Connections(H11Protocol):
    """Lets an application close a connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.config.app.state.connections[peer] = transport  # type: ignore[union-attr]


@asynccontextmanager
async def serving(far_ends: FarEnds, port: int = 0) -> AsyncIterator[FarEnds]:
    config = uvicorn.Config(
        far_ends.app(),
        host="127.0.0.1",
        port=port,
        http=_Connections,
        lifespan="off",
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    socket = config.bind_socket()
    socket.listen()  # so that nobody is turned away before the server has begun
    far_ends.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    far_ends.autotask.url = f"{far_ends.url}/autotask"
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[socket]))
    try:
        yield far_ends
    finally:
        server.should_exit = True
        await running
