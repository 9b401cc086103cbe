"""Hints reach other processes, and a bus that broke comes back. Two objects stand for two processes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from procrastinate import App, PsycopgConnector
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from cli import migrate
from services.database import connect_pool, plain_url
from services.wakebus import CHANNEL, JOBS_TOPIC, MAX_PAYLOAD, MAX_WAITING, Listener, WakeBus
from tests.relay import Relay

BEAT = 0.2
SOON = 20
"""Seconds after which a test gives up; nothing takes so long when it works."""

FOR_EVER = 3600.0


@pytest.fixture(scope="module")
def bus_url(make_database: Callable[[str], str]) -> str:
    """A database in which no other bus hints."""
    url = make_database("bus")
    migrate(url)
    return url


@pytest.fixture
async def engine(bus_url: str) -> AsyncIterator[AsyncEngine]:
    engine = connect_pool(bus_url, size=3)
    yield engine
    await engine.dispose()


@pytest.fixture
async def owner(bus_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(plain_url(bus_url))
    yield connection
    await connection.close()


@asynccontextmanager
async def two_buses(url: str, engine: AsyncEngine) -> AsyncIterator[tuple[WakeBus, WakeBus]]:
    """The first one's connection is named `bus_one`."""
    named = make_url(url).update_query_dict({"application_name": "bus_one"})
    async with (
        WakeBus(plain_url(named.render_as_string(hide_password=False)), engine, beat=BEAT) as one,
        WakeBus(plain_url(url), engine, beat=BEAT) as two,
    ):
        yield one, two


async def end_connections(owner: asyncpg.Connection, name: str) -> None:
    """Returns when they are gone."""
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"
    assert await owner.execute(ended, name) == "SELECT 1"
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
    while await owner.fetchval(left, name):
        pass  # asking lets the server end it


async def woken(listener: Listener) -> None:
    async with asyncio.timeout(SOON):
        await listener.wait(FOR_EVER)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the bus and its drivers said that somebody should read."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def quiet(listener: Listener) -> None:
    """Takes what has come so far: both buses wake everybody when they connect."""
    await listener.wait(0)


async def test_a_hint_reaches_the_other_process_and_only_its_topic(
    bus_url: str, engine: AsyncEngine
) -> None:
    async with two_buses(bus_url, engine) as (one, two):
        with (
            one.listen("events:a") as here,
            two.listen("events:a") as there,
            two.listen("events:b") as of_another,
        ):
            one.wake("events:a")
            await woken(here)
            await woken(there)
            other = asyncio.create_task(of_another.wait(FOR_EVER))
            one.wake("events:c")
            one.wake("events:a")
            await woken(there)
            assert not other.done()
            other.cancel()


async def test_a_wake_between_two_waits_is_kept_and_counts_once(engine: AsyncEngine) -> None:
    bus = WakeBus("memory://", engine)
    with bus.listen("events:a") as listener:
        bus.wake("events:a")
        bus.wake("events:a")
        await woken(listener)
        again = asyncio.create_task(listener.wait(FOR_EVER))
        await asyncio.sleep(0)
        assert not again.done()
        bus.wake("events:a")
        async with asyncio.timeout(SOON):
            await again
    bus.wake("events:a")  # nobody listens any more


async def test_a_wait_ends_when_its_time_is_up(engine: AsyncEngine) -> None:
    bus = WakeBus("memory://", engine)
    with bus.listen("events:a") as listener:
        async with asyncio.timeout(SOON):
            await listener.wait(0.01)
        async with asyncio.timeout(SOON):
            await listener.wait(-1)


@pytest.mark.parametrize("turns", range(5))
async def test_who_waits_can_be_cancelled_at_the_moment_of_a_wake(
    engine: AsyncEngine, turns: int
) -> None:
    bus = WakeBus("memory://", engine)

    async def listen() -> None:
        with bus.listen("events:a") as listener:
            while True:
                await listener.wait(FOR_EVER)

    listening = asyncio.create_task(listen())
    for _ in range(3):
        await asyncio.sleep(0)
    bus.wake("events:a")
    for _ in range(turns):
        await asyncio.sleep(0)
    listening.cancel()
    done, _ = await asyncio.wait({listening}, timeout=2)
    listening.cancel()
    assert done == {listening}


async def test_many_topics_at_once_all_arrive(bus_url: str, engine: AsyncEngine) -> None:
    topics = [f"message:{uuid4().hex}" for _ in range(300)]
    async with two_buses(bus_url, engine) as (one, two), AsyncExitStack() as stack:
        here = [stack.enter_context(one.listen(topic)) for topic in topics[:150]]
        there = [stack.enter_context(two.listen(topic)) for topic in topics[150:]]
        for topic_of_one, topic_of_two in zip(topics[:150], topics[150:], strict=True):
            one.wake(topic_of_two)
            two.wake(topic_of_one)
        await asyncio.gather(*(woken(listener) for listener in here + there))
        assert (one.rebuilds, two.rebuilds) == (0, 0)


async def test_hints_are_coalesced_and_their_payloads_bounded(
    bus_url: str, engine: AsyncEngine, owner: asyncpg.Connection
) -> None:
    payloads: list[str] = []
    async with two_buses(bus_url, engine) as (one, two):
        await owner.add_listener(CHANNEL, lambda *args: payloads.append(args[3]))
        with two.listen("last") as last:
            await quiet(last)
            topics = [f"message:{uuid4().hex}" for _ in range(300)]
            for topic in topics * 10:
                one.wake(topic)
            one.wake("last")
            await woken(last)
        await owner.fetchval("SELECT 1")  # notices come before an answer
    carrying = [payload.split("\n")[1:] for payload in payloads if "\n" in payload]
    carried = [topic for part in carrying for topic in part]
    assert sorted(carried) == sorted([*topics, "last"])
    assert len(carrying) == 4
    assert max(len(payload) for payload in payloads) <= MAX_PAYLOAD


async def test_a_lost_connection_is_made_anew_and_everybody_looks_again(
    bus_url: str,
    engine: AsyncEngine,
    owner: asyncpg.Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with two_buses(bus_url, engine) as (one, two):
        with one.listen("events:a") as first, one.listen("events:b") as second:
            await quiet(first)
            await quiet(second)
            await end_connections(owner, "bus_one")
            await woken(first)
            await woken(second)
            assert (one.rebuilds, two.rebuilds) == (1, 0)
            assert told(caplog) == [
                "the bus is away; until it is back everybody polls",
                "the bus is back",
            ]
            two.wake("events:a")
            await woken(first)
            with two.listen("events:b") as there:
                one.wake("events:b")
                await woken(there)


async def test_hints_given_while_the_connection_is_lost_are_sent_by_the_next(
    bus_url: str, engine: AsyncEngine, owner: asyncpg.Connection
) -> None:
    async with two_buses(bus_url, engine) as (one, two):
        with two.listen("events:a") as there:
            await quiet(there)
            await end_connections(owner, "bus_one")
            one.wake("events:a")
            await woken(there)
        assert two.rebuilds == 0


@asynccontextmanager
async def behind_relay(url: str, engine: AsyncEngine) -> AsyncIterator[tuple[WakeBus, Relay]]:
    relay = Relay(make_url(url))
    async with (
        relay.listening() as port,
        WakeBus(plain_url(relay.through(port)), engine, beat=BEAT) as bus,
    ):
        yield bus, relay


async def test_a_connection_that_falls_silent_is_made_anew(
    bus_url: str, engine: AsyncEngine
) -> None:
    async with (
        behind_relay(bus_url, engine) as (one, relay),
        WakeBus(plain_url(bus_url), engine, beat=BEAT) as two,
    ):
        with one.listen("events:a") as here, two.listen("events:b") as there:
            await quiet(here)
            relay.fall_silent()
            await woken(here)
            assert one.rebuilds == 1
            two.wake("events:a")
            await woken(here)
            one.wake("events:b")
            await woken(there)


async def test_a_connection_that_only_publishes_is_made_anew(
    bus_url: str, engine: AsyncEngine
) -> None:
    async with (
        behind_relay(bus_url, engine) as (one, relay),
        WakeBus(plain_url(bus_url), engine, beat=BEAT) as two,
    ):
        with one.listen("events:a") as here:
            await quiet(here)
            relay.withhold_notices()
            await woken(here)
            assert one.rebuilds == 1
            two.wake("events:a")
            await woken(here)


async def test_stopping_does_not_wait_for_a_silent_server(
    bus_url: str, engine: AsyncEngine
) -> None:
    async with asyncio.timeout(SOON), behind_relay(bus_url, engine) as (_, relay):
        relay.fall_silent()


def bus_tasks() -> set[asyncio.Task[object]]:
    """Of this loop, in which a server and its worker may run tasks of their own."""
    return {task for task in asyncio.all_tasks() if "WakeBus" in repr(task.get_coro())}


async def test_stopping_leaves_neither_connection_nor_task(
    bus_url: str, engine: AsyncEngine, owner: asyncpg.Connection
) -> None:
    tasks = bus_tasks()
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bus_one'"
    async with two_buses(bus_url, engine) as (one, _):
        one.wake("events:a")
        assert await owner.fetchval(left) == 1
    assert bus_tasks() == tasks
    async with asyncio.timeout(SOON):
        while await owner.fetchval(left):
            pass  # asking lets the server end it


AWAY = [
    "postgresql://nobody@127.0.0.1:1/nothing",
    "redis://127.0.0.1:1",
    "redis-stream://127.0.0.1:1",
    "kafka://127.0.0.1:1",
]
"""Nobody listens there."""


@pytest.mark.parametrize("url", AWAY)
async def test_without_a_server_this_process_is_still_woken_and_it_is_told_once(
    url: str, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    async with asyncio.timeout(SOON), WakeBus(url, engine, beat=BEAT) as bus:
        with bus.listen("events:a") as listener:
            bus.wake("events:a")
            await woken(listener)
            while bus.rebuilds < 3:
                await listener.wait(BEAT)
    assert told(caplog) == ["the bus is away; until it is back everybody polls"]


async def test_what_waits_for_a_bus_that_is_away_is_bounded(engine: AsyncEngine) -> None:
    async with asyncio.timeout(SOON), WakeBus(AWAY[0], engine, beat=BEAT) as bus:
        for number in range(MAX_WAITING + 1_000):
            bus.wake(f"message:{number}")
        assert len(bus._waiting) == MAX_WAITING


@pytest.mark.parametrize("away", [False, True])
async def test_workers_are_woken_without_their_polling(
    bus_url: str, engine: AsyncEngine, owner: asyncpg.Connection, *, away: bool
) -> None:
    app = App(connector=PsycopgConnector(conninfo=plain_url(bus_url), min_size=1, max_size=3))
    ran: asyncio.Queue[int] = asyncio.Queue()

    @app.task(name="probe")
    async def probe(number: int) -> None:
        await ran.put(number)

    url = "redis://127.0.0.1:1" if away else plain_url(bus_url)
    async with WakeBus(url, engine, beat=BEAT) as bus, app.open_async():
        working = asyncio.create_task(
            app.run_worker_async(install_signal_handlers=False, fetch_job_polling_interval=FOR_EVER)
        )
        try:
            async with asyncio.timeout(SOON):
                listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%procr%'"
                while not await owner.fetchval(listening):
                    pass
                for number in range(3):
                    await probe.defer_async(number=number)
                    bus.wake(JOBS_TOPIC)
                    assert await ran.get() == number
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
