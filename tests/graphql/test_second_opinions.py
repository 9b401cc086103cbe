"""A second opinion is blind, and there is one at a time."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from models.finding import FindingKind
from models.handoff import Confidence
from services.ai.scripted import Fail, HeldTask, ScriptedProvider
from services.ai.tasks import (
    AnalyseBranch,
    Analysis,
    FoundFinding,
    GiveSecondOpinion,
    HypothesisRank,
    Opinion,
)
from services.ids import Kind, new_id, node_id
from tests.client import Client
from tests.factories import Colleagues
from tests.tables import as_owner, event_seq, snapshot, until_idle
from tests.talk import Conversation, new_question

OPINION = Opinion(
    likely_cause="The certificate ran out.",
    reasoning="Both clients fail on the same day.",
    alternatives=["The clock is wrong."],
    suggested_steps=["Look at the certificate."],
    confidence=Confidence.MEDIUM,
)
FIELDS = "secondOpinion { id state }"
GIVEN = """
query($id: ID!) { session(id: $id) { secondOpinions {
  id state observationCount failure leadingHypothesis { label } requestedBy { id }
  opinion { likelyCause reasoning alternatives suggestedSteps confidence }
} } }
"""


@pytest.fixture
async def talk(client: Client, colleagues: Colleagues, database_url: str) -> Conversation:
    """Its intake is its own, so that opinions on it can be scripted."""
    engineer = client.as_(colleagues.engineer)
    started = await engineer.mutate(
        "startSession",
        "session { id eventCursor intake { text } rootBranch { id } } reply { id }",
        intake={"text": new_question()},
    )
    await engineer.answered(started["reply"]["id"])
    await until_idle(database_url, colleagues.account_id)
    return Conversation(engineer, colleagues, started["session"])


async def intake_of(talk: Conversation) -> str:
    found = await talk.client.run(
        "query($id: ID!) { session(id: $id) { intake { text } } }", id=talk.id
    )
    return str(found["session"]["intake"]["text"])


async def opinions(talk: Conversation) -> list[dict[str, Any]]:
    found = await talk.client.run(GIVEN, id=talk.id)
    return list(found["session"]["secondOpinions"])


async def test_it_is_told_the_observations_and_no_hypothesis(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, _ = await talk.fork()
    question = new_question()
    claims = [(FindingKind.OBSERVED, "It rains."), (FindingKind.RULED_OUT, "DNS is ruled out.")]
    provider.script_task(
        AnalyseBranch,
        question,
        Analysis(
            findings=[
                FoundFinding(kind=kind, claim=claim, subject="", evidence=[3])
                for kind, claim in claims
            ],
            ranking=[HypothesisRank(hypothesis="H1", likelihood=0.7, why="So it is.")],
        ),
    )
    await talk.client.answered(await talk.ask(question, dns))
    await until_idle(database_url, talk.people.account_id)
    intake = await intake_of(talk)
    provider.script_task(GiveSecondOpinion, intake, Fail("Busy."), OPINION)

    asked = await talk.client.mutate("requestSecondOpinion", FIELDS, sessionId=talk.id)
    await until_idle(database_url, talk.people.account_id)

    assert asked["secondOpinion"]["state"] == "PENDING"
    tasks = [
        t for t in provider.tasks if isinstance(t, GiveSecondOpinion) and t.session.intake == intake
    ]
    assert [task.observations for task in tasks] == [("It rains.",)] * 2
    assert "DNS" not in repr(tasks)
    assert await opinions(talk) == [
        {
            "id": asked["secondOpinion"]["id"],
            "state": "READY",
            "observationCount": 1,
            "failure": None,
            "leadingHypothesis": {"label": "DNS"},
            "requestedBy": {"id": talk.people.engineer.id},
            "opinion": {
                "likelyCause": "The certificate ran out.",
                "reasoning": "Both clients fail on the same day.",
                "alternatives": ["The clock is wrong."],
                "suggestedSteps": ["Look at the certificate."],
                "confidence": "MEDIUM",
            },
        }
    ]


async def test_a_failed_one_says_why_and_another_can_be_asked_for(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    provider.script_task(
        GiveSecondOpinion,
        await intake_of(talk),
        Fail("The key is wrong.", retryable=False),
        OPINION,
    )
    for _ in range(2):
        await talk.client.mutate("requestSecondOpinion", FIELDS, sessionId=talk.id)
        await until_idle(database_url, talk.people.account_id)

    newest, oldest = await opinions(talk)
    assert (oldest["state"], oldest["failure"]) == ("FAILED", "The key is wrong.")
    assert oldest["opinion"] is None
    assert (newest["state"], newest["failure"]) == ("READY", None)
    assert newest["leadingHypothesis"] is None


async def test_one_is_formed_at_a_time_and_once_for_its_key(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    held = HeldTask(asyncio.Event(), OPINION)
    provider.script_task(GiveSecondOpinion, await intake_of(talk), held)
    key = str(uuid4())

    asked = await asyncio.gather(
        *(
            talk.client.mutate(
                "requestSecondOpinion", FIELDS, sessionId=talk.id, idempotencyKey=key
            )
            for _ in range(3)
        )
    )
    await held.reached.wait()

    assert len({result["secondOpinion"]["id"] for result in asked}) == 1
    account = talk.people.account_id
    async with as_owner(database_url) as db:
        before = await snapshot(db, account), await event_seq(db, account)
    refused = await talk.client.mutate("requestSecondOpinion", FIELDS, sessionId=talk.id)
    assert (refused["__typename"], refused["from"]) == ("InvalidTransitionError", "PENDING")
    async with as_owner(database_url) as db:
        assert (await snapshot(db, account), await event_seq(db, account)) == before
    held.event.set()
    await until_idle(database_url, account)
    assert [opinion["state"] for opinion in await opinions(talk)] == ["READY"]


async def test_another_account_is_told_that_there_is_no_such_session(
    talk: Conversation, client: Client, strangers: Colleagues
) -> None:
    other = client.as_(strangers.admin)
    for session in (talk.id, node_id(Kind.SESSION, new_id())):
        refused = await other.mutate("requestSecondOpinion", FIELDS, sessionId=session)
        assert (refused["__typename"], refused["id"]) == ("NotFoundError", session)
