"""What the tables hold, as their owner sees it: past every wall."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from models import Base

TENANT_TABLES = sorted(
    table.name for table in Base.metadata.tables.values() if "account_id" in table.c
)

ROWS = """
    SELECT '{table}' AS name,
           coalesce(string_agg(row_to_json(t)::text, E'\\n' ORDER BY t::text), '') AS rows
      FROM {table} t WHERE {column} = :account_id
"""
ALL_ROWS = text(
    " UNION ALL ".join(
        [
            ROWS.format(table="accounts", column="t.id"),
            ROWS.format(table="procrastinate_jobs", column="CAST(t.args->>'account_id' AS uuid)"),
            *(ROWS.format(table=table, column="t.account_id") for table in TENANT_TABLES),
        ]
    )
)

UNDER_WAY = text(
    """
    SELECT count(*) FROM procrastinate_jobs
     WHERE args->>'account_id' = :account_id AND status IN ('todo', 'doing')
       AND coalesce(scheduled_at, now()) <= now() + interval '1 minute'
    """
)

Snapshot = Mapping[str, str]
"""Every row of an account, table by table, a line of JSON each."""


@asynccontextmanager
async def as_owner(owner_url: str) -> AsyncIterator[AsyncConnection]:
    """Commits on the way out."""
    engine = create_async_engine(
        make_url(owner_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool
    )
    try:
        async with engine.begin() as db:
            yield db
    finally:
        await engine.dispose()


async def end_backend(owner_url: str, pid: int) -> None:
    """Returns when it is gone."""
    async with as_owner(owner_url) as db:
        await db.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


async def snapshot(db: AsyncConnection, account_id: UUID) -> Snapshot:
    rows = await db.execute(ALL_ROWS, {"account_id": account_id})
    return {row.name: row.rows for row in rows}


async def event_seq(db: AsyncConnection, account_id: UUID) -> int:
    statement = text("SELECT event_seq FROM accounts WHERE id = :account_id")
    return int((await db.execute(statement, {"account_id": account_id})).scalar_one())


async def until_idle(owner_url: str, account_id: UUID, *, within: float = 20) -> None:
    """Until no job of the account is left to do but timers."""
    async with asyncio.timeout(within), as_owner(owner_url) as db:
        while (await db.execute(UNDER_WAY, {"account_id": str(account_id)})).scalar_one():
            pass  # asking lets the worker go on
