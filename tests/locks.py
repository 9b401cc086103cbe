"""Makes races certain: a test holds a lock until the server's transactions wait for it."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

WAITING = text(
    """
    WITH RECURSIVE waiting(pid) AS (
        SELECT pg_backend_pid()
         UNION
        SELECT held_up.pid FROM pg_locks held_up
          JOIN waiting ON waiting.pid = ANY (pg_blocking_pids(held_up.pid))
         WHERE NOT held_up.granted
    )
    SELECT count(*) - 1 FROM waiting
    """
)


async def until_waiting(db: AsyncConnection, count: int) -> None:
    """Returns when so many transactions wait for this one, or for others that do."""
    async with asyncio.timeout(20):
        while (await db.execute(WAITING)).scalar_one() < count:
            pass  # asking lets the server's tasks go on
