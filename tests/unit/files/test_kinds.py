"""The content decides, whatever the name says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.files.evidence.kinds import kind_of

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + bytes(20)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (PNG, "screen.txt", "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "photo", "image/jpeg"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "a.webp", "image/webp"),
        (b"just words", "screen.png", "text/plain"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            "a.png",
            "application/xml",
        ),
        (b"<!DOCTYPE html><script>alert(1)</script>", "a.png", "text/html"),
        (
            b"MZ\x90\x00\x03\x00\x00\x00",
            "invoice.pdf",
            "application/vnd.microsoft.portable-executable",
        ),
        (b"MZ" + b"\x90" * 300, "a.txt", "application/vnd.microsoft.portable-executable"),
        ("MZ-Server läuft nicht".encode(), "setup.exe", "text/plain"),
        (b"one\n" * 100 + bytes(512) + b"two\n" * 100, "a.log", "text/plain"),
        (b"one\n" + bytes(100_000), "a.log", "text/plain"),
        (bytes(100_000) + b"one\n", "a.log", "text/plain"),
        (bytes(100_000), "a.log", "application/octet-stream"),
        (bytes(512) + bytes(range(256)) * 4, "a.log", "application/octet-stream"),
        (b"%PDF-1.7\n", "report", "application/pdf"),
        (b"PK\x03\x04\x14\x00", "logs.log", "application/zip"),
        (b"ElfFile\x00" + bytes(100), "System.evtx", "application/x-ms-evtx"),
        (b'{"a": 1}\n', "a", "application/json"),
        (b'{"a": 1}\n{"a": 2}\n', "a", "application/x-ndjson"),
        (b'[1, 2, {"a": null}]', "a", "application/json"),
        (b"[2020-12-10 06:56:41] INFO x", "a.json", "text/plain"),
        (b"<?xml version='1.0'?><a/>", "a", "application/xml"),
        (b"a: 1\n", "a.yml", "application/yaml"),
        (b"a,b\n1,2\n", "a.CSV", "text/csv"),
        (bytes(range(256)), "a.txt", "application/octet-stream"),
        (b"\x00" * 50, "a.txt", "application/octet-stream"),
        (b"\x1b[31mred\x1b[0m", "a", "text/plain"),
    ],
)
def test_signatures_and_texts(content: bytes, name: str, kind: str) -> None:
    assert kind_of(content, name) == kind


@given(st.binary(max_size=400), st.text(max_size=20))
def test_every_content_has_a_kind(content: bytes, name: str) -> None:
    assert len(kind_of(content, name)) <= 100
