"""Deleting one account and all it has. Whoever it let in is shut out first."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncEngine

from models import Base
from services.batches import in_batches, owner_engine
from services.errors import NotFound
from services.ids import Kind, uuid_of

ROWS_AT_ONCE = 1_000
SESSIONS_AT_ONCE = 20

GO_WITH_THEIR_SESSION = {"session_branches", "fork_points"}
"""They and sessions refer to one another, so none can go before the others."""

SHUT_OUT = {"users": "deactivated_at", "api_keys": "revoked_at", "refresh_tokens": "revoked_at"}

DELETE_JOBS = text(
    """
    DELETE FROM procrastinate_jobs WHERE id IN (
        SELECT id FROM procrastinate_jobs WHERE args->>'account_id' = :account_id LIMIT :size)
    """
)
FREE_MESSAGES = text(
    """
    UPDATE fork_points SET after_message_id = NULL WHERE (account_id, id) IN (
        SELECT account_id, id FROM fork_points
         WHERE account_id = :account_id AND after_message_id IS NOT NULL LIMIT :size)
    """
)


@dataclass(frozen=True, slots=True)
class Found:
    account_id: UUID
    name: str


async def find_accounts(owner_url: str, name_or_id: str) -> list[Found]:
    """By id (as the API or the database writes it), or all of that very name."""
    statement = text(
        "SELECT id, name FROM accounts WHERE id = :id OR name = :name ORDER BY created_at, id"
    )
    values = {"id": _key(name_or_id), "name": name_or_id}
    async with owner_engine(owner_url) as engine, engine.connect() as db:
        return [Found(*row) for row in await db.execute(statement, values)]


def _key(text_of_id: str) -> UUID | None:
    try:
        return uuid_of(Kind.ACCOUNT, text_of_id)
    except NotFound:
        pass
    try:
        return UUID(text_of_id)
    except ValueError:
        return None


async def delete_account(
    owner_url: str, account_id: UUID, progress: Callable[[str, int], None]
) -> None:
    """In many small transactions; stopped half-way it goes on when called again.

    The first shuts everybody out: requests are refused from then on, open sockets end within two
    seconds. `progress` hears of every table that is done, with the number of rows.
    """
    async with owner_engine(owner_url) as engine:
        async with engine.begin() as db:
            for table, ended_at in SHUT_OUT.items():
                statement = text(
                    f"UPDATE {table} SET {ended_at} = coalesce({ended_at}, now()) "  # noqa: S608
                    "WHERE account_id = :account_id"
                )
                await db.execute(statement, {"account_id": account_id})
        await _delete_jobs(engine, account_id, progress)
        await in_batches(engine, FREE_MESSAGES, {"account_id": account_id}, size=ROWS_AT_ONCE)
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in GO_WITH_THEIR_SESSION:
                progress(table.name, await _empty(engine, table, account_id))
        await _delete_jobs(engine, account_id, progress)  # of requests that were under way


async def _delete_jobs(
    engine: AsyncEngine, account_id: UUID, progress: Callable[[str, int], None]
) -> None:
    values: dict[str, object] = {"account_id": str(account_id)}
    progress("jobs", await in_batches(engine, DELETE_JOBS, values, size=ROWS_AT_ONCE))


async def _empty(engine: AsyncEngine, table: Table, account_id: UUID) -> int:
    column = "account_id" if "account_id" in table.c else "id"
    statement = text(
        f"DELETE FROM {table.name} WHERE ctid = ANY (ARRAY("  # noqa: S608 - our own names
        f"SELECT ctid FROM {table.name} WHERE {column} = :account_id LIMIT :size))"
    )
    size = SESSIONS_AT_ONCE if table.name == "ai_sessions" else ROWS_AT_ONCE
    return await in_batches(engine, statement, {"account_id": account_id}, size=size)
