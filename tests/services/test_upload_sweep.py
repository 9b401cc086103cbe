"""Files go when nothing names them any more, and not before."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cli import migrate
from services.database import connect_pool
from services.files.store import FileGone, FileStore
from services.files.sweep import remove_account, sweep
from services.ids import new_id
from tests.tables import as_owner

MAKE = """
    INSERT INTO accounts (id, name, plan) VALUES (:account_id, 'MSP', 'team');
    INSERT INTO users (account_id, id, email, display_name, role)
    VALUES (:account_id, :account_id, gen_random_uuid()::text, 'Ada', 'engineer')
"""
ROW = text(
    """
    INSERT INTO file_uploads
           (account_id, id, filename, content_type, byte_size, sha256, uploaded_by, created_at)
    VALUES (:account_id, :id, 'a', 'text/plain', 1, 'x', :account_id,
            now() - make_interval(days => :days))
    """
)


class Shelf:
    """One account's rows and files."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.files = FileStore.in_folder(folder)
        self.account_id = new_id()

    async def open(self) -> None:
        async with as_owner(self.url) as db:
            for statement in MAKE.split(";"):
                bound = text(statement)
                await db.execute(bound, {"account_id": self.account_id})

    async def put(self, *, row_days: int | None, file_hours: int) -> UUID:
        upload_id = new_id()
        if row_days is not None:
            async with as_owner(self.url) as db:
                values = {"account_id": self.account_id, "id": upload_id, "days": row_days}
                await db.execute(ROW, values)
        await self.files.put(self.account_id, upload_id, b"a")
        path = self.folder / self.account_id.hex / upload_id.hex
        old = path.stat().st_mtime - 3600 * file_hours
        await asyncio.to_thread(os.utime, path, (old, old))
        return upload_id

    async def left(self) -> set[UUID]:
        return {one.upload_id async for batch in self.files.files(self.account_id) for one in batch}


@pytest.fixture
def url(make_database: Callable[[str], str]) -> str:
    fresh = make_database("sweep")
    migrate(fresh)
    return fresh


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    """In the role of the server."""
    pool = connect_pool(url, size=2)
    yield pool
    await pool.dispose()


async def test_only_what_no_row_names_goes(url: str, engine: AsyncEngine, tmp_path: Path) -> None:
    shelves = [Shelf(url, tmp_path) for _ in range(2)]
    kept: list[set[UUID]] = []
    for shelf in shelves:
        await shelf.open()
        kept.append(
            {
                await shelf.put(row_days=0, file_hours=2),
                await shelf.put(row_days=6, file_hours=150),
                await shelf.put(row_days=None, file_hours=0),  # its row may come yet
            }
        )
        await shelf.put(row_days=None, file_hours=2)
        await shelf.put(row_days=8, file_hours=200)  # waited too long for a session
    assert await sweep(engine, shelves[0].files) == 4
    assert [await shelf.left() for shelf in shelves] == kept
    assert await sweep(engine, shelves[0].files) == 0


async def test_an_accounts_files_go_with_it_and_no_other_do(url: str, tmp_path: Path) -> None:
    doomed, neighbour = Shelf(url, tmp_path), Shelf(url, tmp_path)
    gone = await doomed.put(row_days=None, file_hours=0)
    stays = await neighbour.put(row_days=None, file_hours=0)
    assert await remove_account(doomed.files, doomed.account_id) == 1
    with pytest.raises(FileGone):
        await doomed.files.get(doomed.account_id, gone)
    assert await neighbour.files.get(neighbour.account_id, stays) == b"a"
