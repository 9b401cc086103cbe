"""A ZIP that is written while it is sent, so that no archive is ever whole in memory or on disk."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from services.files.store import FileGone, FileStore

MOST_BYTES = 500_000_000
"""Of files in one archive."""

LONGEST_NAME = 100
LONGEST_ENDING = 10

_NOT_IN_NAMES = re.compile(r"[^\w. ()+-]+|\.{2,}")


def place_of(number: int, filename: str) -> str:
    """Below `attachments`, whatever the name says; the number keeps names apart, and from being devices."""
    stem, dot, ending = _NOT_IN_NAMES.sub("_", filename).strip(" .").rpartition(".")
    if not stem:  # it has no ending
        stem, ending = ending, ""
    ending = ending[:LONGEST_ENDING]
    name = f"{stem[: LONGEST_NAME - len(ending)]}{dot}{ending}"
    return f"attachments/{number:03}-{name}"


class _Outbox:
    """What ZipFile writes to; it cannot seek, so it is written in one go."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits here."""

    close = flush

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken


async def zipped(
    store: FileStore,
    account_id: UUID,
    texts: Iterable[tuple[str, bytes]],
    files: Mapping[UUID, str],
) -> AsyncIterator[bytes]:
    """Texts are deflated, files stored as they are. Of a file that is gone a note takes the place.

    Raises StoreAway, also when much was written already: then the archive has no end.
    """
    outbox, now = _Outbox(), datetime.now(UTC).timetuple()[:6]
    with ZipFile(outbox, "w") as archive:
        for name, content in texts:
            entry = ZipInfo(name, now)
            await asyncio.to_thread(archive.writestr, entry, content, ZIP_DEFLATED)
            yield outbox.take()
        for upload_id, place in files.items():
            try:
                pieces = await store.open(account_id, upload_id)
            except FileGone:
                note = "This file is no longer in the store."
                archive.writestr(ZipInfo(f"{place}.missing.txt", now), note, ZIP_STORED)
                continue
            with archive.open(ZipInfo(place, now), "w", force_zip64=True) as target:
                async for piece in pieces:
                    target.write(piece)
                    yield outbox.take()
    yield outbox.take()
