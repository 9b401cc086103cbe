"""Calls go where it was looked at, take so long, and say whether they may have arrived."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from models.delivery import DeliveryFailure
from services.destinations import http
from services.destinations.addresses import Allowed
from services.destinations.http import Answer, Call, Outgoing, told_by, wait_asked_for
from services.destinations.port import DeliveryFailed

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def outgoing() -> AsyncIterator[Outgoing]:
    async with Outgoing(Allowed.of(("127.0.0.1", "psa.example.lan"))) as calls:
        yield calls


async def failing(outgoing: Outgoing, call: Call) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await outgoing.send(call)
    return caught.value


async def test_a_call_goes_to_the_address_that_was_looked_at_by_its_name(
    outgoing: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that means something else a moment later is not asked again."""
    heard: list[bytes] = []
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await writer.drain()

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.9"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    async with listening(serve) as port:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        answer = await outgoing.send(Call("GET", f"http://psa.example.lan:{port}/a?b=c", {}))
    assert (answer.status, answer.data()) == (200, {})
    assert asked == ["psa.example.lan"]
    lines = heard[0].decode().splitlines()
    assert lines[0] == "GET /a?b=c HTTP/1.1"
    assert f"Host: psa.example.lan:{port}" in lines


async def test_a_name_that_has_become_private_is_not_called(
    outgoing: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(_host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    failure = await failing(outgoing, Call("POST", "https://psa.example.com/x", {}, b"{}"))
    assert failure.kind is DeliveryFailure.VALIDATION
    assert failure.sentence == (
        "The address of the integration cannot be used: Leads into a private network, where this "
        "server does not call."
    )


async def test_the_next_address_is_tried_where_one_does_not_take_the_call(
    outgoing: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()

    async def resolve(_host: str, port: int, **_: Any) -> list[Any]:
        addresses = ("127.0.0.2", "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    async with listening(serve) as port:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        call = Call("GET", f"http://psa.example.lan:{port}/", {})
        assert (await outgoing.send(call)).status == 200


async def test_no_redirect_is_followed(outgoing: Outgoing) -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with listening(serve) as port:
        answer = await outgoing.send(Call("GET", f"http://127.0.0.1:{port}/", {"x-api-key": "k"}))
    assert (answer.status, len(heard)) == (302, 1)


@pytest.mark.parametrize("changes", [True, False])
async def test_whoever_is_silent_may_have_done_it(
    outgoing: Outgoing, monkeypatch: pytest.MonkeyPatch, changes: bool
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", 0.3)
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(-1)  # until the other side has gone
        left.set()

    async with listening(serve) as port:
        call = Call("POST", f"http://127.0.0.1:{port}/", {}, b"{}", changes)
        failure = await failing(outgoing, call)
        async with asyncio.timeout(10):
            await left.wait()
    kind = DeliveryFailure.AMBIGUOUS if changes else DeliveryFailure.UNAVAILABLE
    assert (failure.kind, failure.sentence) == (kind, "It did not answer in time.")


async def test_what_never_ends_is_cut(outgoing: Outgoing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither size nor patience is the other side's to choose."""
    monkeypatch.setattr(http, "LARGEST", 10_000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
                await writer.drain()
        except ConnectionError:
            return

    async with listening(serve) as port:
        call = Call("POST", f"http://127.0.0.1:{port}/", {}, b"{}", changes=True)
        failure = await failing(outgoing, call)
    assert (failure.kind, failure.sentence) == (
        DeliveryFailure.AMBIGUOUS,
        "Its answer has more than 10,000 bytes.",
    )


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"]
)
async def test_half_an_answer_is_none(outgoing: Outgoing, said: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()

    async with listening(serve) as port:
        call = Call("POST", f"http://127.0.0.1:{port}/", {}, b"{}", changes=True)
        failure = await failing(outgoing, call)
    assert (failure.kind, failure.sentence) == (
        DeliveryFailure.AMBIGUOUS,
        "The connection broke off.",
    )


async def test_what_was_not_sent_is_not_ambiguous(outgoing: Outgoing) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # nobody listens
        call = Call("POST", f"http://127.0.0.1:{port}/", {}, b"{}", changes=True)
        failure = await failing(outgoing, call)
    assert (failure.kind, failure.sentence) == (
        DeliveryFailure.UNAVAILABLE,
        "It cannot be reached.",
    )


async def test_a_certificate_is_demanded(outgoing: Outgoing) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"this is no TLS")

    async with listening(serve) as port:
        call = Call("POST", f"https://127.0.0.1:{port}/", {}, b"{}", changes=True)
        failure = await failing(outgoing, call)
    assert failure.kind is DeliveryFailure.UNAVAILABLE


@pytest.mark.parametrize(
    ("given", "wait"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("100000", 3600.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_a_wait_is_read_as_seconds(given: str, wait: float | None) -> None:
    assert wait_asked_for(Answer(429, {"retry-after": given}, b"")) == wait


def test_a_wait_is_read_as_a_date() -> None:
    for ahead, least, most in ((60, 58, 60), (-60, 0, 0), (100_000, 3600, 3600)):
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
        wait = wait_asked_for(Answer(429, {"retry-after": date}, b""))
        assert wait is not None
        assert least <= wait <= most


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"errors": ["a", {"message": "b"}, {"detail": "c", "title": "t"}]}', "a b c"),
        (b'{"errors": {"name": ["is odd"], "other": "too"}}', "name: is odd other: too"),
        (b'{"errors": [5, null, [], {}]}', None),
        (b'{"errors": null}', None),
        (b"[1]", None),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_errors_are_read_in_all_the_usual_shapes(body: bytes, told: str | None) -> None:
    assert told_by(Answer(400, {}, body), "errors") == told
