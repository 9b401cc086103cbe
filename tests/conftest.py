"""A real PostgreSQL, a real server in the tests' own event loop, and accounts to try it with.

Nothing is cleaned between tests: each makes accounts of its own, which by design never meet.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from app import create_app
from cli import migrate
from server import Sockets
from services.ai.scripted import ScriptedProvider
from services.database import connect_pool, sync_url
from services.postgres import EmbeddedPostgres
from services.runtime import Limits, Runtime
from settings import Settings
from tests.client import Client
from tests.factories import Colleagues, make_account
from tests.fakes.far_ends.serving import FarEnds, current, serving
from tests.tables import until_idle
from tests.talk import Conversation
from tests.tickets import LOGINS, TicketDesk, open_ticket_desk

UNTHROTTLED = Limits(
    retry_wait=0.0,
    longest_retry_wait=3.0,
    max_depth=8,
    max_cost=10_000_000,
    cost_per_minute=1_000_000_000,
    sign_in_attempts=1_000_000,
    sign_ins_per_address=1_000_000,
)

OUTGOING = ("127.0.0.1",)
"""Where the systems outside are."""

SECRET = "of all the servers that a test starts"

os.environ.pop("ANTHROPIC_API_KEY", None)  # no test asks a real model, whoever runs it


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """FLOWPILOT_TEST_DATABASE_URL, or an embedded server that all test processes share."""
    given = os.environ.get("FLOWPILOT_TEST_DATABASE_URL")
    if given is not None:
        yield given
        return
    base = tmp_path_factory.getbasetemp()
    folder = base if worker_id == "master" else base.parent
    unsafe_but_fast = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    with EmbeddedPostgres(folder / "flowpilot", settings=unsafe_but_fast) as url:
        yield url


@pytest.fixture(scope="session")
def make_database(server_url: str, worker_id: str) -> Iterator[Callable[[str], str]]:
    """Makes an empty database of that name and tells its URL; all of them go at the end."""
    made: list[str] = []
    engine = create_engine(sync_url(server_url), isolation_level="AUTOCOMMIT")

    def make(name: str) -> str:
        name = f"test_{os.getpid()}_{worker_id}_{name}"
        with engine.connect() as db:
            db.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            db.execute(text(f"CREATE DATABASE {name}"))
        made.append(name)
        return make_url(server_url).set(database=name).render_as_string(hide_password=False)

    yield make
    with engine.connect() as db:
        for name in made:
            db.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="session")
def database_url(make_database: Callable[[str], str]) -> str:
    """Migrated; the URL of its owner."""
    url = make_database("main")
    migrate(url)
    return url


@pytest.fixture(scope="session")
def provider() -> ScriptedProvider:
    return ScriptedProvider()


@pytest.fixture(scope="session")
async def far_ends() -> AsyncIterator[FarEnds]:
    """The systems outside; each test has tickets of its own there."""
    async with serving(current):
        yield current


@asynccontextmanager
async def served(app: Starlette | uvicorn.Config) -> AsyncIterator[str]:
    """The address at which the application answers meanwhile, in this event loop."""
    config = (
        app
        if isinstance(app, uvicorn.Config)
        else uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws=Sockets)
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
            await asyncio.sleep(0.01)
    yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.fixture(scope="session")
async def address(
    database_url: str,
    provider: ScriptedProvider,
    far_ends: FarEnds,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[str, Runtime]]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        pool_size=20,
        secret_key=SECRET,
        outgoing_allowed=OUTGOING,
    )
    app = create_app(settings, database_url, provider, limits=UNTHROTTLED)
    async with served(app) as host:
        yield host, app.state.runtime


@pytest.fixture
async def serve_also(
    database_url: str, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    """Starts another server of the same database with settings of its own; takes the same tokens."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Client:
            settings = {"worker_concurrency": 0, "pool_size": 5, **settings}
            app = create_app(
                Settings(data_dir=tmp_path, secret_key=SECRET, **settings),
                database_url,
            )
            host = await stack.enter_async_context(served(app))
            return await stack.enter_async_context(Client(host))

        yield start


@pytest.fixture
def runtime(address: tuple[str, Runtime]) -> Runtime:
    return address[1]


@pytest.fixture
async def one_connection(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A pool of one, so that whoever comes next has the connection of whoever was before."""
    engine = connect_pool(database_url, size=1)
    yield engine
    await engine.dispose()


@pytest.fixture
async def client(address: tuple[str, Runtime]) -> AsyncIterator[Client]:
    """Nobody is signed in; `client.as_(person)` speaks for somebody."""
    async with Client(address[0]) as stranger:
        yield stranger


@pytest.fixture
async def colleagues(runtime: Runtime, database_url: str) -> Colleagues:
    """An account on TEAM: engineer, engineer2, lead, admin."""
    return await make_account(runtime, database_url)


@pytest.fixture
async def strangers(runtime: Runtime, database_url: str) -> Colleagues:
    """A second account, which must never notice the first."""
    return await make_account(runtime, database_url)


NOT_OF_THE_QUESTION = ("flowpilot_user_by_id", "procrastinate_any_queue")
"""What tells an SQL statement that every request has, or that wakes workers beside it."""


@pytest.fixture
def statements(runtime: Runtime) -> Iterator[list[str]]:
    """The SQL statements that the server runs for clients; what begins and ends transactions is none.

    Those of jobs are left out: they run beside, whenever they come to it.
    """
    seen: list[str] = []

    def remember(*arguments: Any) -> None:
        statement, task = arguments[2], asyncio.current_task()
        if task and task.get_name().startswith(("process job", "answer ")):
            return
        if not any(name in statement for name in NOT_OF_THE_QUESTION):
            seen.append(statement)

    engine = runtime.engine.sync_engine
    event.listen(engine, "before_cursor_execute", remember)
    yield seen
    event.remove(engine, "before_cursor_execute", remember)


@pytest.fixture
async def talk(client: Client, colleagues: Colleagues, database_url: str) -> Conversation:
    engineer = client.as_(colleagues.engineer)
    started = await engineer.mutate(
        "startSession",
        "session { id eventCursor rootBranch { id } } reply { id }",
        intake={"text": "Mail stopped arriving."},
    )
    await engineer.answered(started["reply"]["id"])
    await until_idle(database_url, colleagues.account_id)
    return Conversation(engineer, colleagues, started["session"])


@pytest.fixture
async def desk(
    client: Client, colleagues: Colleagues, far_ends: FarEnds, database_url: str
) -> TicketDesk:
    return await open_ticket_desk(client, colleagues, far_ends, database_url)


@pytest.fixture(params=LOGINS)
async def any_desk(
    request: pytest.FixtureRequest,
    client: Client,
    colleagues: Colleagues,
    far_ends: FarEnds,
    database_url: str,
) -> TicketDesk:
    """At each of the ticket systems."""
    return await open_ticket_desk(client, colleagues, far_ends, database_url, request.param)
