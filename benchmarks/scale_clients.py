"""One process of callers for `benchmarks.scale`: each asks again as soon as it has its answer.

Reads orders from standard input, a line of JSON each, and says of each how many answers there were.
"""

import asyncio
import sys
import time
from typing import Any

import orjson


async def call(order: dict[str, Any], request: bytes) -> int:
    host, port = order["host"].split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=2**20)
    answers = 0
    until = time.monotonic() + order["seconds"]
    while time.monotonic() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        assert b'"errors"' not in body, body
        answers += 1
    writer.close()
    return answers


async def load(order: dict[str, Any]) -> int:
    body = order["body"].encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: {order['host']}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {order['token']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    return sum(await asyncio.gather(*(call(order, request) for _ in range(order["callers"]))))


if __name__ == "__main__":
    for line in sys.stdin.buffer:
        print(asyncio.run(load(orjson.loads(line))), flush=True)
