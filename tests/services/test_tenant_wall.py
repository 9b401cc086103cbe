"""The wall in the database itself: what is left if a statement forgets whose account it is."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import ForeignKeyConstraint, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models import Base
from services.database import transaction
from services.ids import Kind, uuid_of
from services.runtime import Runtime
from tests.client import Client
from tests.factories import make_account
from tests.tables import TENANT_TABLES, as_owner, end_backend, snapshot
from tests.worlds import World, build_world

FILLED = {
    "account_usage",
    "accounts",
    "ai_session_steps",
    "ai_sessions",
    "api_keys",
    "audit_entries",
    "branch_messages",
    "branch_revival_evidence",
    "branch_revivals",
    "branch_views",
    "deliveries",
    "delivery_attempts",
    "events",
    "file_uploads",
    "finding_bearings",
    "finding_evidence",
    "finding_merges",
    "findings",
    "fork_points",
    "hypothesis_rankings",
    "idempotency_keys",
    "integrations",
    "kb_articles",
    "merged_findings",
    "message_alternatives",
    "message_articles",
    "message_prompts",
    "refresh_tokens",
    "resolution_revisions",
    "resolved_sessions",
    "revival_proposals",
    "second_opinions",
    "session_branches",
    "session_handoffs",
    "session_resolution_outputs",
    "sla_targets",
    "teams",
    "users",
}
APPENDED = {"audit_entries", "events"}
"""The server may not alter what is in these: a test of its own."""
COUNTED = {"account_usage"}
"""The server may add to what is in these, and delete nothing."""

REFUSED = "new row violates row-level security policy"


@pytest.fixture(scope="module")
async def worlds(address: tuple[str, Runtime], database_url: str) -> tuple[World, World]:
    async with Client(address[0]) as client:
        first, second = [
            await build_world(client, database_url, await make_account(address[1], database_url))
            for _ in range(2)
        ]
    return first, second


async def test_every_table_of_a_tenant_is_behind_the_wall(database_url: str) -> None:
    statement = text(
        """
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relkind IN ('r', 'p') AND a.attname = 'account_id'
           AND c.relnamespace = 'public'::regnamespace AND c.relrowsecurity
        """
    )
    async with as_owner(database_url) as db:
        assert sorted((await db.execute(statement)).scalars()) == TENANT_TABLES
    assert {table.name for table in Base.metadata.sorted_tables} == {"accounts", *TENANT_TABLES}


async def test_an_account_sees_its_own_rows_and_no_others(
    runtime: Runtime, worlds: tuple[World, World], database_url: str
) -> None:
    ours, theirs = (world.people.account_id for world in worlds)
    async with as_owner(database_url) as db:
        owned = await snapshot(db, ours)
    async with transaction(runtime.engine, ours) as db:
        assert await _counts(db, theirs) == dict.fromkeys(["accounts", *TENANT_TABLES], 0)
        counts = await _counts(db)
    assert {table for table, count in counts.items() if count} == FILLED
    assert counts == {
        table: len(owned[table].splitlines()) if owned[table] else 0 for table in counts
    }


async def test_whoever_names_no_account_sees_nothing(
    runtime: Runtime, worlds: tuple[World, World]
) -> None:
    async with runtime.engine.connect() as db:
        assert set((await _counts(db)).values()) == {0}


async def _counts(db: AsyncConnection, account_id: UUID | None = None) -> dict[str, int]:
    """How many rows there seem to be, of one account or of all."""
    found = {}
    for table in ["accounts", *TENANT_TABLES]:
        column = "id" if table == "accounts" else "account_id"
        only = "" if account_id is None else f"WHERE {column} = '{account_id}'"
        found[table] = (await db.execute(text(f"SELECT count(*) FROM {table} {only}"))).scalar_one()
    return found


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_nothing_is_written_into_another_account(
    runtime: Runtime, worlds: tuple[World, World], database_url: str, table: str
) -> None:
    ours, theirs = (world.people.account_id for world in worlds)
    async with as_owner(database_url) as db:
        before = await snapshot(db, theirs)
        row = text(f"SELECT to_jsonb(t) FROM {table} t WHERE account_id = :theirs LIMIT 1")
        known = (await db.execute(row, {"theirs": theirs})).scalar_one_or_none()
    foreign: dict[str, Any] = known or {"account_id": str(theirs)}
    written = Base.metadata.tables[table].c
    names = ", ".join(column.name for column in written if column.computed is None)
    copy = text(
        f"INSERT INTO {table} ({names}) "
        f"SELECT {names} FROM jsonb_populate_record(NULL::{table}, :row ::jsonb)"
    )
    with pytest.raises(ProgrammingError, match=REFUSED):
        async with transaction(runtime.engine, ours) as db:
            await db.execute(copy, {"row": json.dumps(foreign)})
    for statement in (
        f"DELETE FROM {table} WHERE account_id = :theirs",
        f"UPDATE {table} SET account_id = account_id WHERE account_id = :theirs",
    ):
        if table in APPENDED or (table in COUNTED and statement.startswith("DELETE")):
            continue
        async with transaction(runtime.engine, ours) as db:
            assert (await db.execute(text(statement), {"theirs": theirs})).rowcount == 0
    if table in FILLED - APPENDED:
        moved = text(f"UPDATE {table} SET account_id = :theirs WHERE account_id = :ours")
        with pytest.raises(DBAPIError, match=REFUSED):
            async with transaction(runtime.engine, ours) as db:
                await db.execute(moved, {"ours": ours, "theirs": theirs})
    async with as_owner(database_url) as db:
        assert await snapshot(db, theirs) == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO accounts (id, name, plan) VALUES (gen_random_uuid(), 'x', 'free')",
        "UPDATE accounts SET plan = 'enterprise'",
        "DELETE FROM accounts",
        "DELETE FROM account_usage",
        "DELETE FROM events",
        "UPDATE events SET payload = '{}'",
        "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
        "TRUNCATE events",
        "DELETE FROM audit_entries",
        "UPDATE audit_entries SET actor_id = NULL",
        "TRUNCATE audit_entries",
    ],
)
async def test_the_server_lacks_the_right(
    runtime: Runtime, worlds: tuple[World, World], statement: str
) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        async with transaction(runtime.engine, worlds[0].people.account_id) as db:
            await db.execute(text(statement))


async def _owners(db: AsyncConnection) -> list[UUID]:
    return list((await db.execute(text("SELECT id FROM accounts"))).scalars())


async def _is_committed(db: AsyncConnection, _: str) -> None:
    await _owners(db)


async def _fails(db: AsyncConnection, _: str) -> None:
    await db.execute(text("SELECT 1 / 0"))


async def _is_cancelled(db: AsyncConnection, _: str) -> None:
    async with asyncio.timeout(0.05):
        await db.execute(text("SELECT pg_sleep(60)"))


async def _is_lost(db: AsyncConnection, owner_url: str) -> None:
    pid = (await db.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    await end_backend(owner_url, pid)
    await _owners(db)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("ends", [_is_committed, _fails, _is_cancelled, _is_lost])
async def test_an_account_that_was_entered_is_left_with_the_transaction(
    one_connection: AsyncEngine,
    worlds: tuple[World, World],
    database_url: str,
    ends: Callable[[AsyncConnection, str], Awaitable[None]],
    frozen: bool,
) -> None:
    """A connection goes back to the pool naming nobody, however the transaction ended."""
    ours, theirs = (world.people.account_id for world in worlds)
    for _ in range(2):
        with suppress(DBAPIError, TimeoutError):
            async with transaction(one_connection, ours, frozen=frozen) as db:
                assert await _owners(db) == [ours]
                await ends(db, database_url)
        async with one_connection.connect() as db:
            assert await _owners(db) == []
        async with transaction(one_connection, theirs) as db:
            assert await _owners(db) == [theirs]
            level = text("SHOW transaction_isolation")
            assert (await db.execute(level)).scalar_one() == "read committed"


async def test_a_transaction_in_which_nothing_was_asked_leaves_no_account(
    one_connection: AsyncEngine, worlds: tuple[World, World]
) -> None:
    async with transaction(one_connection, worlds[0].people.account_id):
        pass
    async with one_connection.connect() as db:
        assert await _owners(db) == []


async def test_transactions_that_overlap_have_each_its_own_account(
    runtime: Runtime, worlds: tuple[World, World]
) -> None:
    """They begin with their first statement, when another account may have been entered."""
    ours, theirs = (world.people.account_id for world in worlds)
    async with (
        transaction(runtime.engine, ours) as first,
        transaction(runtime.engine, theirs, frozen=True) as second,
        runtime.engine.connect() as nobody,
    ):
        assert await _owners(first) == [ours]
        assert await asyncio.gather(*map(_owners, (second, first, nobody))) == [
            [theirs],
            [ours],
            [],
        ]


class _Unspeakable(UUID):
    """Stands for what may go wrong after BEGIN and before the account is known."""

    hex = "'; SELECT 1 / 0; --"  # type: ignore[assignment]


async def test_a_transaction_that_did_not_begin_is_nobodys(
    one_connection: AsyncEngine, worlds: tuple[World, World]
) -> None:
    ours = worlds[0].people.account_id
    for _ in range(2):
        with pytest.raises(DBAPIError, match="division by zero"):
            async with transaction(one_connection, _Unspeakable(int=ours.int)) as db:
                await _owners(db)
        async with transaction(one_connection, ours) as db:
            assert await _owners(db) == [ours]


# ------------------------------------------------------------------ references

REFERENCES = sorted(
    (
        (key.parent.name, key)
        for table in Base.metadata.tables.values()
        for key in table.constraints
        if isinstance(key, ForeignKeyConstraint) and key.parent.name in FILLED
    ),
    key=lambda reference: (reference[0], *reference[1].column_keys),
)


def test_every_reference_carries_the_account_and_where_it_can_the_session() -> None:
    for table in Base.metadata.tables.values():
        for key in table.foreign_key_constraints:
            target = key.referred_table
            assert key.column_keys[0] == "account_id"
            sessions = {"session_id"} & set(table.c.keys()) & set(target.c.keys())
            assert sessions <= set(key.column_keys), (table.name, target.name)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        reference
        for reference in REFERENCES
        if len(reference[1].column_keys) > 1 and reference[1].referred_table.name in FILLED
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value.column_keys[1:]),
)
async def test_a_row_cannot_refer_outside_its_account(
    worlds: tuple[World, World], database_url: str, table: str, key: ForeignKeyConstraint
) -> None:
    ours, theirs = (world.people.account_id for world in worlds)
    last, target = key.column_keys[-1], key.elements[-1].column
    any_null = " OR ".join(f"{column} IS NULL" for column in key.column_keys)
    statement = text(
        f"""
        UPDATE {table} SET {last} =
               (SELECT {target.name} FROM {target.table.name} WHERE account_id = :theirs LIMIT 1)
         WHERE ctid = (SELECT ctid FROM {table} WHERE account_id = :ours
                        ORDER BY ({last} IS NULL)::int, ({any_null})::int LIMIT 1)
        """
    )
    await _refused_reference(database_url, statement, {"ours": ours, "theirs": theirs})


ELSEWHERE = [
    ("session_branches", "parent_branch_id", "dead", "idle_trunk", Kind.BRANCH),
    ("fork_points", "parent_branch_id", "fork_point", "idle_trunk", Kind.BRANCH),
    ("fork_points", "after_message_id", "fork_point", "elsewhere", Kind.MESSAGE),
    ("branch_messages", "branch_id", "evidence", "idle_trunk", Kind.BRANCH),
    ("findings", "branch_id", "finding", "idle_trunk", Kind.BRANCH),
    ("ai_session_steps", "branch_id", "step", "idle_trunk", Kind.BRANCH),
    ("ai_session_steps", "message_id", "step", "elsewhere", Kind.MESSAGE),
    ("session_handoffs", "source_branch_id", "claimable", "idle_trunk", Kind.BRANCH),
    ("ai_sessions", "active_branch_id", "session", "idle_trunk", Kind.BRANCH),
    ("branch_revival_evidence", "message_id", None, "elsewhere", Kind.MESSAGE),
    ("finding_bearings", "branch_id", None, "idle_trunk", Kind.BRANCH),
    ("finding_evidence", "message_id", None, "elsewhere", Kind.MESSAGE),
    ("finding_merges", "branch_id", "merge", "idle_trunk", Kind.BRANCH),
    ("hypothesis_rankings", "branch_id", None, "idle_trunk", Kind.BRANCH),
    ("revival_proposals", "branch_id", "doubt", "idle_trunk", Kind.BRANCH),
    ("revival_proposals", "reason_message_id", "doubt", "elsewhere", Kind.MESSAGE),
    ("second_opinions", "leading_branch_id", "opinion", "idle_trunk", Kind.BRANCH),
    ("branch_revivals", "evidence_from_branch_id", None, "idle_trunk", Kind.BRANCH),
    ("branch_views", "branch_id", None, "idle_trunk", Kind.BRANCH),
]


@pytest.mark.parametrize(
    ("table", "column", "row", "other", "kind"), ELSEWHERE, ids=lambda v: v and str(v)
)
async def test_a_row_cannot_refer_to_another_session_of_its_account(
    worlds: tuple[World, World],
    database_url: str,
    table: str,
    column: str,
    row: str | None,
    other: str,
    kind: Kind,
) -> None:
    world = worlds[0]
    account_id = world.people.account_id
    trunk = uuid_of(Kind.BRANCH, world.idle_trunk)
    async with as_owner(database_url) as db:
        first = text("SELECT id FROM branch_messages WHERE branch_id = :trunk LIMIT 1")
        message_id = (await db.execute(first, {"trunk": trunk})).scalar_one()
    known = {} if row is None else {"id": UUID(getattr(world, row)[3:])}
    statement = text(
        f"UPDATE {table} SET {column} = :other WHERE account_id = :account_id"
        f"{' AND id = :id' if known else ''}"
    )
    other_id = trunk if kind is Kind.BRANCH else message_id
    await _refused_reference(
        database_url, statement, {**known, "account_id": account_id, "other": other_id}
    )


@pytest.mark.parametrize(
    "moved",
    [
        "session_branches SET parent_branch_id = :other WHERE id = :branch",
        "ai_session_steps SET branch_id = :other WHERE fork_point_id = :point",
    ],
    ids=["branch", "step"],
)
async def test_what_belongs_to_a_fork_point_is_on_its_parent(
    worlds: tuple[World, World], database_url: str, moved: str
) -> None:
    world = worlds[0]
    given = {
        "other": uuid_of(Kind.BRANCH, world.active),
        "branch": uuid_of(Kind.BRANCH, world.untried),
        "point": uuid_of(Kind.FORK_POINT, world.fork_point),
    }
    named = {name: value for name, value in given.items() if f":{name}" in moved}
    await _refused_reference(database_url, text(f"UPDATE {moved}"), named)


async def _refused_reference(owner_url: str, statement: Any, given: dict[str, UUID]) -> None:
    with pytest.raises(IntegrityError, match="violates foreign key constraint"):
        await _run(owner_url, statement, given)


async def _run(owner_url: str, statement: Any, given: dict[str, UUID]) -> None:
    async with as_owner(owner_url) as db:
        assert (await db.execute(statement, given)).rowcount > 0
        await db.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
