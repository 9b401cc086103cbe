"""schemathesis makes up queries and mutations from the SDL, and sends them to a real server.

It may be refused in any way that a client can understand; nothing may fail inside, and nobody else notices.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.graphql import nodes

from tests.client import Client
from tests.conftest import SECRET
from tests.factories import Colleagues
from tests.faults.installation import Process, running
from tests.tables import Snapshot, as_owner, snapshot

SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"
INSIDE = ("Traceback", ".py", "sqlalchemy", "asyncpg", "SELECT ", "site-packages")
schemathesis.graphql.scalar("Upload", st.text().map(nodes.String))  # which is no file
schema = schemathesis.graphql.from_path(SDL)


@pytest.fixture(scope="module")
async def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """In a process of its own, because schemathesis waits for its answers."""
    process = Process(
        tmp_path_factory.mktemp("schemathesis"),
        "server",
        "serve",
        database_url=database_url,
        secret_key=SECRET,
        max_tokens=100_000,
        max_fields=20_000,
        max_cost=10**9,
        cost_per_minute=10**9,
        worker_concurrency=0,
    )
    async with running(process):
        yield process.host


@pytest.fixture
async def untouched(strangers: Colleagues, database_url: str) -> AsyncIterator[None]:
    async def rows() -> Snapshot:
        async with as_owner(database_url) as db:
            return await snapshot(db, strangers.account_id)

    before = await rows()
    yield
    assert await rows() == before


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_fits_the_schema_is_answered(
    case: Case, server: str, colleagues: Colleagues, untouched: None
) -> None:
    answer = case.call(
        base_url=f"http://{server}/graphql",
        headers={"Authorization": f"Bearer {colleagues.admin.token}"},
    )
    assert answer.status_code == 200, answer.text
    codes = [error["extensions"]["code"] for error in answer.json().get("errors", ())]
    assert "INTERNAL_SERVER_ERROR" not in codes, answer.text
    assert not any(word in answer.text for word in INSIDE), answer.text


async def test_the_server_lives(server: str, colleagues: Colleagues) -> None:
    async with asyncio.timeout(20), Client(server, colleagues.admin.token) as admin:
        assert (await admin.run("{ viewer { scopes } }"))["viewer"]["scopes"]
