"""What every provider promises, asked of each of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, nullcontext
from typing import Any

import pytest
from pydantic import BaseModel

from models.branch import BranchStatus
from models.finding import FindingKind
from models.handoff import Confidence, HandoffIntent
from models.message import MessageRole
from services.ai.anthropic import AnthropicProvider
from services.ai.cards import load_cards
from services.ai.document_tasks import (
    Case,
    CaseFinding,
    WriteArticle,
    WriteClientSummary,
    WriteTicketNotes,
)
from services.ai.playbook import PlaybookProvider
from services.ai.port import (
    Attachment,
    Conversation,
    Done,
    ForkDraft,
    Hypothesis,
    Image,
    Provider,
    Segment,
    SessionFacts,
    Task,
    TextDelta,
    Turn,
    TurnRequest,
    Usage,
)
from services.ai.scripted import ScriptedProvider
from services.ai.tasks import (
    AnalyseBranch,
    DescribeFile,
    Description,
    GiveSecondOpinion,
    HandoffDraft,
    HypothesisFacts,
    Opinion,
    PrepareHandoff,
)
from tests.fakes.model_server import KEY, model_server
from tests.fakes.prompt_cache import PromptCache
from tests.unit.ai.requests import intake_turn, reply_turn

SESSION = SessionFacts("Print jobs stay in the queue and nothing comes out of the printer.")


@asynccontextmanager
async def claude() -> AsyncIterator[Provider]:
    """Nothing is cached, so that the same request costs the same twice."""
    async with model_server() as server:
        server.cache = PromptCache(minimum=1_000_000)
        provider = AnthropicProvider(KEY, model="claude-sonnet-5-5", base_url=server.url)
        async with aclosing(provider):
            yield provider


EXAMPLES: tuple[tuple[type[Task[Any]], BaseModel], ...] = (
    (
        PrepareHandoff,
        HandoffDraft(
            text="Assessed.",
            likely_cause="Unknown.",
            suggested_steps=["Look again."],
            confidence=Confidence.LOW,
            briefing="Briefed.",
        ),
    ),
    (
        GiveSecondOpinion,
        Opinion(
            likely_cause="Unknown.",
            reasoning="Nothing was told.",
            suggested_steps=["Look again."],
            confidence=Confidence.LOW,
        ),
    ),
    (DescribeFile, Description(description="A file.")),
)


def scripted() -> ScriptedProvider:
    """Told what to answer to the tasks below."""
    provider = ScriptedProvider()
    last = [turn.text for turn in TALKED.turns if turn.role is MessageRole.USER][-1]
    for kind, example in EXAMPLES:
        for about in (SESSION.intake, last, FILE.filename, PICTURE.filename):
            provider.script_task(kind, about, example, example)
    return provider


PROVIDERS: dict[str, Callable[[], AbstractAsyncContextManager[Provider]]] = {
    "scripted": lambda: nullcontext(scripted()),
    "playbook": lambda: nullcontext(PlaybookProvider(load_cards())),
    "anthropic": claude,
}
REQUESTS = {
    "intake": intake_turn(SESSION),
    "intake without match": intake_turn(SessionFacts("The coffee machine leaks.")),
    "trunk": reply_turn(SESSION, [], "What next?"),
    "branch": reply_turn(
        SESSION,
        [],
        "What next?",
        hypothesis=Hypothesis("Print spooler or a stuck job", "A broken job blocks the queue."),
        volatile=("Another branch tests the driver.",),
    ),
    "own hypothesis": reply_turn(
        SESSION,
        [],
        "What next?",
        hypothesis=Hypothesis("Poltergeist", "Somebody walks at night."),
    ),
}


HISTORY = (
    Turn(1, MessageRole.USER, SESSION.intake),
    Turn(2, MessageRole.ASSISTANT, "Is the spooler running?"),
    Turn(3, MessageRole.USER, "Yes, event 7031 shows that it restarted at 09:14."),
    Turn(4, MessageRole.ASSISTANT, "Then clear the queue."),
)
TALKED = Conversation(SESSION, (Segment(HISTORY),))
HYPOTHESES = (
    HypothesisFacts("H1", "Spooler", "It stops.", BranchStatus.ACTIVE),
    HypothesisFacts("H2", "Driver", "It is broken.", BranchStatus.DEAD_END, "It is up to date."),
)
FILE = Attachment("app.log", "text/plain", text="09:14 ERROR 0x709 on PRN-01")
PICTURE = Attachment("a.png", "image/png", image=Image("image/png", b"\x89PNG"))
CASE = Case(
    TALKED,
    "The queue was cleared.",
    "Printing stopped.",
    "H1",
    HYPOTHESES,
    (CaseFinding("F1", "Spooler", FindingKind.CONFIRMED, "The spooler restarted."),),
)
TASKS: dict[str, Task[Any]] = {
    "analysis": AnalyseBranch(TALKED, since=0, hypotheses=HYPOTHESES),
    "analysis of nothing": AnalyseBranch(Conversation(SESSION), since=0),
    "park": PrepareHandoff(TALKED, HandoffIntent.PARK, hypotheses=HYPOTHESES),
    "escalate": PrepareHandoff(TALKED, HandoffIntent.ESCALATE, "Call them.", HYPOTHESES),
    "opinion": GiveSecondOpinion(SESSION, ("The spooler restarted.",)),
    "opinion on nothing": GiveSecondOpinion(SESSION, ()),
    "file": DescribeFile(FILE),
    "picture": DescribeFile(PICTURE),
    "ticket notes": WriteTicketNotes(CASE),
    "article": WriteArticle(CASE),
    "client summary": WriteClientSummary(CASE),
    "article about nothing": WriteArticle(Case(Conversation(SESSION), "It went away.")),
}


@pytest.fixture(params=PROVIDERS, scope="module")
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    async with PROVIDERS[request.param]() as provider:
        yield provider


@pytest.fixture(params=REQUESTS)
def turn(request: pytest.FixtureRequest) -> TurnRequest:
    return REQUESTS[request.param]


async def answer(provider: Provider, turn: TurnRequest) -> list[TextDelta | Usage | Done]:
    return [item async for item in provider.stream_turn(turn)]


async def test_text_comes_in_pieces_and_done_once_at_the_end(
    provider: Provider, turn: TurnRequest
) -> None:
    *pieces, last = await answer(provider, turn)

    assert isinstance(last, Done)
    told = [piece for piece in pieces if isinstance(piece, Usage)]
    deltas = [piece for piece in pieces if isinstance(piece, TextDelta)]
    assert len(told) + len(deltas) == len(pieces)
    assert len(deltas) >= 2
    assert all(delta.text for delta in deltas)
    assert not told or told[-1] == last.usage


async def test_done_names_the_model_and_counts_nothing_below_zero(
    provider: Provider, turn: TurnRequest
) -> None:
    done = (await answer(provider, turn))[-1]

    assert isinstance(done, Done)
    assert done.model
    usage = done.usage
    assert min(usage.input, usage.output, usage.cache_read, usage.cache_write) >= 0
    assert done.confidence is None or 0 <= done.confidence <= 1


async def test_the_same_request_twice_gets_the_same_answer(
    provider: Provider, turn: TurnRequest
) -> None:
    assert await answer(provider, turn) == await answer(provider, turn)


async def test_an_intake_is_analysed_and_nothing_else_is(
    provider: Provider, turn: TurnRequest
) -> None:
    done = (await answer(provider, turn))[-1]

    assert isinstance(done, Done)
    assert (done.intake is not None) == (turn.purpose == "intake")
    if done.intake:
        assert done.intake.summary
        assert done.intake.domain


async def test_a_proposed_fork_is_one_that_fork_branch_takes(
    provider: Provider, turn: TurnRequest
) -> None:
    done = (await answer(provider, turn))[-1]

    assert isinstance(done, Done)
    if done.fork:
        assert ForkDraft(done.fork.reason, done.fork.options) == done.fork


async def test_an_answer_can_be_abandoned_at_any_delta(
    provider: Provider, turn: TurnRequest
) -> None:
    whole = await answer(provider, turn)
    for heard in range(len(whole)):
        async with aclosing(provider.stream_turn(turn)) as stream:
            seen = [await anext(stream) for _ in range(heard)]
        assert seen == whole[:heard]
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_a_cancelled_listener_leaves_the_provider_usable(
    provider: Provider, turn: TurnRequest
) -> None:
    begun = asyncio.Event()

    async def listen() -> None:
        async with aclosing(provider.stream_turn(turn)) as stream:
            await anext(stream)
            begun.set()
            await asyncio.Event().wait()

    listener = asyncio.create_task(listen())
    await begun.wait()
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener

    assert isinstance((await answer(provider, turn))[-1], Done)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
async def test_a_task_is_answered_with_its_result(provider: Provider, task: Task[Any]) -> None:
    outcome = await provider.perform(task)

    assert type(outcome.result) is task.result
    assert task.result.model_validate(outcome.result.model_dump()) == outcome.result
    assert outcome.model
    usage = outcome.usage
    assert min(usage.input, usage.output, usage.cache_read, usage.cache_write) >= 0


async def test_a_provider_says_who_it_is(provider: Provider) -> None:
    assert (provider.name, provider.is_offline) in {
        ("scripted", False),
        ("playbook", True),
        ("anthropic", False),
    }
