"""What the assistant makes of files: it describes them, and is told of them on every branch that heard."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from services.ai.port import Attachment, Turn, Usage
from services.ai.prompts import turn_prompt
from services.ai.scripted import Fail, HeldTask, ScriptedProvider
from services.ai.tasks import DescribeFile, Description
from services.files.descriptions import describe_upload
from services.files.sent import PICTURES
from services.ids import Kind, uuid_of
from services.runtime import Runtime
from tests.client import Client
from tests.factories import Colleagues
from tests.pictures import picture
from tests.tables import as_owner, until_idle
from tests.talk import SOON, Conversation, new_question

LOG = b"".join(
    b"2026-01-13 09:%02d:00 ERROR relay 10.0.0.7 refused: 0x80070005\r\n" % n for n in range(60)
)
"""Longer than what is read faster than a description of it."""

NODE = """query($id: ID!) { node(id: $id) { ... on FileUpload {
  state description summary extractedText failure
} } }"""


def new_name(suffix: str) -> str:
    """No other test brings it in."""
    return f"{uuid4().hex}{suffix}"


async def bring(talk: Conversation, name: str, content: bytes) -> str:
    made = await talk.client.mutate(
        "uploadFile", "upload { id }", file=(name, content), sessionId=talk.id
    )
    return str(made["upload"]["id"])


async def send(talk: Conversation, question: str, *upload_ids: str, branch: str = "") -> str:
    """The id of the reply."""
    sent = await talk.client.mutate(
        "sendBranchMessage",
        "reply { id }",
        branchId=branch or talk.trunk,
        body=question,
        uploadIds=upload_ids,
    )
    return str(sent["reply"]["id"])


async def told(
    talk: Conversation, provider: ScriptedProvider, *upload_ids: str, branch: str = ""
) -> Turn:
    """The question that the model was asked, when it was sent with these files."""
    question = new_question()
    await talk.client.answered(await send(talk, question, *upload_ids, branch=branch))
    return next(r.question for r in provider.requests if r.question.text == question)


async def described(talk: Conversation, upload_id: str, owner_url: str) -> dict[str, Any]:
    await until_idle(owner_url, talk.people.account_id)
    return await now(talk, upload_id)


async def now(talk: Conversation, upload_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await talk.client.run(NODE, id=upload_id))["node"]
    return found


def history(provider: ScriptedProvider, talk_question: Turn) -> list[Turn]:
    """What came before a question."""
    return next(
        list(r.conversation.turns) for r in provider.requests if r.question == talk_question
    )


# ------------------------------------------------------------------ describing


async def test_a_long_text_is_described_by_the_model_beside_its_digest(
    talk: Conversation, provider: ScriptedProvider, database_url: str, monkeypatch: Any
) -> None:
    spent = "query($id: ID!) { session(id: $id) { usage { input output } } }"
    before = (await talk.client.run(spent, id=talk.id))["session"]["usage"]
    monkeypatch.setattr(provider, "task_usage", Usage(input=30, output=5))
    name = new_name(".log")
    provider.script_task(
        DescribeFile, name, Description(description="A mail log.", summary="The relay refuses.")
    )
    found = await described(talk, await bring(talk, name, LOG), database_url)
    assert (found["state"], found["description"]) == ("DESCRIBED", "A mail log.")
    assert found["summary"].startswith("The relay refuses.\n\nLines: 60\n")
    (task,) = [
        task
        for task in provider.tasks
        if isinstance(task, DescribeFile) and task.attachment.filename == name
    ]
    assert (task.attachment.content_type, task.attachment.image) == ("text/plain", None)
    assert task.attachment.summary is not None
    assert task.attachment.summary.startswith("Lines: 60\n")
    assert task.attachment.text == LOG.decode().replace("\r\n", "\n")
    after = (await talk.client.run(spent, id=talk.id))["session"]["usage"]
    assert after == {"input": before["input"] + 30, "output": before["output"] + 5}


async def test_a_short_text_says_what_it_is_itself(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    name = new_name(".txt")
    found = await described(talk, await bring(talk, name, b"The relay is down.\n"), database_url)
    assert (found["state"], found["description"]) == ("DESCRIBED", "Text of 1 line.")
    assert not [
        task
        for task in provider.tasks
        if isinstance(task, DescribeFile) and task.attachment.filename == name
    ]


async def test_what_the_model_fails_to_describe_keeps_its_digest_and_can_be_tried_again(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    name = new_name(".log")
    provider.script_task(
        DescribeFile, name, Fail("The model declined.", retryable=False), Description(description="It.")
    )  # fmt: skip
    upload_id = await bring(talk, name, LOG)
    failed = await described(talk, upload_id, database_url)
    assert (failed["state"], failed["failure"]) == ("FAILED", "The model declined.")
    assert failed["description"].startswith("Log of 60 lines")
    assert failed["summary"].startswith("Lines: 60\n")
    question = await told(talk, provider, upload_id)
    (file,) = question.attachments
    assert file.description == failed["description"]
    assert (file.summary, file.text) == (failed["summary"], failed["extractedText"])

    await talk.client.mutate("retryUpload", "upload { state }", uploadId=upload_id)
    again = await described(talk, upload_id, database_url)
    assert (again["state"], again["description"], again["failure"]) == ("DESCRIBED", "It.", None)


async def test_a_fault_of_the_model_that_passes_is_not_seen(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    name = new_name(".png")
    provider.script_task(
        DescribeFile, name, Fail("Busy.", retryable=True), Description(description="A blue field.")
    )
    found = await described(talk, await bring(talk, name, picture()), database_url)
    assert (found["state"], found["description"]) == ("DESCRIBED", "A blue field.")


# ------------------------------------------------------------------ telling


async def test_an_answer_waits_for_what_the_model_sees_in_a_file(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    name, question = new_name(".png"), new_question()
    seen = HeldTask(asyncio.Event(), Description(description="A blue screen.", summary="0x7B."))
    provider.script_task(DescribeFile, name, seen)
    upload_id = await bring(talk, name, picture())
    reply = await send(talk, question, upload_id)
    async with asyncio.timeout(SOON):
        await seen.reached.wait()
    other, second = (await talk.fork())[0], new_question()
    await talk.client.answered(await send(talk, second, branch=other))  # nothing holds others up
    assert (await talk.message(reply))["state"] == "PENDING"
    assert question not in [request.question.text for request in provider.requests]
    seen.event.set()
    await talk.client.answered(reply)
    asked = next(r.question for r in provider.requests if r.question.text == question)
    (file,) = asked.attachments
    assert (file.filename, file.content_type) == (name, "image/png")
    assert (file.description, file.summary, file.text) == ("A blue screen.", "0x7B.", None)
    assert file.image is not None
    assert file.image.media_type == "image/png"


async def test_files_stay_in_what_every_branch_below_has_heard(
    talk: Conversation, provider: ScriptedProvider
) -> None:
    question = await told(
        talk,
        provider,
        await bring(talk, new_name(".png"), picture()),
        await bring(talk, new_name(".txt"), b"The relay is down.\n"),
    )
    assert [file.image is not None for file in question.attachments] == [True, False]
    assert question.attachments[1].text == "The relay is down.\n"
    later = await told(talk, provider)
    assert question in history(provider, later)
    first, second = await talk.fork()
    own = await told(talk, provider, await bring(talk, new_name(".txt"), b"Mine.\n"), branch=first)
    assert question in history(provider, own)
    aside = await told(talk, provider, branch=second)
    assert question in history(provider, aside)
    assert own not in history(provider, aside)
    texts = [
        [message.parts for message in turn_prompt(request).messages]
        for request in provider.requests
        if request.question in (own, aside)
    ]
    shared = len([turn for turn in history(provider, aside) if turn.position <= later.position + 1])
    assert texts[0][:shared] == texts[1][:shared]


async def test_the_files_of_the_intake_are_told_with_it(
    client: Client, colleagues: Colleagues, provider: ScriptedProvider
) -> None:
    engineer, intake = client.as_(colleagues.engineer), new_question()
    name = new_name(".txt")
    made = await engineer.mutate("uploadFile", "upload { id }", file=(name, b"No lease.\n"))
    started = await engineer.mutate(
        "startSession",
        "reply { id }",
        intake={"text": intake},
        uploadIds=[made["upload"]["id"]],
    )
    await engineer.answered(started["reply"]["id"])
    asked = next(r for r in provider.requests if r.question.text == intake)
    assert asked.purpose == "intake"
    assert asked.question.attachments == (
        Attachment(name, "text/plain", "Text of 1 line.", text="No lease.\n"),
    )


async def test_a_broken_picture_fails_and_spoils_no_answer(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    upload_id = await bring(talk, new_name(".png"), picture()[:-30])
    failed = await described(talk, upload_id, database_url)
    sentence = "The picture could not be read: it is damaged, too large or encrypted."
    assert (failed["state"], failed["failure"]) == ("FAILED", sentence)
    question = await told(talk, provider, upload_id)
    (file,) = question.attachments
    assert (file.description, file.text, file.image) == (sentence, None, None)
    assert question in history(provider, await told(talk, provider))


@pytest.mark.parametrize(("sent", "left_out"), [(PICTURES, 0), (PICTURES + 1, 10)])
async def test_of_many_pictures_the_newest_are_shown(
    talk: Conversation, provider: ScriptedProvider, sent: int, left_out: int
) -> None:
    content = picture(size=(1, 1))
    uploads = await asyncio.gather(*(bring(talk, f"{n}.png", content) for n in range(sent)))
    for start in range(0, sent, 10):
        await told(talk, provider, *uploads[start : start + 10])
    shown = [
        file.image is not None
        for turn in history(provider, await told(talk, provider))
        for file in turn.attachments
    ]
    assert shown == [False] * left_out + [True] * (sent - left_out)


async def test_what_another_account_brings_in_is_told_to_nobody_else(
    talk: Conversation, client: Client, strangers: Colleagues, provider: ScriptedProvider
) -> None:
    theirs = client.as_(strangers.engineer)
    file = (new_name(".txt"), b"Their secret.\n")
    made = await theirs.mutate("uploadFile", "upload { id }", file=file)
    refused = await talk.client.mutate(
        "sendBranchMessage",
        "reply { id }",
        branchId=talk.trunk,
        body=new_question(),
        uploadIds=[made["upload"]["id"]],
    )
    assert refused["__typename"] == "NotFoundError"
    question = await told(talk, provider)
    assert "Their secret" not in str(
        [request for request in provider.requests if request.question == question]
    )


# ------------------------------------------------------------------ around it


async def test_a_file_is_described_once_however_often_it_is_tried(
    talk: Conversation, runtime: Runtime, provider: ScriptedProvider, database_url: str
) -> None:
    """As after a worker was taken for dead."""
    name = new_name(".png")
    seen = [HeldTask(asyncio.Event(), Description(description=f"It {n}.")) for n in range(2)]
    provider.script_task(DescribeFile, name, *seen)
    upload_id = await bring(talk, name, picture())
    again = asyncio.create_task(
        describe_upload(
            runtime, talk.people.account_id, uuid_of(Kind.UPLOAD, upload_id), last_try=True
        )
    )
    async with asyncio.timeout(SOON):
        await asyncio.gather(*(held.reached.wait() for held in seen))
    assert (await now(talk, upload_id))["state"] == "DESCRIBING"
    for held in seen:
        held.event.set()
    await again
    found = await described(talk, upload_id, database_url)
    assert found["state"] == "DESCRIBED"
    assert found["description"] in {"It 0.", "It 1."}
    told = await talk.events(upload_id)
    assert told == ["UploadChanged"] * 3  # stored, being described, described


async def test_a_handoff_names_the_files_of_its_session(
    talk: Conversation, database_url: str
) -> None:
    first = await bring(talk, "relay.log", LOG)
    second = await bring(talk, "screen.png", picture())
    handed_off = await talk.client.mutate(
        "handOffSession",
        "handoff { snapshot { artifacts { name type reference } } }",
        sessionId=talk.id,
        intent="PARK",
    )
    assert handed_off["handoff"]["snapshot"]["artifacts"] == [
        {"name": "relay.log", "type": "text/plain", "reference": first},
        {"name": "screen.png", "type": "image/png", "reference": second},
    ]
    await until_idle(database_url, talk.people.account_id)


async def test_a_reply_that_waits_for_a_file_can_be_cancelled_at_once(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    name = new_name(".log")
    held = HeldTask(asyncio.Event(), Description(description="A mail log."))
    provider.script_task(DescribeFile, name, held)
    upload = await bring(talk, name, LOG)
    sent = await talk.client.mutate(
        "sendBranchMessage",
        "reply { id }",
        branchId=talk.trunk,
        body=new_question(),
        uploadIds=[upload],
    )
    await held.reached.wait()
    await talk.client.mutate(
        "cancelMessage", "cancelledMessage { id }", messageId=sent["reply"]["id"]
    )
    waiting = text(
        "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'answer_message' "
        "AND status <> 'succeeded' AND args->>'message_id' = :id"
    )
    key = str(uuid_of(Kind.MESSAGE, sent["reply"]["id"]))
    async with asyncio.timeout(3), as_owner(database_url) as db:
        while (await db.execute(waiting, {"id": key})).scalar_one():
            pass  # asking lets the worker go on
    held.event.set()
    await until_idle(database_url, talk.people.account_id)
