"""What clients follow, over real sockets: from the query's cursor on, filtered, and to the end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert

from models.account import Team
from services.ai.port import IntakeAnalysis
from services.ai.scripted import Answer, FailAfter, Hold, ScriptedProvider
from services.feed import encode_cursor
from services.ids import Kind, new_id, node_id
from services.runtime import Runtime
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues
from tests.tables import as_owner, event_seq

SOON = 20
"""Seconds after which a test gives up; nothing takes so long when it works."""

SESSION = """
subscription($id: ID!, $after: String) {
  sessionChanged(sessionId: $id, after: $after) {
    __typename
    ... on Event { cursor occurredAt actor { id } }
    ... on BranchUpdated { branch { label } }
    ... on BranchForked { forkPoint { reason } branches { label } }
    ... on BranchSwitched { previousBranch { label } branch { label } }
    ... on BranchStatusChanged { branch { label } previousStatus status reason }
    ... on SessionStatusChanged { previousSessionStatus sessionStatus }
    ... on HandoffCreated { handoff { priority } }
  }
}
"""
BRANCHES = """
subscription($id: ID!, $after: String) {
  branchChanged(sessionId: $id, after: $after) { __typename ... on Event { cursor } }
}
"""
SESSIONS = """
subscription($filter: SessionFilter, $after: String) {
  sessionsChanged(filter: $filter, after: $after) {
    __typename
    ... on Event { cursor }
    ... on SessionStarted { session { id status } }
    ... on SessionUpdated { session { id assignee { id } } }
    ... on SessionStatusChanged { session { id } previousSessionStatus sessionStatus }
  }
}
"""
QUEUE = """
subscription($filter: QueueFilter, $after: String) {
  queueChanged(filter: $filter, after: $after) {
    __typename
    ... on Event { cursor }
    ... on HandoffCreated { handoff { id } }
    ... on HandoffClaimed { handoff { id state claimedBy { id } } }
    ... on HandoffCancelled { handoff { id state } }
  }
}
"""
MESSAGE = """
subscription($id: ID!) {
  messageStreamed(messageId: $id) {
    __typename
    ... on MessageSnapshot { text offset message { state } }
    ... on MessageDelta { text offset }
    ... on MessageEnded { message { state body failure } }
  }
}
"""

Events = AsyncIterator[dict[str, Any]]


async def started(client: Client, text: str = "It fails", **more: Any) -> dict[str, Any]:
    """A session whose intake is answered, as it is then."""
    made = await client.mutate(
        "startSession", "session { id } reply { id }", intake={"text": text}, **more
    )
    await client.answered(made["reply"]["id"])
    answer = await client.run(
        "query($id: ID!) { session(id: $id) { id version eventCursor rootBranch { id version } } }",
        id=made["session"]["id"],
    )
    session: dict[str, Any] = answer["session"]
    return session


async def forked(client: Client, session: dict[str, Any], *labels: str) -> list[dict[str, Any]]:
    made = await client.mutate(
        "forkBranch",
        "branches { id version }",
        sessionId=session["id"],
        reason="Several causes are possible",
        options=[{"label": label, "description": "A cause"} for label in labels],
    )
    branches: list[dict[str, Any]] = made["branches"]
    return branches


async def rename(client: Client, branch: dict[str, Any], label: str) -> dict[str, Any]:
    made = await client.mutate(
        "renameBranch",
        "branch { id version }",
        branchId=branch["id"],
        label=label,
        expectedVersion=branch["version"],
    )
    renamed: dict[str, Any] = made["branch"]
    return renamed


async def hand_off(client: Client, session: dict[str, Any], **more: Any) -> str:
    made = await client.mutate(
        "handOffSession", "handoff { id }", sessionId=session["id"], **{"intent": "PARK", **more}
    )
    handoff_id: str = made["handoff"]["id"]
    return handoff_id


async def sessions_cursor(client: Client) -> str:
    cursor: str = (await client.run("{ sessions { eventCursor } }"))["sessions"]["eventCursor"]
    return cursor


async def next_of(events: Events) -> dict[str, Any]:
    """The next event, without the name of the subscription."""
    async with asyncio.timeout(SOON):
        (event,) = (await anext(events)).values()
    found: dict[str, Any] = event
    return found


async def rest_of(events: Events) -> list[dict[str, Any]]:
    """Every event up to the stream's end."""
    async with asyncio.timeout(SOON):
        return [event for data in [data async for data in events] for event in data.values()]


async def refusal(client: Client, document: str, **variables: Any) -> GraphQLFailure:
    async with client.subscribe(document, **variables) as events:
        with pytest.raises(GraphQLFailure) as failure:
            await next_of(events)
    return failure.value


# ---------------------------------------------------------------- sessionChanged, branchChanged


async def test_events_tell_what_happened_with_objects_as_they_are_now(
    client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await started(engineer)
    dns, quota = await forked(engineer, session, "DNS", "Quota")
    await engineer.mutate("switchBranch", "branch { id }", branchId=dns["id"])
    await engineer.mutate(
        "markBranchStatus",
        "branch { id }",
        branchId=quota["id"],
        status="DEAD_END",
        reason="The mailbox is empty",
        expectedVersion=quota["version"],
    )
    await hand_off(engineer, session, intent="ESCALATE", priority="ELEVATED")
    async with engineer.subscribe(
        SESSION, id=session["id"], after=session["eventCursor"]
    ) as events:
        seen = [await next_of(events) for _ in range(6)]
    assert {event["actor"]["id"] for event in seen} == {colleagues.engineer.id}
    cursors = [event["cursor"] for event in seen]
    assert cursors == sorted(set(cursors))
    told = [
        {key: event[key] for key in event if key not in {"cursor", "occurredAt", "actor"}}
        for event in seen
    ]
    assert told == [
        {
            "__typename": "BranchForked",
            "forkPoint": {"reason": "Several causes are possible"},
            "branches": [{"label": "DNS"}, {"label": "Quota"}],
        },
        {
            "__typename": "BranchSwitched",
            "previousBranch": {"label": "Trunk"},
            "branch": {"label": "DNS"},
        },
        {
            "__typename": "BranchStatusChanged",
            "branch": {"label": "DNS"},
            "previousStatus": "UNTRIED",
            "status": "ACTIVE",
            "reason": None,
        },
        {
            "__typename": "BranchStatusChanged",
            "branch": {"label": "Quota"},
            "previousStatus": "UNTRIED",
            "status": "DEAD_END",
            "reason": "The mailbox is empty",
        },
        {"__typename": "HandoffCreated", "handoff": {"priority": "ELEVATED"}},
        {
            "__typename": "SessionStatusChanged",
            "previousSessionStatus": "ACTIVE",
            "sessionStatus": "ESCALATED",
        },
    ]


async def test_each_event_loads_its_objects_anew(client: Client, colleagues: Colleagues) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await started(engineer)
    (branch, _) = await forked(engineer, session, "DNS", "Quota")
    async with engineer.subscribe(
        SESSION, id=session["id"], after=session["eventCursor"]
    ) as events:
        assert (await next_of(events))["__typename"] == "BranchForked"
        for label in ("Resolver", "Cache", "Forwarder"):
            branch = await rename(engineer, branch, label)
            assert (await next_of(events))["branch"] == {"label": label}


async def test_a_cut_line_goes_on_from_the_last_cursor(
    client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await started(engineer)
    branch = (await forked(engineer, session, "DNS", "Quota"))[0]
    for number in range(6):
        branch = await rename(engineer, branch, f"Name {number}")
    async with engineer.subscribe(
        SESSION, id=session["id"], after=session["eventCursor"]
    ) as events:
        whole = [await next_of(events) for _ in range(7)]
    pieces: list[dict[str, Any]] = []
    cursor = session["eventCursor"]
    while len(pieces) < 7:
        async with engineer.subscribe(SESSION, id=session["id"], after=cursor) as events:
            pieces.append(await next_of(events))
        cursor = pieces[-1]["cursor"]
    assert pieces == whole


async def test_another_session_is_not_heard(client: Client, colleagues: Colleagues) -> None:
    engineer = client.as_(colleagues.engineer)
    first, second = await started(engineer), await started(engineer)
    await forked(engineer, second, "DNS", "Quota")
    await forked(engineer, first, "Cable", "Switch")
    async with engineer.subscribe(SESSION, id=first["id"], after=first["eventCursor"]) as events:
        assert (await next_of(events))["branches"] == [{"label": "Cable"}, {"label": "Switch"}]


async def test_branch_changed_tells_of_branches_only(
    client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await started(engineer)
    await engineer.mutate(
        "sendBranchMessage",
        "reply { id }",
        branchId=session["rootBranch"]["id"],
        body="What now?",
        awaitReply=True,
    )
    branch = (await forked(engineer, session, "DNS", "Quota"))[0]
    await hand_off(engineer, session)
    await rename(engineer, branch, "Resolver")
    async with engineer.subscribe(
        BRANCHES, id=session["id"], after=session["eventCursor"]
    ) as events:
        kinds = [(await next_of(events))["__typename"] for _ in range(2)]
    assert kinds == ["BranchForked", "BranchUpdated"]


@pytest.mark.parametrize("document", [SESSION, BRANCHES])
async def test_a_session_that_is_none_or_anothers_is_not_found(
    client: Client, colleagues: Colleagues, strangers: Colleagues, document: str
) -> None:
    session = await started(client.as_(strangers.engineer))
    engineer = client.as_(colleagues.engineer)
    for id in (session["id"], node_id(Kind.SESSION, new_id()), "nonsense", "", colleagues.lead.id):
        assert (await refusal(engineer, document, id=id)).code == "NOT_FOUND"


@pytest.mark.parametrize("document", [SESSION, BRANCHES, SESSIONS, QUEUE, MESSAGE])
async def test_nobody_hears_nothing(client: Client, document: str) -> None:
    variables = {"id": node_id(Kind.SESSION, new_id())} if "$id" in document else {}
    assert (await refusal(client, document, **variables)).code == "UNAUTHENTICATED"


# ---------------------------------------------------------------- FeedReset


async def test_a_cursor_that_is_none_of_the_account_ends_in_a_reset(
    client: Client, colleagues: Colleagues, strangers: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await started(engineer)
    async with as_owner(database_url) as db:
        newest = await event_seq(db, colleagues.account_id)
    for after in (
        "",
        "nonsense",
        encode_cursor(strangers.account_id, 0),
        encode_cursor(colleagues.account_id, newest + 1),
        encode_cursor(colleagues.account_id, 2**63),
    ):
        for document, variables in (
            (SESSION, {"id": session["id"]}),
            (BRANCHES, {"id": session["id"]}),
            (SESSIONS, {}),
            (QUEUE, {}),
        ):
            async with engineer.subscribe(document, **variables, after=after) as events:
                (event,) = await rest_of(events)
            assert event["__typename"] == "FeedReset"
            assert event["cursor"] == encode_cursor(colleagues.account_id, newest)


async def test_after_a_reset_its_cursor_leads_on(client: Client, colleagues: Colleagues) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await started(engineer)
    async with engineer.subscribe(SESSION, id=session["id"], after="nonsense") as events:
        reset = await next_of(events)
    await forked(engineer, session, "DNS", "Quota")
    async with engineer.subscribe(SESSION, id=session["id"], after=reset["cursor"]) as events:
        assert (await next_of(events))["__typename"] == "BranchForked"


# ---------------------------------------------------------------- sessionsChanged, queueChanged


async def test_a_list_hears_of_sessions_that_enter_and_leave_it(
    client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    cursor = await sessions_cursor(engineer)
    session = await started(engineer)
    handoff_id = await hand_off(engineer, session)
    await client.as_(colleagues.engineer2).mutate(
        "claimHandoff", "handoff { id }", handoffId=handoff_id
    )
    of_session = {"id": session["id"]}
    begun = {"__typename": "SessionStarted", "session": {**of_session, "status": "ACTIVE"}}
    summarised = {
        "__typename": "SessionUpdated",
        "session": {**of_session, "assignee": {"id": colleagues.engineer2.id}},
    }
    parked = {
        "__typename": "SessionStatusChanged",
        "session": of_session,
        "previousSessionStatus": "ACTIVE",
        "sessionStatus": "PAUSED",
    }
    resumed = {**parked, "previousSessionStatus": "PAUSED", "sessionStatus": "ACTIVE"}
    claimed = summarised
    expected = {
        None: [begun, summarised, parked, resumed, claimed],
        "PAUSED": [parked, resumed],
        "ACTIVE": [begun, summarised, parked, resumed, claimed],
    }
    for status, events in expected.items():
        filter = {"status": [status]} if status else None
        assert await heard(engineer, SESSIONS, filter, cursor, len(events)) == events
    for person, events in (
        (colleagues.engineer, [begun, summarised, parked, resumed, claimed]),
        (colleagues.engineer2, [claimed]),
    ):
        filter = {"assigneeId": person.id}
        assert await heard(engineer, SESSIONS, filter, cursor, len(events)) == events


async def heard(
    client: Client, document: str, filter: dict[str, Any] | None, after: str, count: int
) -> list[dict[str, Any]]:
    """So many events, without their cursors."""
    async with client.subscribe(document, filter=filter, after=after) as events:
        seen = [await next_of(events) for _ in range(count)]
    return [{key: event[key] for key in event if key != "cursor"} for event in seen]


async def test_a_list_is_filtered_by_team_and_search(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    cursor = await sessions_cursor(engineer)
    team = await second_team(database_url, colleagues)
    await started(engineer, "The printer jams")
    wanted = await started(engineer, "The router restarts", teamId=team)
    for filter in (
        {"search": "router"},
        {"search": "restarting routers", "status": ["ACTIVE"]},
        {"teamId": team},
    ):
        (event,) = await heard(engineer, SESSIONS, filter, cursor, 1)
        assert event["session"]["id"] == wanted["id"]


async def second_team(database_url: str, colleagues: Colleagues) -> str:
    team_id = new_id()
    async with as_owner(database_url) as db:
        await db.execute(
            insert(Team).values(account_id=colleagues.account_id, id=team_id, name="Network")
        )
    return node_id(Kind.TEAM, team_id)


async def test_the_queue_hears_what_its_filter_lets_through(
    client: Client, colleagues: Colleagues, provider: ScriptedProvider, database_url: str
) -> None:
    engineer, colleague = client.as_(colleagues.engineer), client.as_(colleagues.engineer2)
    cursor = await sessions_cursor(engineer)
    team = await second_team(database_url, colleagues)
    of_mail = uuid4().hex
    provider.script(of_mail, Answer(intake=IntakeAnalysis("Mail is late", domain="mail")))
    parked = await hand_off(engineer, await started(engineer, of_mail, teamId=team))
    normal = await hand_off(engineer, await started(engineer), intent="ESCALATE")
    urgent = await hand_off(
        engineer, await started(engineer), intent="ESCALATE", priority="ELEVATED"
    )
    await engineer.mutate("cancelHandoff", "handoff { id }", handoffId=parked)
    await colleague.mutate("claimHandoff", "handoff { id }", handoffId=urgent)

    def created(handoff_id: str) -> dict[str, Any]:
        return {"__typename": "HandoffCreated", "handoff": {"id": handoff_id}}

    cancelled = {
        "__typename": "HandoffCancelled",
        "handoff": {"id": parked, "state": "CANCELLED"},
    }
    claimed = {
        "__typename": "HandoffClaimed",
        "handoff": {
            "id": urgent,
            "state": "CLAIMED",
            "claimedBy": {"id": colleagues.engineer2.id},
        },
    }
    everything = [created(parked), created(normal), created(urgent), cancelled, claimed]
    for filter, events in (
        (None, everything),
        ({"intent": "PARK"}, [created(parked), cancelled]),
        ({"intent": "ESCALATE"}, [created(normal), created(urgent), claimed]),
        ({"priority": "ELEVATED"}, [created(urgent), claimed]),
        ({"domain": "mail"}, [created(parked), cancelled]),
        ({"teamId": team}, [created(parked), cancelled]),
        ({"domain": "general"}, [created(normal), created(urgent), claimed]),
    ):
        assert await heard(colleague, QUEUE, filter, cursor, len(events)) == events


# ---------------------------------------------------------------- messageStreamed


async def ask(client: Client, session: dict[str, Any], question: str) -> str:
    sent = await client.mutate(
        "sendBranchMessage", "reply { id }", branchId=session["rootBranch"]["id"], body=question
    )
    reply_id: str = sent["reply"]["id"]
    return reply_id


def text_of(events: list[dict[str, Any]]) -> str:
    """What a client shows: each delta goes on where the text before it ended."""
    text = ""
    for event in events:
        if event["__typename"] == "MessageSnapshot":
            text = event["text"]
            assert event["offset"] == len(text)
        elif event["__typename"] == "MessageDelta":
            assert event["offset"] == len(text)
            text += event["text"]
    return text


async def test_an_answer_is_heard_while_it_is_written(
    client: Client, colleagues: Colleagues, provider: ScriptedProvider
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await started(engineer)
    question = uuid4().hex
    hold = Hold(asyncio.Event(), "Look at the größe of the 📬 first, then restart it.")
    provider.script(question, hold)
    reply_id = await ask(engineer, session, question)
    async with engineer.subscribe(MESSAGE, id=reply_id) as early:
        seen = [await next_of(early)]
        assert seen[0]["__typename"] == "MessageSnapshot"
        while not text_of(seen):
            seen.append(await next_of(early))
        assert text_of(seen) == "Look at the größe "
        async with engineer.subscribe(MESSAGE, id=reply_id) as late:
            joined = [await next_of(late)]
            assert joined == [
                {
                    "__typename": "MessageSnapshot",
                    "text": "Look at the größe ",
                    "offset": 18,
                    "message": {"state": "STREAMING"},
                }
            ]
            hold.event.set()
            joined += await rest_of(late)
        seen += await rest_of(early)
    for events in (seen, joined):
        assert text_of(events) == hold.then
        assert events[-1] == {
            "__typename": "MessageEnded",
            "message": {"state": "COMPLETE", "body": hold.then, "failure": None},
        }


async def test_an_answer_that_is_begun_anew_is_shown_anew(
    client: Client, colleagues: Colleagues, provider: ScriptedProvider
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await started(engineer)
    question = uuid4().hex
    hold = Hold(asyncio.Event(), FailAfter("First it was thus, but then"))
    provider.script(question, hold, "Second thoughts are shorter.")
    reply_id = await ask(engineer, session, question)
    async with engineer.subscribe(MESSAGE, id=reply_id) as events:
        seen = [await next_of(events)]
        while not text_of(seen):
            seen.append(await next_of(events))
        hold.event.set()
        later = await rest_of(events)
    assert text_of(seen) == "First it "
    assert "MessageSnapshot" in {event["__typename"] for event in later}
    assert text_of(seen + later) == "Second thoughts are shorter."
    assert later[-1]["message"]["state"] == "COMPLETE"


async def test_a_finished_message_is_told_whole(client: Client, colleagues: Colleagues) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await started(engineer)
    sent = await engineer.mutate(
        "sendBranchMessage",
        "sentMessage { id } reply { id }",
        branchId=session["rootBranch"]["id"],
        body="What now?",
        awaitReply=True,
    )
    for which, body in (("sentMessage", "What now?"), ("reply", "Answer to: What now?")):
        async with engineer.subscribe(MESSAGE, id=sent[which]["id"]) as events:
            assert await rest_of(events) == [
                {
                    "__typename": "MessageSnapshot",
                    "text": body,
                    "offset": len(body),
                    "message": {"state": "COMPLETE"},
                },
                {
                    "__typename": "MessageEnded",
                    "message": {"state": "COMPLETE", "body": body, "failure": None},
                },
            ]


async def test_a_cancelled_answer_ends(
    client: Client, colleagues: Colleagues, provider: ScriptedProvider
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await started(engineer)
    question = uuid4().hex
    hold = Hold(asyncio.Event(), "This is never said to its end.")
    provider.script(question, hold)
    reply_id = await ask(engineer, session, question)
    async with engineer.subscribe(MESSAGE, id=reply_id) as events:
        seen = [await next_of(events)]
        while not text_of(seen):
            seen.append(await next_of(events))
        await engineer.mutate("cancelMessage", "cancelledMessage { id }", messageId=reply_id)
        last = (await rest_of(events))[-1]
    hold.event.set()
    assert last["__typename"] == "MessageEnded"
    assert last["message"]["state"] == "CANCELLED"


async def test_a_message_that_is_none_or_anothers_is_not_found(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    stranger = client.as_(strangers.engineer)
    theirs = await ask(stranger, await started(stranger), "What now?")
    engineer = client.as_(colleagues.engineer)
    for id in (theirs, node_id(Kind.MESSAGE, new_id()), "nonsense", colleagues.lead.id):
        assert (await refusal(engineer, MESSAGE, id=id)).code == "NOT_FOUND"
    await stranger.answered(theirs)


# ---------------------------------------------------------------- leaving


@pytest.mark.parametrize("politely", [True, False])
async def test_who_leaves_is_followed_no_more(
    client: Client, colleagues: Colleagues, runtime: Runtime, politely: bool
) -> None:
    engineer = client.as_(colleagues.engineer)
    session = await started(engineer)
    await forked(engineer, session, "DNS", "Quota")

    def followed() -> bool:
        name = f"feed of {colleagues.account_id}"
        return any(task.get_name() == name for task in asyncio.all_tasks())

    async with asyncio.timeout(SOON), engineer.socket() as socket:
        events = socket.follow(SESSION, id=session["id"], after=session["eventCursor"])
        await next_of(events)
        assert followed()
        if politely:
            await socket.send({"id": "1", "type": "complete"})
        else:
            await socket.connection.close()
        while followed():
            await runtime.feed.newest(colleagues.account_id)
