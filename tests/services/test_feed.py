"""The log is read whole: each event once and in order, whatever races, breaks or comes late."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import make_url, text

from cli import migrate
from services.database import connect_pool, is_away, plain_url
from services.feed import (
    FAR_BEHIND,
    RING,
    Feed,
    Permit,
    Reset,
    StoredEvent,
    decode_cursor,
    encode_cursor,
)
from services.ids import new_id
from services.wakebus import WakeBus
from tests.desk import SOON, Desk, is_followed, next_event, open_desk, reader_name, seen
from tests.faults.installation import free_port
from tests.relay import Relay
from tests.tables import as_owner


@pytest.fixture(scope="module")
def feed_url(make_database: Callable[[str], str]) -> str:
    url = make_database("feed")
    migrate(url)
    return url


@pytest.fixture
async def desk(feed_url: str) -> AsyncIterator[Desk]:
    async with open_desk(feed_url) as desk:
        yield desk


async def take(
    desk: Desk, after: int | None, count: int, session_id: UUID | None = None
) -> list[StoredEvent]:
    async with (
        asyncio.timeout(SOON),
        aclosing(desk.feed.follow(desk.account_id, after, session_id)) as events,
    ):
        return [await anext(events) for _ in range(count)]


async def take_in_pieces(desk: Desk, count: int, size: int) -> list[StoredEvent]:
    """Cuts its line after so many events each and goes on from the cursor of the last one."""
    taken: list[StoredEvent] = []
    cursor = encode_cursor(desk.account_id, 0)
    while len(taken) < count:
        after = decode_cursor(desk.account_id, cursor)
        taken += await take(desk, after, min(size, count - len(taken)))
        cursor = encode_cursor(desk.account_id, taken[-1].seq)
    return taken


async def refused(desk: Desk, after: int) -> int:
    """The sequence that a Reset tells to go on from."""
    with pytest.raises(Reset) as refusal:
        await take(desk, after, 1)
    return refusal.value.seq


async def test_every_follower_sees_every_event_once_and_in_order(desk: Desk) -> None:
    async def keep_writing(session: int) -> None:
        for _ in range(200):
            await desk.write(session=session)

    whole = [asyncio.create_task(take(desk, 0, 600)) for _ in range(3)]
    half = asyncio.create_task(take(desk, 0, 400, desk.sessions[0]))
    cut = asyncio.create_task(take_in_pieces(desk, 600, 20))
    async with asyncio.timeout(SOON):
        await asyncio.gather(keep_writing(0), keep_writing(1), keep_writing(0))
    stored = await desk.stored()
    assert [row[0] for row in stored] == list(range(1, 601))
    for follower in (*whole, cut):
        assert seen(await follower) == stored
    assert seen(await half) == [row for row in stored if row[1] == desk.sessions[0]]


async def test_from_now_begins_after_what_is_there(desk: Desk) -> None:
    await desk.write(3)
    async with aclosing(desk.feed.follow(desk.account_id, None)) as events:
        waiting = asyncio.create_task(next_event(events))
        await is_followed(desk)
        await desk.write()
        assert (await waiting).seq == 4


async def test_nobody_sits_down_before_they_were_told_what_came_meanwhile(desk: Desk) -> None:
    """While a follower's rights are looked at, the log goes on."""
    places: list[int] = []
    checks = itertools.count(1)

    class Watched:
        def take(self, place: int) -> None:
            places.append(place)

    async def check() -> None:
        if next(checks) == 2:  # the first is before it joins
            await desk.write()
            await other

    permit = Permit(check, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    account_id = desk.account_id
    async with aclosing(desk.feed.follow(account_id, None)) as others:
        other = asyncio.create_task(next_event(others))
        await is_followed(desk)
        follow = desk.feed.follow(account_id, None, permit=permit, relay=Watched())
        async with aclosing(follow) as events:
            assert (await next_event(events)).seq == 1
    assert places == []


async def test_what_comes_while_rights_are_looked_at_is_told_once(desk: Desk) -> None:
    """What a follower is told from is what all of the account share, and moves on by itself."""
    checks = itertools.count(1)

    async def check() -> None:
        if next(checks) == 2:
            await desk.write()
            assert (await next_event(others)).seq == 2

    account_id = desk.account_id
    permit = Permit(check, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    async with (
        aclosing(desk.feed.follow(account_id, None)) as others,
        aclosing(desk.feed.follow(account_id, 0, permit=permit)) as events,
    ):
        first = asyncio.create_task(next_event(others))
        await is_followed(desk)
        await desk.write()
        assert (await first).seq == 1
        told = [await next_event(events) for _ in range(2)]
        await desk.write()
        told.append(await next_event(events))
    assert [event.seq for event in told] == [1, 2, 3]


async def test_the_reader_goes_with_its_last_follower(desk: Desk) -> None:
    def readers() -> int:
        return sum(task.get_name() == reader_name(desk) for task in asyncio.all_tasks())

    await desk.write(2)
    first = desk.feed.follow(desk.account_id, 0)
    second = desk.feed.follow(desk.account_id, 1)
    assert readers() == 0
    assert [(await next_event(first)).seq, (await next_event(second)).seq] == [1, 2]
    assert readers() == 1
    await first.aclose()
    await desk.write()
    assert (await next_event(second)).seq == 3
    await second.aclose()
    async with asyncio.timeout(SOON):
        while readers():
            await desk.feed.newest(desk.account_id)
    assert [event.seq for event in await take(desk, 0, 3)] == [1, 2, 3]


async def test_who_comes_late_reads_pages_and_then_what_is_new(desk: Desk) -> None:
    await desk.write(700)
    await desk.write(500, session=1)
    await desk.write(1)
    async with (
        aclosing(desk.feed.follow(desk.account_id, 0)) as whole,
        aclosing(desk.feed.follow(desk.account_id, 0, desk.sessions[1])) as half,
    ):
        taken = [await next_event(whole) for _ in range(1201)]
        taken_half = [await next_event(half) for _ in range(500)]
        await desk.write(session=1)
        taken.append(await next_event(whole))
        taken_half.append(await next_event(half))
    stored = await desk.stored()
    assert len(stored) == 1202
    assert seen(taken) == stored
    assert seen(taken_half) == [row for row in stored if row[1] == desk.sessions[1]]


async def test_a_session_without_events_waits_for_its_first(desk: Desk) -> None:
    await desk.write(1200)
    async with aclosing(desk.feed.follow(desk.account_id, 0, desk.sessions[1])) as events:
        waiting = asyncio.create_task(next_event(events))
        await is_followed(desk)
        await desk.write(session=1)
        assert (await waiting).seq == 1201


async def test_who_is_slower_than_the_ring_misses_nothing(desk: Desk) -> None:
    await desk.write()
    async with (
        aclosing(desk.feed.follow(desk.account_id, 0)) as slow,
        aclosing(desk.feed.follow(desk.account_id, 0)) as fast,
    ):
        taken = [await next_event(slow)]
        assert (await next_event(fast)).seq == 1
        for _ in range(3):
            await desk.write(RING // 2 + 100)
        for _ in range(3 * (RING // 2 + 100)):
            await next_event(fast)
        taken += [await next_event(slow) for _ in range(3 * (RING // 2 + 100))]
    assert seen(taken) == await desk.stored()


async def test_a_place_that_is_not_in_the_log_is_refused(desk: Desk) -> None:
    await desk.write(2)
    assert await refused(desk, 3) == 2
    assert await refused(desk, -1) == 2


async def test_too_far_behind_is_refused_at_the_start(desk: Desk) -> None:
    await desk.write(FAR_BEHIND + 1)
    assert await refused(desk, 0) == FAR_BEHIND + 1
    assert [event.seq for event in await take(desk, 1, 1)] == [2]


async def test_too_slow_is_refused_on_the_way(desk: Desk) -> None:
    await desk.write()
    async with (
        aclosing(desk.feed.follow(desk.account_id, 0)) as slow,
        aclosing(desk.feed.follow(desk.account_id, 0)) as fast,
    ):
        assert [(await next_event(slow)).seq, (await next_event(fast)).seq] == [1, 1]
        await desk.write(FAR_BEHIND)
        await desk.write()
        while (await next_event(fast)).seq < FAR_BEHIND + 2:
            pass
        with pytest.raises(Reset) as refusal:
            await next_event(slow)
        assert refusal.value.seq == FAR_BEHIND + 2


async def test_a_lost_hint_is_made_good_by_polling(feed_url: str) -> None:
    async with AsyncExitStack() as stack:
        engine = connect_pool(feed_url, size=1)
        stack.push_async_callback(engine.dispose)
        deaf = WakeBus(plain_url(feed_url), engine)  # never connected: it hears nothing
        desk = await stack.enter_async_context(open_desk(feed_url, deaf))
        events = await stack.enter_async_context(aclosing(desk.feed.follow(desk.account_id, None)))
        waiting = asyncio.create_task(next_event(events))
        await is_followed(desk)
        await desk.write()
        assert (await waiting).seq == 1


async def test_accounts_do_not_meet(desk: Desk, feed_url: str) -> None:
    async with open_desk(feed_url) as other:
        await desk.write(2)
        await other.write(3)
        async with aclosing(other.feed.follow(desk.account_id, 0)) as events:
            taken = [await next_event(events) for _ in range(2)]
        assert seen(taken) == await desk.stored()
        assert seen(await take(other, 0, 3)) == await other.stored()


async def test_a_gap_is_told_and_does_not_stop_the_feed(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.write()
    async with aclosing(desk.feed.follow(desk.account_id, 0)) as events:
        assert (await next_event(events)).seq == 1
        async with as_owner(desk.url) as db:
            await db.execute(
                text("UPDATE accounts SET event_seq = event_seq + 1 WHERE id = :account_id"),
                {"account_id": desk.account_id},
            )
        await desk.write()
        assert (await next_event(events)).seq == 3
    assert told(caplog) == [f"account {desk.account_id}: a gap after event 1"]


async def test_the_feed_survives_an_outage_of_the_database(
    make_database: Callable[[str], str], server_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = make_database("outage")
    migrate(url)
    name = url.rpartition("/")[2].partition("?")[0]

    async def run(statement: str) -> None:
        async with as_owner(server_url) as server:
            await server.execute(text(statement))

    async with open_desk(url) as desk:
        await desk.write()
        async with aclosing(desk.feed.follow(desk.account_id, 0)) as events:
            assert (await next_event(events)).seq == 1
            await run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await run(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            )
            waiting = asyncio.create_task(next_event(events))
            async with asyncio.timeout(SOON):
                while not told(caplog):
                    await run("SELECT 1")
            await run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            await desk.engine.dispose()  # what was cut while idle would fail the write
            await desk.write()
            assert (await waiting).seq == 2
    assert told(caplog) == ["the event log cannot be read; trying on"]


async def test_who_joins_during_an_outage_waits_for_its_end(desk: Desk) -> None:
    await desk.write(2)
    relay = Relay(make_url(desk.url))
    port = free_port()
    async with AsyncExitStack() as stack:
        engine = connect_pool(relay.through(port), size=2)
        feed = Feed(engine, desk.writers)
        events = await stack.enter_async_context(aclosing(feed.follow(desk.account_id, 0)))
        waiting = asyncio.create_task(next_event(events))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
        await stack.enter_async_context(relay.listening(port))
        stack.push_async_callback(engine.dispose)
        assert (await waiting).seq == 1
        assert (await next_event(events)).seq == 2


async def test_who_joins_during_an_outage_without_end_is_told(desk: Desk) -> None:
    engine = connect_pool("postgresql://nobody@127.0.0.1:1/nothing", size=1)
    async with aclosing(Feed(engine, desk.writers).follow(desk.account_id, 0)) as events:
        with pytest.raises(OSError, match="Connect call failed") as refusal:
            await next_event(events)
    assert is_away(refusal.value)
    await engine.dispose()


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the feed logged as an error."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "flowpilot.feed" and record.levelno >= logging.ERROR
    ]


def test_a_cursor_tells_its_account_and_grows_as_text() -> None:
    account_id, other = new_id(), new_id()
    places = [0, 1, 9, 10, 15, 16, 255, 256, 2**31, 2**63 - 1]
    cursors = [encode_cursor(account_id, place) for place in places]
    assert cursors == sorted(set(cursors))
    assert [decode_cursor(account_id, cursor) for cursor in cursors] == places
    assert [decode_cursor(other, cursor) for cursor in cursors] == [None] * len(places)


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda _: "ev_",
        lambda cursor: cursor[:-1],
        lambda cursor: cursor + "0",
        lambda cursor: cursor[:-1] + "g",
        lambda cursor: cursor[:-16] + "-000000000000001",
        lambda cursor: cursor[:-16] + "+000000000000001",
        lambda cursor: cursor[:-16] + "0_00000000000001",
        lambda cursor: cursor[:-16] + " 00000000000001 ",
        lambda cursor: cursor[:-16] + "٠" * 16,
        lambda cursor: cursor.upper(),
        lambda cursor: cursor + "\x00",
        lambda cursor: " " + cursor,
    ],
)
def test_a_damaged_cursor_is_no_cursor(damage: Callable[[str], str]) -> None:
    account_id = new_id()
    assert decode_cursor(account_id, damage(encode_cursor(account_id, 10))) is None
