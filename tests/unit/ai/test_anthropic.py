"""The real SDK over HTTP, against a service of our own."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from models.branch import BranchStatus
from models.handoff import HandoffIntent
from models.message import MessageRole
from services.ai.anthropic import AnthropicProvider
from services.ai.document_tasks import Case, WriteArticle
from services.ai.port import (
    Attachment,
    Conversation,
    Done,
    FailureKind,
    Hypothesis,
    Image,
    IntakeAnalysis,
    ProviderError,
    QuestionStep,
    Segment,
    SessionFacts,
    Task,
    TextDelta,
    Turn,
    TurnRequest,
    Usage,
)
from services.ai.prompts import SYSTEM
from services.ai.tasks import (
    AnalyseBranch,
    Analysis,
    DescribeFile,
    GiveSecondOpinion,
    HypothesisFacts,
    PrepareHandoff,
)
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
from tests.unit.ai.requests import intake_turn, reply_turn

MODEL = "claude-sonnet-5-5"
SESSION = SessionFacts("Nobody can print.", reference="Ticket 4711")
DNS = Hypothesis("DNS", "The name of the print server is wrong.")
PICTURE = b"\x89PNG and so on"
TEXT = "First look at the cable. Is it plugged in?"
STEP = QuestionStep("Is it plugged in?")


@pytest.fixture(scope="module")
async def service() -> AsyncIterator[ModelServer]:
    async with model_server() as service:
        yield service


@pytest.fixture
def server(service: ModelServer) -> ModelServer:
    service.forget()
    return service


@pytest.fixture
async def claude(server: ModelServer) -> AsyncIterator[AnthropicProvider]:
    async with aclosing(AnthropicProvider(KEY, model=MODEL, base_url=server.url)) as provider:
        yield provider


def turn(position: int, text: str = "", **more: Any) -> Turn:
    """Questions have odd numbers."""
    role = MessageRole.USER if position % 2 else MessageRole.ASSISTANT
    return Turn(position, role, text or f"What was said as number {position}. " * 20, **more)


def turns(first: int, last: int) -> tuple[Turn, ...]:
    return tuple(turn(position) for position in range(first, last + 1))


def branch(
    last: int, *, fork: int = 4, gap: float | None = None, label: Hypothesis = DNS
) -> TurnRequest:
    """On a branch that left the trunk after `fork`; the question follows message `last`."""
    own = Segment(turns(fork + 1, last), hypothesis=label)
    conversation = Conversation(SESSION, (Segment(turns(1, fork)), own), median_gap=gap)
    return TurnRequest(conversation, turn(last + 1), volatile=("Another branch found nothing.",))


async def answer(provider: AnthropicProvider, request: TurnRequest) -> tuple[str, Done]:
    *deltas, done = [item async for item in provider.stream_turn(request)]
    assert isinstance(done, Done)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), done


def marks(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Where each marker stands, as `system 0` or the text of its block, and how long it lasts."""
    places = [(f"system {index}", block) for index, block in enumerate(body["system"])]
    for number, message in enumerate(body["messages"], 1):
        places += [(f"message {number}", block) for block in message["content"]]
    return [
        (place, block["cache_control"]["ttl"])
        for place, block in places
        if "cache_control" in block
    ]


# ------------------------------------------------------------------ an answer


async def test_an_answer_is_its_text_in_pieces_and_then_what_the_guide_says(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    items = [item async for item in claude.stream_turn(intake_turn(SESSION))]

    counted = server.asked[0].counted
    assert [item.text for item in items[:-1] if isinstance(item, TextDelta)] == [
        "First ", "look ", "at ", "the ", "cable. ", "Is ", "it ", "plugged ", "in?"
    ]  # fmt: skip
    assert items[-1] == Done(
        MODEL,
        Usage(counted.input, 71, counted.read, counted.write_1h),
        STEP,
        0.5,
        None,
        IntakeAnalysis("Nothing works.", "general"),
    )
    assert counted.write_1h > 3_000


async def test_a_request_is_one_call_with_all_tools_in_a_fixed_order(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    await answer(claude, reply_turn(SESSION, turns(1, 2), "What next?", volatile=("News.",)))

    assert len(server.asked) == 1
    asked = server.asked[0]
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    body = asked.body
    assert {key: body[key] for key in ("model", "max_tokens", "stream", "tool_choice")} == {
        "model": MODEL,
        "max_tokens": 8_000,
        "stream": True,
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    }
    assert [tool["name"] for tool in body["tools"]] == [
        "analyse_branch",
        "describe_file",
        "give_second_opinion",
        "guide",
        "prepare_handoff",
        "write_article",
        "write_client_summary",
        "write_ticket_notes",
    ]
    assert body["system"][0]["text"] == SYSTEM
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][-1]["content"] == [
        {"type": "text", "text": "News."},
        {"type": "text", "text": "What next?"},
    ]


async def test_a_reply_takes_no_intake_from_the_guide(claude: AnthropicProvider) -> None:
    _, done = await answer(claude, branch(6))

    assert (done.step, done.confidence, done.intake) == (STEP, 0.5, None)


@pytest.mark.parametrize(
    "tools",
    [
        {},
        {"guide": '{"step": {"kind": "note", "te'},
        {"guide": "[]"},
        {"guide": {"step": "Look at the cable."}},
        {"analyse_branch": {}},
    ],
)
async def test_a_guide_that_is_broken_or_missing_costs_the_guide_alone(
    tools: dict[str, Any], server: ModelServer, claude: AnthropicProvider
) -> None:
    server.script(Answer(tools=tools))

    text, done = await answer(claude, intake_turn(SESSION))

    assert text == TEXT
    assert (done.step, done.confidence, done.fork, done.intake) == (None, None, None, None)


async def test_an_answer_that_was_cut_within_its_guide_is_whole(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    server.script(Answer(tools={"guide": '{"confidence": 0.'}, stop_reason="max_tokens"))

    text, done = await answer(claude, branch(6))

    assert (text, done.confidence) == (TEXT, None)


async def test_what_no_database_can_store_is_left_out(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    server.script(Answer("A\0B \ud83dC"))

    text, _ = await answer(claude, branch(6))

    assert text == "AB C"


# ------------------------------------------------------------------ pictures and empty texts


def sent_parts(body: dict[str, Any]) -> list[dict[str, Any]]:
    return body["messages"][-1]["content"]


def with_picture(media_type: str, data: bytes) -> TurnRequest:
    file = Attachment("error.png", media_type, image=Image(media_type, data))
    question = turn(1, "See the picture.", attachments=(file,))
    return TurnRequest(Conversation(SESSION), question)


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/gif", "image/webp"])
async def test_a_picture_is_sent_as_a_picture(
    media_type: str, server: ModelServer, claude: AnthropicProvider
) -> None:
    await answer(claude, with_picture(media_type, PICTURE))

    assert sent_parts(server.asked[0].body)[0] == {
        "type": "image",
        "source": {
            "type": "base64",
            "media_type": media_type,
            "data": base64.b64encode(PICTURE).decode(),
        },
    }


@pytest.mark.parametrize(
    ("media_type", "data", "told"),
    [
        ("image/bmp", PICTURE, "(An image of type image/bmp, which cannot be shown here.)"),
        (
            "image/png",
            b"x" * 3_750_001,
            "(An image of 3,750,001 bytes, too large to be shown here.)",
        ),
    ],
)
async def test_a_picture_that_would_be_refused_is_told_in_words(
    media_type: str, data: bytes, told: str, server: ModelServer, claude: AnthropicProvider
) -> None:
    await answer(claude, with_picture(media_type, data))

    assert sent_parts(server.asked[0].body)[0] == {"type": "text", "text": told}


async def test_an_empty_text_is_never_sent(server: ModelServer, claude: AnthropicProvider) -> None:
    history = [turn(1), turn(2, " \n"), turn(3, "\t"), turn(4)]

    await answer(claude, reply_turn(SESSION, history, "What next?", volatile=("", "News.")))

    texts = [
        [one["text"] for one in message["content"]] for message in server.asked[0].body["messages"]
    ]
    assert texts[1:3] == [["(no text)"], ["(no text)"]]
    assert texts[-1] == ["News.", "What next?"]


# ------------------------------------------------------------------ markers


LONG = [("system 0", "1h"), ("message 4", "1h")]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param(intake_turn(SESSION), [("system 0", "1h")], id="intake"),
        pytest.param(
            reply_turn(SESSION, turns(1, 6), "Next?"),
            [("system 0", "1h"), ("message 6", "1h")],
            id="trunk",
        ),
        pytest.param(branch(4), [*LONG, ("message 5", "1h")], id="new branch"),
        pytest.param(branch(8), [*LONG, ("message 9", "1h")], id="slow or unknown"),
        pytest.param(branch(8, gap=119.9), [*LONG, ("message 9", "5m")], id="quick"),
        pytest.param(branch(8, gap=120.0), [*LONG, ("message 9", "1h")], id="not quick"),
        pytest.param(branch(23), [*LONG, ("message 24", "1h")], id="tail of 20 blocks"),
        pytest.param(
            branch(24), [*LONG, ("message 5", "1h"), ("message 25", "1h")], id="tail of 21 blocks"
        ),
        pytest.param(
            branch(40, gap=60),
            [*LONG, ("message 21", "5m"), ("message 41", "5m")],
            id="long and quick",
        ),
    ],
)  # fmt: skip
async def test_markers_stand_where_prefixes_end(
    request_: TurnRequest,
    expected: list[tuple[str, str]],
    server: ModelServer,
    claude: AnthropicProvider,
) -> None:
    await answer(claude, request_)

    assert marks(server.asked[0].body) == expected


async def test_a_branch_whose_parent_said_nothing_marks_its_own_history_alone(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    await answer(claude, branch(2, fork=0))

    assert marks(server.asked[0].body) == [("system 0", "1h"), ("message 3", "1h")]


async def test_each_turn_reads_all_that_the_one_before_it_has_written(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    written = 0
    for last in range(4, 60, 2):
        _, done = await answer(claude, branch(last))
        assert done.usage.cache_read == written
        assert done.usage.cache_write > 0
        written += done.usage.cache_write
        server.now += 1_800


async def test_a_sibling_reads_all_that_they_share(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    trunk = TurnRequest(Conversation(SESSION, (Segment(turns(1, 4)),)), turn(5))
    _, first = await answer(claude, trunk)
    _, second = await answer(claude, branch(6, label=Hypothesis("Port", "It is closed.")))
    _, third = await answer(claude, branch(8))

    assert first.usage.cache_write == second.usage.cache_read == third.usage.cache_read > 3_000


@pytest.mark.parametrize(("since", "is_read"), [(39, True), (40, False)])
async def test_a_turn_after_many_notes_still_reads_what_stands_before_them(
    since: int, is_read: bool, server: ModelServer, claude: AnthropicProvider
) -> None:
    _, first = await answer(claude, branch(6))
    _, second = await answer(claude, branch(6 + since))

    everything = first.usage.cache_read + first.usage.cache_write
    assert (second.usage.cache_read == everything) == is_read


# ------------------------------------------------------------------ tasks

HYPOTHESES = (HypothesisFacts("H1", "DNS", "Wrong.", BranchStatus.ACTIVE),)
SHARED: list[Task[Any]] = [
    AnalyseBranch(branch(6).conversation, since=4, hypotheses=HYPOTHESES, own="H1"),
    PrepareHandoff(branch(6).conversation, HandoffIntent.PARK, hypotheses=HYPOTHESES),
    WriteArticle(Case(branch(6).conversation, "The queue was cleared.", hypotheses=HYPOTHESES)),
]
ALONE: list[Task[Any]] = [
    GiveSecondOpinion(SESSION, ("The queue is full.",)),
    DescribeFile(Attachment("a.png", "image/png", image=Image("image/png", PICTURE))),
]


def named(task: Task[Any]) -> str:
    return task.name


@pytest.mark.parametrize("task", SHARED, ids=named)
async def test_a_task_on_a_conversation_reads_what_its_last_turn_has_written(
    task: Task[Any], server: ModelServer, claude: AnthropicProvider
) -> None:
    _, done = await answer(claude, branch(6))

    outcome = await claude.perform(task)

    assert isinstance(outcome.result, task.result)
    assert outcome.model == MODEL
    assert outcome.usage.cache_read == done.usage.cache_read + done.usage.cache_write
    assert outcome.usage.cache_write == 0
    turn_asked, task_asked = (asked.body for asked in server.asked)
    assert task_asked["tool_choice"] == turn_asked["tool_choice"]
    assert marks(task_asked) == marks(turn_asked)


@pytest.mark.parametrize("task", ALONE, ids=named)
async def test_a_task_that_shares_nothing_is_forced_and_reads_the_products_prompt(
    task: Task[Any], server: ModelServer, claude: AnthropicProvider
) -> None:
    _, done = await answer(claude, intake_turn(SESSION))

    outcome = await claude.perform(task)

    assert isinstance(outcome.result, task.result)
    assert outcome.usage.cache_read == done.usage.cache_write > 3_000
    assert server.asked[1].body["tool_choice"] == {
        "type": "tool",
        "name": task.name,
        "disable_parallel_tool_use": True,
    }


async def test_a_result_is_read_from_what_the_tool_was_called_with(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    given = {"tried": ["ping", "x" * 400], "concluded": "It is  the port."}
    server.script(Answer("", tools={"analyse_branch": given}))

    outcome = await claude.perform(SHARED[0])

    assert outcome.result == Analysis(tried=["ping", "x" * 299 + "…"], concluded="It is  the port.")
    asked = server.asked[0]
    output = len(json.dumps([{"type": "tool_use", "id": "toolu_analyse_branch", "name":
        "analyse_branch", "input": given}])) // 4  # fmt: skip
    counted = asked.counted
    assert outcome.usage == Usage(counted.input, output, counted.read, counted.write_1h)


@pytest.mark.parametrize(
    "said",
    [
        Answer("I would rather talk.", tools={}),
        Answer("", tools={"guide": {}}),
        Answer("", tools={"analyse_branch": '{"tried": ["pi'}),
        Answer("", tools={"analyse_branch": "[]"}),
        Answer("", tools={"analyse_branch": {"tried": "ping"}}),
        Answer("", tools={"analyse_branch": {"unknown": 1}}),
    ],
)
async def test_a_result_that_does_not_fit_is_a_misfit(
    said: Answer, server: ModelServer, claude: AnthropicProvider
) -> None:
    server.script(said)

    with pytest.raises(ProviderError) as failure:
        await claude.perform(SHARED[0])

    assert (failure.value.kind, failure.value.retryable) == ("misfit", True)
    counted = server.asked[0].counted
    assert failure.value.usage.input == counted.input > 0
    assert failure.value.usage.cache_write == counted.write_1h > 0


async def test_a_result_that_was_cut_is_told_as_cut(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    server.script(Answer("", tools={"analyse_branch": '{"tried": ['}, stop_reason="max_tokens"))

    with pytest.raises(ProviderError) as failure:
        await claude.perform(SHARED[0])

    assert failure.value.kind == "truncated"
    counted = server.asked[0].counted
    assert failure.value.usage.input == counted.input > 0
    assert failure.value.usage.cache_write == counted.write_1h > 0


# ------------------------------------------------------------------ failures

UNAVAILABLE = "The model cannot be reached at the moment."
OVERLOADED = "The model has too much to do at the moment."
BROKE_OFF = "The answer broke off."
REJECTED = "The model's service did not accept the request."
TOO_LARGE = "The conversation and its files are too large for the model."
SET_UP = "The assistant is not set up correctly: its key and model have to be checked."
LONG_WAIT = {"retry-after": "3600", "x-should-retry": "true"}
TOO_LONG = "prompt is too long: 1000001 tokens > 1000000 maximum"


@pytest.mark.parametrize(
    ("items", "kind", "retryable", "message", "retry_after"),
    [
        ([Status(400, "invalid_request_error")], "rejected", False, REJECTED, None),
        ([Status(400, "invalid_request_error", TOO_LONG)], "too_large", False, TOO_LARGE, None),
        ([Status(401, "authentication_error")], "configuration", False, SET_UP, None),
        ([Status(402, "billing_error")], "configuration", False, SET_UP, None),
        ([Status(403, "permission_error")], "configuration", False, SET_UP, None),
        ([Status(404, "not_found_error")], "configuration", False, SET_UP, None),
        ([Status(413, "request_too_large")], "too_large", False, TOO_LARGE, None),
        ([Status(422)], "rejected", False, REJECTED, None),
        ([Status(429, headers=LONG_WAIT)], "overloaded", True, OVERLOADED, 3_600.0),
        ([Status(429, headers={"retry-after": "2.5"})], "overloaded", True, OVERLOADED, 2.5),
        ([Status(429, headers={"retry-after-ms": "9000"})], "overloaded", True, OVERLOADED, 9.0),
        ([Status(529, headers={"retry-after": "0.01"})] * 2, "overloaded", True, OVERLOADED, 0.01),
        ([Status(529, headers={"retry-after": "60"})], "overloaded", True, OVERLOADED, 60.0),
        ([Status(500, headers={"retry-after": "nan"})] * 2, "unavailable", True, UNAVAILABLE, None),
        ([Status(409)] * 2, "unavailable", True, UNAVAILABLE, None),
        ([HangUp()] * 2, "unavailable", True, UNAVAILABLE, None),
        ([Page()], "unavailable", True, UNAVAILABLE, None),
        ([Status(504)] * 2, "timeout", True, "The model did not answer in time.", None),
        ([Broken("cut")], "broke_off", True, BROKE_OFF, None),
        ([Broken("early")], "broke_off", True, BROKE_OFF, None),
        ([Broken("half")], "broke_off", True, BROKE_OFF, None),
        ([Broken("overloaded_error")], "overloaded", True, OVERLOADED, None),
        ([Broken("rate_limit_error")], "overloaded", True, OVERLOADED, None),
        ([Broken("api_error")], "unavailable", True, UNAVAILABLE, None),
        ([Broken("never_heard_of")], "unavailable", True, UNAVAILABLE, None),
        ([Broken("invalid_request_error")], "rejected", False, REJECTED, None),
        (
            [Answer("", {}, "refusal", {"type": "refusal", "category": "cyber"})],
            "refused", False, "The model declined to answer this.", None,
        ),
        (
            [Answer(tools={}, stop_reason="max_tokens")],
            "truncated", False, "The answer grew longer than it may be.", None,
        ),
        (
            [Answer(tools={}, stop_reason="model_context_window_exceeded")],
            "too_large", False, TOO_LARGE, None,
        ),
        (
            [Answer(" ")],
            "misfit", True, "The model's answer did not have the form that was asked for.", None,
        ),
    ],
)  # fmt: skip
async def test_every_failure_is_told_apart(
    items: list[Behaviour],
    kind: FailureKind,
    retryable: bool,
    message: str,
    retry_after: float | None,
    server: ModelServer,
    claude: AnthropicProvider,
) -> None:
    server.script(*items)

    with pytest.raises(ProviderError) as failure:
        await answer(claude, branch(6))

    error = failure.value
    assert (error.kind, error.retryable, error.message) == (kind, retryable, message)
    assert error.retry_after == retry_after
    assert len(server.asked) == len(items)


async def test_a_date_to_wait_for_is_understood(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    server.script(Status(429, headers={"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}))

    with pytest.raises(ProviderError) as failure:
        await answer(claude, branch(6))

    assert failure.value.retry_after is not None
    assert failure.value.retry_after > 86_400
    assert len(server.asked) == 1


@pytest.mark.parametrize("first", [Status(529), Status(500), HangUp()])
async def test_a_passing_failure_is_tried_again_once(
    first: Behaviour, server: ModelServer, claude: AnthropicProvider
) -> None:
    server.script(first)

    assert (await answer(claude, branch(6)))[0] == TEXT
    assert len(server.asked) == 2


@pytest.mark.parametrize("item", [Silence(), Held(asyncio.Event())])
async def test_an_answer_has_a_deadline_and_the_connection_is_closed_at_it(
    item: Behaviour, server: ModelServer
) -> None:
    server.script(item)
    async with aclosing(
        AnthropicProvider(KEY, model=MODEL, base_url=server.url, timeout=0.3)
    ) as claude:
        with pytest.raises(ProviderError) as failure:
            await answer(claude, branch(6))
        async with asyncio.timeout(5):
            await server.asked[0].left.wait()

    assert (failure.value.kind, failure.value.retryable) == ("timeout", True)
    assert failure.value.message == "The model did not answer in time."
    assert len(server.asked) == 1


async def test_what_was_said_before_it_broke_is_heard(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    server.script(Broken("cut"))

    async with aclosing(claude.stream_turn(branch(6))) as stream:
        used = await anext(stream)
        assert isinstance(used, Usage)
        assert used.cache_write > 0, "what was paid for is told before it breaks off"
        assert await anext(stream) == TextDelta("First ")
        assert await anext(stream) == TextDelta("look ")
        with pytest.raises(ProviderError, match="broke off"):
            await anext(stream)


async def test_nobody_at_the_address_is_unavailable() -> None:
    async with aclosing(
        AnthropicProvider(KEY, model=MODEL, base_url="http://127.0.0.1:1")
    ) as claude:
        with pytest.raises(ProviderError) as failure:
            await answer(claude, branch(6))

    assert failure.value.kind == "unavailable"


@pytest.mark.parametrize(("key", "model"), [("sk-ant-wrong", MODEL), (KEY, "sonnet")])
async def test_a_wrong_key_or_model_is_a_matter_of_configuration(
    key: str, model: str, server: ModelServer
) -> None:
    async with aclosing(AnthropicProvider(key, model=model, base_url=server.url)) as claude:
        with pytest.raises(ProviderError) as failure:
            await answer(claude, branch(6))

    assert failure.value.kind == "configuration"


async def test_tasks_fail_the_same_way(server: ModelServer, claude: AnthropicProvider) -> None:
    given = {"analyse_branch": {"tried": ["ping", "trace"]}}
    server.script(Status(429, headers=LONG_WAIT), Broken("cut", Answer("", given)))

    with pytest.raises(ProviderError) as failure:
        await claude.perform(SHARED[0])
    assert (failure.value.kind, failure.value.retry_after) == ("overloaded", 3_600.0)
    with pytest.raises(ProviderError) as failure:
        await claude.perform(SHARED[0])
    assert failure.value.kind == "broke_off"


# ------------------------------------------------------------------ giving up, and secrets


async def test_closing_an_answer_closes_its_connection(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    server.script(Held(asyncio.Event()))

    async with aclosing(claude.stream_turn(branch(6))) as stream:
        assert isinstance(await anext(stream), Usage)
        assert await anext(stream) == TextDelta("First ")

    async with asyncio.timeout(5):
        await server.asked[0].left.wait()
    assert (await answer(claude, branch(6)))[0] == TEXT


async def test_cancelling_a_task_closes_its_connection(
    server: ModelServer, claude: AnthropicProvider
) -> None:
    server.script(Silence())
    performing = asyncio.create_task(claude.perform(SHARED[0]))
    async with asyncio.timeout(5):
        while not server.asked:  # noqa: ASYNC110 - the request comes over HTTP
            await asyncio.sleep(0.01)
        performing.cancel()
        await server.asked[0].left.wait()

    with pytest.raises(asyncio.CancelledError):
        await performing


async def test_the_key_is_in_no_log_and_no_other_is_taken_from_the_environment(
    server: ModelServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "of the developer")
    caplog.set_level(logging.DEBUG)
    server.script(Answer(), Status(400, "invalid_request_error"), HangUp(), HangUp())
    async with aclosing(AnthropicProvider(KEY, model=MODEL, base_url=server.url)) as claude:
        await answer(claude, branch(6))
        for _ in range(2):
            with pytest.raises(ProviderError) as failure:
                await answer(claude, branch(6))
            logging.getLogger().warning("Failed", exc_info=failure.value)
        assert KEY not in repr(claude)

    assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    assert "Failed" in caplog.text
    assert KEY not in caplog.text
    told = [vars(record) for record in caplog.records if record.name == "flowpilot.model"]
    assert [(one["levelname"], one["status"], one["request"]) for one in told] == [
        ("WARNING", 400, "req_of_the_fake")
    ]
