"""Which addresses may be called, whatever way they are written."""

import asyncio
import socket
from typing import Any

import pytest

from services.destinations.addresses import (
    AddressRefused,
    AddressUnknown,
    Allowed,
    addresses_of,
    checked_url,
)

NOBODY = Allowed()
PRIVATE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "localhost",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:53aa:64c::1",
]
PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]


def written(host: str) -> str:
    return f"https://[{host}]" if ":" in host else f"https://{host}"


@pytest.mark.parametrize("host", PRIVATE)
async def test_a_private_address_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused, match="private network"):
        await addresses_of(host, 443, NOBODY)


@pytest.mark.parametrize("host", PUBLIC)
async def test_a_public_address_is_taken(host: str) -> None:
    assert checked_url(written(host), NOBODY) == written(host)
    assert len(await addresses_of(host, 443, NOBODY)) == 1


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every name means these: what a name server says is not ours to make true."""

    async def found(_host: str, port: int, **_: Any) -> list[Any]:
        kind = socket.SOCK_STREAM
        return [(socket.AF_INET, kind, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)


async def test_a_name_that_means_something_private_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(AddressRefused):
        await addresses_of("psa.example.com", 443, NOBODY)
    resolving(monkeypatch, "8.8.8.8", "8.8.4.4", "8.8.8.8")
    assert await addresses_of("psa.example.com", 443, NOBODY) == ["8.8.8.8", "8.8.4.4"]


async def test_what_is_allowed_may_be_private(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = Allowed.of(("PSA.example.lan", "10.1.0.0/16", "192.168.7.7", "fd00::/8"))
    resolving(monkeypatch, "172.16.0.1")
    assert await addresses_of("psa.example.lan", 443, allowed) == ["172.16.0.1"]
    with pytest.raises(AddressRefused):
        await addresses_of("other.example.lan", 443, allowed)
    resolving(monkeypatch, "10.1.2.3")
    assert await addresses_of("any.example.lan", 443, allowed) == ["10.1.2.3"]
    for url in (
        "http://psa.example.lan:8080/halo",
        "http://10.1.2.3",
        "https://192.168.7.7",
        "http://[fd00::1]:81",
    ):
        assert checked_url(f" {url}/ ", allowed) == url
    for url in ("http://other.example.lan", "https://10.2.0.1", "https://192.168.7.8"):
        with pytest.raises(AddressRefused):
            checked_url(url, allowed)


async def test_a_name_that_means_nothing_is_told_apart() -> None:
    for name in ("nothing.invalid", "x" * 64 + ".example", "a..b"):
        with pytest.raises(AddressUnknown):
            await addresses_of(name, 443, NOBODY)
