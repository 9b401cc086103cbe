"""How long an operation may run."""

import asyncio
from collections.abc import Awaitable
from typing import TypeAlias, cast

from graphql import (
    ExecutionResult,
    ExperimentalIncrementalExecutionResults,
    GraphQLError,
    OperationType,
)
from graphql.pyutils import AwaitableOrValue
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.context import Context

Result: TypeAlias = ExecutionResult | ExperimentalIncrementalExecutionResults


class BoundedExecution(StrawberryGraphQLCoreExecutionContext):
    """Stops what takes too long: a query, a mutation, or what a subscriber asks about one event.

    What a mutation had committed by then stays; its idempotency key tells the client what became of it.
    """

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
