"""What kind of file some bytes are, by their content; what their sender says counts only among texts."""

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Mapping
from pathlib import PurePath

from services.files.evidence.decoding import GAP_OF_BYTES, decode, looks_like_text

OPAQUE = "application/octet-stream"
NDJSON = "application/x-ndjson"
PDF = "application/pdf"
PLAIN = "text/plain"

IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What browsers show without running anything in it, and models can see. SVG is a text."""

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (0, b"%PDF-", PDF),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"BZh", "application/x-bzip2"),
    (257, b"ustar", "application/x-tar"),
    (0, b"MSCF", "application/vnd.ms-cab-compressed"),
    (0, b"ElfFile\x00", "application/x-ms-evtx"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (0, b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (0, b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (0, b"\x7fELF", "application/x-elf"),
)
"""Offset, bytes, type."""

BY_SUFFIX: Mapping[str, str] = {
    ".csv": "text/csv",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
"""Texts that only their name tells apart."""

TEXTS = frozenset(
    {PLAIN, "text/csv", "text/html", "application/json", NDJSON, "application/xml"}
    | set(BY_SUFFIX.values())
)

SAMPLE = 64_000
"""Bytes of a text that are looked at."""

DOS_HEADER = 64
"""Bytes at the beginning of a Windows program, which are no UTF-8."""

XML = re.compile(r"\s*<(\?xml|svg|[A-Za-z][\w:.-]{0,60}\s+xmlns)")
HTML = re.compile(r"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)


def kind_of(content: bytes, filename: str) -> str:
    """A media type."""
    for offset, signature, kind in SIGNATURES:
        if content.startswith(signature, offset):
            return kind
    if content[:2] == b"MZ" and not _is_typed(content):
        return "application/vnd.microsoft.portable-executable"
    if content[:2] == b"BM" and b"\x00" in content[:SAMPLE]:
        return "image/bmp"
    sample = _sample(content)
    if not looks_like_text(sample):
        return OPAQUE
    return _text_kind(decode(sample).text, filename, whole=len(content) <= SAMPLE)


def _is_typed(content: bytes) -> bool:
    """A text that happens to begin with MZ."""
    try:
        getincrementaldecoder("utf-8")().decode(content[:DOS_HEADER])
    except UnicodeDecodeError:
        return False
    return b"\x00" not in content[:SAMPLE]


def _sample(content: bytes) -> bytes:
    """From where it begins, after a gap at most."""
    gap = GAP_OF_BYTES.match(content)
    if gap is None or gap.end() == len(content):
        return content[:SAMPLE]
    return content[gap.end() : gap.end() + SAMPLE]


def _text_kind(text: str, filename: str, *, whole: bool) -> str:
    if HTML.match(text):
        return "text/html"
    if XML.match(text):
        return "application/xml"
    if text.lstrip()[:1] in {"{", "["} and (found := _json_kind(text, whole=whole)):
        return found
    return BY_SUFFIX.get(PurePath(filename).suffix.lower(), PLAIN)


def _json_kind(text: str, *, whole: bool) -> str | None:
    lines = [line for line in text.split("\n", 3)[:3] if line.strip()]
    complete = lines if whole else lines[:-1]
    if complete and all(line.lstrip()[:1] == "{" and _is_json(line) for line in complete):
        return NDJSON if len(complete) > 1 or not whole else "application/json"
    if not whole or _is_json(text):
        return "application/json"
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
