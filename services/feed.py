"""The event log's reader: each event once, in order, to whoever follows, also after a cut.

One reader per process and account reads new events when the bus says so, and every two seconds when it
does not, into a ring. Followers pull: each keeps its own place, takes from the ring while its place is
in there and from the table while it is not, so nothing queues for the slow.

Whether a follower may still hear an event is asked at every event without asking the database: events
are read together with the account's `access_version`, and only when that has grown is the caller looked
up again.
"""

import asyncio
import logging
import sys
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from models.account import Account
from models.event import Event
from services.database import is_away, transaction
from services.telemetry.metrics import FEED_LAG
from services.unit_of_work import events_topic
from services.wakebus import WakeBus

log = logging.getLogger("flowpilot.feed")

RING = 2_000
PAGE = 500
FAR_BEHIND = 10_000
"""Events that a follower may lag before it must query again."""

SAFETY_POLL = 2.0
"""Seconds after which the log is read although no hint came."""

FIRST_RETRY = 0.1
"""Seconds before the log is read again after an error; doubles up to SAFETY_POLL."""

JOIN_PATIENCE = 5.0
"""Seconds that a joiner waits for a database that is away; who follows already waits for ever."""

ACCOUNT_IS_GONE = sys.maxsize
"""An access version that makes everybody be looked up again."""

BEGINNING = (
    func.coalesce(
        select(func.min(Event.seq))
        .where(Event.account_id == Account.id)
        .correlate(Account)
        .scalar_subquery(),
        Account.event_seq + 1,
    )
    - 1
).label("beginning")
"""Events up to here were deleted for their age (services.retention)."""


def _events(*of_session: ColumnElement[bool]) -> Select[Any]:
    """A page of them with the account's state, which is there even if they are not."""
    wanted = (
        Event.account_id == Account.id,
        Event.seq > bindparam("after"),
        Event.seq <= bindparam("end"),
        *of_session,
    )
    return (
        select(
            Account.access_version,
            BEGINNING,
            Event.seq,
            Event.session_id,
            Event.type,
            Event.actor_id,
            Event.occurred_at,
            Event.payload,
        )
        .select_from(Account)
        .outerjoin(Event, and_(*wanted))
        .where(Account.id == bindparam("account"))
        .order_by(Event.seq)
        .limit(bindparam("page"))
    )


EVENTS = _events()
EVENTS_OF_SESSION = _events(Event.session_id == bindparam("session"))

CURSOR_PREFIX = "ev_"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    seq: int
    session_id: UUID
    type: str
    actor_id: UUID | None
    occurred_at: datetime
    payload: dict[str, Any]


@dataclass(slots=True)
class Permit:
    """Whose ears these are."""

    check: Callable[[], Awaitable[None]]
    """Raises when the caller may hear no more."""
    expires_at: datetime | None = None
    """When the caller's token ends."""
    version: int = -1
    """Of the account's rights, when they were last checked."""

    async def hold(self, version: int) -> None:
        """Checks where rights have changed or the token has ended."""
        if version > self.version or self.seconds_left() == 0:
            await self.check()
            self.version = version

    def seconds_left(self) -> float | None:
        if self.expires_at is None:
            return None
        return max((self.expires_at - datetime.now(UTC)).total_seconds(), 0)


class Seat(Protocol):
    """With others, where somebody else tells what comes."""

    dropped: asyncio.Event
    """Set when its holder must go on alone."""

    def leave(self) -> int:
        """Up to where its holder was told."""


class Relay(Protocol):
    """A way to hear what comes together with others."""

    def take(self, place: int) -> Seat | None:
        """For a follower who was told all there is, up to `place`, and may hear it; None: hear it alone."""


@dataclass(frozen=True, slots=True)
class _Page:
    events: list[StoredEvent]
    access_version: int
    """Of the same moment as the events. So is `beginning`."""
    beginning: int
    """Sequence before the oldest event that is kept."""


class Reset(Exception):
    """The follower's place is not in this log, or too far back: query again, follow from there."""

    def __init__(self, seq: int) -> None:
        super().__init__(seq)
        self.seq = seq


def encode_cursor(account_id: UUID, seq: int) -> str:
    """Opaque to clients; grows as text within an account, and names the account."""
    return f"{CURSOR_PREFIX}{account_id.hex}{seq:016x}"


def decode_cursor(account_id: UUID, cursor: str) -> int | None:
    """None for anything that is no cursor of this account."""
    digits = cursor.removeprefix(CURSOR_PREFIX + account_id.hex)
    try:
        seq = int(digits, 16)
    except ValueError:
        return None
    return seq if seq >= 0 and encode_cursor(account_id, seq) == cursor else None


@dataclass(slots=True)
class _Reader:
    """What one account's followers share: the log from `start` (not included) to `last`."""

    start: int
    last: int
    access_version: int
    ring: deque[StoredEvent] = field(default_factory=deque)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    followers: int = 0
    task: asyncio.Task[None] | None = None

    def append(self, page: _Page) -> None:
        self.access_version = page.access_version
        for event in page.events:
            self.ring.append(event)
            self.last = event.seq
        while len(self.ring) > RING:
            self.start = self.ring.popleft().seq
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()

    def since(self, seq: int) -> list[StoredEvent] | None:
        """Events after `seq`, or None where the ring does not reach back that far."""
        if seq < self.start:
            return None
        newest_first = takewhile(lambda event: event.seq > seq, reversed(self.ring))
        return list(newest_first)[::-1]


class Feed:
    """The logs of all accounts that somebody in this process follows."""

    def __init__(self, engine: AsyncEngine, bus: WakeBus) -> None:
        self._engine = engine
        self._bus = bus
        self._readers: dict[UUID, _Reader] = {}

    @property
    def followers(self) -> int:
        return sum(reader.followers for reader in list(self._readers.values()))

    async def newest(self, account_id: UUID) -> int:
        """The sequence of the account's newest event; 0 before the first."""
        return (await self._position(account_id))[0]

    async def access_version(self, account_id: UUID) -> int:
        """At most two seconds old where somebody follows, and then it costs nothing to ask."""
        reader = self._readers.get(account_id)
        return reader.access_version if reader else (await self._position(account_id))[1]

    async def _position(self, account_id: UUID) -> tuple[int, int]:
        """The newest event's sequence, and the access version."""
        statement = select(Account.event_seq, Account.access_version).where(
            Account.id == account_id
        )
        async with transaction(self._engine, account_id) as db:
            newest, access_version = (await db.execute(statement)).one()
        return newest, access_version

    async def follow(
        self,
        account_id: UUID,
        after: int | None,
        session_id: UUID | None = None,
        permit: Permit | None = None,
        relay: Relay | None = None,
    ) -> AsyncGenerator[StoredEvent, None]:
        """Every event after `after` (None: from now), of one session or all, but for those of which the
        relay has told; never ends by itself.

        Raises Reset when the place is beyond the log's end, before its beginning, or more than
        10,000 events back, and whatever the permit raises before an event that its holder may not
        hear. Where the database stays away for five seconds, joining raises what it said; following
        waits.
        """
        permit = permit or Permit(_anybody)
        newest, access_version = await self._patient_position(account_id)
        await permit.hold(access_version)
        place = newest if after is None else after
        if not max(newest - FAR_BEHIND, 0) <= place <= newest:
            raise Reset(newest)
        reader = self._join(account_id, newest, access_version)
        try:
            while True:
                moved, end = reader.moved, reader.last
                if end - place > FAR_BEHIND:
                    raise Reset(end)
                await permit.hold(reader.access_version)
                if place >= end:
                    caught_up = place >= reader.last and permit.version >= reader.access_version
                    seat = relay.take(place) if relay and caught_up else None
                    if seat is None:
                        await _until(moved, permit)
                        continue
                    try:
                        await _until(seat.dropped, permit)
                    finally:
                        place = seat.leave()
                    continue
                events = reader.since(place)
                if events is None:
                    page = await self._page(account_id, place, end, session_id)
                    if place < page.beginning:
                        raise Reset(end)
                    events, access_version = page.events, page.access_version
                    end = events[-1].seq if len(events) == PAGE else end
                for event in events:
                    if session_id not in {None, event.session_id}:
                        continue
                    await permit.hold(max(access_version, reader.access_version))
                    yield event
                place = (
                    max(end, events[-1].seq) if events else end
                )  # the log may have gone on meanwhile
        finally:
            self._leave(account_id, reader)

    async def _patient_position(self, account_id: UUID) -> tuple[int, int]:
        give_up = time.monotonic() + JOIN_PATIENCE
        wait = FIRST_RETRY
        while True:
            try:
                return await self._position(account_id)
            except (SQLAlchemyError, OSError) as error:
                if not is_away(error) or time.monotonic() + wait > give_up:
                    raise
            await asyncio.sleep(wait)
            wait = min(2 * wait, SAFETY_POLL)

    def _join(self, account_id: UUID, newest: int, access_version: int) -> _Reader:
        reader = self._readers.get(account_id)
        if reader is None:
            reader = self._readers[account_id] = _Reader(newest, newest, access_version)
            reader.task = asyncio.create_task(
                self._read(account_id, reader), name=f"feed of {account_id}"
            )
        reader.followers += 1
        return reader

    def _leave(self, account_id: UUID, reader: _Reader) -> None:
        reader.followers -= 1
        if reader.followers == 0 and reader.task is not None:
            del self._readers[account_id]
            reader.task.cancel()

    async def _read(self, account_id: UUID, reader: _Reader) -> None:
        with self._bus.listen(events_topic(account_id)) as hints:
            while True:
                page = await self._page(account_id, reader.last)
                if _has_gap(reader.last, page.events):
                    log.error("account %s: a gap after event %s", account_id, reader.last)
                    page = await self._page(account_id, reader.last)
                if page.events or page.access_version != reader.access_version:
                    reader.append(page)
                    _observe_lag(page.events)
                if len(page.events) < PAGE:
                    await hints.wait(SAFETY_POLL)

    async def _page(
        self, account_id: UUID, after: int, end: int | None = None, session_id: UUID | None = None
    ) -> _Page:
        """At most 500, in order. Survives what happens to the database: it waits and tries on."""
        statement = EVENTS if session_id is None else EVENTS_OF_SESSION
        place = {
            "account": account_id,
            "after": after,
            "end": sys.maxsize if end is None else end,
            "session": session_id,
            "page": PAGE,
        }
        wait = FIRST_RETRY
        while True:
            try:
                async with transaction(self._engine, account_id) as db:
                    rows = (await db.execute(statement, place)).all()
                return _Page(
                    [StoredEvent(*row[2:]) for row in rows if row.seq is not None],
                    rows[0].access_version if rows else ACCOUNT_IS_GONE,
                    rows[0].beginning if rows else 0,
                )
            except (SQLAlchemyError, OSError):
                if wait == FIRST_RETRY:
                    log.exception("the event log cannot be read; trying on")
            await asyncio.sleep(wait)
            wait = min(2 * wait, SAFETY_POLL)


async def _anybody() -> None:
    """For followers that stand for nobody."""


async def _until(moved: asyncio.Event, permit: Permit) -> None:
    """Returns when there is something new, or when the permit has run out."""
    with suppress(TimeoutError):
        async with asyncio.timeout(permit.seconds_left()):
            await moved.wait()


def _observe_lag(events: Sequence[StoredEvent]) -> None:
    now = time.time()
    for event in events:
        FEED_LAG.observe(max(0.0, now - event.occurred_at.timestamp()))


def _has_gap(last: int, events: Sequence[StoredEvent]) -> bool:
    """Numbers are given in commit order, so none is under way: rows were deleted, or we are wrong."""
    return bool(events) and events[-1].seq - last != len(events)
