"""A long answer is completed in turns, and is the same as at one go."""

import asyncio
from collections.abc import Iterator
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import parse
from strawberry.dataloader import DataLoader
from strawberry.extensions import SchemaExtension

from schema.compiled.execution import LIGHTER, CompiledExecution
from schema.execution import TURN
from services.runtime import Limits

BROKEN = 700
MANY = 10_000
RUNTIME = SimpleNamespace(limits=Limits(), compiled=False)


@strawberry.type
class Maker:
    name: str


@strawberry.type
class Part:
    number: int

    @strawberry.field
    def name(self) -> str | None:
        return self.strict()

    @strawberry.field
    def strict_name(self) -> str:
        return self.strict()

    def strict(self) -> str:
        if self.number == BROKEN:
            raise ValueError("broken")
        return f"part {self.number}"

    @strawberry.field
    async def slow_name(self) -> str:
        await asyncio.sleep(0)
        return f"slowly {self.number}"

    @strawberry.field
    async def pieces(self) -> list["Part"]:
        return [Part(number=1000 * self.number + place) for place in range(TURN // 5)]

    @strawberry.field
    async def maker(self, info: strawberry.Info) -> Maker:
        return Maker(name=await info.context.makers.load(self.number))


@strawberry.type
class Watched:
    """Whoever reads its number is counted."""

    beside: strawberry.Private["Beside"]
    number: int


Watched.number = property(lambda watched: watched.beside.read())  # type: ignore[assignment]


@strawberry.type
class Query:
    @strawberry.field
    def watched(self, info: strawberry.Info) -> list[Watched]:
        made = Watched.__new__(Watched)
        made.beside = info.context.beside
        return [made] * MANY

    @strawberry.field
    def parts(self, count: int) -> list[Part]:
        return [Part(number=number) for number in range(count)]

    @strawberry.field
    async def later(self, count: int) -> list[Part] | None:
        await asyncio.sleep(0)
        return [Part(number=number) for number in range(count)]


remembered = lru_cache(parse)


class Remembered(SchemaExtension):
    def on_parse(self) -> Iterator[None]:
        self.execution_context.graphql_document = remembered(self.execution_context.query or "")
        yield


PARTS = strawberry.Schema(
    query=Query, execution_context_class=CompiledExecution, extensions=[Remembered]
)


@pytest.fixture(autouse=True, params=[False, True], ids=["stock", "compiled"])
async def compiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RUNTIME, "compiled", request.param)


class Beside:
    """Counts the turns that others get meanwhile, and the fields that are read from one to the next."""

    def __init__(self) -> None:
        self.turns = 0
        self.reads = 0
        self.longest = 0

    def read(self) -> int:
        self.reads += 1
        self.longest = max(self.longest, self.reads)
        return self.turns

    async def __aenter__(self) -> "Beside":
        self.task = asyncio.create_task(self._count())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _count(self) -> None:
        while True:
            self.turns += 1
            self.reads = 0
            await asyncio.sleep(0)


def at_once() -> int:
    """Fields in one turn."""
    return TURN * LIGHTER if RUNTIME.compiled else TURN


async def run(document: str, **context: object) -> Any:
    return await PARTS.execute(document, context_value=SimpleNamespace(runtime=RUNTIME, **context))


async def run_again(document: str, **context: object) -> Any:
    """What has come before may be compiled."""
    await run(document, **context)
    return await run(document, **context)


async def test_nobody_waits_for_more_than_a_turn_of_ten_thousand_objects() -> None:
    document = "{ watched { number two: number three: number four: number } }"
    await run(document, beside=Beside())
    async with Beside() as beside:
        answer = await run(document, beside=beside)
    assert len(answer.data["watched"]) == MANY
    assert beside.longest == at_once()
    assert beside.turns == 4 * MANY // at_once() - 1


@pytest.mark.parametrize("field", ["parts", "later"])
async def test_others_get_their_turn_all_along(field: str) -> None:
    document = f"{{ {field}(count: {10 * at_once()}) {{ number }} }}"
    await run(document)
    async with Beside() as beside:
        answer = await run(document)
    assert answer.data == {field: [{"number": number} for number in range(10 * at_once())]}
    assert beside.turns >= 9


async def test_lists_beside_one_another_take_turns_too() -> None:
    count = at_once() // 2
    document = (
        f"{{ {' '.join(f'a{place}: later(count: {count}) {{ number }}' for place in range(10))} }}"
    )
    await run(document)
    async with Beside() as beside:
        answer = await run(document)
    numbers = [{"number": number} for number in range(count)]
    assert answer.data == {f"a{place}": numbers for place in range(10)}
    assert beside.turns >= 4


async def test_an_error_is_told_where_it_happened() -> None:
    answer = await run_again("{ parts(count: 1000) { number name slowName } }")
    assert [error.path for error in answer.errors] == [["parts", BROKEN, "name"]]
    assert answer.data["parts"] == [
        {
            "number": number,
            "name": None if number == BROKEN else f"part {number}",
            "slowName": f"slowly {number}",
        }
        for number in range(1000)
    ]


async def test_a_list_falls_with_an_object_that_it_cannot_do_without() -> None:
    answer = await run_again(
        "{ later(count: 1000) { slowName strictName } parts(count: 2) { number } }"
    )
    assert [error.path for error in answer.errors] == [["later", BROKEN, "strictName"]]
    assert answer.data == {"later": None, "parts": [{"number": 0}, {"number": 1}]}


async def test_what_loads_relations_is_asked_at_one_go() -> None:
    batches: list[int] = []

    async def load(numbers: list[int]) -> list[str]:
        batches.append(len(numbers))
        return [f"maker of {number}" for number in numbers]

    answer = await run_again(
        "{ parts(count: 10) { pieces { number maker { name } } } }", makers=DataLoader(load_fn=load)
    )
    assert answer.data["parts"][9]["pieces"][1] == {
        "number": 9001,
        "maker": {"name": "maker of 9001"},
    }
    assert batches == [10 * TURN // 5]
