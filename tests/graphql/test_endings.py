"""Sessions are resolved, abandoned and reopened, and what was under way ends with them."""

import asyncio
from typing import Any

from services.ai.scripted import Hold, ScriptedProvider
from services.runtime import Runtime
from tests.client import Client
from tests.factories import Colleagues
from tests.tables import as_owner, event_seq, snapshot, until_idle
from tests.talk import SOON, Conversation, new_question

SESSION = """query($id: ID!) { session(id: $id) {
  status version resolutionSummary resolvedAt openHandoff { id }
  branches { label status statusReason }
} }"""
EVENTS = """subscription($id: ID!, $after: String) { sessionChanged(sessionId: $id, after: $after) {
  __typename
  ... on Event { cursor actor { id } }
  ... on BranchStatusChanged { status }
  ... on SessionStatusChanged { previousSessionStatus sessionStatus }
} }"""


async def now(talk: Conversation) -> dict[str, Any]:
    found: dict[str, Any] = (await talk.client.run(SESSION, id=talk.id))["session"]
    return found


async def end(client: Client, talk: Conversation, verb: str = "resolveSession", **more: Any) -> Any:
    given = {"expectedVersion": (await now(talk))["version"], **more}
    if verb == "resolveSession":
        given = {"summary": "The quota was raised.", **given}
    if verb == "abandonSession":
        given = {"reason": "Nobody needs it.", **given}
    fields = "session { status resolutionSummary resolvedAt }"
    return await client.mutate(verb, fields, sessionId=talk.id, **given)


async def told(talk: Conversation, after: str) -> list[tuple[str, ...]]:
    """What was told since."""
    document = "query($id: ID!) { session(id: $id) { eventCursor } }"
    last = (await talk.client.run(document, id=talk.id))["session"]["eventCursor"]
    heard: list[tuple[str, ...]] = []
    async with (
        asyncio.timeout(SOON),
        talk.client.subscribe(EVENTS, id=talk.id, after=after) as events,
    ):
        async for data in events:
            event = data["sessionChanged"]
            facts = ("previousSessionStatus", "sessionStatus", "status")
            heard.append((event["__typename"], *(event[name] for name in facts if name in event)))
            if event["cursor"] == last:
                return heard
    raise AssertionError("the events ended")


async def cursor(talk: Conversation) -> str:
    document = "query($id: ID!) { session(id: $id) { eventCursor } }"
    return str((await talk.client.run(document, id=talk.id))["session"]["eventCursor"])


async def test_a_session_is_resolved_by_the_branch_that_solved_it(
    talk: Conversation, database_url: str
) -> None:
    dns, _ = await talk.fork()
    await talk.client.answered(await talk.ask(new_question(), dns))
    await until_idle(database_url, talk.people.account_id)
    before = await cursor(talk)
    done = await end(talk.client, talk, solvedBranchId=dns)
    await until_idle(database_url, talk.people.account_id)
    assert done["session"]["status"] == "RESOLVED"
    assert done["session"]["resolutionSummary"] == "The quota was raised."
    assert done["session"]["resolvedAt"] is not None
    assert [
        (b["label"], b["status"], b["statusReason"]) for b in (await now(talk))["branches"]
    ] == [
        ("Trunk", "ACTIVE", None),
        ("DNS", "SOLVED", "The quota was raised."),
        ("Quota", "UNTRIED", None),
    ]
    assert await told(talk, before) == [
        ("BranchStatusChanged", "SOLVED"),
        ("SessionStatusChanged", "ACTIVE", "RESOLVED"),
        *[("ResolutionOutputChanged",)] * 6,  # three asked for, three written
    ]


async def test_what_solved_it_may_be_marked_already_or_nothing_at_all(talk: Conversation) -> None:
    dns, _ = await talk.fork()
    await talk.client.answered(await talk.ask(new_question(), dns))
    await talk.client.mutate(
        "markBranchStatus",
        "branch { id }",
        branchId=dns,
        status="SOLVED",
        reason="The record was mended.",
        expectedVersion=1,
    )
    await end(talk.client, talk, solvedBranchId=dns)
    assert (await now(talk))["branches"][1]["statusReason"] == "The record was mended."
    await end(talk.client, talk, "reopenSession")
    done = await end(talk.client, talk)
    assert done["session"]["status"] == "RESOLVED"


async def test_a_handoff_and_replies_under_way_end_with_the_session(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    first, second = new_question(), new_question()
    hold = Hold(asyncio.Event(), "Too late.")
    provider.script(first, hold)
    replies = [await talk.ask(first), await talk.ask(second)]
    async with asyncio.timeout(SOON):
        await hold.reached.wait()
    await talk.client.mutate(
        "handOffSession", "handoff { id }", sessionId=talk.id, intent="ESCALATE"
    )
    before = await cursor(talk)
    document = "subscription($id: ID!) { messageStreamed(messageId: $id) { __typename } }"
    async with asyncio.timeout(SOON), talk.client.subscribe(document, id=replies[0]) as pieces:
        assert (await anext(pieces))["messageStreamed"]["__typename"] == "MessageSnapshot"
        await end(talk.client, talk, "abandonSession")
        *_, last = [piece["messageStreamed"]["__typename"] async for piece in pieces]
    assert last == "MessageEnded"
    hold.event.set()
    await until_idle(database_url, talk.people.account_id)
    seen = await now(talk)
    assert (seen["status"], seen["openHandoff"]) == ("ABANDONED", None)
    assert (seen["resolutionSummary"], seen["resolvedAt"]) == ("Nobody needs it.", None)
    for reply in replies:
        assert (await talk.message(reply))["state"] == "CANCELLED"
    assert second not in [request.question.text for request in provider.requests]
    assert await told(talk, before) == [
        ("HandoffCancelled",),
        ("MessageFinished",),
        ("MessageFinished",),
        ("SessionStatusChanged", "ESCALATED", "ABANDONED"),
    ]


async def test_what_is_over_takes_nothing_until_it_is_reopened(
    talk: Conversation, database_url: str
) -> None:
    await end(talk.client, talk)
    await until_idle(database_url, talk.people.account_id)
    async with as_owner(database_url) as db:
        before = await snapshot(db, talk.people.account_id)
    for verb, given in (
        ("sendBranchMessage", {"branchId": talk.trunk, "body": "And now?"}),
        ("handOffSession", {"sessionId": talk.id, "intent": "PARK"}),
        ("switchBranch", {"branchId": talk.trunk}),
        ("resolveSession", {"sessionId": talk.id, "summary": "Twice.", "expectedVersion": 2}),
        ("abandonSession", {"sessionId": talk.id, "reason": "Twice.", "expectedVersion": 2}),
    ):
        refused = await talk.client.mutate(verb, "__typename", **given)
        assert (refused["__typename"], refused["from"], refused["allowed"]) == (
            "InvalidTransitionError",
            "RESOLVED",
            ["ACTIVE"],
        )
    async with as_owner(database_url) as db:
        assert await snapshot(db, talk.people.account_id) == before

    at = await cursor(talk)
    reopened = await end(talk.client, talk, "reopenSession")
    assert reopened["session"] == {
        "status": "ACTIVE",
        "resolutionSummary": "The quota was raised.",
        "resolvedAt": None,
    }
    assert await told(talk, at) == [("SessionStatusChanged", "RESOLVED", "ACTIVE")]
    await talk.client.answered(await talk.ask(new_question()))


async def test_of_those_who_end_it_at_once_one_does(talk: Conversation, database_url: str) -> None:
    people = talk.people
    lead, admin = talk.client.as_(people.lead), talk.client.as_(people.admin)
    before = await cursor(talk)
    answers = await asyncio.gather(
        *(
            client.mutate(verb, "__typename", sessionId=talk.id, expectedVersion=1, **given)
            for client, verb, given in (
                (talk.client, "resolveSession", {"summary": "It is done."}),
                (lead, "abandonSession", {"reason": "It is void."}),
                (admin, "resolveSession", {"summary": "It was done."}),
            )
        )
    )
    kinds = [answer["__typename"] for answer in answers]
    assert kinds.count("StaleVersionError") == 2
    changes = [event for event in await told(talk, before) if event[0] == "SessionStatusChanged"]
    assert len(changes) == 1


async def test_who_may_not_write_may_not_end_it(
    talk: Conversation, strangers: Colleagues, runtime: Runtime, database_url: str
) -> None:
    async with as_owner(database_url) as db:
        before = (
            await snapshot(db, talk.people.account_id),
            await event_seq(db, talk.people.account_id),
        )
    for person, kind in (
        (talk.people.engineer2, "PermissionDeniedError"),
        (strangers.admin, "NotFoundError"),
    ):
        for verb, given in (
            ("resolveSession", {"summary": "It is done."}),
            ("abandonSession", {"reason": "It is void."}),
            ("reopenSession", {}),
        ):
            answer = await talk.client.as_(person).mutate(
                verb, "__typename", sessionId=talk.id, expectedVersion=1, **given
            )
            assert answer["__typename"] == kind
    async with as_owner(database_url) as db:
        assert before == (
            await snapshot(db, talk.people.account_id),
            await event_seq(db, talk.people.account_id),
        )


async def test_a_resolved_session_is_found_by_those_like_it(
    talk: Conversation, client: Client, colleagues: Colleagues
) -> None:
    document = """query($id: ID!) { session(id: $id) {
      similarSessions { session { id } solvedBy { label } } } }"""
    again = await talk.client.mutate(
        "startSession", "session { id } reply { id }", intake={"text": "Mail stopped arriving."}
    )
    await talk.client.answered(again["reply"]["id"])
    found = await talk.client.run(document, id=again["session"]["id"])
    assert found["session"]["similarSessions"] == []
    await end(talk.client, talk, solvedBranchId=talk.trunk)
    found = await talk.client.run(document, id=again["session"]["id"])
    assert found["session"]["similarSessions"] == [
        {"session": {"id": talk.id}, "solvedBy": {"label": "Trunk"}}
    ]
    await end(talk.client, talk, "reopenSession")
    found = await talk.client.run(document, id=again["session"]["id"])
    assert found["session"]["similarSessions"] == []
