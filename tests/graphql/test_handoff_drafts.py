"""What the assistant adds to a handoff: once, later, and only where the engineer left room."""

from typing import Any

import pytest

from models.handoff import Confidence
from services.ai.scripted import Fail, ScriptedProvider
from services.ai.tasks import HandoffDraft, PrepareHandoff
from services.handoff_drafts import prepare_handoff
from services.ids import Kind, uuid_of
from services.runtime import Runtime
from tests.client import Client
from tests.factories import Colleagues
from tests.tables import as_owner, event_seq, until_idle
from tests.talk import Conversation, new_question

DRAFT = HandoffDraft(
    text="Most likely the certificate.",
    likely_cause="The certificate ran out.",
    suggested_steps=["Look at it.", "Renew it."],
    confidence=Confidence.HIGH,
    briefing="Mail stopped on Monday.",
    next_step="Renew the certificate.",
    waiting_on="The client's consent.",
    watch_out=["The key lies on mx1."],
)
ADDED = """
query($id: ID!) { node(id: $id) { ... on Handoff {
  state version briefing assessment { text likelyCause suggestedSteps confidence }
  snapshot { nextStep waitingOn watchOut notesByAssistant problemSummary branchMap { label } }
} } }
"""


@pytest.fixture
async def asked(talk: Conversation) -> tuple[Conversation, str]:
    """A conversation, and the last thing said in it."""
    question = new_question()
    await talk.client.answered(await talk.ask(question))
    return talk, question


async def put_down(talk: Conversation, url: str, **given: Any) -> str:
    made = await talk.client.mutate("handOffSession", "handoff { id }", sessionId=talk.id, **given)
    await until_idle(url, talk.people.account_id)
    return str(made["handoff"]["id"])


async def added(talk: Conversation, handoff: str) -> dict[str, Any]:
    found: dict[str, Any] = (await talk.client.run(ADDED, id=handoff))["node"]
    return found


async def test_an_escalation_is_assessed_and_its_empty_notes_are_filled(
    asked: tuple[Conversation, str], provider: ScriptedProvider, database_url: str
) -> None:
    talk, question = asked
    provider.script_task(PrepareHandoff, question, Fail("Busy."), DRAFT)

    handoff = await put_down(talk, database_url, intent="ESCALATE", engineerNotes="Help!")

    task = next(t for t in provider.tasks if isinstance(t, PrepareHandoff) and question in repr(t))
    assert (task.intent, task.engineer_notes) == ("escalate", "Help!")
    found = await added(talk, handoff)
    assert found.pop("snapshot") == {
        "nextStep": "Renew the certificate.",
        "waitingOn": "The client's consent.",
        "watchOut": ["The key lies on mx1."],
        "notesByAssistant": True,
        "problemSummary": "Mail stopped arriving.",
        "branchMap": [{"label": "Trunk"}],
    }
    assert found == {
        "state": "OPEN",
        "version": 1,
        "briefing": "Mail stopped on Monday.",
        "assessment": {
            "text": "Most likely the certificate.",
            "likelyCause": "The certificate ran out.",
            "suggestedSteps": ["Look at it.", "Renew it."],
            "confidence": "HIGH",
        },
    }
    assert await talk.events(handoff) == []


async def test_what_the_engineer_wrote_stays(
    asked: tuple[Conversation, str], provider: ScriptedProvider, database_url: str
) -> None:
    talk, question = asked
    provider.script_task(PrepareHandoff, question, DRAFT)

    handoff = await put_down(
        talk,
        database_url,
        intent="PARK",
        nextStep="Ring them.",
        waitingOn="A part.",
        watchOut=["The dog."],
    )

    found = await added(talk, handoff)
    snapshot = found["snapshot"]
    assert (snapshot["nextStep"], snapshot["waitingOn"]) == ("Ring them.", "A part.")
    assert (snapshot["watchOut"], snapshot["notesByAssistant"]) == (["The dog."], False)
    assert (found["briefing"], found["assessment"]) == ("Mail stopped on Monday.", None)


async def test_a_handoff_stands_though_the_assistant_fails(
    asked: tuple[Conversation, str], provider: ScriptedProvider, database_url: str
) -> None:
    talk, question = asked
    provider.script_task(PrepareHandoff, question, *[Fail("Busy.")] * 3)

    handoff = await put_down(talk, database_url, intent="ESCALATE")

    found = await added(talk, handoff)
    assert (found["state"], found["version"]) == ("OPEN", 1)
    assert (found["briefing"], found["assessment"]) == (None, None)
    assert found["snapshot"]["notesByAssistant"] is False
    assert await failure(talk, handoff) == "Busy."

    provider.script_task(PrepareHandoff, question, DRAFT)
    again = await talk.client.mutate(
        "retryHandoffPreparation", "handoff { preparationFailure }", handoffId=handoff
    )
    assert again["handoff"] == {"preparationFailure": None}
    await until_idle(database_url, talk.people.account_id)
    assert (await added(talk, handoff))["briefing"] == "Mail stopped on Monday."
    async with as_owner(database_url) as db:
        before = await event_seq(db, talk.people.account_id)
    refused = await talk.client.mutate(
        "retryHandoffPreparation", "handoff { id }", handoffId=handoff
    )
    assert (refused["__typename"], refused["from"]) == ("InvalidTransitionError", "OPEN")
    async with as_owner(database_url) as db:
        assert await event_seq(db, talk.people.account_id) == before


async def failure(talk: Conversation, handoff: str) -> str | None:
    document = "query($id: ID!) { node(id: $id) { ... on Handoff { preparationFailure } } }"
    said: str | None = (await talk.client.run(document, id=handoff))["node"]["preparationFailure"]
    return said


async def test_it_is_drafted_once_however_often_it_is_tried(
    asked: tuple[Conversation, str],
    provider: ScriptedProvider,
    database_url: str,
    address: tuple[str, Runtime],
) -> None:
    talk, question = asked
    other = DRAFT.model_copy(update={"briefing": "Another one."})
    provider.script_task(PrepareHandoff, question, DRAFT, other)
    handoff = await put_down(talk, database_url, intent="ESCALATE")
    async with as_owner(database_url) as db:
        before = await event_seq(db, talk.people.account_id)

    await prepare_handoff(
        address[1], talk.people.account_id, uuid_of(Kind.HANDOFF, handoff), last_try=True
    )

    async with as_owner(database_url) as db:
        assert await event_seq(db, talk.people.account_id) == before
    assert (await added(talk, handoff))["briefing"] == "Mail stopped on Monday."


async def test_whoever_follows_the_queue_hears_of_it(
    asked: tuple[Conversation, str],
    provider: ScriptedProvider,
    database_url: str,
    client: Client,
    strangers: Colleagues,
) -> None:
    talk, question = asked
    provider.script_task(PrepareHandoff, question, DRAFT)
    queue = "query { queue { eventCursor } }"
    document = """subscription($after: String) { queueChanged(after: $after) {
        __typename ... on HandoffUpdated { actor { id } handoff { id briefing } } } }"""
    lead, other = client.as_(talk.people.lead), client.as_(strangers.lead)
    since = (await lead.run(queue))["queue"]["eventCursor"]
    handoff = await put_down(talk, database_url, intent="ESCALATE")

    async with lead.subscribe(document, after=since) as events:
        told = [(await anext(events))["queueChanged"] for _ in range(2)]

    assert [event["__typename"] for event in told] == ["HandoffCreated", "HandoffUpdated"]
    assert told[1]["handoff"] == {"id": handoff, "briefing": "Mail stopped on Monday."}
    assert told[1]["actor"] is None
    assert (await other.run(ADDED, id=handoff))["node"] is None
