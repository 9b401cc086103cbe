"""Who is seen where, what each person has not read yet, and that one heartbeat is one statement."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text
from websockets.exceptions import ConnectionClosed

from models.account import Role, User
from models.message import MessageState
from models.presence import BranchView
from schema.transport import sockets
from services.ai.scripted import Hold, ScriptedProvider
from services.ids import Kind, new_id, node_id, uuid_of
from services.presence import presence_topic
from services.runtime import Runtime
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues, Person
from tests.graphql.test_query_counts import grown, nested
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
    await look(second, talk.trunk)
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


async def test_no_more_than_fifty_are_shown_and_the_viewer_is_none_of_them(
    talk: Conversation, first: Client, lead: Client, database_url: str
) -> None:
    account_id = talk.people.account_id
    crowd = [(new_id(), f"Crowd {number:02}") for number in range(52)]
    place = {
        "account_id": account_id,
        "session_id": uuid_of(Kind.SESSION, talk.id),
        "branch_id": uuid_of(Kind.BRANCH, talk.trunk),
        "read_position": 2,
        "is_asking": False,
    }
    async with as_owner(database_url) as db:
        await db.execute(
            insert(User),
            [
                {
                    "account_id": account_id,
                    "id": key,
                    "email": f"{key.hex}@desk.example",
                    "display_name": name,
                    "role": Role.ENGINEER,
                }
                for key, name in reversed(crowd)
            ],
        )
        await db.execute(insert(BranchView), [{**place, "user_id": key} for key, _ in crowd])
        rename = text("UPDATE users SET display_name = 'Crowd 00a' WHERE id = :id")
        await db.execute(rename, {"id": talk.people.lead.key})
    await look(lead, talk.trunk)
    expected = [node_id(Kind.USER, key) for key, _ in crowd]
    assert [one["user"]["id"] for one in await seen_by(lead, talk.id)] == expected[:50]
    expected.insert(1, talk.people.lead.id)
    assert [one["user"]["id"] for one in await seen_by(first, talk.id)] == expected[:50]
    async with lead.subscribe(FOLLOW, id=talk.id) as states:
        assert len(await next_of(states)) == 50


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


@pytest.mark.parametrize("width", [2, 10])
async def test_the_unread_of_a_whole_tree_are_one_statement(
    client: Client, colleagues: Colleagues, statements: list[str], width: int
) -> None:
    session = await grown(client.as_(colleagues.engineer), width)
    many = " ".join(f"label{number}: label" for number in range(60))
    for more in ("", many):  # so many fields are completed in turns
        statements.clear()
        found = await client.as_(colleagues.lead).run(
            f"query($id: ID!) {{ session(id: $id) {{ branches {{ unreadCount {more} }} }} }}",
            id=session["id"],
        )
        assert len(statements) == 2
        unread = [branch["unreadCount"] for branch in found["session"]["branches"]]
        assert unread == [2] + [0] * width
    statements.clear()
    levels = nested(width // 2, "unreadCount")
    document = f"query($id: ID!) {{ session(id: $id) {{ rootBranch {{ {levels} }} }} }}"
    branch = (await client.as_(colleagues.lead).run(document, id=session["id"]))["session"][
        "rootBranch"
    ]
    assert len(statements) == 2
    assert branch["unreadCount"] == 2
    for _ in range(width // 2):
        assert [child["unreadCount"] for child in branch["children"]] == [0, 0]
        branch = branch["children"][0]


LIST = """{ sessions(first: 50) { edges { node {
  viewerBranch { label } presence { isAsking seenAt user { displayName } branch { label } }
  rootBranch { unreadCount }
} } } }"""


async def test_places_and_presence_cost_the_same_for_one_session_and_for_twenty(
    client: Client, colleagues: Colleagues, statements: list[str]
) -> None:
    engineer, lead = client.as_(colleagues.engineer), client.as_(colleagues.lead)

    async def opened() -> None:
        session = await grown(engineer, 2)
        await look(engineer, session["rootBranch"]["id"])
        await look(lead, session["rootBranch"]["id"])

    await opened()
    costs = {}
    for count in (1, 20):
        while count > 1 and count > len((await lead.run(LIST))["sessions"]["edges"]):
            await opened()
        statements.clear()
        found = (await lead.run(LIST))["sessions"]["edges"]
        costs[count] = len(statements)
        assert [edge["node"]["viewerBranch"] for edge in found] == [{"label": "Trunk"}] * count
        seen = [edge["node"]["presence"][0]["user"]["displayName"] for edge in found]
        assert seen == ["Engineer"] * count
    # The page (two), trees, places, who is there, their names and branches, what is unread.
    assert costs == {1: 8, 20: 8}


async def test_nobody_pays_for_what_they_do_not_ask(
    talk: Conversation, first: Client, statements: list[str]
) -> None:
    await look(first, talk.trunk)
    statements.clear()
    await first.run("query($id: ID!) { session(id: $id) { branches { id } } }", id=talk.id)
    assert [statement for statement in statements if "branch_views" in statement] == []


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
    talk: Conversation, first: Client, second: Client, runtime: Runtime, database_url: str
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
        await look(second, talk.trunk)
        assert not await wakes(dns)
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


@pytest.mark.parametrize("something_happens", [True, False])
async def test_a_follower_who_is_shut_out_is_told_nothing_more(
    talk: Conversation,
    first: Client,
    second: Client,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    something_happens: bool,
) -> None:
    """By what follows, not by the look at the socket's caller, which would end it as well."""
    monkeypatch.setattr(sockets, "CALLER_CHECK", 600)
    async with second.subscribe(FOLLOW, id=talk.id) as states:
        assert await next_of(states) == []
        await client.as_(talk.people.admin).mutate(
            "deactivateMember", "__typename", userId=talk.people.engineer2.id
        )
        if something_happens:
            await look(first, talk.trunk)
        with pytest.raises(ConnectionClosed) as closed:
            await next_of(states)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


async def test_colleagues_who_hear_an_event_together_are_told_their_own(
    talk: Conversation, first: Client, second: Client, client: Client
) -> None:
    """They share what they read about it, as far as it is the same for all of them."""
    dns, quota = await talk.fork()
    await first.answered(await talk.ask(new_question(), dns))
    await look(first, dns)
    await look(second, quota)
    after = (await session_with_cursor(first, talk.id))["eventCursor"]
    document = f"""subscription($id: ID!, $after: String) {{
      branchChanged(sessionId: $id, after: $after) {{ ... on BranchUpdated {{ branch {{
        unreadCount session {{ viewerBranch {{ id }} {PRESENCE} }} }} }} }} }}"""
    people = [talk.people.engineer, talk.people.engineer2] * 5
    async with AsyncExitStack() as stack:
        followers = [
            await stack.enter_async_context(
                client.as_(person).subscribe(document, id=talk.id, after=after)
            )
            for person in people
        ]
        hearing = [asyncio.ensure_future(anext(follower)) for follower in followers]
        for name in ("MX record", "MX records"):
            version = (await first.run(VERSION, id=dns))["branch"]["version"]
            await first.mutate(
                "renameBranch", "__typename", branchId=dns, label=name, expectedVersion=version
            )
            async with asyncio.timeout(SOON):
                heard = await asyncio.gather(*hearing)
            hearing = [asyncio.ensure_future(anext(follower)) for follower in followers]
            told = [event["branchChanged"]["branch"] for event in heard]
            of_first = {
                "unreadCount": 0,
                "session": {
                    "viewerBranch": {"id": dns},
                    "presence": [at(talk.people.engineer2, quota)],
                },
            }
            of_second = {
                "unreadCount": 2,
                "session": {
                    "viewerBranch": {"id": quota},
                    "presence": [at(talk.people.engineer, dns)],
                },
            }
            assert told == [of_first, of_second] * 5
        for waiting in hearing:
            waiting.cancel()


VERSION = "query($id: ID!) { branch(id: $id) { version } }"


async def session_with_cursor(client: Client, id: str) -> dict[str, Any]:
    document = "query($id: ID!) { session(id: $id) { eventCursor } }"
    found: dict[str, Any] = (await client.run(document, id=id))["session"]
    return found


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
