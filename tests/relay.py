"""What lies between a process and its database, and may break without either of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import URL


class Relay:
    """A network before PostgreSQL that can fall silent without closing anything."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.silent: asyncio.Event = asyncio.Event()
        """Set for connections that are open now; later ones get an event of their own."""
        self.deaf: asyncio.Event = asyncio.Event()
        """The same, for connections that answer but give no notice any more."""
        self.tasks: set[asyncio.Task[None]] = set()

    def through(self, port: int) -> str:
        """The URL of the same database by way of this network."""
        url = self.url.set(host="127.0.0.1", port=port, query={})
        return url.render_as_string(hide_password=False)

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._meet, "127.0.0.1", port)
        yield server.sockets[0].getsockname()[1]
        server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def fall_silent(self) -> None:
        self.silent.set()
        self.silent = asyncio.Event()

    def withhold_notices(self) -> None:
        self.deaf.set()
        self.deaf = asyncio.Event()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self.url.query.get("host", self.url.host), self.url.port or 5432
        if str(host).startswith("/"):
            far = asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            far = asyncio.open_connection(str(host), port)
        far_reader, far_writer = await far
        asked = self._carry(pieces(reader), far_writer, self.silent)
        answered = self._carry(messages(far_reader, self.deaf), writer, self.silent)
        self.tasks |= {asyncio.create_task(asked), asyncio.create_task(answered)}

    @staticmethod
    async def _carry(
        source: AsyncIterator[bytes], target: asyncio.StreamWriter, silent: asyncio.Event
    ) -> None:
        try:
            async for data in source:
                if not silent.is_set():
                    target.write(data)
        finally:
            with suppress(OSError):
                target.close()


async def pieces(source: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while data := await source.read(65_536):
        yield data


async def messages(source: asyncio.StreamReader, deaf: asyncio.Event) -> AsyncIterator[bytes]:
    """What PostgreSQL says, message by message; its notices only to who is not deaf."""
    with suppress(asyncio.IncompleteReadError):
        yield await source.readexactly(1)  # TLS: no
        while True:
            head = await source.readexactly(5)
            body = await source.readexactly(int.from_bytes(head[1:], "big") - 4)
            if head[:1] != b"A" or not deaf.is_set():
                yield head + body
