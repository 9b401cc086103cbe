"""What fails in a way that nobody foresaw ends as failed, says so, and stands in nobody's way."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.ai.port import Usage
from services.ai.scripted import Answer, Crash, ScriptedProvider
from services.ai.tasks import GiveSecondOpinion
from services.jobs import UNEXPECTED
from tests.factories import Colleagues
from tests.graphql.test_second_opinions import FIELDS, OPINION, intake_of, opinions
from tests.graphql.test_uploads import bring, cursor_of, events_since, now
from tests.pictures import picture
from tests.tables import as_owner, snapshot, until_idle
from tests.talk import Conversation, new_question


@pytest.fixture
async def nothing_of_strangers_changes(
    strangers: Colleagues, database_url: str
) -> AsyncIterator[None]:
    async with as_owner(database_url) as db:
        before = await snapshot(db, strangers.account_id)
    yield
    async with as_owner(database_url) as db:
        assert await snapshot(db, strangers.account_id) == before


pytestmark = pytest.mark.usefixtures("nothing_of_strangers_changes")


@asynccontextmanager
async def given_up_once(job: str, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """One job of the kind is given up meanwhile, and its traceback is logged once."""

    def count() -> float:
        return REGISTRY.get_sample_value("flowpilot_jobs_given_up_total", {"job": job}) or 0.0

    before = count()
    with caplog.at_level(logging.WARNING):
        yield
    assert count() == before + 1
    assert len([record for record in caplog.records if record.exc_info]) == 1


async def test_a_reply_fails_and_the_next_question_is_answered(
    talk: Conversation,
    provider: ScriptedProvider,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    question, later = new_question(), new_question()
    provider.script(question, Crash("one two three"), Answer("Now it works."))
    async with given_up_once("answer_message", caplog):
        reply = await talk.ask(question)
        after = await talk.ask(later)
        await talk.client.answered(after)
        await until_idle(database_url, talk.people.account_id)

    failed = await talk.message(reply)
    assert (failed["state"], failed["body"], failed["failure"]) == ("FAILED", "", UNEXPECTED)
    assert await talk.events(reply) == ["MessageAdded", "MessageFinished"]
    assert (await talk.message(after))["state"] == "COMPLETE"

    await talk.client.mutate("retryMessage", "reply { id }", messageId=reply)
    await talk.client.answered(reply)
    assert (await talk.message(reply))["body"] == "Now it works."


async def test_what_was_used_before_the_fault_is_counted(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    question = new_question()
    provider.script(question, Crash("one two three", usage=Usage(30, 4)))
    reply = await talk.ask(question)
    await talk.client.answered(reply)
    await until_idle(database_url, talk.people.account_id)
    assert (await talk.message(reply))["usage"] == {
        "input": 30,
        "output": 4,
        "cacheRead": 0,
        "cacheWrite": 0,
    }


async def test_a_second_opinion_fails_and_another_can_be_asked_for(
    talk: Conversation,
    provider: ScriptedProvider,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    provider.script_task(GiveSecondOpinion, await intake_of(talk), Crash(), OPINION)

    async def ask() -> None:
        asked = await talk.client.mutate("requestSecondOpinion", FIELDS, sessionId=talk.id)
        assert asked["__typename"] == "RequestSecondOpinionSuccess"
        await until_idle(database_url, talk.people.account_id)

    async with given_up_once("give_second_opinion", caplog):
        await ask()
    await ask()
    newest, oldest = await opinions(talk)
    assert (oldest["state"], oldest["failure"]) == ("FAILED", UNEXPECTED)
    assert (newest["state"], newest["failure"]) == ("READY", None)


async def test_a_file_fails_and_can_be_tried_again(
    talk: Conversation,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def no_more_processes(*_: Any, **__: Any) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    cursor = await cursor_of(talk)
    async with given_up_once("describe_upload", caplog):
        with monkeypatch.context() as patch:
            patch.setattr(asyncio, "create_subprocess_exec", no_more_processes)
            made = await bring(talk.client, "screen.png", picture(), sessionId=talk.id)
            await until_idle(database_url, talk.people.account_id)
    failed = await now(talk.client, made["id"])
    assert (failed["state"], failed["failure"]) == ("FAILED", UNEXPECTED)
    me = talk.people.engineer.id
    assert await events_since(talk, cursor) == [
        ("UploadChanged", me),
        ("UploadChanged", None),
        ("UploadChanged", None),
    ]

    await talk.client.mutate("retryUpload", "upload { id }", uploadId=made["id"])
    await until_idle(database_url, talk.people.account_id)
    described = await now(talk.client, made["id"])
    assert (described["state"], described["failure"]) == ("DESCRIBED", None)
