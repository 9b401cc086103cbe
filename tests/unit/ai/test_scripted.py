import asyncio

import pytest

from models.message import MessageRole
from services.ai.port import (
    Done,
    ForkDraft,
    ForkOption,
    Hypothesis,
    IntakeAnalysis,
    NoteStep,
    Prompt,
    ProviderError,
    SessionFacts,
    TextDelta,
    Turn,
    TurnRequest,
    Usage,
)
from services.ai.prompts import turn_prompt
from services.ai.scripted import Answer, Fail, FailAfter, HeldTask, Hold, ScriptedProvider
from services.ai.tasks import AnalyseBranch, Analysis
from tests.unit.ai.requests import intake_turn, reply_turn

SESSION = SessionFacts("one two three")
WHY = reply_turn(SESSION, [], "Why me?")


async def answer(provider: ScriptedProvider, request: TurnRequest = WHY) -> tuple[str, Done]:
    *deltas, done = [item async for item in provider.stream_turn(request)]
    assert isinstance(done, Done)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), done


async def test_the_default_answer_repeats_the_question_in_pieces() -> None:
    provider = ScriptedProvider()

    items = [item async for item in provider.stream_turn(WHY)]

    assert items == [
        turn_prompt(WHY),
        TextDelta("Answer to: "),
        TextDelta("Why me?"),
        Done("scripted", Usage(input=5, output=4)),
    ]
    assert provider.requests == [WHY]


async def test_usage_counts_the_words_of_everything_asked() -> None:
    request = reply_turn(
        SESSION,
        [Turn(1, MessageRole.USER, "eight"), Turn(2, MessageRole.ASSISTANT, "nine ten")],
        "four",
        hypothesis=Hypothesis("five", "six seven"),
        fork_position=1,
    )

    _, done = await answer(ScriptedProvider(), request)

    assert done.usage == Usage(input=10, output=3)


async def test_an_intake_is_analysed_by_default() -> None:
    _, done = await answer(ScriptedProvider(), intake_turn(SessionFacts("x" * 100)))

    assert done.intake == IntakeAnalysis("x" * 80, "general")


async def test_a_script_is_played_once_an_attempt_then_the_default_returns() -> None:
    fork = ForkDraft("Two ways", (ForkOption("a", "A"), ForkOption("b", "B")))
    step = NoteStep("Noted")
    provider = ScriptedProvider()
    provider.script("Why me?", "Because.", Answer(step=step, fork=fork, confidence=0.5))

    assert await answer(provider) == ("Because.", Done("scripted", Usage(5, 1)))
    assert await answer(provider) == (
        "Answer to: Why me?",
        Done("scripted", Usage(5, 4), step, 0.5, fork),
    )
    assert await answer(provider) == ("Answer to: Why me?", Done("scripted", Usage(5, 4)))
    assert len(provider.requests) == 3


async def test_a_script_answers_its_own_question_only() -> None:
    provider = ScriptedProvider()
    provider.script("Why you?", "Because.")

    assert (await answer(provider))[0] == "Answer to: Why me?"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (Fail("Overloaded", retryable=False), []),
        (FailAfter("A b c d", "Broken off", retryable=True), ["A b ", "c d"]),
    ],
)
async def test_failures_are_raised_after_what_was_said(
    item: Fail | FailAfter, said: list[str]
) -> None:
    provider = ScriptedProvider()
    provider.script("Why me?", item)
    stream = provider.stream_turn(WHY)
    assert await anext(stream) == turn_prompt(WHY)

    assert [await anext(stream) for _ in said] == [TextDelta(text) for text in said]
    with pytest.raises(ProviderError, match=item.message) as failure:
        await anext(stream)
    assert (failure.value.message, failure.value.retryable) == (item.message, item.retryable)


async def test_a_held_answer_goes_on_when_it_is_let() -> None:
    provider = ScriptedProvider()
    hold = Hold(asyncio.Event(), "first second third")
    provider.script("Why me?", hold)
    heard: list[Prompt | TextDelta | Usage | Done] = []

    async def listen() -> None:
        async for item in provider.stream_turn(WHY):
            heard.append(item)  # noqa: PERF401  looked at from outside while it grows

    listening = asyncio.create_task(listen())
    await hold.reached.wait()
    assert heard[1:] == [TextDelta("first ")]

    hold.event.set()
    await listening
    assert heard[2:-1] == [TextDelta("second "), TextDelta("third")]
    assert heard[-1] == Done("scripted", Usage(5, 3))


async def test_a_failure_can_be_held_too() -> None:
    provider = ScriptedProvider()
    hold = Hold(asyncio.Event(), Fail("Overloaded"))
    provider.script("Why me?", hold)

    answering = asyncio.create_task(answer(provider))
    await hold.reached.wait()
    hold.event.set()

    with pytest.raises(ProviderError, match="Overloaded"):
        await answering


ANALYSE = AnalyseBranch(WHY.conversation, since=0)
OTHER = AnalyseBranch(intake_turn(SessionFacts("Else")).conversation, since=0)


async def test_a_task_finds_nothing_unless_it_is_scripted() -> None:
    provider = ScriptedProvider()
    found = Analysis(concluded="It was the plug.")
    provider.script_task(AnalyseBranch, SESSION.intake, found, Fail("Overloaded", retryable=False))

    assert (await provider.perform(OTHER)).result == Analysis()
    assert (await provider.perform(ANALYSE)).result == found
    with pytest.raises(ProviderError, match="Overloaded"):
        await provider.perform(ANALYSE)
    outcome = await provider.perform(ANALYSE)
    assert (outcome.result, outcome.model, outcome.usage) == (Analysis(), "scripted", Usage())
    assert provider.tasks == [OTHER, ANALYSE, ANALYSE, ANALYSE]


async def test_a_held_task_is_done_when_it_is_let() -> None:
    provider = ScriptedProvider()
    held = HeldTask(asyncio.Event(), Analysis(concluded="Late."))
    provider.script_task(AnalyseBranch, SESSION.intake, held)

    working = asyncio.create_task(provider.perform(ANALYSE))
    await held.reached.wait()
    held.event.set()

    assert (await working).result == held.then
