"""What prompt caching saves, by the rules that the model's service documents; nothing leaves this machine.

Six turns on the trunk, a fork into three, six turns on each branch in turn; a question has about 200 tokens
and an answer about 250, and with every turn the news of the other branches changes. The requests are the
real ones, sent by the SDK to the tests' fake of the service, whose clock moves by the gap between two
turns. The same requests are counted in the order of FlowPilot's first plan, too: the news stood in the
system prompt, before the history.

Cost is in tokens that are neither read nor written, relative to the same requests without a cache.
"""

import asyncio
import copy
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from benchmarks.report import finish, table
from models.message import MessageRole
from services.ai.anthropic import AnthropicProvider
from services.ai.port import (
    Conversation,
    Hypothesis,
    MergedFinding,
    Segment,
    SessionFacts,
    TextDelta,
    Turn,
    TurnRequest,
    Volatile,
)
from tests.fakes.model_server import KEY, Answer, ModelServer, model_server
from tests.fakes.prompt_cache import Counted, PromptCache

GAPS = (60.0, 240.0, 900.0)
TURNS = 6
BRANCHES = 3
QUESTION, ANSWER, NEWS = 800, 1_000, 600  # characters
MUST = {
    **{f"cost_{gap:.0f}": 0.31 for gap in GAPS},
    **{f"unread_{gap:.0f}": 0.15 for gap in GAPS},
    "cost_60": 0.26,
    "cost_60_unmeasured": 0.31,
    "unread_60_unmeasured": 0.15,
}
Body = dict[str, Any]


async def run() -> int:
    ratios: dict[str, float] = {}
    rows: list[list[object]] = []
    async with model_server() as server:
        for gap in GAPS:
            bodies = await scenario(server, gap, measured=gap)
            counted = {
                "first plan, no marker": planned(bodies, gap, unmarked),
                "first plan, system prompt marked": planned(bodies, gap, first_marked),
                "first plan, end marked": planned(bodies, gap, last_marked),
                "FlowPilot": [asked.counted for asked in server.asked],
            }
            if gap == GAPS[0]:
                await scenario(server, gap, measured=None)
                counted["FlowPilot, gaps unknown"] = [asked.counted for asked in server.asked]
            for name, requests in counted.items():
                cost, unread = summed(requests)
                rows.append([f"{gap:.0f} s", name, 1 - unread, cost])
                if name.startswith("FlowPilot"):
                    suffix = "_unmeasured" if "unknown" in name else ""
                    ratios[f"cost_{gap:.0f}{suffix}"] = cost
                    ratios[f"unread_{gap:.0f}{suffix}"] = unread
    table("Prompt tokens of 24 turns", ["gap", "layout", "share read", "cost"], rows)
    return finish("cache", ratios, MUST)


def summed(requests: Sequence[Counted]) -> tuple[float, float]:
    """The cost, and the share of tokens that was not read."""
    total = sum(one.total for one in requests)
    return sum(one.cost for one in requests) / total, 1 - sum(one.read for one in requests) / total


# ------------------------------------------------------------------ the scenario


@dataclass
class Branch:
    turns: list[Turn] = field(default_factory=list)
    hypothesis: Hypothesis | None = None


async def scenario(server: ModelServer, gap: float, measured: float | None) -> list[Body]:
    """The bodies that were sent; what they cost is with the server."""
    server.forget()
    trunk = Branch()
    branches = [
        Branch(hypothesis=Hypothesis(f"Cause {name}", f"How cause {name} would show."))
        for name in "ABC"[:BRANCHES]
    ]
    intake = prose(QUESTION, "intake")
    provider = AnthropicProvider(KEY, model="claude-sonnet-5-5", base_url=server.url)
    async with aclosing(provider):
        for number, branch in enumerate(order(trunk, branches)):
            inherited = [] if branch is trunk else trunk.turns
            position = len(inherited) + len(branch.turns) + 1
            lineage = [Segment(tuple(branch.turns), branch.hypothesis)]
            if branch is not trunk:
                lineage.insert(0, Segment(tuple(trunk.turns)))
            question = Turn(position, MessageRole.USER, prose(QUESTION, f"question {number}"))
            request = TurnRequest(
                Conversation(
                    SessionFacts(intake, reference="Ticket 4711 " + prose(400, "ticket")),
                    tuple(lineage),
                    median_gap=measured if number > 1 else None,
                ),
                question if number else Turn(1, MessageRole.USER, intake),
                purpose="reply" if number else "intake",
                volatile=news(number),
            )
            server.script(Answer(prose(ANSWER, f"answer {number}")))
            said = [one async for one in provider.stream_turn(request)]
            text = "".join(one.text for one in said if isinstance(one, TextDelta))
            branch.turns += [request.question, Turn(position + 1, MessageRole.ASSISTANT, text)]
            server.now += gap
    return [asked.body for asked in server.asked]


def order(trunk: Branch, branches: Sequence[Branch]) -> Iterator[Branch]:
    yield from [trunk] * TURNS
    for _ in range(TURNS):
        yield from branches


def news(number: int) -> Volatile:
    """As much as NEWS, in findings of their own."""
    claims = textwrap.wrap(prose(NEWS, f"news {number}"), 300)
    return Volatile(merged=tuple(MergedFinding("Another branch", claim) for claim in claims))


def prose(characters: int, about: str) -> str:
    return (f"What is said about {about}. " + "and so on, " * characters)[:characters]


# ------------------------------------------------------------------ the first plan's order


def planned(bodies: Sequence[Body], gap: float, mark: Callable[[Body], None]) -> list[Counted]:
    cache = PromptCache()
    counted = []
    for number, body in enumerate(copy.deepcopy(bodies)):
        unmarked(body)
        *news, question = body["messages"][-1]["content"]
        body["system"] += news
        body["messages"][-1]["content"] = [question]
        mark(body)
        counted.append(cache.account(body, number * gap))
    return counted


def unmarked(body: Body) -> None:
    messages = [block for message in body["messages"] for block in message["content"]]
    for block in (*body["system"], *messages):
        block.pop("cache_control", None)


def first_marked(body: Body) -> None:
    body["system"][0]["cache_control"] = {"type": "ephemeral"}


def last_marked(body: Body) -> None:
    body["messages"][-1]["content"][-1]["cache_control"] = {"type": "ephemeral"}


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
