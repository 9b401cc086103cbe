"""Answers `POST /5000` with 5,000 bytes and does nothing else: what is left is how fast the caller is."""

import asyncio
from functools import cache
from typing import cast

import uvloop


@cache
def answer(path: bytes) -> bytes:
    length = int(path[1:])
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    return head.encode() + b" " * length


class Trivial(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(answer(data.split(b" ", 2)[1]))


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Trivial, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
