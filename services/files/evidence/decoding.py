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

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL's text cannot hold."""


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    """Without NUL and byte order mark; lines end with \\n."""
    encoding: str


def decode(content: bytes) -> Decoded:
    for mark, encoding in BOMS:
        if content.startswith(mark):
            return _decoded(content[len(mark) :], encoding)
    wide = _wide(content[:SAMPLE])
    return _decoded(content, wide or ("utf-8" if _is_mostly_utf8(content) else "cp1252"))


def _decoded(content: bytes, encoding: str) -> Decoded:
    text = UNSTORABLE.sub("", content.decode(encoding, errors="replace"))
    return Decoded(text.replace("\r\n", "\n").replace("\r", "\n"), encoding)


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
    if b"\x00" in sample[:SAMPLE].rstrip(b"\x00"):
        zeros = sample.count(0)
        return zeros <= CONTROL_SHARE * len(sample) and _few_controls(sample)
    return _few_controls(sample)


def _few_controls(sample: bytes) -> bool:
    controls = len(sample) - len(sample.translate(None, CONTROLS))
    return controls <= CONTROL_SHARE * len(sample)
