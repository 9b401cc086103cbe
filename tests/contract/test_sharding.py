"""That the tables could be dealt out over several databases by account, as Citus does it.

There a key is unique within one shard only, a foreign key stays in it, and a statement is sent to one
shard only where it names the account itself: what row-level security adds is not looked at. So this asks
of each plan, made without it, whether every table in it is held to the one account that was given.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.runtime import Runtime
from tests.client import Client
from tests.factories import Colleagues
from tests.tables import TENANT_TABLES, as_owner, until_idle

Plan = dict[str, Any]

NO_TENANTS: Mapping[str, str] = {
    "accounts": "a row is the tenant: dealt out by its id, beside what belongs to it",
    "alembic_version": "one row for the installation",
    "procrastinate_events": "jobs are one queue for all, which any worker takes from",
    "procrastinate_jobs": "as its events",
    "procrastinate_periodic_defers": "as its jobs",
    "procrastinate_workers": "a worker works for all",
}

ACROSS_ACCOUNTS: Mapping[str, str] = {
    "uq_users_email": "who signs in gives nothing but an address; a table of addresses would have to say "
    "whose it is",
    "uq_refresh_tokens_token_hash": "the same of a token; it could carry its account, as access tokens do",
    "uq_api_keys_secret_hash": "the same of a key",
}
"""Unique over all accounts, with the reason."""

UNIQUE = text(
    """
    SELECT t.relname AS table, x.relname AS name,
           coalesce((SELECT attname FROM pg_attribute WHERE attrelid = t.oid AND attnum = i.indkey[0]), '')
             AS leads
      FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
     WHERE i.indisunique AND t.relnamespace = 'public'::regnamespace
    """
)
FOREIGN = text(
    """
    SELECT c.conname AS name, s.relname AS table, t.relname AS target, a.attname AS leads,
           b.attname AS to
      FROM pg_constraint c JOIN pg_class s ON s.oid = conrelid JOIN pg_class t ON t.oid = confrelid
      JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]
      JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = confkey[1]
     WHERE contype = 'f' AND connamespace = 'public'::regnamespace
    """
)
TABLES = text(
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
)


async def test_every_key_leads_with_the_account(database_url: str) -> None:
    async with as_owner(database_url) as db:
        tables = (await db.execute(TABLES)).scalars().all()
        unique = (await db.execute(UNIQUE)).all()
        foreign = (await db.execute(FOREIGN)).all()
    assert sorted(tables) == sorted([*NO_TENANTS, *TENANT_TABLES])
    assert {index.table for index in unique} >= set(TENANT_TABLES)
    across = [i.name for i in unique if i.table not in NO_TENANTS and i.leads != "account_id"]
    assert sorted(across) == sorted(ACROSS_ACCOUNTS)

    of_tenants = [key for key in foreign if key.table not in NO_TENANTS]
    assert {key.table for key in of_tenants} == set(TENANT_TABLES)
    assert [key.name for key in of_tenants if key.leads != "account_id"] == []
    assert [
        key.name
        for key in of_tenants
        if key.to != ("id" if key.target == "accounts" else "account_id")
    ] == []
    assert {key.target for key in foreign if key.table in NO_TENANTS} <= set(NO_TENANTS)


TREE = """query($id: ID!) { session(id: $id) { eventCursor rootBranch {
  id label status children { id label status } } } }"""
SESSIONS = """{ sessions(first: 20) { eventCursor edges { node {
  id status branchCount assignee { displayName } } } } }"""
QUEUE = """{ queue { eventCursor edges { node {
  id priority sla { state } session { id } claimedBy { id } } } } }"""
MESSAGES = """query($id: ID!) { branch(id: $id) { messages(last: 50) { edges { node {
  id body author { displayName } } } } } }"""
EVENTS = """subscription($id: ID!, $after: String) { sessionChanged(sessionId: $id, after: $after) {
  __typename ... on Event { cursor } } }"""

HIDDEN: Mapping[str, str] = {
    "flowpilot_enter": "asks who calls and names the account for what is read beside it; is given it",
    "flowpilot_holders": "finds articles by their words, of the account of the transaction; has to be "
    "told it to be sent to one shard",
    "flowpilot_user_by_id": "asks who calls; is given the account",
    "flowpilot_write_chunk": "is given the account, and writes into message_chunks alone",
    "procrastinate_defer_jobs_v1": "jobs are dealt out to nobody",
}
"""Functions that look into tables, where no plan tells."""


@dataclass(frozen=True)
class Statement:
    sql: str
    parameters: tuple[Any, ...]


@contextmanager
def recorded(runtime: Runtime, account_id: UUID) -> Iterator[dict[str, Statement]]:
    """What the database is asked for the account, by clients, jobs and the feed."""
    seen: dict[str, Statement] = {}

    def remember(*arguments: Any) -> None:
        connection, _, sql, parameters, _, many = arguments
        given = tuple(parameters[0] if many else parameters)
        if account_id in (connection.connection.driver_connection.account_id, *given):
            seen[sql] = Statement(sql, given)

    engine = runtime.engine.sync_engine
    event.listen(engine, "before_cursor_execute", remember)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", remember)


async def test_no_hot_statement_crosses_accounts(
    client: Client, colleagues: Colleagues, runtime: Runtime, database_url: str
) -> None:
    with recorded(runtime, colleagues.account_id) as seen:
        await work(client.as_(colleagues.engineer), client.as_(colleagues.engineer2))
        await until_idle(database_url, colleagues.account_id)

    hidden = {
        name for sql in seen for name in re.findall(r"((?:flowpilot|procrastinate)_\w+)\(", sql)
    }
    assert sorted(hidden) == sorted(HIDDEN)
    looked_at = set()
    async with as_owner(database_url) as db:
        for statement in seen.values():
            plan = await plan_of(db, statement)
            looked_at |= {alias for alias, _ in relations(plan)}
            assert unheld(plan, colleagues.account_id) == [], statement.sql
    assert looked_at >= {
        "accounts",
        "ai_sessions",
        "branch_messages",
        "events",
        "session_branches",
        "session_handoffs",
        "users",
    }


async def work(engineer: Client, other: Client) -> None:
    """A session with all that is done again and again."""
    started = await engineer.mutate(
        "startSession",
        "session { id eventCursor rootBranch { id } } reply { id }",
        intake={"text": "Mail stopped"},
    )
    session = started["session"]
    trunk = session["rootBranch"]["id"]
    await engineer.answered(started["reply"]["id"])
    async with engineer.subscribe(EVENTS, id=session["id"], after=session["eventCursor"]) as events:
        await anext(events)
        options = [{"label": label, "description": "A cause"} for label in ("DNS", "Relay")]
        await engineer.mutate(
            "forkBranch",
            "branches { id }",
            sessionId=session["id"],
            reason="Two causes",
            options=options,
        )
        asked = await engineer.mutate(
            "sendBranchMessage", "reply { id }", branchId=trunk, body="And now?"
        )
        await engineer.answered(asked["reply"]["id"])
    await engineer.run(TREE, id=session["id"])
    await engineer.run(SESSIONS)
    await engineer.run(MESSAGES, id=trunk)
    put_down = await engineer.mutate(
        "handOffSession", "handoff { id }", sessionId=session["id"], intent="ESCALATE"
    )
    await other.run(QUEUE)
    await other.mutate("claimHandoff", "handoff { id }", handoffId=put_down["handoff"]["id"])


async def plan_of(db: AsyncConnection, statement: Statement) -> Plan:
    """As the tables' owner, whom row-level security does not bind."""
    explained = await db.exec_driver_sql(
        f"EXPLAIN (FORMAT JSON, VERBOSE) {statement.sql}", statement.parameters
    )
    (whole,) = explained.scalar_one()
    plan: Plan = whole["Plan"]
    return plan


def nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def relations(plan: Plan) -> list[tuple[str, str]]:
    """Tables of tenants that are read, with their aliases. What is written into a table names the
    account, which is part of the key and has no default."""
    return [
        (node["Relation Name"], node["Alias"])
        for node in nodes(plan)
        if node.get("Relation Name") in {"accounts", *TENANT_TABLES}
        and node["Node Type"] != "ModifyTable"
    ]


def unheld(plan: Plan, account_id: UUID) -> list[tuple[str, str]]:
    """Those that are neither compared to the account nor to the account of one that is."""
    given = f"'{account_id}'::uuid"
    equal = [
        sides
        for node in nodes(plan)
        for name, condition in node.items()
        if name.endswith(("Cond", "Filter"))
        for sides in equalities(condition)
    ]
    held = {given}
    while more := {a if b in held else b for a, b in equal if (a in held) != (b in held)}:
        held |= more
    return [
        (table, alias)
        for table, alias in relations(plan)
        if f"{alias}.{'id' if table == 'accounts' else 'account_id'}" not in held
    ]


def equalities(condition: str) -> list[tuple[str, str]]:
    """What is equal wherever the condition is true: not what is said on one side of an OR."""
    parts, depth, begin = [], 0, 0
    inner = condition.removeprefix("(").removesuffix(")")
    for at, sign in enumerate(inner):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and inner.startswith(" AND ", at):
            parts.append(inner[begin:at])
            begin = at + len(" AND ")
        elif depth == 0 and inner.startswith(" OR ", at):
            return []
    parts.append(inner[begin:])
    sides = [re.fullmatch(r"\(?(\S+) = (\S+?)\)?", part) for part in parts]
    return [(found[1], found[2]) for found in sides if found]
