"""What prompt caching saves, by the rules that the model's service documents; nothing leaves this machine.

Six turns on the trunk, a fork into three, six turns on each branch in turn; a question has about 200 tokens
and an answer about 250, and with every turn the news of the other branches changes. The requests are the
real ones, sent by the SDK to the tests' fake of the service, whose clock moves by the gap between two
turns. The whole product takes the same way through services and database: sessions, forks, messages,
answers, and after each answer an analysis, which is a request of its own and makes the news. The requests
of the provider alone are also counted in the order of FlowPilot's first plan: the news stood in the system
prompt, before the history.

What all requests begin with, tools and system prompt, is three times as long as the scenario's 1,600
tokens, which are easy to read again. So the product is also counted as if it were no longer than that.

Cost is in tokens that are neither read nor written, relative to the same requests without a cache.
"""

import asyncio
import copy
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from benchmarks.report import finish, table
from benchmarks.stage import stage
from models.message import BranchMessage, MessageRole
from models.session import IntakeType, SessionType
from services.ai.anthropic import AnthropicProvider
from services.ai.discretion import Discreet
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
from services.analysis import analyse_branch
from services.answers import answer_message
from services.forks import ForkOption, fork_branch
from services.messages import send_branch_message
from services.sessions import Intake, start_session
from tests.fakes.model_server import KEY, Answer, ModelServer, model_server
from tests.fakes.prompt_cache import Counted, PromptCache, count

GAPS = (60.0, 240.0, 900.0)
TURNS = 6
BRANCHES = 3
QUESTION, ANSWER, NEWS = 800, 1_000, 600  # characters
FIXED = 1_600
"""Tokens."""
MUST = {
    **{f"cost_{gap:.0f}": 0.31 for gap in GAPS},
    "cost_60": 0.26,
    "cost_60_unmeasured": 0.31,
}
AT_LEAST = {
    **{f"read_{gap:.0f}": 0.85 for gap in GAPS},
    "read_60_unmeasured": 0.85,
    "read_product_short": 0.85,
    "read_product_with_analyses": 0.85,
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
                cost, read = summed(requests)
                rows.append([f"{gap:.0f} s", name, read, cost])
                if name.startswith("FlowPilot"):
                    suffix = "_unmeasured" if "unknown" in name else ""
                    ratios[f"cost_{gap:.0f}{suffix}"] = cost
                    ratios[f"read_{gap:.0f}{suffix}"] = read
        answers = await product(server, GAPS[0])
        everything = [asked.counted for asked in server.asked]
        surplus = count({**server.asked[0].body, "messages": []}) - FIXED
        for name, counts in (("product", answers), ("product_with_analyses", everything)):
            for suffix, taken in (("", 0), ("_short", surplus)):
                cost, read = summed([shortened(one, taken) for one in counts])
                shown = f"whole {name}{suffix}".replace("_", " ")
                rows.append([f"{GAPS[0]:.0f} s", shown, read, cost])
                ratios |= {f"cost_{name}{suffix}": cost, f"read_{name}{suffix}": read}
    table("Prompt tokens of 24 turns", ["gap", "layout", "share read", "cost"], rows)
    return finish("prompt_cache", ratios, MUST, AT_LEAST)


def summed(requests: Sequence[Counted]) -> tuple[float, float]:
    """The cost, and the share of tokens that was read."""
    total = sum(one.total for one in requests)
    return sum(one.cost for one in requests) / total, sum(one.read for one in requests) / total


def shortened(one: Counted, tokens: int) -> Counted:
    """Without so many of those that it began with, which were read or written as a whole."""
    kind = next(kind for kind in ("read", "write_1h", "write_5m") if getattr(one, kind) >= tokens)
    return replace(one, **{kind: getattr(one, kind) - tokens})


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


# ------------------------------------------------------------------ the whole product


async def product(server: ModelServer, gap: float) -> list[Counted]:
    """What the answers took; the server has them and the analyses, in the order they were asked for."""
    server.forget()
    answers: list[Counted] = []
    provider = AnthropicProvider(KEY, model="claude-sonnet-5-5", base_url=server.url)
    async with aclosing(provider), stage() as place:
        runtime, actor = replace(place.runtime, provider=Discreet(provider)), place.actor

        async def answer(reply: BranchMessage) -> None:
            number = len(answers)
            server.script(Answer(prose(ANSWER, f"answer {number}")), analysis(number))
            await answer_message(runtime, actor.account_id, reply.id, last_try=True)
            answers.append(server.asked[-1].counted)
            await analyse_branch(runtime, actor.account_id, reply.branch_id, last_try=True)
            server.now += gap

        async def ask(branch_id: UUID) -> None:
            question = prose(QUESTION, f"question {len(answers)}")
            sent = await send_branch_message(
                runtime, actor, key=uuid4(), branch_id=branch_id, body=question
            )
            await answer(sent.reply)

        begun = await start_session(
            runtime,
            actor,
            key=uuid4(),
            session_type=SessionType.GUIDED,
            intake=Intake(IntakeType.FREE_TEXT, prose(QUESTION, "intake"), prose(200, "ticket")),
            psa_ticket_id=None,
            team_id=None,
        )
        await answer(begun.reply)
        for _ in range(TURNS - 1):
            await ask(begun.reply.branch_id)
        forked = await fork_branch(
            runtime,
            actor,
            key=uuid4(),
            session_id=begun.session.row.id,
            parent_branch_id=None,
            fork_point_id=None,
            after_message_id=None,
            reason="Three causes are possible",
            options=[
                ForkOption(f"Cause {name}", f"How cause {name} would show.")
                for name in "ABC"[:BRANCHES]
            ],
        )
        for _ in range(TURNS):
            for branch in forked.branches:
                await ask(branch.id)
    return answers


def analysis(number: int) -> Answer:
    """A new summary, of what has been learnt up to this answer."""
    found = {"tried": [f"Check {number}"], "concluded": prose(NEWS, f"news {number}")}
    return Answer("", tools={"analyse_branch": found})


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
