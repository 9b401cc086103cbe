"""What every provider promises, asked of each of them."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from services.ai.cards import load_cards
from services.ai.playbook import PlaybookProvider
from services.ai.port import (
    Done,
    ForkDraft,
    Hypothesis,
    Provider,
    SessionFacts,
    TextDelta,
    TurnRequest,
)
from services.ai.scripted import ScriptedProvider
from tests.unit.ai.requests import intake_turn, reply_turn

SESSION = SessionFacts("Print jobs stay in the queue and nothing comes out of the printer.")
PROVIDERS: dict[str, Callable[[], Provider]] = {
    "scripted": ScriptedProvider,
    "playbook": lambda: PlaybookProvider(load_cards()),
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


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Provider:
    return PROVIDERS[request.param]()


@pytest.fixture(params=REQUESTS)
def turn(request: pytest.FixtureRequest) -> TurnRequest:
    return REQUESTS[request.param]


async def answer(provider: Provider, turn: TurnRequest) -> list[TextDelta | Done]:
    return [item async for item in provider.stream_turn(turn)]


async def test_text_comes_in_pieces_and_done_once_at_the_end(
    provider: Provider, turn: TurnRequest
) -> None:
    *deltas, last = await answer(provider, turn)

    assert isinstance(last, Done)
    assert len(deltas) >= 2
    assert all(isinstance(delta, TextDelta) and delta.text for delta in deltas)


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
