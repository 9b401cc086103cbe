"""A session as the bytes of a file, in one of four forms."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import orjson

from services.errors import NotFound
from services.exports.archive import MOST_BYTES, place_of, zipped
from services.exports.document import Document, describe
from services.exports.links import ExportFormat, ExportLink
from services.exports.markdown import write_markdown
from services.exports.page import write_page
from services.exports.rows import Rows, read_rows
from services.ids import Kind, node_id
from services.runtime import Runtime


async def write_export(runtime: Runtime, link: ExportLink) -> AsyncIterator[bytes]:
    """Piece by piece; what takes long is done beside the event loop. Raises NotFound."""
    rows = await read_rows(runtime, link.account_id, link.session_id)
    if rows is None:
        raise NotFound(node_id(Kind.SESSION, link.session_id))
    if link.format is not ExportFormat.ARCHIVE:
        document = await asyncio.to_thread(describe, rows, {})
        return _whole(await asyncio.to_thread(_written, document, link.format))
    files = _choose_files(rows)
    document = await asyncio.to_thread(describe, rows, files)
    forms = (ExportFormat.MARKDOWN, ExportFormat.HTML, ExportFormat.JSON)
    texts = [
        (name, await asyncio.to_thread(_written, document, form))
        for name, form in zip(("session.md", "session.html", "session.json"), forms, strict=True)
    ]
    return zipped(runtime.files, link.account_id, texts, files)


def _written(document: Document, form: ExportFormat) -> bytes:
    if form is ExportFormat.JSON:
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)
    writer = write_page if form is ExportFormat.HTML else write_markdown
    return writer(document).encode()


def _choose_files(rows: Rows) -> dict[UUID, str]:
    """Where each file lies in the archive. The oldest that fit; of the others it is said."""
    chosen: dict[UUID, str] = {}
    room = MOST_BYTES
    for number, upload in enumerate(rows.uploads, start=1):
        if upload.byte_size <= room:
            room -= upload.byte_size
            chosen[upload.id] = place_of(number, upload.filename)
    if len(chosen) < len(rows.uploads):
        rows.left_out.append(
            f"An archive holds {MOST_BYTES:,} bytes of files; "
            f"{len(rows.uploads) - len(chosen)} did not fit."
        )
    return chosen


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content
