"""What the database itself grants the server: read from the catalogue, so that nothing new is left out."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.account import Role
from services.authentication import (
    API_KEY,
    LAST_USED_GRAIN,
    REFRESH_TOKEN,
    USER_BY_EMAIL,
    USER_BY_ID,
    digest,
)
from services.database import APP_ROLE, connect_pool, transaction
from services.ids import new_id
from services.runtime import Runtime
from tests.client import Client
from tests.factories import Colleagues
from tests.tables import TENANT_TABLES, as_owner
from tests.worlds import MEMBER_PASSWORD

NO_TENANTS = {
    "alembic_version",
    "procrastinate_events",
    "procrastinate_jobs",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
}
"""The only tables without row-level security. Jobs name their account and keys, and hold no content."""

IS_OURS = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"

RELATIONS = f"""
    SELECT c.relname, c.relkind::text, c.relrowsecurity, c.oid,
           (SELECT array_agg(concat_ws(' ', p.polcmd, p.polpermissive, p.polroles,
                                       pg_get_expr(p.polqual, c.oid)))
              FROM pg_policy p WHERE p.polrelid = c.oid) AS policies,
           (SELECT array_agg(pg_get_expr(p.polwithcheck, c.oid))
              FROM pg_policy p WHERE p.polrelid = c.oid) AS checks
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE {IS_OURS} AND n.nspname NOT LIKE 'pg_temp%' AND n.nspname NOT LIKE 'pg_toast%'
       AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

REFERENCES = """
    SELECT k.conrelid::regclass::text AS source, k.confrelid::regclass::text AS target,
           (SELECT array_agg(a.attname ORDER BY place) FROM unnest(k.conkey)
                   WITH ORDINALITY AS c(number, place)
              JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.number) AS columns,
           (SELECT array_agg(a.attname ORDER BY place) FROM unnest(k.confkey)
                   WITH ORDINALITY AS c(number, place)
              JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.number) AS targets
      FROM pg_constraint k WHERE k.contype = 'f'
"""

LOOK_UPS = {
    "flowpilot_user_by_email(address text)": "TABLE(account_id uuid, id uuid, password_hash text)",
    "flowpilot_user_by_id(its_account uuid, user_id uuid)": "TABLE(role text)",
    "flowpilot_refresh_token(hash bytea)": "TABLE(account_id uuid, id uuid)",
    "flowpilot_api_key(hash bytea)": (
        "TABLE(account_id uuid, id uuid, user_id uuid, created_by uuid, scopes text[], "
        "expires_at timestamp with time zone, last_used_at timestamp with time zone)"
    ),
    "flowpilot_holders(lexemes text[], most integer)": "TABLE(lexeme text, kind text, id uuid)",
    "flowpilot_matching_articles(query tsquery, most integer)": "SETOF uuid",
}


async def read(owner_url: str, statement: str, **given: object) -> list[Any]:
    async with as_owner(owner_url) as db:
        return list((await db.execute(text(statement), given)).all())


# ------------------------------------------------------------------ tables


async def test_every_relation_but_the_named_ones_is_behind_a_policy(database_url: str) -> None:
    """One policy for all commands and everybody, whose condition holds for what is written, too."""
    relations = {row.relname: row for row in await read(database_url, RELATIONS)}
    assert set(relations) == {"accounts", *TENANT_TABLES, *NO_TENANTS}
    for name, row in relations.items():
        assert row.relkind in {"r", "p"}, "a view would read as its owner, past every policy"
        if name in NO_TENANTS:
            continue
        column = "id" if name == "accounts" else "account_id"
        condition = f"({column} = flowpilot_account_id())"
        assert row.relrowsecurity, name
        assert row.policies == [f"* t {{0}} {condition}"], name
        assert row.checks in ([None], [condition]), name  # without one PostgreSQL takes the first


async def test_every_row_belongs_to_an_account_and_refers_within_it(database_url: str) -> None:
    references = [
        row for row in await read(database_url, REFERENCES) if row.source not in NO_TENANTS
    ]
    for row in references:
        expected = "id" if row.target == "accounts" else "account_id"
        assert row.columns[0] == "account_id", row
        assert row.targets[0] == expected, row
    assert {row.source for row in references} == set(TENANT_TABLES)
    optional = await read(
        database_url,
        """
        SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE a.attname = 'account_id' AND c.relkind IN ('r', 'p') AND NOT a.attnotnull
        """,
    )
    assert optional == []


# ------------------------------------------------------------------ the role


async def test_the_role_has_no_powers_and_owns_nothing(database_url: str) -> None:
    (row,) = await read(
        database_url,
        """
        SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin,
               (SELECT count(*) FROM pg_auth_members WHERE member = r.oid) AS roles,
               (SELECT count(*) FROM pg_shdepend JOIN pg_database d ON d.oid = dbid
                 WHERE refobjid = r.oid AND deptype = 'o' AND datname = current_database()) AS owned,
               has_database_privilege(r.oid, current_database(), 'CREATE') AS creates_schemas,
               has_schema_privilege(r.oid, 'public', 'CREATE') AS creates_tables
          FROM pg_roles r WHERE rolname = :role
        """,
        role=APP_ROLE,
    )
    assert set(row._mapping.values()) == {False}


async def test_the_role_has_no_more_rights_to_tables_than_it_needs(database_url: str) -> None:
    rights = await read(
        database_url,
        f"""
        SELECT r.relname, p.right
          FROM ({RELATIONS}) r,
               unnest('{{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}}'::text[])
               AS p("right")
         WHERE has_table_privilege('{APP_ROLE}', r.oid, p.right)
        """,
    )
    granted = {name: {row.right for row in rights if row.relname == name} for name, _ in rights}
    ordinary = {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert all(given <= ordinary for given in granted.values())
    assert granted["accounts"] == {"SELECT"}
    for appended_only in ("audit_entries", "events"):
        assert granted[appended_only] == {"SELECT", "INSERT"}
    assert "alembic_version" not in granted
    columns = await read(
        database_url,
        f"""
        SELECT attname FROM pg_attribute WHERE attrelid = 'accounts'::regclass AND attnum > 0
           AND has_column_privilege('{APP_ROLE}', attrelid, attnum, 'UPDATE')
        """,
    )
    assert sorted(columns) == [("access_version",), ("event_seq",)]


@pytest.fixture
async def member(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Connected as somebody who has the role and nothing else, so that nothing lies behind it."""
    name, password = f"member_{uuid4().hex}", uuid4().hex
    async with as_owner(database_url) as db:
        await db.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'"))
        await db.execute(text(f"GRANT {APP_ROLE} TO {name}"))
    address = make_url(database_url).set(username=name, password=password)
    engine = connect_pool(address.render_as_string(hide_password=False), size=2)
    yield engine
    await engine.dispose()
    async with as_owner(database_url) as db:
        await db.execute(text(f"DROP ROLE {name}"))


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE {owner}",
        "SET SESSION AUTHORIZATION {owner}",
        f"ALTER ROLE {APP_ROLE} BYPASSRLS",
        f"GRANT {{owner}} TO {APP_ROLE}",
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_shadow",
        "SELECT starelid FROM pg_statistic",
        "SELECT pg_read_file('PG_VERSION')",
        "COPY users TO PROGRAM 'cat'",
        "SET session_replication_role = replica",
        "CREATE TABLE public.mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION flowpilot_account_id() VOLATILE",
        "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
        "DROP POLICY account ON users",
        "CREATE POLICY mine ON users USING (true)",
        "CREATE TRIGGER mine AFTER INSERT ON users EXECUTE FUNCTION flowpilot_notify_lock_released()",
        "SELECT * FROM alembic_version",
    ],
)
async def test_the_role_cannot_rise(member: AsyncEngine, database_url: str, statement: str) -> None:
    owner = make_url(database_url).username
    with pytest.raises(DBAPIError, match=r"permission denied|must be |must have "):
        async with transaction(member, uuid4()) as db:
            await db.execute(text(statement.format(owner=owner)))


async def test_row_security_cannot_be_switched_off(
    member: AsyncEngine, colleagues: Colleagues
) -> None:
    async with transaction(member, colleagues.account_id) as db:
        await db.execute(text("SET LOCAL row_security = off"))
        with pytest.raises(DBAPIError, match="query would be affected by row-level security"):
            await db.execute(text("SELECT * FROM users"))


async def test_the_planners_statistics_show_no_values(
    member: AsyncEngine, colleagues: Colleagues, database_url: str
) -> None:
    shown = text("SELECT count(*) FROM pg_stats WHERE tablename = 'users'")
    async with as_owner(database_url) as db:
        await db.execute(text("ANALYZE users"))
        assert (await db.execute(shown)).scalar_one() > 0
    async with transaction(member, colleagues.account_id) as db:
        assert (await db.execute(shown)).scalar_one() == 0


# ------------------------------------------------------------------ the look-ups


async def test_no_other_function_works_with_its_owners_rights(database_url: str) -> None:
    rows = await read(
        database_url,
        f"""
        SELECT p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name,
               pg_get_function_result(p.oid) AS result, p.proconfig, p.provolatile::text,
               (SELECT array_agg(CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                 ELSE pg_get_userbyid(a.grantee) END || ' ' || a.privilege_type)
                  FROM aclexplode(p.proacl) a WHERE a.grantee <> p.proowner) AS granted
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE p.prosecdef AND {IS_OURS}
        """,
    )
    assert {row.name: row.result for row in rows} == LOOK_UPS
    for row in rows:
        assert row.proconfig == ["search_path=public, pg_temp"]
        assert row.provolatile == "s", "it writes nothing"
        assert row.granted == [f"{APP_ROLE} EXECUTE"]


async def test_words_are_looked_up_in_the_account_of_the_transaction_alone(
    colleagues: Colleagues, strangers: Colleagues, runtime: Runtime, database_url: str
) -> None:
    mine, theirs = new_id(), new_id()
    async with as_owner(database_url) as db:
        for account_id, key in ((colleagues.account_id, mine), (strangers.account_id, theirs)):
            await db.execute(
                text(
                    "INSERT INTO kb_articles (account_id, id, title, body, content) "
                    "VALUES (:account_id, :id, 'Tunnel', '', '{}')"
                ),
                {"account_id": account_id, "id": key},
            )
    holders = text("SELECT id FROM flowpilot_holders(ARRAY['tunnel'], 10)")
    matching = text("SELECT flowpilot_matching_articles('tunnel', 10)")
    negative = text("SELECT flowpilot_matching_articles('!nothing', 10)")
    for account_id, found in (
        (colleagues.account_id, [mine]),
        (strangers.account_id, [theirs]),
        (new_id(), []),
    ):
        async with transaction(runtime.engine, account_id) as db:
            for statement in (holders, matching, negative):
                assert list((await db.execute(statement)).scalars()) == found
    async with runtime.engine.connect() as db:  # it names no account
        for statement in (holders, matching, negative):
            assert list((await db.execute(statement)).scalars()) == []


async def _found(db: AsyncConnection, statement: Any, **given: object) -> list[Any]:
    return list((await db.execute(statement, given)).all())


async def test_an_address_finds_whoever_has_exactly_that_one(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    admin, address = client.as_(colleagues.admin), f"Who.{uuid4().hex}@desk.example"
    saved = await admin.mutate(
        "saveMember",
        "member { id }",
        email=address,
        displayName="Who",
        role="ENGINEER",
        password=MEMBER_PASSWORD,
    )
    key = await admin.mutate("createApiKey", "apiKey { id }", name="Robot", scopes=["READ"])
    service = f"key-{key['apiKey']['id'][3:]}@service.invalid"
    async with runtime.engine.connect() as db:
        (row,) = await _found(db, USER_BY_EMAIL, address=address.lower())
        assert (row.account_id, row.id) == (colleagues.account_id, UUID(saved["member"]["id"][3:]))
        for other in (address[:-1], "%" + address[1:], "%", "", None, service):
            assert await _found(db, USER_BY_EMAIL, address=other) == []
    await admin.mutate("deactivateMember", "__typename", userId=saved["member"]["id"])
    async with runtime.engine.connect() as db:
        assert await _found(db, USER_BY_EMAIL, address=address) == []


async def test_a_key_of_a_person_finds_them_inside_their_account_only(
    client: Client, colleagues: Colleagues, strangers: Colleagues, runtime: Runtime
) -> None:
    ours, lead = colleagues.account_id, colleagues.lead.key

    async def role(account_id: UUID | None, id: UUID | None) -> Role | None:
        row = await USER_BY_ID.ask(runtime.engine, account_id=account_id, id=id)
        return row and row.role

    assert await role(ours, lead) is Role.LEAD
    assert await role(ours, strangers.lead.key) is None
    assert await role(strangers.account_id, lead) is None
    assert await role(None, lead) is None
    assert await role(ours, None) is None
    await client.as_(colleagues.admin).mutate(
        "deactivateMember", "__typename", userId=colleagues.lead.id
    )
    assert await role(ours, lead) is None


async def test_a_secret_finds_its_own_row_and_none_without_it(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    admin = client.as_(colleagues.admin)
    made = await admin.mutate("createApiKey", "secret apiKey { id }", name="Robot", scopes=["READ"])
    key_id = made["apiKey"]["id"]
    row = await _key(runtime, digest(made["secret"]))
    assert (row.account_id, row.id) == (colleagues.account_id, UUID(key_id[3:]))
    for wrong in (digest("wrong"), b"", None):
        assert await _key(runtime, wrong) is None
        async with runtime.engine.connect() as db:
            assert await _found(db, REFRESH_TOKEN, hash=wrong) == []
    await admin.mutate("revokeApiKey", "__typename", apiKeyId=key_id)
    assert await _key(runtime, digest(made["secret"])) is None


async def _key(runtime: Runtime, hash: bytes | None) -> Any:
    return await API_KEY.ask(runtime.engine, hash=hash, grain=LAST_USED_GRAIN)
