"""Who is seen where, what each person has not read yet, and that one heartbeat is one statement."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from models.message import MessageState
from services.ai.scripted import Hold, ScriptedProvider
from services.ids import Kind, new_id, node_id, uuid_of
from services.presence import presence_topic
from services.runtime import Runtime
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues, Person
from tests.locks import until_waiting
from tests.tables import as_owner, event_seq, snapshot, until_idle
from tests.talk import SOON, Conversation, new_question

PRESENCE = "presence { user { id } branch { id } isAsking }"
PLACES = f"""query($id: ID!) {{ session(id: $id) {{ viewerBranch {{ id isActive }} {PRESENCE}
  branches(includeArchived: true) {{ id unreadCount }} }} }}"""
FOLLOW = f"subscription($id: ID!) {{ presenceChanged(sessionId: $id) {{ session {{ id }} {PRESENCE} }} }}"

SHIFT = text(
    "UPDATE branch_views SET seen_at = seen_at - make_interval(secs => :seconds) "
    "WHERE account_id = :account_id"
)

States = AsyncIterator[dict[str, Any]]


@pytest.fixture
def first(talk: Conversation) -> Client:
    return talk.client


@pytest.fixture
def second(talk: Conversation, client: Client) -> Client:
    return client.as_(talk.people.engineer2)


@pytest.fixture
def lead(talk: Conversation, client: Client) -> Client:
    return client.as_(talk.people.lead)


async def look(client: Client, branch: str, **given: Any) -> None:
    done = await client.mutate("lookAtBranch", "branch { id }", branchId=branch, **given)
    assert done == {"__typename": "LookAtBranchSuccess", "branch": {"id": branch}}


async def leave(client: Client, session: str) -> None:
    done = await client.mutate("leaveSession", "session { id }", sessionId=session)
    assert done == {"__typename": "LeaveSessionSuccess", "session": {"id": session}}


async def session_of(client: Client, id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.run(PLACES, id=id))["session"]
    return found


async def seen_by(client: Client, id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await session_of(client, id))["presence"]
    return found


async def place_of(client: Client, id: str) -> str | None:
    place = (await session_of(client, id))["viewerBranch"]
    return None if place is None else str(place["id"])


async def unread_of(client: Client, talk: Conversation) -> dict[str, int]:
    """By branch, those without any left out."""
    branches = (await session_of(client, talk.id))["branches"]
    return {each["id"]: each["unreadCount"] for each in branches if each["unreadCount"]}


def at(person: Person, branch: str, *, is_asking: bool = False) -> dict[str, Any]:
    return {"user": {"id": person.id}, "branch": {"id": branch}, "isAsking": is_asking}


async def pass_seconds(owner_url: str, account_id: UUID, seconds: float) -> None:
    """As if everybody had looked so much earlier."""
    async with as_owner(owner_url) as db:
        await db.execute(SHIFT, {"account_id": account_id, "seconds": seconds})


async def state(owner_url: str, account_id: UUID) -> Any:
    async with as_owner(owner_url) as db:
        return await snapshot(db, account_id), await event_seq(db, account_id)


# ------------------------------------------------------------------ a place in a session


async def test_each_person_has_a_place_of_their_own(
    talk: Conversation, first: Client, second: Client, lead: Client
) -> None:
    dns, quota = await talk.fork()
    assert await place_of(first, talk.id) is None
    await look(first, dns)
    await look(second, quota)
    await look(second, talk.trunk)
    assert await place_of(first, talk.id) == dns
    assert await place_of(second, talk.id) == talk.trunk
    assert await place_of(lead, talk.id) is None


async def test_a_place_outlasts_leaving_and_time_and_the_team_switching(
    talk: Conversation, first: Client, second: Client, database_url: str
) -> None:
    dns, quota = await talk.fork()
    await look(second, dns)
    await first.mutate("switchBranch", "branch { id }", branchId=quota)
    await leave(second, talk.id)
    await pass_seconds(database_url, talk.people.account_id, 86_400)
    found = await session_of(second, talk.id)
    assert found["viewerBranch"] == {"id": dns, "isActive": False}
    await look(second, quota)
    found = await session_of(second, talk.id)
    assert found["viewerBranch"] == {"id": quota, "isActive": True}


async def test_an_archived_branch_may_be_looked_at_and_stays_a_place(
    talk: Conversation, first: Client
) -> None:
    dns, _ = await talk.fork()
    await first.mutate("archiveBranch", "branch { id }", branchId=dns, expectedVersion=1)
    await look(first, dns)
    assert await place_of(first, talk.id) == dns


async def test_places_in_two_sessions_are_two(talk: Conversation, first: Client) -> None:
    other = await first.mutate(
        "startSession", "session { id rootBranch { id } } reply { id }", intake={"text": "Other"}
    )
    await first.answered(other["reply"]["id"])
    await look(first, talk.trunk)
    await look(first, other["session"]["rootBranch"]["id"])
    assert await place_of(first, talk.id) == talk.trunk
    assert await place_of(first, other["session"]["id"]) == other["session"]["rootBranch"]["id"]


# ------------------------------------------------------------------ who is there


async def test_others_are_seen_where_they_look_and_nobody_sees_themselves(
    talk: Conversation, first: Client, second: Client, lead: Client
) -> None:
    people = talk.people
    dns, _ = await talk.fork()
    assert await seen_by(first, talk.id) == []
    await look(lead, dns)
    await look(second, talk.trunk, isAsking=True)
    await look(first, dns)
    # by display name: Engineer, Engineer2, Lead
    assert await seen_by(first, talk.id) == [
        at(people.engineer2, talk.trunk, is_asking=True),
        at(people.lead, dns),
    ]
    assert await seen_by(second, talk.id) == [at(people.engineer, dns), at(people.lead, dns)]
    await look(second, dns)
    assert await seen_by(lead, talk.id) == [at(people.engineer, dns), at(people.engineer2, dns)]


async def test_who_leaves_is_there_no_more_until_they_look_again(
    talk: Conversation, first: Client, second: Client
) -> None:
    dns, quota = await talk.fork()
    for branch in (dns, quota):
        await look(second, branch, isAsking=True)
    await leave(second, talk.id)
    await leave(second, talk.id)
    assert await seen_by(first, talk.id) == []
    await look(second, dns)
    assert await seen_by(first, talk.id) == [at(talk.people.engineer2, dns)]


async def test_who_says_nothing_for_a_minute_is_there_no_more(
    talk: Conversation, first: Client, second: Client, database_url: str
) -> None:
    account_id = talk.people.account_id
    there = [at(talk.people.engineer2, talk.trunk)]
    await look(second, talk.trunk)
    await pass_seconds(database_url, account_id, 45)
    assert await seen_by(first, talk.id) == there
    await look(second, talk.trunk)
    await pass_seconds(database_url, account_id, 45)
    assert await seen_by(first, talk.id) == there
    await pass_seconds(database_url, account_id, 15)
    assert await seen_by(first, talk.id) == []


async def test_who_is_deactivated_is_there_no_more(
    talk: Conversation, first: Client, second: Client, client: Client
) -> None:
    await look(second, talk.trunk)
    done = await client.as_(talk.people.admin).mutate(
        "deactivateMember", "__typename", userId=talk.people.engineer2.id
    )
    assert done["__typename"] == "DeactivateMemberSuccess"
    assert await seen_by(first, talk.id) == []


async def test_another_account_sees_nobody(
    talk: Conversation, second: Client, client: Client, strangers: Colleagues, database_url: str
) -> None:
    theirs = client.as_(strangers.engineer)
    opened = await theirs.mutate(
        "startSession", "session { id rootBranch { id } } reply { id }", intake={"text": "Theirs"}
    )
    await theirs.answered(opened["reply"]["id"])
    await until_idle(database_url, strangers.account_id)
    await look(theirs, opened["session"]["rootBranch"]["id"])
    await look(second, talk.trunk)
    before = await state(database_url, talk.people.account_id)
    for name, given, id in (
        ("lookAtBranch", {"branchId": talk.trunk}, talk.trunk),
        ("leaveSession", {"sessionId": talk.id}, talk.id),
    ):
        refused = await theirs.mutate(name, "__typename", **given)
        assert (refused["__typename"], refused["id"]) == ("NotFoundError", id)
    assert await state(database_url, talk.people.account_id) == before
    assert await seen_by(client.as_(strangers.lead), opened["session"]["id"]) == [
        at(strangers.engineer, opened["session"]["rootBranch"]["id"])
    ]


# ------------------------------------------------------------------ refusals


async def test_an_api_key_has_no_place(
    talk: Conversation, second: Client, client: Client, database_url: str
) -> None:
    made = await client.as_(talk.people.admin).mutate(
        "createApiKey", "secret", name="RMM", scopes=["READ", "WRITE", "ADMIN"]
    )
    key = client.with_token(made["secret"])
    await look(second, talk.trunk)
    before = await state(database_url, talk.people.account_id)
    for name, given in (
        ("lookAtBranch", {"branchId": talk.trunk}),
        ("leaveSession", {"sessionId": talk.id}),
    ):
        assert await key.mutate(name, "__typename", **given) == {
            "__typename": "PermissionDeniedError",
            "message": "An API key looks at nothing; a person must.",
        }
    after = await state(database_url, talk.people.account_id)
    assert {**after[0], "api_keys": ""} == {**before[0], "api_keys": ""}
    assert after[1] == before[1]
    found = await session_of(key, talk.id)
    assert found["viewerBranch"] is None
    assert found["presence"] == [at(talk.people.engineer2, talk.trunk)]
    assert [each["unreadCount"] for each in found["branches"]] == [0]


@pytest.mark.parametrize(
    ("name", "field", "kind"),
    [("lookAtBranch", "branchId", Kind.BRANCH), ("leaveSession", "sessionId", Kind.SESSION)],
)
async def test_what_does_not_exist_is_not_found(
    talk: Conversation, first: Client, database_url: str, name: str, field: str, kind: Kind
) -> None:
    await look(first, talk.trunk)
    before = await state(database_url, talk.people.account_id)
    for id in (node_id(kind, new_id()), "nonsense", talk.people.lead.id):
        refused = await first.mutate(name, "__typename", **{field: id})
        assert (refused["__typename"], refused["id"]) == ("NotFoundError", id)
    assert await state(database_url, talk.people.account_id) == before


# ------------------------------------------------------------------ what is not read yet


async def test_what_others_said_is_unread_until_the_branch_is_looked_at(
    talk: Conversation, first: Client, second: Client
) -> None:
    # The trunk: the intake by the first engineer, and its analysis.
    assert await unread_of(first, talk) == {talk.trunk: 1}
    assert await unread_of(second, talk) == {talk.trunk: 2}
    await look(first, talk.trunk)
    await look(second, talk.trunk)
    assert await unread_of(first, talk) == {}
    await first.answered(await talk.ask(new_question()))
    assert await unread_of(first, talk) == {talk.trunk: 1}
    assert await unread_of(second, talk) == {talk.trunk: 2}
    await look(second, talk.trunk)
    assert await unread_of(first, talk) == {talk.trunk: 1}
    assert await unread_of(second, talk) == {}


async def test_each_branch_counts_only_what_was_said_on_it(
    talk: Conversation, first: Client, second: Client, lead: Client
) -> None:
    dns, quota = await talk.fork()
    await look(second, talk.trunk)
    for branch, questions in ((dns, 2), (quota, 1)):
        for _ in range(questions):
            await first.answered(await talk.ask(new_question(), branch))
    assert await unread_of(second, talk) == {dns: 4, quota: 2}
    assert await unread_of(lead, talk) == {talk.trunk: 2, dns: 4, quota: 2}
    await look(second, dns)
    assert await unread_of(second, talk) == {quota: 2}
    await look(first, quota)
    assert await unread_of(first, talk) == {talk.trunk: 1, dns: 2}


async def test_an_answer_counts_once_it_has_ended(
    talk: Conversation, first: Client, provider: ScriptedProvider
) -> None:
    dns, _ = await talk.fork()
    await look(first, talk.trunk)
    question = new_question()
    hold = Hold(asyncio.Event(), "It is the MX record.")
    provider.script(question, hold)
    reply = await talk.ask(question, dns)
    await look(first, dns)
    assert await unread_of(first, talk) == {}
    await look(first, talk.trunk)
    hold.event.set()
    await first.answered(reply)
    assert await unread_of(first, talk) == {dns: 1}
    await look(first, dns)
    assert await unread_of(first, talk) == {}


@pytest.mark.parametrize("ends", [MessageState.FAILED, MessageState.CANCELLED])
async def test_an_answer_that_failed_or_was_cancelled_has_ended(
    talk: Conversation, first: Client, database_url: str, ends: MessageState
) -> None:
    await look(first, talk.trunk)
    reply = await talk.ask(new_question())
    await first.answered(reply)
    statement = text("UPDATE branch_messages SET state = :state WHERE id = :id")
    async with as_owner(database_url) as db:
        await db.execute(statement, {"state": ends.value, "id": uuid_of(Kind.MESSAGE, reply)})
    assert await unread_of(first, talk) == {talk.trunk: 1}


async def test_what_was_read_stays_read_while_an_earlier_answer_is_written_anew(
    talk: Conversation, first: Client, database_url: str
) -> None:
    reply = await talk.ask(new_question())
    await first.answered(reply)
    await first.answered(await talk.ask(new_question()))
    await look(first, talk.trunk)
    statement = text("UPDATE branch_messages SET state = 'pending' WHERE id = :id")
    async with as_owner(database_url) as db:
        await db.execute(statement, {"id": uuid_of(Kind.MESSAGE, reply)})
    await look(first, talk.trunk)
    assert await unread_of(first, talk) == {}


async def test_one_branch_tells_its_own_count(
    talk: Conversation, first: Client, second: Client
) -> None:
    document = "query($id: ID!) { branch(id: $id) { unreadCount session { viewerBranch { id } } } }"
    assert (await second.run(document, id=talk.trunk))["branch"] == {
        "unreadCount": 2,
        "session": {"viewerBranch": None},
    }
    looked = await second.mutate(
        "lookAtBranch",
        "branch { unreadCount } session { id viewerBranch { id } presence { user { id } } }",
        branchId=talk.trunk,
    )
    assert looked == {
        "__typename": "LookAtBranchSuccess",
        "branch": {"unreadCount": 0},
        "session": {"id": talk.id, "viewerBranch": {"id": talk.trunk}, "presence": []},
    }


# ------------------------------------------------------------------ what it costs


async def test_a_heartbeat_is_one_statement_and_records_nothing(
    talk: Conversation, first: Client, statements: list[str], database_url: str
) -> None:
    await look(first, talk.trunk)
    rows, seq = await state(database_url, talk.people.account_id)
    statements.clear()
    for _ in range(3):
        await first.mutate("lookAtBranch", "__typename", branchId=talk.trunk)
    assert len(statements) == 3
    after, after_seq = await state(database_url, talk.people.account_id)
    assert after_seq == seq
    assert {name for name in rows if rows[name] != after[name]} == {"branch_views"}
    assert len(after["branch_views"].splitlines()) == 1


async def test_looking_waits_for_nobody_who_changes_the_session(
    talk: Conversation, first: Client, database_url: str
) -> None:
    lock = text("SELECT FROM ai_sessions WHERE id = :id FOR NO KEY UPDATE")
    async with asyncio.timeout(SOON), as_owner(database_url) as db:
        await db.execute(lock, {"id": uuid_of(Kind.SESSION, talk.id)})
        await look(first, talk.trunk)
        await leave(first, talk.id)


# ------------------------------------------------------------------ at once


async def test_many_looks_of_one_person_at_once_leave_one_place(
    talk: Conversation, first: Client, second: Client, database_url: str
) -> None:
    dns, quota = await talk.fork()
    await asyncio.gather(*(look(second, branch) for branch in (dns, quota, talk.trunk) * 5))
    place = await place_of(second, talk.id)
    assert await seen_by(first, talk.id) == [at(talk.people.engineer2, place or "")]
    statement = text("SELECT count(*) FROM branch_views WHERE account_id = :account_id")
    async with as_owner(database_url) as db:
        given = {"account_id": talk.people.account_id}
        assert (await db.execute(statement, given)).scalar_one() == 3


async def test_two_first_looks_that_collide_are_both_answered(
    talk: Conversation, first: Client, second: Client, database_url: str
) -> None:
    """They wait for the same row, which a third transaction has begun to make."""
    row = text(
        """INSERT INTO branch_views (account_id, user_id, branch_id, session_id, read_position, is_asking)
           VALUES (:account_id, :user_id, :branch_id, :session_id, 1, true)"""
    )
    given = {
        "account_id": talk.people.account_id,
        "user_id": talk.people.engineer2.key,
        "branch_id": uuid_of(Kind.BRANCH, talk.trunk),
        "session_id": uuid_of(Kind.SESSION, talk.id),
    }
    async with as_owner(database_url) as db:
        await db.execute(row, given)
        looks = [asyncio.ensure_future(look(second, talk.trunk)) for _ in range(2)]
        await until_waiting(db, 2)
    await asyncio.gather(*looks)
    assert await seen_by(first, talk.id) == [at(talk.people.engineer2, talk.trunk)]
    assert await unread_of(second, talk) == {}


# ------------------------------------------------------------------ presenceChanged


async def next_of(states: States) -> list[dict[str, Any]]:
    async with asyncio.timeout(SOON):
        found: list[dict[str, Any]] = (await anext(states))["presenceChanged"]["presence"]
    return found


async def test_a_follower_is_told_the_state_and_then_each_change(
    talk: Conversation, first: Client, second: Client, lead: Client
) -> None:
    people = talk.people
    dns, _ = await talk.fork()
    await look(lead, dns)
    async with first.subscribe(FOLLOW, id=talk.id) as states:
        told = [await next_of(states)]
        steps = (
            lambda: look(second, talk.trunk),
            lambda: look(second, talk.trunk, isAsking=True),
            lambda: look(second, dns),
            lambda: leave(lead, talk.id),
            lambda: look(lead, dns),
        )
        for step in steps:
            await step()
            told.append(await next_of(states))
    assert told == [
        [at(people.lead, dns)],
        [at(people.engineer2, talk.trunk), at(people.lead, dns)],
        [at(people.engineer2, talk.trunk, is_asking=True), at(people.lead, dns)],
        [at(people.engineer2, dns), at(people.lead, dns)],
        [at(people.engineer2, dns)],
        [at(people.engineer2, dns), at(people.lead, dns)],
    ]


async def test_nothing_is_told_twice_nor_of_oneself(
    talk: Conversation, first: Client, second: Client, runtime: Runtime
) -> None:
    dns, _ = await talk.fork()
    await look(second, dns)
    async with first.subscribe(FOLLOW, id=talk.id) as states:
        told = [await next_of(states)]
        await look(first, dns)
        await look(second, dns)
        runtime.bus.wake(presence_topic(uuid_of(Kind.SESSION, talk.id)))
        await look(second, dns, isAsking=True)
        told.append(await next_of(states))
        await leave(first, talk.id)
        await leave(second, talk.id)
        told.append(await next_of(states))
    engineer2 = talk.people.engineer2
    assert told == [[at(engineer2, dns)], [at(engineer2, dns, is_asking=True)], []]


async def test_only_what_others_see_wakes_followers(
    talk: Conversation, first: Client, runtime: Runtime, database_url: str
) -> None:
    dns, _ = await talk.fork()
    topic = presence_topic(uuid_of(Kind.SESSION, talk.id))
    with runtime.bus.listen(topic) as hints:

        async def wakes(branch: str, *, is_asking: bool = False) -> bool:
            hints._woken.clear()
            await look(first, branch, isAsking=is_asking)
            return hints._woken.is_set()

        assert await wakes(dns)
        assert not await wakes(dns)
        assert await wakes(dns, is_asking=True)
        assert not await wakes(dns, is_asking=True)
        assert await wakes(talk.trunk)
        assert await wakes(dns)
        await leave(first, talk.id)
        assert await wakes(dns)
        await pass_seconds(database_url, talk.people.account_id, 61)
        assert await wakes(dns)


async def test_who_vanishes_without_leaving_is_gone_after_a_minute(
    talk: Conversation, first: Client, second: Client, database_url: str
) -> None:
    await look(second, talk.trunk)
    async with first.subscribe(FOLLOW, id=talk.id) as states:
        told = [await next_of(states)]
        await pass_seconds(database_url, talk.people.account_id, 61)
        told.append(await next_of(states))
    assert told == [[at(talk.people.engineer2, talk.trunk)], []]


async def test_followers_of_other_sessions_and_accounts_hear_nothing(
    talk: Conversation, first: Client, second: Client, client: Client, strangers: Colleagues
) -> None:
    theirs = client.as_(strangers.engineer)
    opened = await theirs.mutate(
        "startSession", "session { id rootBranch { id } } reply { id }", intake={"text": "Theirs"}
    )
    await theirs.answered(opened["reply"]["id"])
    session, trunk = opened["session"]["id"], opened["session"]["rootBranch"]["id"]
    async with theirs.subscribe(FOLLOW, id=session) as states:
        told = [await next_of(states)]
        await look(second, talk.trunk)
        await look(client.as_(strangers.lead), trunk)
        told.append(await next_of(states))
    assert told == [[], [at(strangers.lead, trunk)]]
    for id in (talk.id, node_id(Kind.SESSION, new_id()), "nonsense"):
        async with theirs.subscribe(FOLLOW, id=id) as states:
            with pytest.raises(GraphQLFailure) as caught:
                await next_of(states)
            assert caught.value.code == "NOT_FOUND"


async def test_a_deactivated_follower_is_told_nothing_more(
    talk: Conversation, first: Client, second: Client, client: Client
) -> None:
    """Whichever comes first: the end of the socket, or that of the subscription."""
    async with second.socket() as socket:
        states = socket.follow(FOLLOW, id=talk.id)
        assert await next_of(states) == []
        await client.as_(talk.people.admin).mutate(
            "deactivateMember", "__typename", userId=talk.people.engineer2.id
        )
        await look(first, talk.trunk)
        with pytest.raises(Exception, match=r"4403|UNAUTHENTICATED"):
            await next_of(states)


async def test_a_follower_who_leaves_is_forgotten(
    talk: Conversation, first: Client, runtime: Runtime
) -> None:
    topic = presence_topic(uuid_of(Kind.SESSION, talk.id))
    async with first.subscribe(FOLLOW, id=talk.id) as states:
        assert await next_of(states) == []
        assert topic in runtime.bus._listeners
    async with asyncio.timeout(SOON):
        while topic in runtime.bus._listeners:
            await first.run("{ viewer { user { id } } }")  # asking lets the server's tasks go on
