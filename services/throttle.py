"""How much of the server one caller may use, and how often a sign-in may be tried.

Counted in this process, or in a Redis that several servers share. While that Redis is away each server
counts for itself.
"""

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any, Protocol, TypeVar

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from services.errors import RateLimited

MINUTE = 60
SIGN_IN_WINDOW = 15 * MINUTE
"""Seconds, from the first attempt on."""

KNOWN_ADDRESS = 30 * 24 * 60 * MINUTE
"""Seconds that an address stays known from which somebody has signed in."""

STRANGERS = 5
"""Times the attempts of one address: for one e-mail address, from all unknown addresses together."""

REFRESHES = 10
"""Times the sign-ins of one address: a person signs in once and refreshes all day."""

RETRY_STORE = 5.0
"""Seconds after which a Redis that was away is asked again."""

T = TypeVar("T")
Store = MemoryStorage | RedisStorage

log = logging.getLogger("flowpilot.throttle")


@dataclass(frozen=True, slots=True)
class Spent:
    """What is left of a caller's budget after an operation."""

    requested: int
    limit: int
    remaining: int
    reset_in: int
    """Seconds until the whole budget is there again, if nothing more is spent."""


class SignInCaps(Protocol):
    @property
    def sign_in_attempts(self) -> int: ...
    @property
    def sign_ins_per_address(self) -> int: ...


class Memory(MemoryStorage):
    """Counts a minute that slides as MemoryStorage does, in a tenth of its time: it is asked at each
    operation.
    """

    def __init__(self) -> None:
        super().__init__()
        self._minute = 0
        self._spent: Counter[str] = Counter()
        self._spent_before: Counter[str] = Counter()

    async def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        previous, previous_ttl, current, _ = await self.get_sliding_window(key, expiry)
        fits = int(previous * previous_ttl / MINUTE + current) + amount <= limit
        if fits:
            self._spent[key] += amount
        return fits

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        minute, seconds = divmod(time.time(), MINUTE)
        if minute != self._minute:
            is_next = minute == self._minute + 1
            self._spent_before = self._spent if is_next else Counter()
            self._minute, self._spent = int(minute), Counter()
        left = expiry - seconds
        previous = self._spent_before[key]
        return previous, left if previous else 0.0, self._spent[key], left + expiry


class Throttle:
    def __init__(self, url: str | None = None) -> None:
        self._own = Memory()
        self._shared = None if url is None else _redis(url)
        self._is_away = False
        self._ask_again_at = 0.0

    async def aclose(self) -> None:
        if self._shared is not None:
            bridge: Any = self._shared.bridge
            await bridge.get_connection().aclose()

    async def spend(self, viewer: str, cost: int, budget: int) -> Spent:
        """Takes `cost` from a caller's `budget` of a minute, which slides. Raises RateLimited."""
        key = f"cost/{viewer}/{budget}"

        async def take(store: Store) -> tuple[bool, tuple[int, float, int, float]]:
            """What SlidingWindowCounterRateLimiter does, which is dear to make for every operation."""
            fits = await store.acquire_sliding_window_entry(key, budget, MINUTE, cost)
            return fits, await store.get_sliding_window(key, MINUTE)

        fits, window = await self._count(take)
        previous, previous_ttl, current, current_ttl = window
        if not fits:
            raise RateLimited(
                f"The budget of {budget:,} a minute does not hold the cost of this, {cost:,}.",
                retry_after=_seconds_until(budget - cost, *window),
            )
        used = int(previous * previous_ttl / MINUTE) + current
        return Spent(cost, budget, max(0, budget - used), ceil(current_ttl))

    async def admit_sign_in(self, caps: SignInCaps, address: str, email: str) -> None:
        """Counts an attempt, whether somebody has that e-mail address or not. Raises RateLimited.

        Guessing at one person is stopped where it comes from. What many addresses may try together is
        capped for unknown ones only, so nobody locks a colleague out of where they usually sign in.
        """
        place, person = _network(address), _digest(email)
        await self._admit("sign-ins", caps.sign_ins_per_address, place)
        await self._admit("attempts", caps.sign_in_attempts, place, person)
        if not await self._count(lambda store: store.get(_known(place, person))):
            await self._admit("strangers", caps.sign_in_attempts * STRANGERS, person)

    async def note_sign_in(self, caps: SignInCaps, address: str, email: str) -> None:
        """Forgets the attempts that led to it, and knows the address from now on."""
        place, person = _network(address), _digest(email)
        attempts = _sign_in_item("attempts", caps.sign_in_attempts).key_for(place, person)

        async def remember(store: Store) -> None:
            await store.clear(attempts)
            await store.incr(_known(place, person), KNOWN_ADDRESS)

        await self._count(remember)

    async def admit_refresh(self, caps: SignInCaps, address: str) -> None:
        """Raises RateLimited."""
        await self._admit("refreshes", caps.sign_ins_per_address * REFRESHES, _network(address))

    async def _admit(self, name: str, cap: int, *who: str) -> None:
        item = _sign_in_item(name, cap)

        async def take(store: Store) -> tuple[bool, float]:
            limiter = FixedWindowRateLimiter(store)
            return await limiter.hit(item, *who), await store.get_expiry(item.key_for(*who))

        fits, ends_at = await self._count(take)
        if not fits:
            raise RateLimited(
                "There were too many attempts to sign in. Wait a while, then try again.",
                retry_after=max(1, ceil(ends_at - time.time())),
            )

    async def _count(self, act: Callable[[Store], Awaitable[T]]) -> T:
        if self._shared is not None and time.monotonic() >= self._ask_again_at:
            try:
                result = await act(self._shared)
            except StorageError as error:
                self._ask_again_at = time.monotonic() + RETRY_STORE
                if not self._is_away:
                    log.warning("the store of limits is away, counting alone: %s", error)
                self._is_away = True
            else:
                if self._is_away:
                    log.info("the store of limits is back")
                self._is_away = False
                return result
        return await act(self._own)


def _redis(url: str) -> RedisStorage:
    patience: dict[str, Any] = {
        "socket_timeout": 0.5,
        "socket_connect_timeout": 0.5,
        "retry": Retry(NoBackoff(), 1),
    }
    return RedisStorage(
        f"async+{url}",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="flowpilot",
        **patience,
    )


def _seconds_until(
    room: int, previous: int, previous_ttl: float, current: int, current_ttl: float
) -> int:
    """Until no more than `room` counts: the window before fades first, and then this one does."""
    if current <= room:
        wait = previous_ttl - (room - current) * MINUTE / max(1, previous)
    else:
        wait = current_ttl - room * MINUTE / current
    return max(1, ceil(wait))


def _sign_in_item(name: str, cap: int) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(cap, SIGN_IN_WINDOW, namespace=name)


def _known(place: str, person: str) -> str:
    return f"known/{place}/{person}"


def _digest(email: str) -> str:
    """E-mail addresses are not kept where limits are counted."""
    return hashlib.sha256(email.strip().lower().encode(errors="surrogatepass")).hexdigest()


def _network(address: str) -> str:
    """An IPv6 network of 64 bits is one place: whoever has one address has them all."""
    try:
        place: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return address
    if isinstance(place, IPv4Address):
        return str(place)
    if place.ipv4_mapped is not None:
        return str(place.ipv4_mapped)
    return str(ip_network((place, 64), strict=False))
