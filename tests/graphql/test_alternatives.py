"""An answer can be written anew without losing what it said, and said again."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from models.finding import FindingKind
from services.ai.port import ForkDraft, ForkOption, NoteStep, Usage
from services.ai.scripted import Answer, Fail, Hold, ScriptedProvider
from services.ai.tasks import AnalyseBranch, Analysis, FoundFinding
from tests.client import Client
from tests.factories import Colleagues
from tests.tables import as_owner, event_seq, snapshot, until_idle
from tests.talk import Conversation, new_question

ALTERNATIVES = """
query($id: ID!) { node(id: $id) { ... on BranchMessage {
  state body model failure suggestedFork { reason } alternatives { number body model }
  step { order content { ... on NoteStep { text } } }
} } }
"""
FORK = ForkDraft("Two causes", (ForkOption("DNS", "The record"), ForkOption("Quota", "Full")))


async def message(client: Client, id: str) -> dict[str, Any]:
    return dict((await client.run(ALTERNATIVES, id=id))["node"])


async def regenerated(talk: Conversation, id: str, **given: str) -> dict[str, Any]:
    return await talk.client.mutate(
        "regenerateMessage", "reply { id state body position }", messageId=id, **given
    )


async def chosen(talk: Conversation, id: str, number: int) -> dict[str, Any]:
    return await talk.client.mutate(
        "chooseAlternative", "reply { id state body }", messageId=id, number=number
    )


async def answered_twice(
    talk: Conversation, provider: ScriptedProvider, url: str, *second: Any
) -> tuple[str, str]:
    """A question, and the reply to it that was written anew as `second` says."""
    question = new_question()
    first = Answer("The first text.", step=NoteStep("First"), fork=FORK)
    provider.script(question, first, *second)
    reply = await talk.ask(question)
    await talk.client.answered(reply)
    await until_idle(url, talk.people.account_id)
    assert (await regenerated(talk, reply))["reply"]["state"] == "PENDING"
    await talk.client.answered(reply)
    await until_idle(url, talk.people.account_id)
    return question, reply


async def refused(
    talk: Conversation, url: str, verb: str, fields: str = "reply { id }", **given: Any
) -> dict[str, Any]:
    """How, once nothing has changed and nothing was published."""
    account = talk.people.account_id
    async with as_owner(url) as db:
        before = await snapshot(db, account), await event_seq(db, account)
    result = await talk.client.mutate(verb, fields, **given)
    async with as_owner(url) as db:
        assert (await snapshot(db, account), await event_seq(db, account)) == before
    assert result["__typename"].endswith("Error")
    return result


async def test_the_old_text_is_kept_and_the_model_is_asked_as_before(
    talk: Conversation, provider: ScriptedProvider, database_url: str, strangers: Colleagues
) -> None:
    async with as_owner(database_url) as db:
        theirs = await snapshot(db, strangers.account_id)
    anew = Answer("The second text.", step=NoteStep("Second"))
    question, reply = await answered_twice(talk, provider, database_url, anew)

    assert await message(talk.client, reply) == {
        "state": "COMPLETE",
        "body": "The second text.",
        "model": "scripted",
        "failure": None,
        "suggestedFork": None,
        "alternatives": [{"number": 1, "body": "The first text.", "model": "scripted"}],
        "step": {"order": 2, "content": {"text": "Second"}},
    }
    before, after = [r for r in provider.requests if r.question.text == question]
    assert before.conversation == after.conversation
    assert await talk.events(reply) == [
        "MessageAdded",
        "MessageFinished",
        "MessageRestarted",
        "MessageFinished",
    ]
    async with as_owner(database_url) as db:
        assert await snapshot(db, strangers.account_id) == theirs


async def test_the_new_text_is_analysed_and_findings_of_the_old_stay(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    question = new_question()
    findings = [
        FoundFinding(kind=FindingKind.OBSERVED, claim=claim, subject="", evidence=[4])
        for claim in ("It rains.", "It snows.")
    ]
    provider.script_task(AnalyseBranch, question, *(Analysis(findings=[one]) for one in findings))
    reply = await talk.ask(question)
    await talk.client.answered(reply)
    await until_idle(database_url, talk.people.account_id)
    await regenerated(talk, reply)
    await until_idle(database_url, talk.people.account_id)

    tasks = [
        task
        for task in provider.tasks
        if isinstance(task, AnalyseBranch)
        and question in [turn.text for turn in task.conversation.turns]
    ]
    assert [(task.since, task.known) for task in tasks] == [(2, ()), (3, ("It rains.",))]
    found = await talk.client.run(
        "query($id: ID!) { branch(id: $id) { findings { claim } } }", id=talk.trunk
    )
    assert [one["claim"] for one in found["branch"]["findings"]] == ["It rains.", "It snows."]


async def test_an_earlier_text_comes_back_with_its_move_and_its_fork(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    anew = Answer("The second text.", step=NoteStep("Second"))
    _, reply = await answered_twice(talk, provider, database_url, anew)
    back = await chosen(talk, reply, 1)
    assert (back["reply"]["state"], back["reply"]["body"]) == ("COMPLETE", "The first text.")
    await until_idle(database_url, talk.people.account_id)
    assert await message(talk.client, reply) == {
        "state": "COMPLETE",
        "body": "The first text.",
        "model": "scripted",
        "failure": None,
        "suggestedFork": {"reason": "Two causes"},
        "alternatives": [{"number": 2, "body": "The second text.", "model": "scripted"}],
        "step": {"order": 1, "content": {"text": "First"}},
    }
    unknown = await refused(talk, database_url, "chooseAlternative", messageId=reply, number=1)
    assert unknown["fields"] == [
        {"path": ["number"], "message": "Names no alternative of this answer."}
    ]
    prompt = "query($id: ID!) { messagePrompt(messageId: $id) { isExact } }"
    assert (await talk.client.run(prompt, id=reply))["messagePrompt"] is None
    later = new_question()
    await talk.client.answered(await talk.ask(later))
    (request,) = [r for r in provider.requests if r.question.text == later]
    said = [turn.text for turn in request.conversation.turns]
    assert "The first text." in said
    assert "The second text." not in said
    assert (await talk.events(reply))[-1] == "MessageFinished"


@pytest.mark.parametrize("end", ["FAILED", "CANCELLED"])
async def test_a_text_comes_back_when_it_could_not_be_written_anew(
    talk: Conversation, provider: ScriptedProvider, database_url: str, end: str
) -> None:
    question = new_question()
    silent = Hold(asyncio.Event(), "one two three")
    second = Fail("The key is wrong.", retryable=False) if end == "FAILED" else silent
    provider.script(question, "The first text.", second)
    reply = await talk.ask(question)
    await talk.client.answered(reply)
    await regenerated(talk, reply)
    if end == "CANCELLED":
        await silent.reached.wait()
        await talk.client.mutate("cancelMessage", "cancelledMessage { id }", messageId=reply)
    await talk.client.answered(reply)
    ended = await message(talk.client, reply)
    assert ended["state"] == end
    assert [one["body"] for one in ended["alternatives"]] == ["The first text."]

    await chosen(talk, reply, ended["alternatives"][0]["number"])
    back = await message(talk.client, reply)
    assert (back["state"], back["body"], back["failure"]) == ("COMPLETE", "The first text.", None)
    assert back["alternatives"] == []


async def test_only_an_answer_that_nothing_rests_on_is_written_anew(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    _, reply = await answered_twice(talk, provider, database_url, "The second text.")

    async def why(id: str, source: str = "COMPLETE") -> str:
        refusal = await refused(talk, database_url, "regenerateMessage", messageId=id)
        assert (refusal["from"], refusal["to"], refusal["allowed"]) == (source, "PENDING", [])
        return str(refusal["message"])

    said = await talk.messages()
    assert await why(said[-2]["id"]) == "The message is COMPLETE.", "what somebody typed"
    assert await why(said[1]["id"]) == "Something was said after this answer."
    await talk.fork()
    assert await why(reply) == "A branch was forked from this answer."
    refusal = await refused(talk, database_url, "chooseAlternative", messageId=reply, number=1)
    assert refusal["message"] == "A branch was forked from this answer."

    question = new_question()
    silent = Hold(asyncio.Event(), "one two three")
    provider.script(question, silent)
    running = await talk.ask(question)
    await silent.reached.wait()
    for verb, given in (("regenerateMessage", {}), ("chooseAlternative", {"number": 1})):
        refusal = await refused(talk, database_url, verb, messageId=running, **given)
        assert refusal["from"] == "STREAMING"
    silent.event.set()
    await talk.client.answered(running)


async def test_it_is_written_anew_once_for_its_key_and_once_at_a_time(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    question, reply = await answered_twice(talk, provider, database_url, "The second text.")
    key = str(uuid4())
    silent = Hold(asyncio.Event(), "The third text.")
    provider.script(question, silent)
    results = await asyncio.gather(
        *(regenerated(talk, reply, idempotencyKey=key) for _ in range(3)),
        *(regenerated(talk, reply) for _ in range(2)),
    )
    kinds = [result["__typename"] for result in results]
    assert kinds.count("RegenerateMessageSuccess") in {1, 3}, "the key's, or one of the others"
    silent.event.set()
    await talk.client.answered(reply)
    await until_idle(database_url, talk.people.account_id)
    now = await message(talk.client, reply)
    assert now["body"] == "The third text."
    assert [one["body"] for one in now["alternatives"]] == ["The second text.", "The first text."]
    assert len([r for r in provider.requests if r.question.text == question]) == 3


async def test_of_a_question_and_a_new_text_at_once_the_first_one_counts(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    _, reply = await answered_twice(talk, provider, database_url, "The second text.")
    later = new_question()
    again, asked = await asyncio.gather(regenerated(talk, reply), talk.ask(later))
    await talk.client.answered(asked)
    await until_idle(database_url, talk.people.account_id)
    (request,) = [r for r in provider.requests if r.question.text == later]
    answer = (await message(talk.client, reply))["body"]
    assert answer in [turn.text for turn in request.conversation.turns]
    assert (again["__typename"] == "RegenerateMessageSuccess") == (answer != "The second text.")


async def test_of_those_who_choose_at_once_each_gets_what_was_there(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    _, reply = await answered_twice(talk, provider, database_url, "The second text.")
    results = await asyncio.gather(*(chosen(talk, reply, 1) for _ in range(3)))
    kinds = sorted(result["__typename"] for result in results)
    assert kinds == ["ChooseAlternativeSuccess", "InvalidInputError", "InvalidInputError"]
    now = await message(talk.client, reply)
    assert now["body"] == "The first text."
    assert [one["body"] for one in now["alternatives"]] == ["The second text."]


async def test_a_text_is_replaced_twenty_times_at_most(
    talk: Conversation, database_url: str
) -> None:
    reply = (await talk.messages())[-1]["id"]
    for _ in range(20):
        await regenerated(talk, reply)
        await talk.client.answered(reply)
    await until_idle(database_url, talk.people.account_id)
    refusal = await refused(talk, database_url, "regenerateMessage", messageId=reply)
    assert refusal["message"] == "This answer was written anew 20 times already."
    assert [one["number"] for one in (await message(talk.client, reply))["alternatives"]] == list(
        range(20, 0, -1)
    )


async def test_alternatives_of_twenty_answers_cost_as_much_as_of_one(
    talk: Conversation, database_url: str, statements: list[str]
) -> None:
    document = """query($id: ID!) { branch(id: $id) { messages(first: 100) { edges { node {
        alternatives { number body } } } } } }"""

    async def cost() -> int:
        statements.clear()
        await talk.client.run(document, id=talk.trunk)
        return len(statements)

    one = await cost()
    for _ in range(19):
        await talk.client.answered(await talk.ask(new_question()))
    await until_idle(database_url, talk.people.account_id)
    assert len(await talk.messages()) == 40
    assert await cost() == one


async def test_who_has_used_up_the_budget_keeps_the_answer(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    question = new_question()
    provider.script(question, Answer("Costly.", usage=Usage(60_000_000, 1)))
    reply = await talk.ask(question)
    await talk.client.answered(reply)
    await until_idle(database_url, talk.people.account_id)
    refusal = await refused(talk, database_url, "regenerateMessage", messageId=reply)
    assert refusal["__typename"] == "BudgetExceededError"
    assert (await message(talk.client, reply))["body"] == "Costly."
