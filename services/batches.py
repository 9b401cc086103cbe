"""Deleting much in small transactions, so that nobody waits for it long and a stop loses little."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import TextClause, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool


@asynccontextmanager
async def owner_engine(owner_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections of the tables' owner, whom no wall between accounts stops."""
    engine = create_async_engine(
        make_url(owner_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool
    )
    try:
        yield engine
    finally:
        await engine.dispose()


async def in_batches(
    engine: AsyncEngine, statement: TextClause, values: dict[str, object], *, size: int
) -> int:
    """Repeats a statement that changes at most `:size` rows until it changes fewer; how many in all."""
    total = 0
    while True:
        async with engine.begin() as db:
            changed = (await db.execute(statement, {**values, "size": size})).rowcount
        total += changed
        if changed < size:
            return total
