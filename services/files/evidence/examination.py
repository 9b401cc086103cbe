"""What is to be known of a file without asking a model: its text, a summary and a sentence."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from services.files.evidence import digests
from services.files.evidence.decoding import UNSTORABLE, decode, told
from services.files.evidence.kinds import NDJSON, PDF, PLAIN, TEXTS
from services.files.evidence.pdf_text import pdf_text
from services.files.evidence.pictures import PICTURES, Preview, read_picture

LONGEST_TEXT = 10_000
HEAD = 6_000
"""Of a longer text, characters from its beginning; the rest from its end, where a log fails."""

NAMES: Mapping[str, str] = {
    "image/png": "PNG image",
    "image/jpeg": "JPEG image",
    "image/gif": "GIF image",
    "image/webp": "WebP image",
    "image/bmp": "BMP image",
    "image/tiff": "TIFF image",
    "image/heic": "HEIC image",
    "application/json": "JSON document",
    NDJSON: "JSON lines",
    "application/xml": "XML document",
    "application/yaml": "YAML document",
    "text/csv": "CSV table",
    "text/html": "HTML page",
    PLAIN: "Text",
    "application/x-ms-evtx": "Windows event log in its binary form",
    "application/vnd.tcpdump.pcap": "Network capture",
    "application/x-pcapng": "Network capture",
    "application/x-ole-storage": "Document or message of an older Microsoft format",
    "application/vnd.microsoft.portable-executable": "Windows program",
    "application/x-elf": "Linux program",
    "application/vnd.sqlite3": "SQLite database",
}
ARCHIVES: Mapping[str, str] = {
    "application/zip": "ZIP archive or Office document",
    "application/gzip": "GZIP archive",
    "application/x-7z-compressed": "7-Zip archive",
    "application/vnd.rar": "RAR archive",
    "application/x-xz": "XZ archive",
    "application/zstd": "Zstandard archive",
    "application/x-bzip2": "BZIP2 archive",
    "application/x-tar": "TAR archive",
    "application/vnd.ms-cab-compressed": "CAB archive",
}
LOGS = frozenset({PLAIN, NDJSON, "text/csv"})


@dataclass(frozen=True, slots=True)
class Examined:
    description: str
    """One sentence."""
    summary: str | None = None
    """Of a log, its digest; at most 6,000 characters."""
    text: str | None = None
    """At most 10,000 characters and a line that tells what was left out."""
    preview: Preview | None = None


async def examine(content: bytes, kind: str, filename: str) -> Examined:
    """Raises apart.Unreadable."""
    if kind == PDF:
        return await _pdf(content)
    if kind in PICTURES:
        return await _picture(content, kind)
    return await asyncio.to_thread(_examine, content, kind, filename)


def _examine(content: bytes, kind: str, filename: str) -> Examined:
    if kind not in TEXTS:
        return Examined(f"{_opaque_name(kind)} of {size_of(len(content))}{_untouched(kind)}.")
    decoded = decode(content)
    if kind in LOGS:
        found = digests.digest(decoded.text, decoded.gaps)
        if found.is_log or PurePath(filename).suffix.lower() == ".log":
            return Examined(digests.gist(found), digests.render(found), excerpt(decoded.text))
    lines = decoded.text.count("\n") + (not decoded.text.endswith("\n"))
    noun = "line" if lines == 1 else "lines"
    encoding = "" if decoded.encoding == "utf-8" else f", in {decoded.encoding.upper()}"
    gaps = f", with {told(decoded.gaps)}" if decoded.gaps.count else ""
    return Examined(
        f"{NAMES[kind]} of {lines:,} {noun}{encoding}{gaps}.", text=excerpt(decoded.text)
    )


async def _pdf(content: bytes) -> Examined:
    found = await pdf_text(content)
    text = UNSTORABLE.sub("", found.text).strip()
    pages = "1 page" if found.page_count == 1 else f"{found.page_count:,} pages"
    if not text:
        return Examined(f"PDF document of {pages} without text, perhaps scanned.")
    return Examined(f"PDF document of {pages}.", text=excerpt(text))


async def _picture(content: bytes, kind: str) -> Examined:
    found = await read_picture(content)
    size = f"{found.width:,} x {found.height:,} pixels"
    return Examined(f"{NAMES[kind]} of {size}.", preview=found.preview)


def _opaque_name(kind: str) -> str:
    return NAMES.get(kind) or ARCHIVES.get(kind) or "File"


def _untouched(kind: str) -> str:
    if kind in ARCHIVES:
        return ", not unpacked"
    return "" if kind in NAMES else ", of no known type"


def excerpt(text: str) -> str:
    """A long text's beginning and end."""
    if len(text) <= LONGEST_TEXT:
        return text
    tail = LONGEST_TEXT - HEAD
    left_out = text[HEAD:-tail]
    note = f"[… {left_out.count(chr(10)):,} lines, {len(left_out):,} characters left out …]"
    return f"{text[:HEAD]}\n{note}\n{text[-tail:]}"


def size_of(count: int) -> str:
    """For people, in powers of 1,000."""
    if count < 1_000:  # noqa: PLR2004
        return f"{count} bytes" if count != 1 else "1 byte"
    for unit in ("kB", "MB"):
        count_in_unit = count / (1_000 if unit == "kB" else 1_000_000)
        if count_in_unit < 1_000:  # noqa: PLR2004
            return f"{count_in_unit:.1f} {unit}"
    return f"{count / 1e9:.1f} GB"
