"""Whoever asks for a tree is let in by the statement that reads it, with the rights of that moment."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from models.account import Role
from services import authentication
from services.access import SCOPES_OF, Actor
from services.authentication import presume
from services.errors import Unauthenticated
from services.ids import Kind, uuid_of
from services.runtime import Runtime
from services.session_tree import with_tree
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues, Person
from tests.tables import as_owner, event_seq, snapshot
from tests.talk import Conversation

TREE = "query Tree($id: ID!) { session(id: $id) { id rootBranch { label children { label } } } }"
TWICE = """query T($id: ID!) { a: session(id: $id) { ...T } b: session(id: $id) { ...T } }
fragment T on AiSession { rootBranch { id } }"""
ASKS, READS = "flowpilot_user_by_id", "flowpilot_enter"


@pytest.fixture
def asked(runtime: Runtime) -> Iterator[list[str]]:
    """Each statement that clients cause: who calls, the tree, or its first word."""
    seen: list[str] = []

    def remember(*arguments: Any) -> None:
        sql = arguments[2]
        if "procrastinate" not in sql:
            seen.append(next((name for name in (ASKS, READS) if name in sql), sql.split()[0]))

    engine = runtime.engine.sync_engine
    event.listen(engine, "before_cursor_execute", remember)
    yield seen
    event.remove(engine, "before_cursor_execute", remember)


async def known(client: Client, session_id: str) -> dict[str, Any]:
    """A document is kept when it has come twice; from then on its caller is presumed."""
    for _ in range(2):
        answer = await client.run(TREE, id=session_id)
    return answer


async def refusal(client: Client, document: str, **variables: Any) -> tuple[str, str]:
    body = (await client.post(document, variables)).json()
    (error,) = body["errors"]
    assert not any((body.get("data") or {}).values())
    return error["extensions"]["code"], error["message"]


async def deactivate(database_url: str, person: Person) -> None:
    """Past the API, which would tell every server."""
    async with as_owner(database_url) as db:
        statement = text("UPDATE users SET deactivated_at = now() WHERE id = :id")
        await db.execute(statement, {"id": person.key})


async def set_role(database_url: str, person: Person, role: Role) -> None:
    async with as_owner(database_url) as db:
        statement = text("UPDATE users SET role = :role WHERE id = :id")
        await db.execute(statement, {"id": person.key, "role": role})


GONE = ("UNAUTHENTICATED", authentication.WRONG_TOKEN)


async def test_a_tree_is_one_statement_with_the_question_who_calls(
    talk: Conversation, asked: list[str]
) -> None:
    await talk.fork()
    first = await known(talk.client, talk.id)
    asked.clear()
    assert await talk.client.run(TREE, id=talk.id) == first
    assert asked == [READS]
    assert len(first["session"]["rootBranch"]["children"]) == 2


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("query T($id: ID!) { session(id: $id) { id status } }", [ASKS, "SELECT"]),
        ("query T($id: ID!) { session(id: $id) { rootBranch { id } } __typename }", [ASKS, READS]),
        (TWICE, [ASKS, READS, READS]),
        ("query T($id: ID!) { ...F } fragment F on Query { session(id: $id) { id } }", [ASKS, "SELECT"]),
        ("query T($id: ID!) { session(id: $id) @skip(if: true) { id } }", [ASKS]),
        ("query T($id: ID!) { node(id: $id) { id } }", [ASKS, "SELECT"]),
    ],
    ids=["no tree", "more than it", "twice", "in a fragment", "skipped", "another field"],
)  # fmt: skip
async def test_for_whatever_else_is_asked_who_calls_is_asked_first(
    talk: Conversation, asked: list[str], document: str, expected: list[str]
) -> None:
    for _ in range(3):
        asked.clear()
        await talk.client.run(document, id=talk.id)
        assert asked == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"id": "xxx"}, [ASKS]),
        ({"id": []}, [ASKS]),
        ({}, [ASKS]),
        ({"id": "br_00000000000070008000000000000000"}, [ASKS]),
        ({"id": "se_00000000000070008000000000000000"}, [READS]),
    ],
)
async def test_what_finds_nothing_is_run_once_all_the_same(
    talk: Conversation,
    asked: list[str],
    caplog: pytest.LogCaptureFixture,
    variables: dict[str, Any],
    expected: list[str],
) -> None:
    await known(talk.client, talk.id)
    asked.clear()
    with caplog.at_level(logging.INFO, "flowpilot.operations"):
        body = (await talk.client.post(TREE, variables)).json()
    assert not any((body.get("data") or {}).values())
    assert asked == expected
    assert [record.message for record in caplog.records] == ["operation"]


async def test_somebody_shut_out_reads_nothing_more(
    talk: Conversation, client: Client, colleagues: Colleagues, database_url: str
) -> None:
    lead = client.as_(colleagues.lead)
    before = await known(lead, talk.id)
    await known(talk.client, talk.id)
    await deactivate(database_url, colleagues.engineer)
    for _ in range(3):
        assert await refusal(talk.client, TREE, id=talk.id) == GONE
    assert await refusal(talk.client, "{ viewer { user { id } } }") == GONE
    assert await lead.run(TREE, id=talk.id) == before


async def test_somebody_shut_out_changes_nothing_more(
    talk: Conversation, colleagues: Colleagues, database_url: str
) -> None:
    await known(talk.client, talk.id)
    await deactivate(database_url, colleagues.engineer)
    async with as_owner(database_url) as db:
        before = await snapshot(db, colleagues.account_id)
        seq = await event_seq(db, colleagues.account_id)
    for _ in range(3):
        with pytest.raises(GraphQLFailure) as refused:
            await talk.client.mutate(
                "startSession", "session { id }", intake={"text": "The VPN drops"}
            )
        assert refused.value.code == "UNAUTHENTICATED"
    async with as_owner(database_url) as db:
        assert await snapshot(db, colleagues.account_id) == before
        assert await event_seq(db, colleagues.account_id) == seq


async def test_a_new_role_is_found_out_and_counts_at_once(
    talk: Conversation, colleagues: Colleagues, database_url: str, asked: list[str]
) -> None:
    answer = await known(talk.client, talk.id)
    await set_role(database_url, colleagues.engineer, Role.LEAD)
    asked.clear()
    assert await talk.client.run(TREE, id=talk.id) == answer
    assert asked == [READS, ASKS, READS]
    asked.clear()
    assert await talk.client.run(TREE, id=talk.id) == answer
    assert asked == [READS]
    viewer = "{ viewer { user { role } } }"
    assert await talk.client.run(viewer) == {"viewer": {"user": {"role": "LEAD"}}}


async def test_nobody_is_answered_after_they_were_shut_out(
    talk: Conversation, client: Client, colleagues: Colleagues
) -> None:
    """Many ask while it happens: each is answered or refused, and nobody who asks after it is answered."""
    admin = client.as_(colleagues.admin)
    expected = await known(talk.client, talk.id)
    shut_out = asyncio.Event()

    async def ask() -> list[bool]:
        """Whether what was asked after they were shut out was answered."""
        late: list[bool] = []
        while len(late) < 3:
            after = shut_out.is_set()
            body = (await talk.client.post(TREE, {"id": talk.id})).json()
            assert body["data"] in (expected, {"session": None})
            assert (body["data"] == expected) is ("errors" not in body)
            if after:
                late.append("errors" not in body)
        return late

    async def shut() -> None:
        await admin.mutate("deactivateMember", "member { id }", userId=colleagues.engineer.id)
        shut_out.set()

    *late, _ = await asyncio.gather(*(ask() for _ in range(8)), shut())
    assert late == [[False] * 3] * 8


async def test_a_second_account_finds_nothing_of_the_first(
    talk: Conversation, client: Client, strangers: Colleagues, asked: list[str]
) -> None:
    stranger = client.as_(strangers.admin)
    await known(talk.client, talk.id)
    assert await known(stranger, talk.id) == {"session": None}
    asked.clear()
    assert await stranger.run(TREE, id=talk.id) == {"session": None}
    assert asked == [READS]


async def test_a_key_reads_the_tree_with_rights_of_its_own(
    talk: Conversation, client: Client, colleagues: Colleagues
) -> None:
    admin = client.as_(colleagues.admin)
    made = await admin.mutate("createApiKey", "secret apiKey { id }", name="Robot", scopes=["READ"])
    robot = client.with_token(made["secret"])
    assert await known(robot, talk.id) == await known(talk.client, talk.id)
    await admin.mutate("revokeApiKey", "apiKey { id }", apiKeyId=made["apiKey"]["id"])
    assert await refusal(robot, TREE, id=talk.id) == GONE


async def test_the_wall_stands_whoever_enters(
    talk: Conversation, runtime: Runtime, colleagues: Colleagues, strangers: Colleagues
) -> None:
    """Without an active person of that account nothing is said of it."""
    key = uuid_of(Kind.SESSION, talk.id)

    def actor(account_id: Any, person: Person) -> Actor:
        role = Role.ADMIN
        return Actor(account_id, person.key, role, SCOPES_OF[role], person.key, None)

    own = await with_tree(runtime, actor(colleagues.account_id, colleagues.admin), key)
    assert own.role is Role.ADMIN
    assert own.view is not None
    other = await with_tree(runtime, actor(strangers.account_id, strangers.admin), key)
    assert other == (Role.ADMIN, None)
    with pytest.raises(Unauthenticated):
        await with_tree(runtime, actor(colleagues.account_id, strangers.admin), key)


async def test_nobody_is_presumed_after_their_token_has_ended(
    talk: Conversation, runtime: Runtime, colleagues: Colleagues
) -> None:
    await known(talk.client, talk.id)
    token = colleagues.engineer.token
    actor = presume(runtime, token)
    assert actor is not None
    assert (actor.user_id, actor.role) == (colleagues.engineer.key, Role.ENGINEER)
    for seconds, presumed in ((0, False), (60, True)):
        ends = datetime.now(UTC) + timedelta(seconds=seconds)
        runtime.presumed[token] = replace(actor, expires_at=ends)
        assert (presume(runtime, token) is not None) is presumed


async def test_few_are_remembered(
    talk: Conversation,
    runtime: Runtime,
    client: Client,
    colleagues: Colleagues,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime.presumed.clear()
    monkeypatch.setattr(authentication, "PRESUMED", 1)
    for person in (colleagues.engineer, colleagues.lead):
        await client.as_(person).run(TREE, id=talk.id)
        assert list(runtime.presumed) == [person.token]
