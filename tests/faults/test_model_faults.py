"""Whatever the model's service does, a question and its answer are there once, and say what happened."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from cli import migrate
from services import answers
from services.runtime import Runtime
from settings import Settings
from tests.client import Client
from tests.conftest import SECRET, UNTHROTTLED, served
from tests.factories import make_account
from tests.fakes.model_server import (
    KEY,
    Answer,
    Behaviour,
    Broken,
    HangUp,
    Held,
    ModelServer,
    Page,
    Silence,
    Status,
    model_server,
)
from tests.faults.installation import Process, running
from tests.tables import until_idle
from tests.talk import Conversation, new_question

PASSWORD = "flowpilot-demo"
STATE = "reply { id state failure }"
COUNTS = """query($id: ID!) { session(id: $id) {
  branchCount steps(first: 100) { edges { node { message { id } content { __typename } } } } } }"""


@dataclass(frozen=True)
class Place:
    url: str
    client: Client
    runtime: Runtime
    model: ModelServer


@pytest.fixture(scope="module")
async def place(
    make_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    """A server of its own, which asks the fake service over HTTP by the real SDK."""
    url = make_database("claude")
    migrate(url)
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(model_server())
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("claude"),
            secret_key=SECRET,
            anthropic_api_key=KEY,
            anthropic_base_url=model.url,
            model_timeout=1.5,
        )
        app = create_app(settings, url, limits=UNTHROTTLED)
        host = await stack.enter_async_context(served(app))
        client = await stack.enter_async_context(Client(host))
        yield Place(url, client, app.state.runtime, model)


@pytest.fixture
async def talk(place: Place) -> Conversation:
    place.model.forget()
    people = await make_account(place.runtime, place.url)
    engineer = place.client.as_(people.engineer)
    started = await engineer.mutate(
        "startSession",
        "session { id eventCursor rootBranch { id } } reply { id }",
        intake={"text": "Nothing works. password: hunter2-secret"},
    )
    await engineer.answered(started["reply"]["id"])
    await until_idle(place.url, people.account_id)
    return Conversation(engineer, people, started["session"])


BUSY = {"retry-after": "0"}
FAULTS: dict[str, tuple[Behaviour, bool]] = {
    "400": (Status(400, "invalid_request_error"), False),
    "401": (Status(401, "authentication_error"), False),
    "403": (Status(403, "permission_error"), False),
    "404": (Status(404, "not_found_error"), False),
    "413": (Status(413, "request_too_large"), False),
    "429": (Status(429, "rate_limit_error", headers=BUSY), True),
    "429 for an hour": (Status(429, "rate_limit_error", headers={"retry-after": "3600"}), True),
    "500": (Status(500), True),
    "529": (Status(529, "overloaded_error"), True),
    "silence": (Silence(), True),
    "hung up": (HangUp(), True),
    "cut in the middle": (Broken("cut"), True),
    "ended early": (Broken("early"), True),
    "error in the middle": (Broken("overloaded_error"), True),
    "refused": (Answer("", tools={}, stop_reason="refusal"), False),
    "cut off at its length": (Answer("So", tools={}, stop_reason="max_tokens"), False),
    "html": (Page(), True),
    "nothing said": (Answer("", tools={"guide": {"step": None}}), True),
}
"""What the service does, and whether that may pass."""


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_loses_and_doubles_nothing(
    place: Place, talk: Conversation, fault: str
) -> None:
    behaviour, _ = FAULTS[fault]
    question = new_question()
    said = len(await talk.messages())
    place.model.script(*[behaviour] * 12)

    reply = await talk.ask(question)
    await talk.client.answered(reply)
    await until_idle(place.url, talk.people.account_id)

    failed = await talk.message(reply)
    assert (failed["state"], failed["body"], failed["model"]) == ("FAILED", "", None)
    assert failed["failure"].endswith(".")
    assert not any(word in failed["failure"] for word in ("{", "<", "Traceback", KEY))
    assert [message["body"] for message in await talk.messages()][said:] == [question, ""]

    place.model.forget()
    retried = await talk.client.mutate("retryMessage", STATE, messageId=reply)
    assert retried["reply"]["state"] == "PENDING"
    await talk.client.answered(reply)
    await until_idle(place.url, talk.people.account_id)

    answered = await talk.message(reply)
    assert (answered["state"], answered["failure"]) == ("COMPLETE", None)
    assert answered["body"] == Answer().text
    assert len(await talk.messages()) == said + 2
    assert await talk.events(reply) == [
        "MessageAdded",
        "MessageFinished",
        "MessageRestarted",
        "MessageFinished",
    ]
    steps = (await talk.client.run(COUNTS, id=talk.id))["session"]["steps"]["edges"]
    assert [step["node"]["message"]["id"] for step in steps].count(reply) == 1


@pytest.mark.parametrize(
    ("asked", "waited"), [("1", 1.0), ("3600", UNTHROTTLED.longest_retry_wait)]
)
async def test_a_service_that_asks_for_time_is_given_it(
    place: Place, talk: Conversation, asked: str, waited: float
) -> None:
    """By answers, and by what follows them; however much it asks for, there is an end."""
    busy = Status(429, "rate_limit_error", headers={"retry-after": asked})
    clock = asyncio.get_running_loop()
    place.model.script(busy)
    began = clock.time()
    reply = await talk.ask(new_question())
    await talk.client.answered(reply)
    assert clock.time() - began >= waited
    assert (await talk.message(reply))["state"] == "COMPLETE"
    await until_idle(place.url, talk.people.account_id)

    place.model.script(Answer(), busy)
    began = clock.time()
    await talk.client.answered(await talk.ask(new_question()))
    await until_idle(place.url, talk.people.account_id)
    assert clock.time() - began >= waited


@pytest.mark.parametrize("fault", [name for name, (_, passing) in FAULTS.items() if passing])
async def test_a_fault_that_passes_is_not_even_noticed(
    place: Place, talk: Conversation, fault: str
) -> None:
    place.model.script(FAULTS[fault][0])
    reply = await talk.ask(new_question())
    await talk.client.answered(reply)

    answered = await talk.message(reply)
    assert (answered["state"], answered["body"]) == ("COMPLETE", Answer().text)
    assert await talk.events(reply) == ["MessageAdded", "MessageFinished"]


@pytest.mark.parametrize("behaviour", [Silence(), Held(asyncio.Event())])
async def test_the_connection_of_a_cancelled_reply_is_closed(
    place: Place, talk: Conversation, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its first word, and after it."""
    monkeypatch.setattr(answers, "STOP_POLL", 30.0)  # so that it must be the hint
    asked_before = len(place.model.asked)
    place.model.script(behaviour)
    reply = await talk.ask(new_question())
    async with asyncio.timeout(10):
        while len(place.model.asked) == asked_before:  # noqa: ASYNC110 - it tells in no other way
            await asyncio.sleep(0.01)
    await talk.client.mutate("cancelMessage", "cancelledMessage { id }", messageId=reply)
    async with asyncio.timeout(1):
        await place.model.asked[asked_before].left.wait()
    await until_idle(place.url, talk.people.account_id)
    assert (await talk.message(reply))["state"] == "CANCELLED"


async def test_a_reply_whose_worker_is_killed_is_written_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with model_server() as model:
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", model.url)
        shared = {"data_dir": tmp_path / "home", "demo_password": PASSWORD}
        server = Process(tmp_path, "server", "serve", **shared, worker_concurrency=0)
        workers = [Process(tmp_path, name, "worker", **shared) for name in ("one", "other")]
        async with running(server, workers[0]), AsyncExitStack() as stack:
            stack.push_async_callback(workers[1].stop)
            client = await stack.enter_async_context(Client(server.host))
            signed_in = await client.mutate(
                "signIn",
                "tokens { accessToken }",
                email="engineer@first.example",
                password=PASSWORD,
            )
            engineer = client.with_token(signed_in["tokens"]["accessToken"])
            held = Held(asyncio.Event())
            model.script(held)
            started = await engineer.mutate(
                "startSession",
                "session { id eventCursor rootBranch { id } } reply { id }",
                intake={"text": "Nothing works."},
            )
            reply = started["reply"]["id"]
            stream = "subscription($id: ID!) { messageStreamed(messageId: $id) { __typename } }"
            async with engineer.subscribe(stream, id=reply) as pieces:
                async for piece in pieces:
                    if piece["messageStreamed"]["__typename"] == "MessageDelta":
                        break
                await workers[0].kill()
                await workers[1].start()
                async with asyncio.timeout(30):
                    async for piece in pieces:
                        if piece["messageStreamed"]["__typename"] == "MessageEnded":
                            break
            found = await engineer.run(
                "query($id: ID!) { branch(id: $id) { messages { edges { node { state body } } } } }",
                id=started["session"]["rootBranch"]["id"],
            )
            held.event.set()
    said = [edge["node"] for edge in found["branch"]["messages"]["edges"]]
    assert said == [
        {"state": "COMPLETE", "body": "Nothing works."},
        {"state": "COMPLETE", "body": Answer().text},
    ]


async def test_what_goes_out_holds_no_secret_and_what_comes_back_is_kept(
    place: Place, talk: Conversation
) -> None:
    asked: list[Any] = place.model.asked
    assert len(asked) == 2, "the intake's answer, and its analysis"
    assert "hunter2" not in repr([one.body for one in asked])
    assert "[PASSWORD-1]" in repr(asked[0].body["messages"])
    assert asked[1].counted.read > 0, "the analysis reads what the answer has written"
    found = await talk.client.run(
        "query($id: ID!) { session(id: $id) { problemSummary problemDomain confidenceTier } }",
        id=talk.id,
    )
    assert found["session"] == {
        "problemSummary": "Nothing works.",
        "problemDomain": "general",
        "confidenceTier": "DISCOVERY",
    }
    answer = (await talk.messages())[-1]
    assert answer["model"].startswith("claude-")
    assert answer["usage"]["input"] > 0
