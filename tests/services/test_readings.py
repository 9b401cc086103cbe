"""Rows that are read without SQLAlchemy's are the same rows."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import column, create_engine, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.account import Role
from models.branch import Branch, BranchStatus
from services import tree
from services.access import SCOPES_OF, Actor
from services.database import is_away, sync_url, transaction
from services.ids import Kind, uuid_of
from services.readings import Reading
from services.runtime import Runtime
from tests.factories import Colleagues
from tests.tables import end_backend
from tests.talk import Conversation


async def test_each_column_is_what_sqlalchemy_makes_of_it(
    talk: Conversation, runtime: Runtime, database_url: str
) -> None:
    first, second = await talk.fork()
    await talk.client.mutate(
        "markBranchStatus",
        "branch { id }",
        branchId=first,
        status="DEAD_END",
        reason="The record is right",
        expectedVersion=1,
    )
    analysed = update(Branch).where(Branch.id == uuid_of(Kind.BRANCH, second))
    owner = create_engine(sync_url(database_url))
    with owner.begin() as db:
        db.execute(analysed.values(likelihood=0.25, context_summary={"tried": ["DNS"]}))
    owner.dispose()
    account_id, session_id = talk.people.account_id, uuid_of(Kind.SESSION, talk.id)
    engineer = talk.people.engineer.key
    role = Role.ENGINEER
    actor = Actor(account_id, engineer, role, SCOPES_OF[role], engineer, None)
    statement = (
        tree.branch_rows(account_id)
        .where(Branch.session_id == session_id)
        .order_by(Branch.depth, Branch.branch_order)
    )
    async with runtime.read(actor) as reading:
        expected = (await reading.execute(statement)).all()
        found = await tree.TREES.fetch(reading, account_id=account_id, session_ids=[session_id])
    assert len(found) == 3
    for row, wanted in zip(found, expected, strict=True):
        for name, value in wanted._mapping.items():
            assert getattr(row, name) == value, name
            assert type(getattr(row, name)) is type(value), name
    assert {row.status for row in found} == {
        BranchStatus.ACTIVE,
        BranchStatus.UNTRIED,
        BranchStatus.DEAD_END,
    }


ACCOUNTS: Reading[Any] = Reading(text("SELECT id FROM accounts").columns(column("id")))
PID: Reading[Any] = Reading(text("SELECT pg_backend_pid() AS pid").columns(column("pid")))
SLEEP: Reading[Any] = Reading(text("SELECT pg_sleep(60) AS slept").columns(column("slept")))
DIVIDE: Reading[Any] = Reading(text("SELECT 1 / CAST(:by AS int) AS d").columns(column("d")))


async def test_what_is_asked_alone_sees_nobodys_rows(
    one_connection: AsyncEngine, colleagues: Colleagues
) -> None:
    assert await ACCOUNTS.ask(one_connection) is None
    await _sees_its_own(one_connection, colleagues.account_id)
    assert await ACCOUNTS.ask(one_connection) is None


async def _sees_its_own(engine: AsyncEngine, account_id: UUID) -> None:
    async with transaction(engine, account_id) as db:
        assert [row.id for row in await ACCOUNTS.fetch(db)] == [account_id]


async def test_its_failures_are_told_as_those_of_other_statements(
    one_connection: AsyncEngine, colleagues: Colleagues
) -> None:
    """And the connection serves whoever comes next."""
    with pytest.raises(DBAPIError, match="division by zero") as alone:
        await DIVIDE.ask(one_connection, by=0)
    await _sees_its_own(one_connection, colleagues.account_id)
    with pytest.raises(DBAPIError, match="division by zero") as inside:
        async with transaction(one_connection, colleagues.account_id) as db:
            await DIVIDE.fetch(db, by=0)
    await _sees_its_own(one_connection, colleagues.account_id)
    assert not is_away(alone.value)
    assert not is_away(inside.value)


async def test_a_lost_connection_is_told_and_replaced(
    one_connection: AsyncEngine, colleagues: Colleagues, database_url: str
) -> None:
    pid = await PID.ask(one_connection)
    await end_backend(database_url, pid.pid)
    with pytest.raises(DBAPIError) as alone:
        await ACCOUNTS.ask(one_connection)
    await _sees_its_own(one_connection, colleagues.account_id)
    with pytest.raises(DBAPIError) as inside:
        async with transaction(one_connection, colleagues.account_id) as db:
            await _loses(db, database_url)
    await _sees_its_own(one_connection, colleagues.account_id)
    assert is_away(alone.value)
    assert is_away(inside.value)


async def _loses(db: AsyncConnection, owner_url: str) -> None:
    pid = await PID.fetch_one(db)
    await end_backend(owner_url, pid.pid)
    await ACCOUNTS.fetch(db)


async def test_whoever_gives_up_leaves_the_connection_to_others(
    one_connection: AsyncEngine, colleagues: Colleagues
) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await SLEEP.ask(one_connection)
    await _sees_its_own(one_connection, colleagues.account_id)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), transaction(one_connection, colleagues.account_id) as db:
            await SLEEP.fetch(db)
    await _sees_its_own(one_connection, colleagues.account_id)


async def test_a_changed_table_is_read_anew(
    one_connection: AsyncEngine, database_url: str, colleagues: Colleagues
) -> None:
    """A migration may come while the server's statements are prepared: one attempt fails at most."""
    whole: Reading[Any] = Reading(text("SELECT t AS row FROM changing t").columns(column("row")))
    owner = create_engine(sync_url(database_url), isolation_level="AUTOCOMMIT")
    with owner.connect() as db:
        db.execute(text("CREATE TABLE changing AS SELECT 1 AS first"))
        db.execute(text("GRANT SELECT ON changing TO flowpilot_app"))
        try:
            async with transaction(one_connection, colleagues.account_id) as reading:
                assert [dict(row.row) for row in await whole.fetch(reading)] == [{"first": 1}]
            db.execute(text("ALTER TABLE changing ADD COLUMN second int DEFAULT 2"))
            with pytest.raises(DBAPIError) as error:
                async with transaction(one_connection, colleagues.account_id) as reading:
                    await whole.fetch(reading)
            assert is_away(error.value)
            async with transaction(one_connection, colleagues.account_id) as reading:
                (row,) = await whole.fetch(reading)
            assert dict(row.row) == {"first": 1, "second": 2}
        finally:
            db.execute(text("DROP TABLE changing"))
    owner.dispose()
