"""Removing files that no row names any more, and those that nobody has put to use."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from models.upload import FileUpload
from services.database import transaction
from services.files.store import FileStore

ON_ITS_WAY = timedelta(hours=1)
"""A file is stored before its row is; younger ones are left alone."""

WAITS = timedelta(days=7)
"""For how long a file may wait for a session."""


async def sweep(engine: AsyncEngine, files: FileStore) -> int:
    """How many files went: of sessions and accounts that are gone, of work that was cut short, and those
    that were brought in for no session and never sent. Raises StoreAway.
    """
    gone = 0
    for account_id in await files.accounts():
        await _forget_unused(engine, account_id)
        gone += await _sweep_account(engine, files, account_id)
    return gone


async def _forget_unused(engine: AsyncEngine, account_id: UUID) -> None:
    statement = delete(FileUpload).where(
        FileUpload.account_id == account_id,
        FileUpload.session_id.is_(None),
        FileUpload.created_at < func.now() - WAITS,
    )
    async with transaction(engine, account_id) as db:
        await db.execute(statement)


async def _sweep_account(engine: AsyncEngine, files: FileStore, account_id: UUID) -> int:
    gone = 0
    before = datetime.now(UTC) - ON_ITS_WAY
    async for batch in files.files(account_id):
        old = {stored.upload_id for stored in batch if stored.modified_at < before}
        named = select(FileUpload.id).where(
            FileUpload.account_id == account_id, FileUpload.id.in_(old)
        )
        async with transaction(engine, account_id) as db:
            unnamed = old - set((await db.execute(named)).scalars())
        await files.delete(account_id, sorted(unnamed))
        gone += len(unnamed)
    return gone


async def remove_account(files: FileStore, account_id: UUID) -> int:
    """How many files went. Raises StoreAway."""
    gone = 0
    async for batch in files.files(account_id):
        await files.delete(account_id, [stored.upload_id for stored in batch])
        gone += len(batch)
    return gone
