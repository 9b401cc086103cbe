"""Knowledge by index alone: articles about a question, and the library's search, among 5,000 and 50,000.

The same statements run on two accounts of one database, in turn. Words are drawn by Zipf's law, as in
what people write: a few are everywhere, most are rare. While the library grows tenfold, the p95 may
grow fourfold.
"""

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from uuid import UUID

from sqlalchemy import insert, text

from benchmarks.report import finish, table
from benchmarks.stage import Stage, stage
from models.account import Plan, Role
from models.knowledge import KbArticle
from services.access import Actor
from services.accounts import NewPerson, create_account
from services.database import transaction
from services.ids import new_id
from services.knowledge.library import list_articles
from services.knowledge.lookup import related

SIZES = (5_000, 50_000)
BATCH = 1_000
QUESTIONS = 120
WARM_UP = 20
VOCABULARY = 30_000
"""Different words, as support articles of one language have them."""

MUST = {"related_p95_50000_to_5000": 4.0, "search_p95_50000_to_5000": 4.0}

Words = Callable[[int], list[str]]
Question = tuple[str, str]
"""What somebody tells at length, and what somebody types into a search."""


def drawing(seed: int) -> Words:
    """The word of rank n is drawn n times as seldom as the commonest."""
    chance = random.Random(seed)
    known = [f"term{rank}" for rank in range(1, VOCABULARY + 1)]
    weights = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))
    return lambda count: chance.choices(known, cum_weights=weights, k=count)


async def fill(place: Stage, account_id: UUID, size: int) -> list[Question]:
    """Asks for articles that there are, in their own words."""
    words = drawing(size)
    questions: list[Question] = []
    for _ in range(0, size, BATCH):
        rows = []
        for _ in range(BATCH):
            title, symptoms = words(8), words(16)
            rows.append(
                {
                    "account_id": account_id,
                    "id": new_id(),
                    "title": " ".join(title),
                    "body": " ".join(words(120)),
                    "content": {"symptoms": [" ".join(symptoms)], "tags": words(2)},
                }
            )
            if len(questions) < (QUESTIONS + WARM_UP) * len(rows) / BATCH:
                questions.append((" ".join(title + symptoms), " ".join(title[:2])))
        async with place.owner.begin() as db:
            await db.execute(insert(KbArticle), rows)
    return questions


async def another_account(place: Stage) -> Actor:
    email = "engineer@another.example"
    people = [NewPerson(email, "Engineer", Role.ADMIN, "benchmark-password")]
    made = await create_account(place.url, name="Another", plan=Plan.ENTERPRISE, people=people)
    user_id = made.user_ids[email]
    return replace(place.actor, account_id=made.account_id, user_id=user_id, stands_for=user_id)


def statements(place: Stage, actor: Actor) -> dict[str, Callable[[Question], Awaitable[object]]]:
    async def related_to(question: Question) -> object:
        async with transaction(place.runtime.engine, actor.account_id) as db:
            return await related(db, actor.account_id, question[0], most=8)

    async def search(question: Question) -> object:
        return await list_articles(place.runtime, actor, question[1], first=20, after=None)

    return {"related": related_to, "search": search}


def p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(0.95 * (len(seconds) - 1))]


async def run() -> int:
    async with stage() as place:
        actors = dict(zip(SIZES, (place.actor, await another_account(place)), strict=True))
        questions = {size: await fill(place, actors[size].account_id, size) for size in SIZES}
        async with place.owner.connect() as db:
            await db.execution_options(isolation_level="AUTOCOMMIT")
            await db.execute(text("VACUUM ANALYZE"))
        seconds: dict[tuple[str, int], list[float]] = {}
        todo = {size: statements(place, actors[size]) for size in SIZES}
        for turn in range(QUESTIONS + WARM_UP):
            for size in SIZES:
                for name, ask in todo[size].items():
                    began = time.perf_counter()
                    await ask(questions[size][turn % len(questions[size])])
                    if turn >= WARM_UP:
                        took = time.perf_counter() - began
                        seconds.setdefault((name, size), []).append(took)
    rows = [
        [name, size, sorted(took)[len(took) // 2] * 1e3, p95(took) * 1e3]
        for (name, size), took in sorted(seconds.items())
    ]
    table("One statement", ["what", "articles", "p50 ms", "p95 ms"], rows)
    few, many = SIZES
    ratios = {
        f"{name}_p95_50000_to_5000": p95(seconds[name, many]) / p95(seconds[name, few])
        for name in ("related", "search")
    }
    return finish("knowledge", ratios, MUST)


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
