"""The fake service keeps the real one's rules, as far as tests rely on them."""

from typing import Any

import anthropic
import pytest

from tests.fakes.model_server import KEY, Answer, model_server
from tests.fakes.prompt_cache import Counted, PromptCache, Refused, count

HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
MINUTES = {"cache_control": {"type": "ephemeral"}}


def block(number: int, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": f"block {number} ".ljust(4_200, "x"), **more}


def body(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    message = {"role": "user", "content": list(blocks)}
    return {"model": "claude-sonnet-5-5", "messages": [message], **more}


ONE = count(body(block(1)))
"""Tokens of one block, whichever."""


def test_what_was_marked_is_read_again_and_what_follows_is_not() -> None:
    cache = PromptCache()

    assert cache.account(body(block(1, **HOUR), block(2)), 0) == Counted(ONE, 0, 0, ONE)
    assert cache.account(body(block(1, **HOUR), block(3)), 1) == Counted(ONE, ONE)
    assert cache.account(body(block(4, **HOUR), block(3)), 1) == Counted(ONE, 0, 0, ONE)


def test_a_prefix_that_is_written_up_to_a_later_mark_costs_only_what_is_new() -> None:
    cache = PromptCache()
    cache.account(body(block(1, **HOUR), block(2)), 0)

    longer = body(block(1, **HOUR), block(2), block(3, **MINUTES), block(4))
    assert cache.account(longer, 1) == Counted(ONE, ONE, 2 * ONE)
    assert cache.account(longer, 2) == Counted(ONE, 3 * ONE)
    assert Counted(ONE, ONE, 2 * ONE).cost == pytest.approx((1 + 0.1 + 2.5) * ONE)


@pytest.mark.parametrize(("mark", "seconds"), [(MINUTES, 300), (HOUR, 3_600)])
def test_what_is_kept_expires_and_each_read_prolongs_it(
    mark: dict[str, Any], seconds: float
) -> None:
    cache = PromptCache()
    asked = body(block(1, **mark))
    cache.account(asked, 0)

    assert cache.account(asked, seconds - 1) == Counted(0, ONE)
    assert cache.account(asked, 2 * seconds - 2) == Counted(0, ONE)
    assert cache.account(asked, 3 * seconds - 2).read == 0


@pytest.mark.parametrize(("added", "is_read"), [(19, True), (20, False)])
def test_a_mark_finds_what_was_written_at_most_twenty_blocks_back(
    added: int, is_read: bool
) -> None:
    cache = PromptCache()
    cache.account(body(block(0, **HOUR)), 0)

    between = [block(number) for number in range(1, added)]
    later = cache.account(body(block(0), *between, block(added, **HOUR)), 1)

    assert (later.read == ONE) == is_read


def test_too_short_a_prefix_is_silently_not_kept() -> None:
    cache = PromptCache(minimum=ONE + 1)

    for _ in range(2):
        assert cache.account(body(block(1, **HOUR)), 0) == Counted(ONE)


@pytest.mark.parametrize(
    "changed",
    [{"model": "claude-opus-5-5"}, {"tools": [{"name": "a"}]}, {"tool_choice": {"type": "any"}}],
)
def test_another_model_tool_or_choice_reads_nothing_of_the_messages(
    changed: dict[str, Any],
) -> None:
    cache = PromptCache()
    cache.account(body(block(1, **HOUR)), 0)

    assert cache.account({**body(block(1, **HOUR)), **changed}, 1).read == 0


@pytest.mark.parametrize("ttls", [(HOUR,) * 5, (MINUTES, HOUR)])
def test_marks_beyond_the_rules_are_refused(ttls: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(Refused):
        PromptCache().account(body(*(block(n, **ttl) for n, ttl in enumerate(ttls))), 0)


async def test_it_answers_without_a_stream_and_counts_tokens() -> None:
    async with model_server() as server:
        client = anthropic.AsyncAnthropic(api_key=KEY, base_url=server.url)
        async with client:
            server.script(Answer("Hello."))
            asked: Any = body(block(1))
            message = await client.messages.create(max_tokens=10, **asked)
            counted = await client.messages.count_tokens(**asked)

    assert [part.text for part in message.content if part.type == "text"] == ["Hello."]
    assert (message.stop_reason, message.usage.input_tokens) == ("end_turn", ONE)
    assert counted.input_tokens == ONE
