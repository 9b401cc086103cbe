"""The life of a reply: asked for, written, followed, failed, retried, cancelled; each ends once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Self
from uuid import uuid4

import pytest
from sqlalchemy import text

from models.message import MessageRole
from models.session import ConfidenceTier
from services import answers, siblings
from services.ai.port import (
    ForkDraft,
    ForkOption,
    IntakeAnalysis,
    IntakeAnalysisStep,
    NoteStep,
    TurnRequest,
    Usage,
)
from services.ai.scripted import Answer, Fail, FailAfter, Hold, ScriptedProvider
from services.answers import answer_message
from services.ids import Kind, uuid_of
from services.runtime import Runtime
from tests.client import Client, Socket
from tests.factories import Colleagues
from tests.tables import as_owner, snapshot, until_idle
from tests.talk import EVENTS, SOON, Conversation, new_question

STREAM = """
subscription($id: ID!) { messageStreamed(messageId: $id) {
  __typename
  ... on MessageSnapshot { text offset message { state } }
  ... on MessageDelta { text offset }
  ... on MessageEnded { message { id state body failure } }
} }
"""


@pytest.fixture
def every_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker writes each piece as it comes instead of gathering them."""
    monkeypatch.setattr(answers, "CHUNK_INTERVAL", 0.0)


class Reading:
    """What a client makes of a stream: text that grows where the last piece ended."""

    def __init__(self, socket: Socket, pieces: AsyncIterator[dict[str, Any]]) -> None:
        self.socket = socket
        self.pieces = pieces
        self.text = ""
        self.kinds: list[str] = []
        self.states: list[str] = []
        """Of the message, at each snapshot."""
        self.ended: dict[str, Any] | None = None

    async def next(self) -> Self:
        async with asyncio.timeout(SOON):
            piece = (await anext(self.pieces))["messageStreamed"]
        kind = piece["__typename"].removeprefix("Message")
        self.kinds.append(kind)
        match kind:
            case "Snapshot":
                assert piece["offset"] == len(piece["text"])
                self.text = piece["text"]
                self.states.append(piece["message"]["state"])
            case "Delta":
                assert piece["offset"] == len(self.text)
                assert piece["text"]
                self.text += piece["text"]
            case "Ended":
                self.ended = piece["message"]
        return self

    async def until(self, text: str) -> Self:
        while self.text != text:
            assert self.ended is None
            await self.next()
        return self

    async def until_ended(self) -> dict[str, Any]:
        while self.ended is None:
            await self.next()
        with pytest.raises(StopAsyncIteration):
            await anext(self.pieces)
        return self.ended


@asynccontextmanager
async def reading(client: Client, id: str) -> AsyncIterator[Reading]:
    async with client.socket() as socket:
        yield Reading(socket, socket.follow(STREAM, id=id))


async def reached(*holds: Hold) -> None:
    async with asyncio.timeout(SOON):
        for hold in holds:
            await hold.reached.wait()


def held(then: str | Answer | Fail | FailAfter) -> Hold:
    return Hold(asyncio.Event(), then)


def requests(provider: ScriptedProvider, question: str) -> list[TurnRequest]:
    return [request for request in provider.requests if request.question.text == question]


def said(request: TurnRequest) -> list[tuple[MessageRole, str, str | None]]:
    """Before the question."""
    return [(turn.role, turn.text, turn.author) for turn in request.conversation.turns]


async def left_chunks(database_url: str, id: str) -> int:
    statement = text("SELECT count(*) FROM message_chunks WHERE message_id = :id")
    async with as_owner(database_url) as db:
        return int((await db.execute(statement, {"id": uuid_of(Kind.MESSAGE, id)})).scalar_one())


# ------------------------------------------------------------------ written and followed


@pytest.mark.usefixtures("every_piece")
async def test_a_stream_begins_with_nothing_and_ends_with_the_stored_message(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    first, second = new_question(), new_question()
    before, answer = held("Wait a little."), held("one two three four five six")
    provider.script(first, before)
    provider.script(second, answer)
    await talk.ask(first)
    await reached(before)
    reply = await talk.ask(second)
    async with reading(talk.client, reply) as stream:
        await stream.next()
        assert (stream.kinds, stream.text, stream.states) == (["Snapshot"], "", ["PENDING"])
        before.event.set()
        await stream.until("one two ")
        assert stream.states == ["PENDING", "STREAMING"]
        answer.event.set()
        ended = await stream.until_ended()
    assert ended == {
        "id": reply,
        "state": "COMPLETE",
        "body": "one two three four five six",
        "failure": None,
    }
    assert stream.text == ended["body"]
    assert set(stream.kinds[2:-1]) == {"Delta"}
    assert await left_chunks(database_url, reply) == 0
    assert await talk.events(reply) == ["MessageAdded", "MessageFinished"]


async def test_who_joins_late_or_again_gets_the_text_so_far(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    question = new_question()
    answer = held("one two three four five six")
    provider.script(question, answer)
    reply = await talk.ask(question)
    await reached(answer)
    async with reading(talk.client, reply) as cut:
        await cut.next()
        assert (cut.kinds, cut.text, cut.states) == (["Snapshot"], "one two ", ["STREAMING"])
        cut.socket.connection.transport.abort()
    async with reading(talk.client, reply) as again, reading(talk.client, reply) as late:
        await again.next()
        assert (again.kinds, again.text) == (["Snapshot"], "one two ")
        answer.event.set()
        ended = await again.until_ended()
        assert again.text == ended["body"] == "one two three four five six"
        assert again.kinds.count("Snapshot") == 1
        await late.until_ended()
        assert late.text == ended["body"]
    async with reading(talk.client, reply) as after:
        await after.until_ended()
    assert after.kinds == ["Snapshot", "Ended"]
    assert after.text == ended["body"]


@pytest.mark.usefixtures("every_piece")
async def test_text_beyond_the_basic_plane_is_counted_in_characters(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    question = new_question()
    answer = held("🖨️ ist läuft 🎉 gut 👩‍💻")
    provider.script(question, answer)
    reply = await talk.ask(question)
    await reached(answer)
    async with reading(talk.client, reply) as stream:
        await stream.next()
        answer.event.set()
        ended = await stream.until_ended()
    assert stream.text == ended["body"] == "🖨️ ist läuft 🎉 gut 👩‍💻"


# ------------------------------------------------------------------ failures


@pytest.mark.parametrize("failure", [Fail, lambda *a, **k: FailAfter("one two three", *a, **k)])
async def test_a_failed_reply_says_why_and_is_no_part_of_later_prompts(
    talk: Conversation, provider: ScriptedProvider, failure: Any
) -> None:
    failing, later = new_question(), new_question()
    provider.script(failing, failure("The key is wrong.", retryable=False))
    reply = await talk.ask(failing)
    async with reading(talk.client, reply) as stream:
        ended = await stream.until_ended()
    assert ended == {"id": reply, "state": "FAILED", "body": "", "failure": "The key is wrong."}
    assert len(requests(provider, failing)) == 1
    assert await talk.events(reply) == ["MessageAdded", "MessageFinished"]
    failed = await talk.message(reply)
    assert (failed["model"], failed["usage"], failed["step"]) == (None, None, None)

    await talk.client.answered(await talk.ask(later))
    (request,) = requests(provider, later)
    assert said(request)[-1] == (MessageRole.USER, failing, "Engineer")
    assert "one two three" not in repr(request)


async def test_what_may_pass_is_tried_three_times(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    question = new_question()
    provider.script(question, Fail("First."), FailAfter("one two", "Second."), Fail("Third."))
    reply = await talk.ask(question)
    async with reading(talk.client, reply) as stream:
        ended = await stream.until_ended()
    assert (ended["state"], ended["body"], ended["failure"]) == ("FAILED", "", "Third.")
    assert len(requests(provider, question)) == 3
    assert await talk.events(reply) == ["MessageAdded", "MessageFinished"]


async def test_a_try_that_fails_leaves_nothing_in_the_next(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    question = new_question()
    broken = held(FailAfter("wrong words here"))
    good = held("right and good")
    provider.script(question, broken, good)
    reply = await talk.ask(question)
    await reached(broken)
    async with reading(talk.client, reply) as stream:
        await stream.until("wrong ")
        broken.event.set()
        await reached(good)
        await stream.until("right ")
        assert stream.kinds.count("Snapshot") == 2
        good.event.set()
        ended = await stream.until_ended()
    assert stream.text == ended["body"] == "right and good"
    assert ended["state"] == "COMPLETE"
    assert len(requests(provider, question)) == 2


async def test_a_retry_answers_in_the_same_row(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    question = new_question()
    answer = held("one two three")
    provider.script(question, Fail("The key is wrong.", retryable=False), answer)
    reply = await talk.ask(question)
    await talk.client.answered(reply)
    failed = await talk.message(reply)
    retried = await talk.client.mutate(
        "retryMessage", "reply { id position state body failure }", messageId=reply
    )
    assert retried["reply"] == {
        "id": reply,
        "position": failed["position"],
        "state": "PENDING",
        "body": "",
        "failure": None,
    }
    await reached(answer)
    async with reading(talk.client, reply) as stream:
        await stream.next()
        assert (stream.kinds, stream.text) == (["Snapshot"], "one ")
        answer.event.set()
        ended = await stream.until_ended()
    assert (ended["state"], ended["body"], ended["failure"]) == ("COMPLETE", "one two three", None)
    assert (await talk.message(reply))["position"] == failed["position"]
    assert await talk.events(reply) == [
        "MessageAdded",
        "MessageFinished",
        "MessageRestarted",
        "MessageFinished",
    ]
    refused = await talk.client.mutate("retryMessage", "reply { id }", messageId=reply)
    assert (refused["__typename"], refused["from"]) == ("InvalidTransitionError", "COMPLETE")


async def test_a_model_that_takes_too_long_fails(
    talk: Conversation, provider: ScriptedProvider, runtime: Runtime, database_url: str
) -> None:
    question = new_question()
    overtaken, endless = held("one two three"), held("four five six")
    provider.script(question, overtaken, endless)
    reply = await talk.ask(question)
    await reached(overtaken)
    hasty = replace(runtime, limits=replace(runtime.limits, reply_timeout=0.2))
    await answer_message(hasty, talk.people.account_id, uuid_of(Kind.MESSAGE, reply), last_try=True)
    overtaken.event.set()
    await until_idle(database_url, talk.people.account_id)
    failed = await talk.message(reply)
    assert (failed["state"], failed["body"]) == ("FAILED", "")
    assert failed["failure"] == "The assistant took too long."
    assert await talk.events(reply) == ["MessageAdded", "MessageFinished"]


# ------------------------------------------------------------------ cancelled


async def cancelled(talk: Conversation, reply: str) -> dict[str, Any]:
    return await talk.client.mutate(
        "cancelMessage", "cancelledMessage { id state body failure }", messageId=reply
    )


async def test_a_pending_reply_that_is_cancelled_is_never_asked_for(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    first, second, third = (new_question() for _ in range(3))
    before = held("Wait a little.")
    provider.script(first, before)
    await talk.ask(first)
    await reached(before)
    reply = await talk.ask(second)
    last = await talk.ask(third)
    async with reading(talk.client, reply) as stream:
        await stream.next()
        stopped = await cancelled(talk, reply)
        ended = await stream.until_ended()
    assert stopped["cancelledMessage"] == ended
    assert ended == {"id": reply, "state": "CANCELLED", "body": "", "failure": None}
    assert stream.kinds == ["Snapshot", "Ended"]
    again = await cancelled(talk, reply)
    assert (again["__typename"], again["from"], again["allowed"]) == (
        "InvalidTransitionError",
        "CANCELLED",
        ["PENDING"],
    )
    before.event.set()
    await talk.client.answered(last)
    await until_idle(database_url, talk.people.account_id)
    assert requests(provider, second) == []
    (request,) = requests(provider, third)
    assert said(request)[-3:] == [
        (MessageRole.USER, first, "Engineer"),
        (MessageRole.ASSISTANT, "Wait a little.", None),
        (MessageRole.USER, second, "Engineer"),
    ]
    assert await talk.events(reply) == ["MessageAdded", "MessageFinished"]


@pytest.mark.usefixtures("every_piece")
async def test_a_reply_cancelled_while_it_is_written_keeps_its_text(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    question = new_question()
    answer = held(Answer("one two three four five six", step=NoteStep("Seen")))
    provider.script(question, answer)
    reply = await talk.ask(question)
    await reached(answer)
    async with reading(talk.client, reply) as stream:
        await stream.next()
        stopped = await cancelled(talk, reply)
        ended = await stream.until_ended()
    assert stopped["cancelledMessage"] == ended
    assert ended == {"id": reply, "state": "CANCELLED", "body": "one two ", "failure": None}
    assert stream.text == "one two "
    answer.event.set()
    await until_idle(database_url, talk.people.account_id)
    kept = await talk.message(reply)
    assert (kept["state"], kept["body"], kept["model"], kept["step"]) == (
        "CANCELLED",
        "one two ",
        None,
        None,
    )
    assert await left_chunks(database_url, reply) == 0
    assert await talk.events(reply) == ["MessageAdded", "MessageFinished"]


async def test_a_cancelled_reply_can_be_retried_while_its_worker_still_writes(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    question = new_question()
    stopped, answer = held("wrong words here"), held("right and good")
    provider.script(question, stopped, answer)
    reply = await talk.ask(question)
    await reached(stopped)
    await cancelled(talk, reply)
    await talk.client.mutate("retryMessage", "reply { id }", messageId=reply)
    async with reading(talk.client, reply) as stream:
        await stream.next()
        assert stream.text == ""
        stopped.event.set()
        await reached(answer)
        answer.event.set()
        ended = await stream.until_ended()
    assert stream.text == ended["body"] == "right and good"
    await until_idle(database_url, talk.people.account_id)
    assert await talk.events(reply) == [
        "MessageAdded",
        "MessageFinished",
        "MessageRestarted",
        "MessageFinished",
    ]


PROMPTLY = 3.0
"""Seconds in which a worker lets go of what nobody waits for; without that, it is a test's patience."""


async def begun(provider: ScriptedProvider, question: str) -> None:
    """Until the model is asked it."""
    async with asyncio.timeout(PROMPTLY):
        while not requests(provider, question):  # noqa: ASYNC110 - it tells in no other way
            await asyncio.sleep(0.01)


async def test_a_cancelled_reply_makes_room_at_once_although_its_model_is_silent(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    question, later = new_question(), new_question()
    silent = held("one two three four five six")
    provider.script(question, silent)
    reply = await talk.ask(question)
    await reached(silent)
    after = await talk.ask(later)
    await cancelled(talk, reply)
    await begun(provider, later)
    await talk.client.answered(after)
    assert (await talk.message(reply))["state"] == "CANCELLED"
    assert (await talk.message(after))["state"] == "COMPLETE"
    assert await talk.events(reply) == ["MessageAdded", "MessageFinished"]


async def test_another_server_can_stop_a_reply(
    talk: Conversation,
    provider: ScriptedProvider,
    serve_also: Callable[..., Awaitable[Client]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "STOP_POLL", SOON)  # so that it must be the hint
    question, later = new_question(), new_question()
    silent = held("one two three four five six")
    provider.script(question, silent)
    reply = await talk.ask(question)
    await reached(silent)
    await talk.ask(later)
    other = (await serve_also()).with_token(str(talk.client.token))
    await other.mutate("cancelMessage", "cancelledMessage { id }", messageId=reply)
    await begun(provider, later)


async def test_a_hint_that_was_lost_costs_a_moment(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    question, later = new_question(), new_question()
    silent = held("one two three four five six")
    provider.script(question, silent)
    reply = await talk.ask(question)
    await reached(silent)
    await talk.ask(later)
    stop = text("UPDATE branch_messages SET state = 'cancelled' WHERE id = :id")
    async with as_owner(database_url) as db:
        await db.execute(stop, {"id": uuid_of(Kind.MESSAGE, reply)})
    await begun(provider, later)


async def test_a_cancelled_reply_that_waits_for_another_try_makes_room_at_once(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    """Although the model's service asked for more time than anybody has."""
    question, later = new_question(), new_question()
    provider.script(question, Fail("Busy.", retry_after=SOON))
    reply = await talk.ask(question)
    await talk.ask(later)
    waits = text(
        "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '5 minutes' "
        "WHERE args->>'message_id' = :id AND status = 'todo' AND scheduled_at IS NOT NULL"
    )
    key = str(uuid_of(Kind.MESSAGE, reply))
    async with asyncio.timeout(SOON):
        updated = 0
        while not updated:
            async with as_owner(database_url) as db:
                updated = (await db.execute(waits, {"id": key})).rowcount
    await cancelled(talk, reply)
    await begun(provider, later)
    assert (await talk.message(reply))["state"] == "CANCELLED"
    assert len(requests(provider, question)) == 1


@pytest.mark.parametrize(
    ("verb", "given"),
    [("resolveSession", {"summary": "It works again."}), ("abandonSession", {"reason": "Nobody."})],
)
async def test_the_end_of_a_session_stops_its_replies(
    talk: Conversation,
    provider: ScriptedProvider,
    database_url: str,
    verb: str,
    given: dict[str, str],
) -> None:
    question = new_question()
    silent = held("one two three four five six")
    provider.script(question, silent)
    reply = await talk.ask(question)
    await reached(silent)
    ended = await talk.client.mutate(
        verb, "session { status }", sessionId=talk.id, expectedVersion=1, **given
    )
    assert ended["__typename"].endswith("Success")
    await until_idle(database_url, talk.people.account_id, within=PROMPTLY)
    assert (await talk.message(reply))["state"] == "CANCELLED"


# ------------------------------------------------------------------ order


async def test_replies_of_a_branch_come_one_after_the_other(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    questions = [new_question() for _ in range(3)]
    holds = [held(f"Answer {number}") for number in range(3)]
    replies = []
    for question, hold in zip(questions, holds, strict=True):
        provider.script(question, hold)
        replies.append(await talk.ask(question))
    for number, hold in enumerate(holds):
        await reached(hold)
        asked = [len(requests(provider, question)) for question in questions]
        assert asked == [1] * (number + 1) + [0] * (2 - number)
        hold.event.set()
    await talk.client.answered(replies[-1])
    (last,) = requests(provider, questions[-1])
    assert said(last)[-4:] == [
        (MessageRole.USER, questions[0], "Engineer"),
        (MessageRole.ASSISTANT, "Answer 0", None),
        (MessageRole.USER, questions[1], "Engineer"),
        (MessageRole.ASSISTANT, "Answer 1", None),
    ]
    bodies = [found["body"] for found in await talk.messages()][-6:]
    assert bodies == [
        text for number, question in enumerate(questions) for text in (question, f"Answer {number}")
    ]


async def test_two_branches_are_answered_at_the_same_time(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    branches = await talk.fork()
    questions = [new_question(), new_question()]
    holds = [held("For DNS"), held("For quota")]
    replies = []
    for branch, question, hold in zip(branches, questions, holds, strict=True):
        provider.script(question, hold)
        replies.append(await talk.ask(question, branch))
    await reached(*holds)
    for hold in holds:
        hold.event.set()
    for reply, branch, body in zip(replies, branches, ("For DNS", "For quota"), strict=True):
        await talk.client.answered(reply)
        assert (await talk.message(reply, branch))["body"] == body
    for question, label in zip(questions, ("DNS", "Quota"), strict=True):
        (request,) = requests(provider, question)
        trunk, own = request.conversation.lineage
        assert own.hypothesis is not None
        assert (own.hypothesis.label, own.turns) == (label, ())
        assert [turn.text for turn in trunk.turns] == [
            found["body"] for found in await talk.messages()
        ]


async def asked_siblings(talk: Conversation, *questions: str) -> list[str]:
    """The replies, on branches of one fork."""
    branches = await talk.fork()
    return [
        await talk.ask(question, branch)
        for branch, question in zip(branches, questions, strict=True)
    ]


async def test_siblings_are_asked_once_the_first_of_them_has_begun(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    """From then on what they share is in the model's cache."""
    questions = [new_question(), new_question()]
    silent = held(Fail("The key is wrong.", retryable=False))
    provider.script(questions[0], silent)
    _, second = await asked_siblings(talk, *questions)
    await reached(silent)
    # A question on the trunk that is asked after it is answered before it.
    await talk.client.answered(await talk.ask(new_question()))
    assert requests(provider, questions[1]) == []
    silent.event.set()
    await talk.client.answered(second)
    assert len(requests(provider, questions[1])) == 1


async def test_a_sibling_waits_no_longer_than_until_the_first_word(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    questions = [new_question(), new_question()]
    speaking = held("one two three")
    provider.script(questions[0], speaking)
    _, second = await asked_siblings(talk, *questions)
    await reached(speaking)
    await begun(provider, questions[1])
    await talk.client.answered(second)
    speaking.event.set()


async def test_a_sibling_does_not_wait_for_ever(
    talk: Conversation, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siblings, "PATIENCE", 0.1)
    questions = [new_question(), new_question()]
    silent = held(Fail("The key is wrong.", retryable=False))
    provider.script(questions[0], silent)
    _, second = await asked_siblings(talk, *questions)
    await begun(provider, questions[1])
    await talk.client.answered(second)
    silent.event.set()


async def test_a_sender_may_wait_for_the_reply(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    question = new_question()
    answer = held("one two three")
    provider.script(question, answer)
    key = str(uuid4())

    async def send() -> dict[str, Any]:
        return await talk.client.mutate(
            "sendBranchMessage",
            "sentMessage { id } reply { id state body }",
            branchId=talk.trunk,
            body=question,
            awaitReply=True,
            idempotencyKey=key,
        )

    sending = asyncio.create_task(send())
    await reached(answer)
    assert not sending.done()
    repeated = asyncio.create_task(send())
    answer.event.set()
    sent = await sending
    assert (sent["reply"]["state"], sent["reply"]["body"]) == ("COMPLETE", "one two three")
    assert await repeated == sent
    assert len(requests(provider, question)) == 1


async def test_a_sender_who_waits_is_told_of_a_failure(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    question = new_question()
    provider.script(question, Fail("The key is wrong.", retryable=False))
    sent = await talk.client.mutate(
        "sendBranchMessage",
        "reply { state body failure }",
        branchId=talk.trunk,
        body=question,
        awaitReply=True,
    )
    assert sent["reply"] == {"state": "FAILED", "body": "", "failure": "The key is wrong."}


# ------------------------------------------------------------------ once


@pytest.mark.usefixtures("every_piece")
async def test_a_second_worker_begins_anew_and_the_first_is_refused(
    talk: Conversation, provider: ScriptedProvider, runtime: Runtime, database_url: str
) -> None:
    question = new_question()
    paused = held(Answer("wrong words here", step=NoteStep("First"), usage=Usage(100, 10)))
    taken_over = held(Answer("right and good", step=NoteStep("Second"), usage=Usage(20, 3)))
    provider.script(question, paused, taken_over)
    reply = await talk.ask(question)
    await reached(paused)
    async with reading(talk.client, reply) as stream:
        await stream.until("wrong ")
        second = asyncio.create_task(
            answer_message(
                runtime, talk.people.account_id, uuid_of(Kind.MESSAGE, reply), last_try=False
            )
        )
        await reached(taken_over)
        await stream.until("right ")
        paused.event.set()
        await until_idle(database_url, talk.people.account_id)
        assert (await talk.message(reply))["state"] == "STREAMING"
        taken_over.event.set()
        await second
        ended = await stream.until_ended()
    assert stream.text == ended["body"] == "right and good"
    await only_second_counts(talk, reply)


@pytest.mark.usefixtures("every_piece")
async def test_a_worker_that_wakes_up_after_the_end_changes_nothing(
    talk: Conversation, provider: ScriptedProvider, runtime: Runtime, database_url: str
) -> None:
    question = new_question()
    paused = held(Answer("wrong words here", step=NoteStep("First"), usage=Usage(100, 10)))
    provider.script(
        question,
        paused,
        Answer("right and good", step=NoteStep("Second"), usage=Usage(20, 3)),
    )
    reply = await talk.ask(question)
    await reached(paused)
    await answer_message(
        runtime, talk.people.account_id, uuid_of(Kind.MESSAGE, reply), last_try=False
    )
    paused.event.set()
    await until_idle(database_url, talk.people.account_id)
    await only_second_counts(talk, reply)


async def only_second_counts(talk: Conversation, reply: str) -> None:
    found = await talk.message(reply)
    assert (found["state"], found["body"]) == ("COMPLETE", "right and good")
    assert found["usage"] == {"input": 20, "output": 3, "cacheRead": 0, "cacheWrite": 0}
    assert found["step"] == {"order": 1, "confidence": None, "content": {"text": "Second"}}
    assert await talk.events(reply) == ["MessageAdded", "MessageFinished"]
    spent = await talk.client.run(SPENT, session=talk.id, branch=talk.trunk)
    assert [edge["node"]["content"] for edge in spent["session"]["steps"]["edges"]] == [
        {"text": "Second"}
    ]


async def test_the_same_job_once_more_changes_nothing(
    talk: Conversation, provider: ScriptedProvider, runtime: Runtime, database_url: str
) -> None:
    done, failed, stopped = (new_question() for _ in range(3))
    account = talk.people.account_id
    provider.script(done, Answer("Done.", step=NoteStep("Seen")))
    provider.script(failed, Fail("The key is wrong.", retryable=False))
    paused = held("one two three")
    provider.script(stopped, paused)
    replies = [await talk.ask(question) for question in (done, failed, stopped)]
    await reached(paused)
    await cancelled(talk, replies[-1])
    paused.event.set()
    await until_idle(database_url, account)
    async with as_owner(database_url) as db:
        before = await snapshot(db, account)
    asked = len(provider.requests)
    for reply in replies:
        for last_try in (False, True):
            await answer_message(runtime, account, uuid_of(Kind.MESSAGE, reply), last_try=last_try)
    async with as_owner(database_url) as db:
        assert await snapshot(db, account) == before
    assert len(provider.requests) == asked


# ------------------------------------------------------------------ what an answer brings

SPENT = """
query($session: ID!, $branch: ID!) {
  session(id: $session) {
    usage { ...Tokens } steps { edges { node { order content { ... on NoteStep { text } } } } }
  }
  branch(id: $branch) { usage { ...Tokens } }
}
fragment Tokens on TokenUsage { input output cacheRead cacheWrite }
"""


async def test_the_answer_to_an_intake_tells_the_session_what_it_is_about(
    client: Client, colleagues: Colleagues, provider: ScriptedProvider
) -> None:
    engineer = client.as_(colleagues.engineer)
    intake = new_question()
    provider.script(
        intake,
        Answer(
            "It is the printer.",
            step=IntakeAnalysisStep("The printer stops", "printing", ("error 0x97",)),
            confidence=0.75,
            intake=IntakeAnalysis(
                "The printer stops", "printing", ("error 0x97",), ConfidenceTier.CONFIDENT
            ),
            usage=Usage(100, 7, cache_read=20, cache_write=3),
        ),
    )
    started = await engineer.mutate(
        "startSession",
        "session { id eventCursor problemSummary problemDomain confidenceTier } reply { id }",
        intake={"text": intake},
    )
    session = started["session"]
    assert (session["problemSummary"], session["problemDomain"]) == (None, None)
    assert session["confidenceTier"] == "DISCOVERY"
    reply = started["reply"]["id"]
    told = []
    async with (
        asyncio.timeout(SOON),
        engineer.subscribe(EVENTS, id=session["id"], after=session["eventCursor"]) as events,
    ):
        async for data in events:
            event = data["sessionChanged"]
            told.append((event["__typename"], event["actor"]))
            if event["__typename"] == "SessionUpdated":
                break
    by_engineer = ("MessageAdded", {"id": colleagues.engineer.id})
    assert told == [by_engineer, by_engineer, ("MessageFinished", None), ("SessionUpdated", None)]
    (request,) = requests(provider, intake)
    assert (request.purpose, said(request)) == ("intake", [])
    found = await engineer.run(
        """query($id: ID!) { session(id: $id) {
          problemSummary problemDomain confidenceTier
          usage { input output cacheRead cacheWrite }
          rootBranch { usage { input output cacheRead cacheWrite } messages { edges { node {
            id role model usage { input output cacheRead cacheWrite } step { id }
          } } } }
          steps { edges { node { id order confidence message { id } content {
            ... on IntakeAnalysisStep { summary domain signals }
          } } } }
        } }""",
        id=session["id"],
    )
    used = {"input": 123, "output": 7, "cacheRead": 20, "cacheWrite": 3}
    (step,) = [edge["node"] for edge in found["session"]["steps"]["edges"]]
    asked, answered = [edge["node"] for edge in found["session"]["rootBranch"]["messages"]["edges"]]
    assert step == {
        "id": answered["step"]["id"],
        "order": 1,
        "confidence": 0.75,
        "message": {"id": reply},
        "content": {
            "summary": "The printer stops",
            "domain": "printing",
            "signals": ["error 0x97"],
        },
    }
    assert (found["session"]["problemSummary"], found["session"]["problemDomain"]) == (
        "The printer stops",
        "printing",
    )
    assert found["session"]["confidenceTier"] == "CONFIDENT"
    assert (asked["role"], asked["model"], asked["usage"]) == ("USER", None, None)
    assert (answered["role"], answered["model"]) == ("ASSISTANT", "scripted")
    assert answered["usage"] == found["session"]["usage"] == found["session"]["rootBranch"]["usage"]
    assert answered["usage"] == used


OPTION = ("label", "description")
"""What `forkBranch` takes of an option."""


async def test_an_answer_may_suggest_a_fork_that_is_taken_as_it_is(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    question = new_question()
    draft = ForkDraft(
        "Two causes are possible",
        (ForkOption("DNS", "The MX record is wrong", 0.6), ForkOption("Quota", "It is full")),
    )
    provider.script(question, Answer("Either or.", fork=draft))
    await talk.client.answered(await talk.ask(question))
    found = await talk.client.run(
        """query($id: ID!) { branch(id: $id) { messages(last: 1) { edges { node { suggestedFork {
          reason options { label description likelihood }
        } } } } } }""",
        id=talk.trunk,
    )
    suggested = found["branch"]["messages"]["edges"][0]["node"]["suggestedFork"]
    assert suggested == draft.to_json()
    options = [{name: option[name] for name in OPTION} for option in suggested["options"]]
    forked = await talk.client.mutate(
        "forkBranch",
        "branches { label description } forkPoint { reason }",
        sessionId=talk.id,
        reason=suggested["reason"],
        options=options,
    )
    assert forked["branches"] == options
    assert forked["forkPoint"] == {"reason": suggested["reason"]}


async def test_usage_adds_up(talk: Conversation, provider: ScriptedProvider) -> None:
    first, second = await talk.fork()
    counts = ("input", "output", "cacheRead", "cacheWrite")

    async def spent(branch: str) -> tuple[list[int], list[int]]:
        found = await talk.client.run(SPENT, session=talk.id, branch=branch)
        return tuple(  # type: ignore[return-value]
            [found[name]["usage"][count] for count in counts] for name in ("session", "branch")
        )

    intake, on_trunk = await spent(talk.trunk)
    assert intake == on_trunk
    for branch, usage in (
        (first, Usage(10, 1, cache_read=5)),
        (first, Usage(20, 2, cache_write=7)),
        (second, Usage(40, 4)),
    ):
        question = new_question()
        provider.script(
            question, FailAfter("one two three", retryable=True), Answer("Said.", usage=usage)
        )
        await talk.client.answered(await talk.ask(question, branch))
    session, on_first = await spent(first)
    assert on_first == [42, 3, 5, 7]
    assert (await spent(second))[1] == [40, 4, 0, 0]
    assert (await spent(talk.trunk))[1] == on_trunk
    assert session == [sum(parts) for parts in zip(on_trunk, on_first, [40, 4, 0, 0], strict=True)]
    used = [found["usage"] for found in await talk.messages(first) if found["usage"]]
    assert [sum(each[count] for each in used) for count in counts] == on_first
