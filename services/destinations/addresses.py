"""Which addresses the server may call: what people enter must not lead it into its own network.

Names are resolved here, and the caller connects to the addresses that were looked at, so a name which means
something else a moment later gains nothing.
"""

import asyncio
import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Self
from urllib.parse import urlsplit, urlunsplit

Address = IPv4Address | IPv6Address

NAT64 = IPv6Network("64:ff9b::/96")

LONGEST_URL = 2_000


class AddressRefused(Exception):
    """Its text is a sentence for whoever entered the address."""


class AddressUnknown(Exception):
    """The name cannot be resolved, now at least."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Exceptions for systems in one's own network: these may be private, and spoken to without TLS."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, entries: tuple[str, ...]) -> Self:
        """Names of hosts, addresses, and networks as 10.1.0.0/16."""
        hosts, networks = set(), []
        for entry in entries:
            try:
                networks.append(ip_network(entry))
            except ValueError:
                hosts.add(entry.lower())
        return cls(frozenset(hosts), tuple(networks))

    def has_host(self, host: str) -> bool:
        """By its name, or where it is an address by that."""
        literal = _literal(host)
        return host in self.hosts if literal is None else self.has(literal)

    def has(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def checked_url(
    text: str,
    allowed: Allowed,
    *,
    schemes: Collection[str] = ("https",),
    plain: str | None = "http",
    example: str = "https://psa.example.com",
) -> str:
    """The base URL as it is kept, without a slash at its end. `plain` is a scheme that only those hosts may
    have which are excepted. Raises AddressRefused.
    """
    problem = f"Must be an address as {example}."
    try:
        parts = urlsplit(text.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise AddressRefused(problem) from None
    if not host or parts.scheme not in {*schemes, plain} or not text.isascii():
        raise AddressRefused(problem)
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("Must hold neither user nor password; they have fields of their own.")
    if parts.query or parts.fragment:
        raise AddressRefused("Must have neither a query nor a fragment.")
    if any(character.isspace() for character in text.strip()) or len(text) > LONGEST_URL:
        raise AddressRefused(f"Must have no spaces and at most {LONGEST_URL:,} characters.")
    if parts.scheme == plain and not allowed.has_host(host):
        raise AddressRefused("Must begin with https://.")
    literal = _literal(host)
    if literal is not None:
        _require_public(literal, allowed)
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), "", ""))


async def addresses_of(host: str, port: int, allowed: Allowed) -> list[str]:
    """In the order in which to try them; none that may not be called.

    One private address refuses the name: whoever mixes them is after something. Raises AddressRefused
    and AddressUnknown.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
    except (OSError, UnicodeError):
        raise AddressUnknown from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if host not in allowed.hosts:
        for address in addresses:
            _require_public(ip_address(address), allowed)
    return addresses


def _require_public(address: Address, allowed: Allowed) -> None:
    if not allowed.has(address) and not _is_public(address):
        raise AddressRefused("Leads into a private network, where this server does not call.")


def _is_public(address: Address) -> bool:
    """An address that holds another one is what that one is."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address.sixtofour is not None:
            return _is_public(address.sixtofour)
        if address.teredo is not None:
            return False
        if address in NAT64:
            return _is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
