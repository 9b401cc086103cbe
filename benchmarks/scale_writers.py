"""One process of writers for `benchmarks.scale`, who commit the shortest transaction that records an event.

Is told the database's URL. Reads orders from standard input, a line of JSON each, and says of each how many
commits there were.
"""

import asyncio
import sys
import time
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from services.database import connect_pool, transaction
from services.unit_of_work import APPEND_EVENTS


async def write(engine: AsyncEngine, place: dict[str, str], seconds: float) -> int:
    account_id = UUID(place["account"])
    event: dict[str, Any] = {
        "account_id": account_id,
        "actor_id": None,
        "count": 1,
        "session_ids": [UUID(place["session"])],
        "types": ["BranchUpdated"],
        "payloads": ["{}"],
    }
    commits = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        async with transaction(engine, account_id) as db:
            await db.execute(APPEND_EVENTS, event)
        commits += 1
    return commits


async def main(url: str) -> None:
    engine = connect_pool(url, size=15)
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        order = orjson.loads(line)
        done = await asyncio.gather(
            *(write(engine, place, order["seconds"]) for place in order["places"])
        )
        print(sum(done), flush=True)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
