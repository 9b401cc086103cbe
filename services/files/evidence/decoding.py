"""Text out of bytes in whatever encoding tools write them; always succeeds."""

import codecs
import re
from dataclasses import dataclass

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

SAMPLE = 8_192

ZERO_SHARE = 0.3
"""Of the bytes at even or odd places, from which on a text without a mark is UTF-16. Latin text has
nearly only zeros in one half and none in the other."""

CONTROL_SHARE = 0.02
"""Of control characters, up to which it is a text: terminals and broken lines leave some."""

CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\v\f\r\x1b\b") + b"\x7f"

REPLACEMENT = "\ufffd"

GAP = re.compile("\x00{16,}")
"""What a write leaves that a power cut or a full disk broke off: room that was never filled."""
GAP_OF_BYTES = re.compile(rb"\x00{16,}")

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL's text cannot hold."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Runs of NULs in a text."""

    count: int
    nuls: int
    """In all of them."""
    place: str
    """Of the first, as "after line 7"."""


NO_GAPS = Gaps(0, 0, "")


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    """Without NUL and byte order mark; lines end with \\n."""
    encoding: str
    gaps: Gaps


def decode(content: bytes) -> Decoded:
    for mark, encoding in BOMS:
        if content.startswith(mark):
            return _decoded(content[len(mark) :], encoding)
    wide = _wide(content[:SAMPLE])
    return _decoded(content, wide or ("utf-8" if _is_mostly_utf8(content) else "cp1252"))


def _decoded(content: bytes, encoding: str) -> Decoded:
    read = content.decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    return Decoded(UNSTORABLE.sub("", read), encoding, _gaps(read))


def _gaps(text: str) -> Gaps:
    first = GAP.search(text)
    if first is None:
        return NO_GAPS
    count = nuls = 0
    for gap in GAP.finditer(text, first.start()):
        count += 1
        nuls += gap.end() - gap.start()
    return Gaps(count, nuls, _place(text, first.start()))


def _place(text: str, start: int) -> str:
    line = text.count("\n", 0, start)
    if start and text[start - 1] != "\n":
        return f"within line {line + 1:,}"
    return f"after line {line:,}" if line else "at the beginning"


def told(gaps: Gaps) -> str:
    """In words."""
    if gaps.count == 1:
        return f"a gap of {gaps.nuls:,} NULs {gaps.place}"
    return f"{gaps.count:,} gaps of {gaps.nuls:,} NULs in all, the first {gaps.place}"


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark."""
    half = len(sample) // 2
    if half == 0:
        return None
    even = sample[0 : 2 * half : 2].count(0) / half
    odd = sample[1 : 2 * half : 2].count(0) / half
    if odd >= ZERO_SHARE and even < ZERO_SHARE / 3:
        return "utf-16-le"
    if even >= ZERO_SHARE and odd < ZERO_SHARE / 3:
        return "utf-16-be"
    return None


def _is_mostly_utf8(content: bytes) -> bool:
    """Broken places in UTF-8 are fewer than its characters; in cp1252 nearly every umlaut is broken."""
    text = content.decode("utf-8", errors="replace")
    broken = text.count(REPLACEMENT)
    if broken == 0:
        return True
    continuing = len(content.translate(None, bytes(range(0x80)) + bytes(range(0xC0, 0x100))))
    return continuing > broken


def looks_like_text(sample: bytes) -> bool:
    if any(sample.startswith(mark) for mark, _ in BOMS) or _wide(sample[:SAMPLE]):
        controls = sum(
            character < " " and character not in "\t\n\v\f\r\x1b\b"
            for character in decode(sample).text
        )
        return controls <= CONTROL_SHARE * len(sample)
    written = GAP_OF_BYTES.sub(b"", sample)
    if b"\x00" in written[:SAMPLE].rstrip(b"\x00"):
        zeros = written.count(0)
        return zeros <= CONTROL_SHARE * len(written) and _few_controls(written)
    return _few_controls(written) and bool(written or not sample)


def _few_controls(sample: bytes) -> bool:
    controls = len(sample) - len(sample.translate(None, CONTROLS))
    return controls <= CONTROL_SHARE * len(sample)
