"""Connections: one pool, under a role that owns nothing, one account a transaction."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast
from uuid import UUID

import asyncpg
from sqlalchemy import Connection, RootTransaction, Select, make_url
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.telemetry.traces import inner

APP_ROLE = "flowpilot_app"
"""Owns no table, so row-level security binds it. Made by the first migration."""

CONNECTION_LOST = ("08", "57P", "53300")
"""How the SQLSTATEs begin that a server sends which is going, coming or full."""

T = TypeVar("T")


class _Connection(asyncpg.Connection):
    """The driver's own, which begins transactions."""

    account_id: UUID | None = None
    """Whose rows there are in the transactions that begin from now on."""

    async def execute(self, query: str, *arguments: Any, **how: Any) -> str:  # noqa: ANN401 - asyncpg's own
        if self.account_id is None or not query.startswith("BEGIN"):
            return await super().execute(query, *arguments, **how)
        try:
            return await super().execute(
                f"{query} SET LOCAL app.account_id = '{self.account_id.hex}'"
            )
        except BaseException:
            self.terminate()  # it may be in a transaction that nobody would end
            raise


def sync_url(url: str) -> str:
    """For psycopg: migrations and jobs."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def plain_url(url: str) -> str:
    """As libpq reads it, to which a plus sign in an option is no space."""
    rendered = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    address, mark, options = rendered.partition("?")
    return address + mark + options.replace("+", "%20")


def connect_pool(url: str, *, size: int) -> AsyncEngine:
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,  # errors are logged, and parameters are what people wrote
        pool_recycle=1800,
        connect_args={
            # In the start-up packet the role survives a RESET ALL.
            "server_settings": {"role": APP_ROLE, "application_name": "flowpilot", "jit": "off"},
            "statement_cache_size": 500,
            "connection_class": _Connection,
        },
    )


def is_away(error: BaseException | None) -> bool:
    """Whether the database could not be reached or was lost: who tries again later succeeds."""
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        error = error.orig  # in it SQLAlchemy wraps what no driver has raised
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError | PoolTimeoutError)
    state = getattr(error.orig, "sqlstate", None) or ""
    cause = error.orig.__cause__ if error.orig is not None else None
    return (
        error.connection_invalidated
        or state.startswith(CONNECTION_LOST)
        or isinstance(cause, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError)
    )


@asynccontextmanager
async def transaction(
    engine: AsyncEngine, account_id: UUID, *, frozen: bool = False
) -> AsyncIterator[AsyncConnection]:
    """Commits on the way out, rolls back on an exception. Only this account's rows exist inside.

    It begins with the first statement. `frozen`: all statements see the same instant.
    """
    with inner("transaction"):
        db = await engine.connect()
        connection = cast("Connection", db.sync_connection)
        driver = cast("_Connection", connection.connection.driver_connection)
        driver.account_id = account_id
        try:
            if frozen:
                await db.execution_options(isolation_level="REPEATABLE READ")
            begun = connection.begin()  # sends nothing
            yield db
            await db.run_sync(_end, begun)
        finally:
            driver.account_id = None
            if not db.closed:
                # Shielded as SQLAlchemy does it: who is cancelled must not leave it half rolled back.
                await asyncio.shield(asyncio.create_task(db.close()))


def _end(connection: Connection, begun: RootTransaction) -> None:
    begun.commit()
    connection.close()


async def fetch(db: AsyncConnection, statement: Select[T]) -> Sequence[T]:
    """Rows of one mapped class, as light tuples that have its columns as attributes.

    They are typed as the class because they read like it; they are not instances of it.
    """
    return cast("Sequence[T]", (await db.execute(statement)).all())


async def fetch_one(db: AsyncConnection, statement: Select[T]) -> T | None:
    return cast("T | None", (await db.execute(statement)).one_or_none())
