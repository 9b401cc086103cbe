"""A session as it was: at any event it is what was seen then, and what cannot be told is said so."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test
from sqlalchemy import text

from schema.timeline import EVENTS
from services.ai.scripted import ScriptedProvider
from services.ai.tasks import AnalyseBranch, Analysis, HypothesisRank
from services.audit import OF_EVENT
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues
from tests.graphql.test_tree_machine import Place, TreeMachine
from tests.tables import as_owner, until_idle
from tests.talk import Conversation, new_question

BRANCH = """label status statusReason statusChangedAt statusChangedBy { id } likelihood archivedAt isActive
  own: messageCount all: messageCount(scope: LINEAGE)"""
WHOLE = f"""status branchCount assignee {{ id }}
  branches(includeArchived: true) {{ %s {BRANCH} }}
  openHandoff {{ %s intent priority }}
  rootBranch {{ label children {{ label children {{ label children {{ label }} }} }} }}
  activeBranch {{ label }}"""
PRESENT = "query($id: ID!) { session(id: $id) { eventCursor %s } }" % (WHOLE % ("id", "id"))
PAST = (
    "query($id: ID!, $cursor: String!) { session(id: $id) { at(cursor: $cursor) { cursor %s } } }"
    % (WHOLE % ("branch { id }", "handoff { id }"))
)
CURSOR = "query($id: ID!) { session(id: $id) { eventCursor } }"
TIMELINE = """
query($id: ID!, $first: Int, $after: String) { session(id: $id) {
  timeline(first: $first, after: $after) {
    isComplete pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node {
      __typename cursor occurredAt actor { id }
      ... on BranchStatusChanged { previousStatus status reason }
      ... on BranchForked { branches { label } }
    } } } } }
"""


async def present(client: Client, session: str) -> tuple[str, dict[str, Any]]:
    """The newest cursor, and the session as it is."""
    found = (await client.run(PRESENT, id=session))["session"]
    return found.pop("eventCursor"), found


async def past(client: Client, session: str, cursor: str) -> Any:
    """As `present` tells it."""
    found = (await client.run(PAST, id=session, cursor=cursor))["session"]["at"]
    if found is None:
        return None
    assert found.pop("cursor") == cursor
    for branch in found["branches"]:
        branch["id"] = branch.pop("branch")["id"]
    if found["openHandoff"]:
        found["openHandoff"]["id"] = found["openHandoff"].pop("handoff")["id"]
    return in_order(found)


def in_order(found: dict[str, Any]) -> dict[str, Any]:
    """Both lists have parents before children, each in an order of its own."""
    return {**found, "branches": sorted(found["branches"], key=lambda branch: str(branch["id"]))}


async def cursor_of(talk: Conversation) -> str:
    return str((await talk.client.run(CURSOR, id=talk.id))["session"]["eventCursor"])


async def timeline(client: Client, session: str, **page: Any) -> Any:
    return (await client.run(TIMELINE, id=session, **page))["session"]["timeline"]


# ------------------------------------------------------------------ every moment


class ReplayMachine(TreeMachine):
    """Remembers what everybody saw after each step, and finds it again at the end."""

    seen: dict[str, dict[str, Any]]

    @invariant()
    def remember(self) -> None:
        if not hasattr(self, "session"):
            return
        if not hasattr(self, "seen"):
            self.seen = {}
        cursor, now = self.do(present(self.place.lead, self.session))
        self.seen[cursor] = in_order(now)

    def teardown(self) -> None:
        for cursor, then in getattr(self, "seen", {}).items():
            assert self.do(past(self.place.lead, self.session, cursor)) == then


async def test_every_moment_is_what_was_seen_then(
    client: Client, colleagues: Colleagues, strangers: Colleagues, provider: ScriptedProvider
) -> None:
    ReplayMachine.place = Place(
        asyncio.get_running_loop(),
        client.as_(colleagues.engineer),
        client.as_(colleagues.engineer2),
        client.as_(colleagues.lead),
        client.as_(colleagues.admin),
        client.as_(strangers.admin),
        colleagues,
        provider,
    )
    await asyncio.to_thread(
        run_state_machine_as_test,
        ReplayMachine,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


# ------------------------------------------------------------------ single moments


async def test_names_likelihoods_and_archiving_are_those_of_the_moment(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota = await talk.fork()
    forked = await cursor_of(talk)
    question = new_question()
    rank = HypothesisRank(hypothesis="H1", likelihood=0.2, why="Closed.")
    provider.script_task(AnalyseBranch, question, Analysis(ranking=[rank]))
    await talk.client.answered(await talk.ask(question, dns))
    await until_idle(database_url, talk.people.account_id)
    ranked = await cursor_of(talk)
    await talk.client.mutate(
        "renameBranch", "branch { id }", branchId=dns, label="MX record", expectedVersion=1
    )
    renamed = await cursor_of(talk)
    await talk.client.mutate("archiveBranch", "branch { id }", branchId=quota, expectedVersion=1)
    archived = await cursor_of(talk)
    await talk.client.mutate("restoreBranch", "branch { id }", branchId=quota, expectedVersion=2)
    restored = await cursor_of(talk)

    async def told(cursor: str) -> list[tuple[Any, ...]]:
        document = """query($id: ID!, $cursor: String!) { session(id: $id) { at(cursor: $cursor) {
          branches { label likelihood messageCount messages { edges { node { position } } } }
          event { __typename cursor } } } }"""
        found = (await talk.client.run(document, id=talk.id, cursor=cursor))["session"]["at"]
        assert found["event"]["cursor"] == cursor
        return [
            (
                branch["label"],
                branch["likelihood"],
                branch["messageCount"],
                [edge["node"]["position"] for edge in branch["messages"]["edges"]],
            )
            for branch in found["branches"]
        ]

    trunk = ("Trunk", None, 2, [1, 2])
    assert await told(forked) == [trunk, ("DNS", None, 0, []), ("Quota", None, 0, [])]
    assert await told(ranked) == [trunk, ("DNS", 0.2, 2, [3, 4]), ("Quota", None, 0, [])]
    assert await told(renamed) == [trunk, ("MX record", 0.2, 2, [3, 4]), ("Quota", None, 0, [])]
    assert await told(archived) == [trunk, ("MX record", 0.2, 2, [3, 4])]
    assert await told(restored) == await told(renamed)


async def test_a_handoff_waits_from_its_beginning_to_its_end(talk: Conversation) -> None:
    await talk.client.mutate(
        "handOffSession",
        "handoff { id }",
        sessionId=talk.id,
        intent="ESCALATE",
        priority="ELEVATED",
    )
    document = """query($id: ID!, $cursor: String!) { session(id: $id) { at(cursor: $cursor) {
      status openHandoff { intent priority waitingSince waitingSeconds handoff { state } } } } }"""
    edges = (await timeline(talk.client, talk.id))["edges"]
    created = next(edge["node"] for edge in edges if edge["node"]["__typename"] == "HandoffCreated")
    found = (await talk.client.run(document, id=talk.id, cursor=created["cursor"]))["session"]["at"]
    assert found == {
        "status": "ACTIVE",  # it is put down by the event that follows
        "openHandoff": {
            "intent": "ESCALATE",
            "priority": "ELEVATED",
            "waitingSince": created["occurredAt"],
            "waitingSeconds": 0,
            "handoff": {"state": "OPEN"},
        },
    }


# ------------------------------------------------------------------ the timeline


async def test_the_timeline_has_every_event_once_in_order_page_by_page(
    talk: Conversation, client: Client, strangers: Colleagues
) -> None:
    dns, _ = await talk.fork()
    await talk.client.mutate("switchBranch", "branch { id }", branchId=dns)
    whole = await timeline(talk.client, talk.id)
    nodes = [edge["node"] for edge in whole["edges"]]
    assert [node["__typename"] for node in nodes] == [
        "SessionStarted",
        "MessageAdded",
        "MessageAdded",
        "MessageFinished",
        "SessionUpdated",
        "BranchForked",
        "BranchSwitched",
        "BranchStatusChanged",
    ]
    assert [edge["cursor"] for edge in whole["edges"]] == [node["cursor"] for node in nodes]
    assert [node["cursor"] for node in nodes] == sorted({node["cursor"] for node in nodes})
    assert [node["actor"] and node["actor"]["id"] for node in nodes] == [
        talk.people.engineer.id if place not in {3, 4} else None for place in range(8)
    ]
    assert nodes[5]["branches"] == [{"label": "DNS"}, {"label": "Quota"}]
    assert (nodes[7]["previousStatus"], nodes[7]["status"], nodes[7]["reason"]) == (
        "UNTRIED",
        "ACTIVE",
        None,
    )
    assert whole["isComplete"] is True
    assert whole["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": nodes[0]["cursor"],
        "endCursor": nodes[7]["cursor"],
    }
    seen, after, more = [], None, True
    while more:
        page = await timeline(talk.client, talk.id, first=3, after=after)
        assert page["pageInfo"]["hasPreviousPage"] is bool(seen)
        seen += [edge["node"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == nodes
    stranger = await client.as_(strangers.admin).run(TIMELINE, id=talk.id)
    assert stranger == {"session": None}


def test_every_kind_of_event_has_a_place_in_the_timeline() -> None:
    assert {kind.__name__ for kind in OF_EVENT} <= set(EVENTS)


# ------------------------------------------------------------------ refusals


async def test_a_cursor_that_is_none_of_the_account_is_refused(
    talk: Conversation, client: Client, strangers: Colleagues
) -> None:
    newest = await cursor_of(talk)
    theirs = await client.as_(strangers.engineer).mutate(
        "startSession", "session { id eventCursor } reply { id }", intake={"text": "Theirs"}
    )
    ahead = newest[:-16] + f"{int(newest[-16:], 16) + 1:016x}"
    for cursor, problem in (
        ("", "Is no event cursor of this account."),
        ("yesterday", "Is no event cursor of this account."),
        (newest.upper(), "Is no event cursor of this account."),
        (theirs["session"]["eventCursor"], "Is no event cursor of this account."),
        (ahead, "Is ahead of all that has happened."),
    ):
        with pytest.raises(GraphQLFailure) as refusal:
            await past(talk.client, talk.id, cursor)
        assert refusal.value.code == "BAD_USER_INPUT"
        assert refusal.value.errors[0]["message"] == f"cursor: {problem}"
        if cursor != ahead:
            with pytest.raises(GraphQLFailure) as refusal:
                await timeline(talk.client, talk.id, after=cursor)
            assert refusal.value.code == "BAD_USER_INPUT"
    for first in (0, 101):
        with pytest.raises(GraphQLFailure):
            await timeline(talk.client, talk.id, first=first)


async def test_before_its_beginning_a_session_was_not(talk: Conversation) -> None:
    before = await cursor_of(talk)
    later = await talk.client.mutate(
        "startSession", "session { id } reply { id }", intake={"text": "Another"}
    )
    assert await past(talk.client, later["session"]["id"], before) is None
    assert (await past(talk.client, talk.id, before))["status"] == "ACTIVE"


async def test_what_is_no_longer_kept_is_said_and_not_guessed(
    talk: Conversation, database_url: str
) -> None:
    await talk.fork()
    newest = await cursor_of(talk)
    first = (await timeline(talk.client, talk.id))["edges"][0]["cursor"]
    async with as_owner(database_url) as db:
        await db.execute(
            text("DELETE FROM events WHERE account_id = :account_id AND seq = 1"),
            {"account_id": talk.people.account_id},
        )
    assert await past(talk.client, talk.id, newest) is None
    assert await past(talk.client, talk.id, first) is None
    left = await timeline(talk.client, talk.id)
    assert left["isComplete"] is False
    assert left["edges"][0]["node"]["__typename"] == "MessageAdded"


# ------------------------------------------------------------------ cost

MOMENTS = """query($cursor: String!) { sessions(first: 20) { edges { node { at(cursor: $cursor) {
  status assignee { displayName } event { actor { displayName } }
  rootBranch { label children { label statusChangedBy { id } branch { id } } }
  openHandoff { intent handoff { id } } } } } } }"""


async def test_a_moment_costs_the_same_for_one_session_and_twenty_and_any_number_of_events(
    client: Client, colleagues: Colleagues, statements: list[str]
) -> None:
    engineer = client.as_(colleagues.engineer)

    async def work() -> str:
        started = await engineer.mutate(
            "startSession", "session { id } reply { id }", intake={"text": "The VPN drops"}
        )
        await engineer.answered(started["reply"]["id"])
        session = started["session"]["id"]
        forked = await engineer.mutate(
            "forkBranch",
            "branches { id }",
            sessionId=session,
            reason="Two causes",
            options=[{"label": label, "description": "A cause"} for label in ("One", "Two")],
        )
        for branch in (*forked["branches"], *forked["branches"]):
            await engineer.mutate("switchBranch", "branch { id }", branchId=branch["id"])
        await engineer.mutate("handOffSession", "handoff { id }", sessionId=session, intent="PARK")
        return str((await engineer.run(CURSOR, id=session))["session"]["eventCursor"])

    async def cost(cursor: str) -> tuple[int, int]:
        statements.clear()
        edges = (await engineer.run(MOMENTS, cursor=cursor))["sessions"]["edges"]
        assert [edge["node"]["at"]["status"] for edge in edges] == ["PAUSED"] * len(edges)
        return len(edges), len(statements)

    one, few = await cost(await work())
    for _ in range(18):
        await work()
    many, same = await cost(await work())
    assert (one, many) == (1, 20)
    assert same == few
