"""How long an operation may run, and how long others wait for it meanwhile."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeAlias, cast

from graphql import (
    ExecutionResult,
    ExperimentalIncrementalExecutionResults,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    OperationType,
    get_named_type,
)
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import AwaitableOrValue, Path, gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.context import Context

Incremental: TypeAlias = Any
"""What graphql-core keeps of `@defer`, which this schema does not have."""

TURN = 500
"""Fields that an operation completes before others get their turn: some two milliseconds."""

Result: TypeAlias = ExecutionResult | ExperimentalIncrementalExecutionResults


class BoundedExecution(StrawberryGraphQLCoreExecutionContext):
    """Stops what takes too long: a query, a mutation, or what a subscriber asks about one event.

    What a mutation had committed by then stays; its idempotency key tells the client what became of it.
    A long answer is completed in turns, where graphql-core would do it at one go.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.completed = 0.0
        """Fields in lists since others had their turn."""
        self.turns = asyncio.Lock()

    def execute_operation(self, serially: bool | None = None) -> AwaitableOrValue[Result]:
        result = super().execute_operation(serially)
        return self._in_time(result) if isinstance(result, Awaitable) else result

    async def _in_time(self, result: Awaitable[Result]) -> Result:
        seconds = self._allowance()
        try:
            async with asyncio.timeout(seconds):
                return await result
        except TimeoutError:
            error = GraphQLError(
                f"The operation was stopped after {seconds:g} seconds.",
                extensions={"code": "TIMEOUT"},
            )
            return ExecutionResult(data=None, errors=[error])

    def _allowance(self) -> float:
        """`awaitReply` waits as long as a model may take."""
        limits = cast("Context", self.context_value).runtime.limits
        if self.operation.operation is OperationType.MUTATION:
            return limits.operation_timeout + limits.reply_timeout
        return limits.operation_timeout

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Context],
        path: Path,
        items: Iterable[object],
        position_context: Incremental,
    ) -> AwaitableOrValue[list[Any]]:
        fields = self._leaves(item_type, field_details_list)
        if fields and isinstance(items, list):
            if self.completed + fields * len(items) > TURN:
                return self._in_turns(
                    items, fields, item_type, field_details_list, info, path, position_context
                )
            self.completed += fields * len(items)
        return super().complete_iterable_value(
            item_type, field_details_list, info, path, items, position_context
        )

    def _leaves(self, item_type: GraphQLOutputType, field_details_list: FieldDetailsList) -> int:
        """How many fields are asked of an object in a list; 0 if any has fields of its own.

        Such a list is left whole: the loaders of relations batch what is asked of them at one go.
        """
        object_type = get_named_type(item_type)
        if not isinstance(object_type, GraphQLObjectType):
            return 0
        asked = self.collect_subfields(object_type, field_details_list).grouped_field_set
        if any(one.node.selection_set for same in asked.values() for one in same):
            return 0
        return len(asked)

    async def _in_turns(
        self,
        items: list[object],
        fields: int,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Context],
        path: Path,
        position_context: Incremental,
    ) -> list[Any]:
        at_once = max(1, TURN // fields)
        completed: list[Any] = []
        awaited: list[int] = []
        try:
            for index, item in enumerate(items):
                if index % at_once == 0:
                    await self._turn(fields * min(at_once, len(items) - index))
                if self.complete_list_item_value(
                    item,
                    completed,
                    item_type,
                    field_details_list,
                    info,
                    path.add_key(index, None),
                    position_context,
                ):
                    awaited.append(index)
        except BaseException:  # a cancellation, too, leaves fields behind that were begun
            self.settle_in_background([completed[index] for index in awaited])
            raise
        values = await gather_with_cancel(*(completed[index] for index in awaited))
        for index, value in zip(awaited, values, strict=True):
            completed[index] = value
        return completed

    async def _turn(self, fields: float) -> None:
        """One of the operation's lists at a time, or as many would run as it has lists."""
        async with self.turns:
            if self.completed + fields > TURN:
                await asyncio.sleep(0)
                self.completed = 0
            self.completed += fields
