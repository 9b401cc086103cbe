"""An account goes with everything it has, and no other account notices."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services import batches, removal
from services.ids import Kind, new_id, node_id, uuid_of
from services.removal import Found, delete_account, find_accounts
from services.runtime import Runtime
from tests.client import Client, GraphQLFailure
from tests.factories import make_account
from tests.tables import TENANT_TABLES, as_owner, snapshot
from tests.worlds import MEMBER_PASSWORD, World, build_world

SOON = 20
FOLLOW = "subscription { sessionsChanged { ... on Event { cursor } } }"
VIEWER = "{ viewer { user { id } } }"

NOT_MADE_BY_THE_API = """
    INSERT INTO session_resolution_outputs (account_id, id, session_id, output_type)
    VALUES (:account_id, :id, :session_id, 'client_summary');
    INSERT INTO resolution_revisions (account_id, output_id, version, content, author_id)
    VALUES (:account_id, :id, 1, 'Mail is back', :user_id);
    INSERT INTO file_uploads
           (account_id, id, session_id, uploaded_on_branch_id, uploaded_at_step_id, filename,
            content_type, byte_size, sha256, uploaded_by)
    VALUES (:account_id, :id, :session_id, :branch_id, :step_id, 'a.log', 'text/plain', 1, 'x',
            :user_id);
    INSERT INTO message_attachments (account_id, message_id, ordinal, upload_id)
    VALUES (:account_id, :message_id, 1, :id);
    INSERT INTO upload_previews (account_id, upload_id, media_type, content)
    VALUES (:account_id, :id, 'image/png', 'x');
    INSERT INTO message_chunks (account_id, message_id, attempt, start, body)
    VALUES (:account_id, :message_id, 1, 0, 'Mail');
    INSERT INTO kb_articles (account_id, id, title, body, content, source_session_id)
    VALUES (:account_id, :id, 'Mail', 'Mail', '{}', :session_id);
    INSERT INTO procrastinate_jobs (task_name, queue_name, status, scheduled_at, args)
    VALUES ('a_task', 'nobody_works_on_it', 'todo', now() + interval '1 day',
            jsonb_build_object('account_id', CAST(:account_id AS text)))
"""


async def fill_rest(db: AsyncConnection, world: World) -> None:
    """Rows in the tables that no request fills yet."""
    values = {
        "account_id": world.people.account_id,
        "user_id": world.people.admin.key,
        "session_id": uuid_of(Kind.SESSION, world.session),
        "branch_id": uuid_of(Kind.BRANCH, world.active),
        "message_id": uuid_of(Kind.MESSAGE, world.evidence),
        "step_id": uuid_of(Kind.STEP, world.step),
        "id": new_id(),
    }
    for statement in NOT_MADE_BY_THE_API.split(";"):
        bound = text(statement)
        needed = {name: values[name] for name in bound.compile().params}
        if "CAST" in statement:
            needed["account_id"] = str(world.people.account_id)
        await db.execute(bound, needed)


@pytest.fixture
async def worlds(address: tuple[str, Runtime], database_url: str) -> tuple[World, World]:
    async with Client(address[0]) as client:
        first, second = [
            await build_world(client, database_url, await make_account(address[1], database_url))
            for _ in range(2)
        ]
    async with as_owner(database_url) as db:
        for world in (first, second):
            await fill_rest(db, world)
            filled = await snapshot(db, world.people.account_id)
            assert {name for name, rows in filled.items() if rows} == {
                "accounts", "procrastinate_jobs", *TENANT_TABLES,
            }  # fmt: skip
    return first, second


async def test_every_table_is_emptied_of_one_account_and_of_no_other(
    worlds: tuple[World, World], client: Client, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "ROWS_AT_ONCE", 3)
    monkeypatch.setattr(removal, "SESSIONS_AT_ONCE", 1)
    doomed, neighbour = worlds
    account_id, other_id = doomed.people.account_id, neighbour.people.account_id
    async with as_owner(database_url) as db:
        before = await snapshot(db, other_id)
    told: dict[str, int] = {}
    await delete_account(
        database_url, account_id, lambda table, rows: told.setdefault(table, rows) and None
    )
    async with as_owner(database_url) as db:
        left = await snapshot(db, account_id)
        assert {name: rows for name, rows in left.items() if rows} == {}
        assert await snapshot(db, other_id) == before
    assert told["accounts"] == 1
    assert told["branch_messages"] > 3
    assert told["jobs"] == 1
    assert await find_accounts(database_url, node_id(Kind.ACCOUNT, account_id)) == []
    viewer = await client.as_(neighbour.people.admin).run(VIEWER)
    assert viewer["viewer"]["user"]["id"] == neighbour.admin


async def test_everybody_is_shut_out_before_anything_goes(
    worlds: tuple[World, World], client: Client, database_url: str
) -> None:
    doomed, neighbour = worlds
    account_id = doomed.people.account_id

    class Stop(Exception):
        pass

    def stop(table: str, _: int) -> None:
        if table == "branch_messages":
            raise Stop

    admin = client.as_(doomed.people.admin)
    other = client.as_(neighbour.people.admin)
    async with admin.socket() as socket, other.socket() as stays:
        for each in (socket, stays):
            payload = {"query": FOLLOW, "variables": {}}
            await each.send({"id": "1", "type": "subscribe", "payload": payload})
        with pytest.raises(Stop):
            await delete_account(database_url, account_id, stop)
        async with asyncio.timeout(SOON):
            await socket.connection.wait_closed()
        assert socket.connection.close_code == 4403
        await stays.send({"type": "ping"})
        assert await stays.receive() == {"type": "pong"}
    for token in (doomed.people.admin.token, doomed.secret):
        with pytest.raises(GraphQLFailure) as refusal:
            await client.with_token(token).run(VIEWER)
        assert refusal.value.code == "UNAUTHENTICATED"
    refused = await client.mutate(
        "refreshTokens", "tokens { accessToken }", refreshToken=doomed.refresh_token
    )
    assert refused["__typename"] == "PermissionDeniedError"
    email = f"{doomed.mark}@desk.example"
    refused = await client.mutate(
        "signIn", "tokens { accessToken }", email=email, password=MEMBER_PASSWORD
    )
    assert refused["__typename"] == "PermissionDeniedError"

    async with as_owner(database_url) as db:
        half = await snapshot(db, account_id)
        assert half["accounts"]
        assert not half["branch_messages"]
        assert half["ai_sessions"]
    await delete_account(database_url, account_id, lambda *_: None)
    async with as_owner(database_url) as db:
        assert not any((await snapshot(db, account_id)).values())


async def test_an_account_is_found_by_its_id_however_written_and_by_its_whole_name(
    runtime: Runtime, database_url: str
) -> None:
    people = await make_account(runtime, database_url)
    name = f"MSP {people.account_id.hex}"
    async with as_owner(database_url) as db:
        statement = text("UPDATE accounts SET name = :name WHERE id = :id")
        await db.execute(statement, {"name": name, "id": people.account_id})
    found = [Found(people.account_id, name)]
    for spelling in (
        node_id(Kind.ACCOUNT, people.account_id),
        str(people.account_id),
        people.account_id.hex,
        name,
    ):
        assert await find_accounts(database_url, spelling) == found
    for spelling in (name[:-1], "%", node_id(Kind.TEAM, people.account_id), str(UUID(int=0)), ""):
        assert await find_accounts(database_url, spelling) == []


async def test_batches_end_when_nothing_is_left(runtime: Runtime, database_url: str) -> None:
    people = await make_account(runtime, database_url)
    statement = text(
        "DELETE FROM users WHERE id IN "
        "(SELECT id FROM users WHERE account_id = :account_id LIMIT :size)"
    )
    async with batches.owner_engine(database_url) as engine:
        values: dict[str, object] = {"account_id": people.account_id}
        assert await batches.in_batches(engine, statement, values, size=2) == 4
        assert await batches.in_batches(engine, statement, values, size=2) == 0
