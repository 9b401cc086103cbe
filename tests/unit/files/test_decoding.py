"""Bytes become text whatever wrote them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.files.evidence.decoding import decode, told
from services.files.evidence.kinds import kind_of
from services.validation import is_storable

LINE = "Grüße: Zugriff verweigert (0x80070005)\r\nzweite Zeile\r\n"
READ = LINE.replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (LINE.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + LINE.encode(), "utf-8"),
        (b"\xff\xfe" + LINE.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + LINE.encode("utf-16-be"), "utf-16-be"),
        (LINE.encode("utf-16-le"), "utf-16-le"),
        (LINE.encode("utf-16-be"), "utf-16-be"),
        (b"\xff\xfe\x00\x00" + LINE.encode("utf-32-le"), "utf-32-le"),
        (LINE.encode("cp1252"), "cp1252"),
    ],
)
def test_encodings_are_told_apart(content: bytes, encoding: str) -> None:
    decoded = decode(content)
    assert (decoded.encoding, decoded.text) == (encoding, READ)
    assert kind_of(content, "any") == "text/plain"


def test_a_broken_place_does_not_spoil_what_is_utf8() -> None:
    decoded = decode("Grüße an Jörg".encode() + b" \xff\xfe ende")
    assert (decoded.encoding, decoded.text) == ("utf-8", "Grüße an Jörg \ufffd\ufffd ende")


def test_half_a_character_at_the_end_is_replaced() -> None:
    assert decode(b"\xff\xfe" + "ab".encode("utf-16-le") + b"c").text == "ab\ufffd"


def test_nul_is_left_out() -> None:
    assert decode(b"one\x00 line of a log").text == "one line of a log"


@pytest.mark.parametrize(
    ("content", "gaps"),
    [
        (b"one\n\x00\x00two", "0 gaps of 0 NULs in all, the first "),
        (bytes(16) + b"one", "a gap of 16 NULs at the beginning"),
        (b"one\r\ntwo\r\n" + bytes(5_000) + b"three", "a gap of 5,000 NULs after line 2"),
        (
            b"one\ntw" + bytes(20) + b"\nthree\n" + bytes(30),
            "2 gaps of 50 NULs in all, the first within line 2",
        ),
        (
            b"\xff\xfe" + f"one\n{chr(0) * 40}two".encode("utf-16-le"),
            "a gap of 40 NULs after line 1",
        ),
    ],
)
def test_room_that_was_never_written_is_told(content: bytes, gaps: str) -> None:
    assert told(decode(content).gaps) == gaps


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-16-le")))
def test_any_bytes_become_storable_text(content: bytes) -> None:
    text = decode(content).text
    assert is_storable(text)
    assert len(text) <= len(content)
