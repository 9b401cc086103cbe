"""The subscribers of `benchmarks.feed`, in a process of their own: its clock is the machine's.

Reads what to follow from standard input, says when it listens, and then when it heard each event.
"""

import asyncio
import sys
import time
from typing import Any

import orjson
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

PROTOCOL = Subprotocol("graphql-transport-ws")
FOLLOW = """subscription($id: ID!, $after: String) { branchChanged(sessionId: $id, after: $after) {
  ... on Event { cursor } ... on BranchUpdated { branch { id label } } } }"""


class Ears:
    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.heard: list[tuple[str, float]] = []
        self.all_heard = asyncio.Event()

    async def listen(self, place: dict[str, Any], acknowledged: asyncio.Semaphore) -> None:
        async with connect(
            f"ws://{place['host']}/graphql", subprotocols=[PROTOCOL], compression=None
        ) as socket:
            who = {"Authorization": f"Bearer {place['token']}"}
            await socket.send(orjson.dumps({"type": "connection_init", "payload": who}).decode())
            await socket.recv()
            payload = {"query": FOLLOW, "variables": {"id": place["id"], "after": place["after"]}}
            subscribe = {"id": "1", "type": "subscribe", "payload": payload}
            await socket.send(orjson.dumps(subscribe).decode())
            acknowledged.release()
            async for frame in socket:
                now = time.monotonic()
                event = orjson.loads(frame)["payload"]["data"]["branchChanged"]
                self.heard.append((event["cursor"], now))
                if len(self.heard) == self.expected:
                    self.all_heard.set()


async def main() -> None:
    order = orjson.loads(sys.stdin.buffer.readline())
    ears = Ears(order["events"])
    acknowledged = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(ears.listen(place, acknowledged)) for place in order["places"]]
    for _ in tasks:
        await acknowledged.acquire()
    await asyncio.sleep(1)  # what is subscribed to is not acknowledged
    print("listening", flush=True)
    async with asyncio.timeout(120):
        await ears.all_heard.wait()
    for task in tasks:
        task.cancel()
    print(orjson.dumps(ears.heard).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
