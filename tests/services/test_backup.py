"""A backup restored elsewhere is the same FlowPilot: same answers, same log, same walls."""

import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from app import create_app
from cli import migrate
from services.backup import FEED_STEP, TABLES, BackupFailed, back_up, restore
from services.database import connect_pool, sync_url, transaction
from services.feed import encode_cursor
from services.runtime import Runtime
from services.schema_revision import State
from settings import Settings
from tests.client import Client
from tests.conftest import SECRET, served
from tests.factories import make_account
from tests.tables import as_owner, event_seq, snapshot
from tests.worlds import World, build_world

TREE = """
query($id: ID!, $trunk: ID!, $active: ID!) {
  session(id: $id) {
    id status
    branches(includeArchived: true) { id label status depth version }
  }
  trunk: node(id: $trunk) { ...Messages }
  active: node(id: $active) { ...Messages }
  sessions(first: 20) { edges { node { id status } } eventCursor }
  queue(first: 20) { edges { node { id } } }
}
fragment Messages on Branch { messages(first: 50) { edges { node { id role body state } } } }
"""
FOLLOW = """
subscription($id: ID!, $after: String) {
  sessionChanged(sessionId: $id, after: $after) {
    __typename ... on Event { cursor } ... on BranchUpdated { branch { label } }
  }
}
"""


async def ask_tree(client: Client, world: World) -> dict[str, Any]:
    return await client.run(TREE, id=world.session, trunk=world.trunk, active=world.active)


@dataclass(frozen=True)
class Saved:
    world: World
    file: Path
    rows: Any
    tree: Any
    seq: int


@pytest.fixture(scope="module")
async def saved(
    address: tuple[str, Runtime], database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Saved:
    file = tmp_path_factory.mktemp("backup") / "flowpilot.dump"
    async with Client(address[0]) as client:
        world = await build_world(
            client, database_url, await make_account(address[1], database_url)
        )
        assert back_up(database_url, file) == file.stat().st_size
        tree = await ask_tree(client.as_(world.people.admin), world)
    async with as_owner(database_url) as db:
        rows = await snapshot(db, world.people.account_id)
        seq = await event_seq(db, world.people.account_id)
    return Saved(world, file, rows, tree, seq)


@pytest.fixture(scope="module")
def restored_url(saved: Saved, make_database: Callable[[str], str]) -> str:
    url = make_database("restored")
    assert restore(url, saved.file) is State.CURRENT
    return url


@pytest.fixture
async def restored(restored_url: str, tmp_path: Path, saved: Saved) -> AsyncIterator[Client]:
    settings = Settings(data_dir=tmp_path, secret_key=SECRET, pool_size=5)
    async with (
        served(create_app(settings, restored_url)) as host,
        Client(host) as client,
    ):
        yield client.as_(saved.world.people.admin)


async def test_the_restored_server_goes_on_where_the_backup_was_made(
    saved: Saved, restored: Client, restored_url: str
) -> None:
    account_id = saved.world.people.account_id
    async with as_owner(restored_url) as db:
        assert await snapshot(db, account_id) == saved.rows
    assert await ask_tree(restored, saved.world) == saved.tree

    cursor = saved.tree["sessions"]["eventCursor"]
    assert cursor == encode_cursor(account_id, saved.seq)
    made = await restored.mutate(
        "renameBranch",
        "branch { label version }",
        branchId=saved.world.renamed,
        label="After the restore",
        expectedVersion=saved.world.versions[saved.world.renamed],
    )
    assert made["branch"]["label"] == "After the restore"
    sent = await restored.mutate(
        "sendBranchMessage", "reply { id }", branchId=saved.world.trunk, body="Still there?"
    )
    await restored.answered(sent["reply"]["id"])  # jobs get numbers that nobody has
    async with restored.subscribe(FOLLOW, id=saved.world.session, after=cursor) as events:
        first = (await anext(events))["sessionChanged"]
    assert first == {
        "__typename": "BranchUpdated",
        "cursor": encode_cursor(account_id, saved.seq + 1),
        "branch": {"label": "After the restore"},
    }


async def test_the_wall_stands_in_the_restored_database(saved: Saved, restored_url: str) -> None:
    engine = connect_pool(restored_url, size=2)
    try:
        async with transaction(engine, saved.world.people.account_id) as db:
            seen = set((await db.execute(text("SELECT id FROM accounts"))).scalars())
            assert seen == {saved.world.people.account_id}
        async with engine.connect() as db:
            assert (await db.execute(text("SELECT count(*) FROM ai_sessions"))).scalar_one() == 0
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with transaction(engine, saved.world.people.account_id) as db:
                await db.execute(text("DELETE FROM events"))
    finally:
        await engine.dispose()


def rules(url: str) -> set[tuple[str, ...]]:
    """Owners, grants, policies, triggers and functions."""
    statement = text(
        """
        SELECT 'table', relname::text, pg_get_userbyid(relowner)::text, relacl::text,
               relrowsecurity::text
          FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'policy', polrelid::regclass::text, polname::text,
               pg_get_expr(polqual, polrelid), polcmd::text FROM pg_policy
        UNION ALL
        SELECT 'function', proname::text, pg_get_functiondef(oid), proacl::text, proowner::text
          FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'trigger', tgrelid::regclass::text, tgname::text, pg_get_triggerdef(oid), ''
          FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL
        SELECT 'constraint', conrelid::regclass::text, conname::text, convalidated::text,
               CASE contype WHEN 'c' THEN '' -- parsed again it is written otherwise
                            ELSE pg_get_constraintdef(oid) END
          FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        """
    )
    engine = create_engine(sync_url(url))
    with engine.connect() as db:
        found = {tuple(row) for row in db.execute(statement)}
    engine.dispose()
    return found


def test_rules_are_those_of_a_migrated_database(
    restored_url: str, make_database: Callable[[str], str]
) -> None:
    fresh = make_database("rules")
    migrate(fresh)
    assert rules(restored_url) == rules(fresh)


async def test_feeds_that_are_reset_tell_every_client_to_query_again(
    saved: Saved, make_database: Callable[[str], str], tmp_path: Path
) -> None:
    url = make_database("lost")
    restore(url, saved.file, reset_feeds=True)
    account_id = saved.world.people.account_id
    settings = Settings(data_dir=tmp_path, secret_key=SECRET, pool_size=5)
    async with served(create_app(settings, url)) as host, Client(host) as client:
        admin = client.as_(saved.world.people.admin)
        for seen in (saved.seq, saved.seq + 40):  # the second was given, and then lost
            cursor = encode_cursor(account_id, seen)
            async with admin.subscribe(FOLLOW, id=saved.world.session, after=cursor) as events:
                assert [event["sessionChanged"] async for event in events] == [
                    {
                        "__typename": "FeedReset",
                        "cursor": encode_cursor(account_id, saved.seq + FEED_STEP),
                    }
                ]


def counts(url: str) -> tuple[int, int]:
    engine = create_engine(sync_url(url))
    with engine.connect() as db:
        row = db.execute(
            text("SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM branch_messages)")
        ).one()
    engine.dispose()
    return (row[0], row[1])


def test_a_database_that_holds_something_is_replaced_only_when_told(
    saved: Saved, restored_url: str, make_database: Callable[[str], str]
) -> None:
    url = make_database("held")
    migrate(url)
    with pytest.raises(BackupFailed, match=r"The database is not empty, it holds \d+ tables"):
        restore(url, saved.file)
    assert counts(url) == (0, 0)
    restore(url, saved.file, replace=True)
    assert counts(url)[0] >= 1
    assert rules(url) == rules(restored_url)


def test_a_restore_that_fails_leaves_what_was_there(
    saved: Saved, make_database: Callable[[str], str], tmp_path: Path
) -> None:
    url = make_database("broken")
    restore(url, saved.file)
    before = counts(url)
    cut = tmp_path / "cut.dump"
    cut.write_bytes(saved.file.read_bytes()[:-2000])
    with pytest.raises(BackupFailed):
        restore(url, cut, replace=True)
    assert counts(url) == before


def test_a_database_in_use_is_left_alone(saved: Saved, make_database: Callable[[str], str]) -> None:
    url = make_database("used")
    engine = create_engine(sync_url(url))
    with (
        engine.connect(),
        pytest.raises(BackupFailed, match="1 other connections use the database"),
    ):
        restore(url, saved.file)
    engine.dispose()


def test_files_that_are_no_backup_or_are_there_are_told(
    saved: Saved, make_database: Callable[[str], str], tmp_path: Path
) -> None:
    url = make_database("told")
    with pytest.raises(BackupFailed, match="holds no FlowPilot yet"):
        back_up(url, tmp_path / "none.dump")
    with pytest.raises(BackupFailed, match="There is no file"):
        restore(url, tmp_path / "none.dump")
    text_file = tmp_path / "letter.txt"
    text_file.write_text("Dear reader")
    with pytest.raises(BackupFailed, match="does not appear to be a valid archive"):
        restore(url, text_file)
    migrate(url)
    with pytest.raises(BackupFailed, match="is there already"):
        back_up(url, text_file)
    assert text_file.read_text() == "Dear reader"
    with pytest.raises(BackupFailed, match="cannot be written"):
        back_up(url, tmp_path / "no folder" / "file.dump")


def test_a_backup_of_a_newer_version_is_refused(
    make_database: Callable[[str], str], tmp_path: Path
) -> None:
    newer, empty = make_database("newer"), make_database("unfilled")
    migrate(newer)
    engine = create_engine(sync_url(newer))
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    file = tmp_path / "newer.dump"
    back_up(newer, file)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BackupFailed, match="made by a newer FlowPilot"):
        restore(empty, file)
    engine = create_engine(sync_url(empty))
    with engine.connect() as db:
        assert db.execute(TABLES).scalar_one() == 0
    engine.dispose()


def test_the_password_is_not_among_the_arguments_that_everybody_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_database: Callable[[str], str]
) -> None:
    url = make_database("hidden")
    migrate(url)
    password = make_url(url).password or "geheim @1"  # which the embedded server does not ask for
    url = make_url(url).set(password=password).render_as_string(hide_password=False)
    calls: list[tuple[list[str], dict[str, str]]] = []
    popen = subprocess.Popen.__init__

    def remember(self: Any, words: Any, **options: Any) -> None:
        calls.append(([str(word) for word in words], options.get("env") or {}))
        popen(self, words, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", remember)
    back_up(url, tmp_path / "hidden.dump")
    restore(url, tmp_path / "hidden.dump", replace=True)
    with_database = [call for call in calls if any("--dbname" in word for word in call[0])]
    assert len(with_database) == 2
    for words, environment in with_database:
        assert not any(password in word for word in words)
        assert environment["PGPASSWORD"] == password
