"""Where the bytes of uploads are: a folder, or a bucket of S3, Google or Azure.

A key is `account/upload`, so nothing that a client has written is part of it, and an account's files are
found together.
"""

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

PIECE = 256_000
"""Bytes that are read at a time."""


class StoreAway(Exception):
    """The store could not be reached, or refused; it may go better in a while."""


class FileGone(Exception):
    """No such file."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    upload_id: UUID
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class FileStore:
    backend: ObjectStore

    @classmethod
    def in_folder(cls, folder: Path) -> "FileStore":
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(LocalStore(os.fspath(folder.absolute())))

    @classmethod
    def at(cls, url: str) -> "FileStore":
        """The cloud's own variables (AWS_*, GOOGLE_*, AZURE_*) say how to sign in."""
        return cls(from_url(url))

    async def put(self, account_id: UUID, upload_id: UUID, content: bytes) -> None:
        """Whole or not at all. Raises StoreAway."""
        try:
            await obstore.put_async(self.backend, _key(account_id, upload_id), content)
        except (BaseError, OSError) as error:
            raise StoreAway from error

    async def get(self, account_id: UUID, upload_id: UUID) -> bytes:
        """Raises FileGone and StoreAway."""
        return b"".join([piece async for piece in await self.open(account_id, upload_id)])

    async def open(self, account_id: UUID, upload_id: UUID) -> AsyncIterator[bytes]:
        """Piece by piece. Raises FileGone, and StoreAway, later too."""
        try:
            found = await obstore.get_async(self.backend, _key(account_id, upload_id))
        except (NotFoundError, FileNotFoundError):
            raise FileGone from None
        except (BaseError, OSError) as error:
            raise StoreAway from error
        return _pieces(found)

    async def delete(self, account_id: UUID, upload_ids: Sequence[UUID]) -> None:
        """What is gone already is no fault. Raises StoreAway."""
        for upload_id in upload_ids:
            try:
                await obstore.delete_async(self.backend, _key(account_id, upload_id))
            except (NotFoundError, FileNotFoundError):
                continue
            except (BaseError, OSError) as error:
                raise StoreAway from error

    async def accounts(self) -> list[UUID]:
        """Which have files. Raises StoreAway."""
        try:
            found = await obstore.list_with_delimiter_async(self.backend)
        except (BaseError, OSError) as error:
            raise StoreAway from error
        return [UUID(prefix.strip("/")) for prefix in found["common_prefixes"] if _is_key(prefix)]

    async def files(self, account_id: UUID) -> AsyncIterator[list[StoredFile]]:
        """Of one account, in batches. Raises StoreAway."""
        try:
            async for batch in obstore.list(self.backend, prefix=f"{account_id.hex}/"):
                yield [
                    StoredFile(UUID(one["path"].rpartition("/")[2]), one["last_modified"])
                    for one in batch
                    if _is_key(one["path"].rpartition("/")[2])
                ]
        except (BaseError, OSError) as error:
            raise StoreAway from error


async def _pieces(found: "obstore.GetResult") -> AsyncIterator[bytes]:
    try:
        async for piece in found.stream(min_chunk_size=PIECE):
            yield bytes(piece)
    except (BaseError, OSError) as error:
        raise StoreAway from error


def _key(account_id: UUID, upload_id: UUID) -> str:
    return f"{account_id.hex}/{upload_id.hex}"


def _is_key(name: str) -> bool:
    name = name.strip("/")
    return len(name) == 32 and name.isalnum()  # noqa: PLR2004 - a UUID in hex
