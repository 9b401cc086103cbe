"""One document and one set of objects, executed by graphql-core and by compiled selections."""

import asyncio
import gc
import warnings
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any

from graphql import ExecutionResult, FragmentDefinitionNode, GraphQLSchema, execute, parse
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.compiled.execution import CompiledExecution
from schema.compiled.plans import sighted
from services.runtime import Limits
from tests.compiled.data import ADDRESS, Objects, spread
from tests.compiled.documents import VARIABLES, Documents

RUNTIME = SimpleNamespace(limits=Limits(), compiled=True)


@dataclass
class Tally:
    executions: int = 0
    with_errors: int = 0
    compiled: int = 0
    """Documents of which some selection was."""


@dataclass
class Case:
    schema: GraphQLSchema
    seed: int
    depth: int = 4
    root_fields: int = 2
    faults: float = 0.02
    resolvers: float = 1.0

    def __post_init__(self) -> None:
        dice = Random(self.seed)
        self.text = Documents(self.schema, dice, self.depth, self.resolvers).document(
            self.root_fields
        )
        self.document = parse(self.text)
        self.values = [{name: dice.random() < 0.5 for name in VARIABLES} for _ in range(2)]
        self.fragments = {
            node.name.value: node
            for node in self.document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }

    async def run(self, executor: type[Any], variables: dict[str, bool]) -> ExecutionResult:
        objects = Objects(self.schema, self.fragments, Random(self.seed), self.faults)
        context = SimpleNamespace(runtime=RUNTIME, answer=lambda info: answer(objects, info))
        found = execute(
            self.schema,
            self.document,
            context_value=context,
            variable_values=variables,
            executor_class=executor,
            is_awaitable=optimized_is_awaitable,
        )
        if asyncio.iscoroutine(found):
            found = await found
        assert isinstance(found, ExecutionResult)
        await asyncio.sleep(0)
        return found

    async def compare(self, tally: Tally) -> None:
        """Twice with each set of variables: a selection is compiled when it comes again."""
        for variables in self.values * 2:
            expected = shown(await self.run(StrawberryGraphQLCoreExecutionContext, variables))
            found = shown(await self.run(CompiledExecution, variables))
            assert found == expected, f"seed {self.seed}, {variables}:\n{self.text}"
            tally.executions += 1
            tally.with_errors += bool(expected["errors"])
        known = sighted.get(id(self.document.definitions[0]))
        plans = known.plans.values() if known else ()
        tally.compiled += any(any(plan.readers.values()) for plan in plans)


def answer(objects: Objects, info: Any) -> Any:
    raw = getattr(info, "_raw_info", info)
    below = [node.selection_set for node in raw.field_nodes if node.selection_set]
    return objects.value(raw.return_type, below)


def shown(result: ExecutionResult) -> dict[str, Any]:
    return {
        "data": list(spread(result.data)),
        "errors": [
            (
                ADDRESS.sub("", error.message),
                error.path,
                error.locations,
                type(error.original_error),
            )
            for error in result.errors or ()
        ],
    }


async def compare_all(schema: GraphQLSchema, seeds: range, **how: Any) -> Tally:
    tally = Tally()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # coroutines that were made for a field that nobody reached
        for seed in seeds:
            await Case(schema, seed, **how).compare(tally)
        gc.collect()
    return tally
