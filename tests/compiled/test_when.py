"""When selections are compiled, and when not."""

import gc
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import ExecutionResult, MiddlewareManager, execute, parse
from graphql.pyutils import AbortController

from schema.compiled import plans
from schema.compiled.execution import CompiledExecution
from schema.compiled.plans import CASES, MOST, Sighted, plan_for, sighted
from schema.compiled.writer import Writer
from services.runtime import Limits
from tests.compiled.adverse import ADVERSE, Stone

LEAVES = "{ node { stone { weight name } } }"


def stone(info: Any) -> Any:
    node = ADVERSE.type_map["Node"].extensions["strawberry-definition"].origin
    made = node.__new__(node)
    made.stone = Stone(weight=7, name=None)
    return made


def run(document: Any, compiled: bool = True, **how: Any) -> dict[str, Any] | None:
    runtime = SimpleNamespace(limits=Limits(), compiled=compiled)
    context = SimpleNamespace(runtime=runtime, answer=stone)
    found = execute(ADVERSE, document, None, context, executor_class=CompiledExecution, **how)
    assert isinstance(found, ExecutionResult)
    assert found.errors is None
    return found.data


def readers(document: Any) -> list[Any]:
    known = sighted.get(id(document.definitions[0]))
    return [one for plan in known.plans.values() for one in plan.readers.values()] if known else []


def test_what_comes_again() -> None:
    document = parse(LEAVES)
    assert run(document) == {"node": {"stone": {"weight": 7, "name": None}}}
    assert readers(document) == []
    assert run(document) == {"node": {"stone": {"weight": 7, "name": None}}}
    assert any(readers(document))


def test_not_where_it_is_switched_off() -> None:
    document = parse(LEAVES)
    for _ in range(3):
        run(document, compiled=False)
    assert readers(document) == []


@pytest.mark.parametrize(
    "how",
    [
        {"middleware": MiddlewareManager(lambda ask, *given, **more: ask(*given, **more))},
        {"abort_signal": AbortController().signal},
    ],
    ids=["middleware", "abort signal"],
)
def test_not_where_others_have_a_say(how: dict[str, Any]) -> None:
    document = parse(LEAVES)
    for _ in range(3):
        run(document, **how)
    assert readers(document) == []


@pytest.mark.parametrize("directive", ["@stream", "@defer", "@mine(if: true)"])
def test_not_with_a_directive_that_it_does_not_know(directive: str) -> None:
    document = parse(f"{{ node {{ ... on Node {directive} {{ stone {{ weight }} }} }} }}")
    executor: Any = CompiledExecution.build(ADVERSE, document)
    assert [plan_for(executor) for _ in range(3)] == [None, None, None]


def test_not_what_is_too_large() -> None:
    names = " ".join(f"w{place}: weight" for place in range(500))
    document = parse(f"{{ node {{ stone {{ {names} }} }} }}")
    for _ in range(3):
        assert run(document) == {"node": {"stone": {f"w{place}": 7 for place in range(500)}}}
    assert not any(readers(document))


def test_a_fault_of_the_compiler_costs_nobody_an_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Writer, "reader", lambda *_: 1 / 0)
    document = parse(LEAVES)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert run(document) == {"node": {"stone": {"weight": 7, "name": None}}}
    assert {record.message for record in caplog.records} == {"a selection could not be compiled"}


def test_it_is_forgotten_with_its_document() -> None:
    document = parse(LEAVES)
    key = id(document.definitions[0])
    run(document)
    assert key in sighted
    del document
    gc.collect()  # an executor goes round in a circle
    assert key not in sighted


def test_memory_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "MOST", 5)
    documents = [parse(LEAVES) for _ in range(20)]
    for document in documents:
        run(document)
    assert len(sighted) <= 5 < MOST
    names = [f"v{place}" for place in range(6)]
    variables = ", ".join(f"${name}: Boolean!" for name in names)
    skipped = " ".join(f"{name}: weight @skip(if: ${name})" for name in names)
    document = parse(f"query ({variables}) {{ node {{ stone {{ weight {skipped} }} }} }}")
    for case in range(2 ** len(names)):
        values = {name: bool(case >> place & 1) for place, name in enumerate(names)}
        found = run(document, variable_values=values)
        shown = {"weight": 7} | {name: 7 for name in names if not values[name]}
        assert found == {"node": {"stone": shown}}
    known = sighted[id(document.definitions[0])]
    assert isinstance(known, Sighted)
    assert 1 < len(known.plans) <= CASES
