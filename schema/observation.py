"""One line, one count and one span for each operation, also for those that are refused.

Only names that this schema has, ids and codes: never variables, tokens or what people write.
"""

import logging
import time
from asyncio import CancelledError
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import cache

from graphql import ExecutionResult, FieldNode, OperationDefinitionNode, get_operation_ast
from strawberry.types import ExecutionContext
from strawberry.types.execution import ExecutionResult as StrawberryResult
from strawberry.types.execution import StreamExecutionResult
from structlog.contextvars import bind_contextvars, get_contextvars

from schema.context import Context
from schema.errors import NOT_TO_RUN, show
from schema.limits import Admission
from services.ids import new_id
from services.telemetry import traces
from services.telemetry.metrics import OPERATION_SECONDS, OPERATIONS, RUNNING_SUBSCRIPTIONS

LONGEST_NAME = 64

ended, took = cache(OPERATIONS.labels), cache(OPERATION_SECONDS.labels)

log = logging.getLogger("flowpilot.operations")


class Observation:
    """In the place of Strawberry's runner, which would look at each operation for what extensions do."""

    def __init__(self, operation: ExecutionContext) -> None:
        self.execution_context = operation
        self.admission = Admission(operation)
        self.span = traces.begin("operation")
        self.codes: set[str] = set()
        self.results = 0
        self.streamed = False
        self.subscribed = False

    @asynccontextmanager
    async def operation(self) -> AsyncIterator[None]:
        if "request_id" not in get_contextvars():  # on a socket each operation has its own
            bind_contextvars(request_id=new_id().hex)
        began = time.perf_counter()
        try:
            yield
            if not self.streamed:
                self._show(self.execution_context.result)
        except NOT_TO_RUN:
            self.codes.add("BAD_USER_INPUT")
            raise
        except (CancelledError, GeneratorExit):  # the client has left; so subscriptions end
            if not self.subscribed:
                self.codes.add("CANCELLED")
            raise
        finally:
            if not self.streamed:
                self._see(self.execution_context.result)
            self._tell(time.perf_counter() - began)

    @asynccontextmanager
    async def executing(self) -> AsyncIterator[None]:
        definition = self._definition()
        self.subscribed = definition is not None and definition.operation.value == "subscription"
        if self.subscribed:
            RUNNING_SUBSCRIPTIONS.inc()
        with traces.within(self.span):
            yield

    def on_stream_result(self, result: StreamExecutionResult) -> AbstractAsyncContextManager[None]:
        self.streamed = True
        self.results += 1
        self._show(result)
        self._see(result)
        return nullcontext()

    async def get_extensions_results(self, _: ExecutionContext) -> dict[str, object]:
        return self.admission.results()

    def _show(self, result: object) -> None:
        show(result, self.execution_context.context.caller)

    def _see(self, result: object) -> None:
        if isinstance(result, ExecutionResult | StrawberryResult):
            for error in result.errors or ():
                self.codes.add(str((error.extensions or {}).get("code")))

    def _definition(self) -> OperationDefinitionNode | None:
        """None where the document cannot be read, or does not have the operation."""
        context = self.execution_context
        if context.graphql_document is None:
            return None
        name = context._provided_operation_name  # noqa: SLF001 - the public one guesses
        return get_operation_ast(context.graphql_document, name)

    def _tell(self, seconds: float) -> None:
        definition = self._definition()
        kind = definition.operation.value if definition else "unknown"
        field = self._root_field(definition)
        codes = sorted(self.codes)
        ended(kind, field, codes[0] if codes else "OK").inc()
        if self.subscribed:
            RUNNING_SUBSCRIPTIONS.dec()
        else:
            took(kind).observe(seconds)
        named = definition and definition.name
        name = named.value[:LONGEST_NAME] if named else "anonymous"
        if log.isEnabledFor(logging.INFO):
            context: Context = self.execution_context.context
            told: dict[str, object] = {
                "operation": name,
                "kind": kind,
                "field": field,
                "viewer_id": str(context.caller.user_id) if context.caller else None,
                "account_id": str(context.caller.account_id) if context.caller else None,
                "duration_ms": round(seconds * 1000, 1),
                "codes": codes,
            }
            if self.subscribed:
                told["results"] = self.results + context.pushed
            log.info("operation", extra=told)
        if self.span is not None:
            self.span.update_name(f"{kind} {field}")
            self.span.set_attributes(
                {
                    "graphql.operation.type": kind,
                    "graphql.operation.name": name,
                    "flowpilot.request_id": get_contextvars()["request_id"],
                }
            )
            if codes:
                traces.fail(self.span, codes[0])
            self.span.end()

    def _root_field(self, definition: OperationDefinitionNode | None) -> str:
        """Its name if there is one and this schema has it, because a label has few values."""
        if definition is None:
            return "unknown"
        nodes = definition.selection_set.selections
        if len(nodes) != 1 or not isinstance(nodes[0], FieldNode):
            return "several"
        name = nodes[0].name.value
        core = self.execution_context.schema._schema  # noqa: SLF001 - the one way to it
        root = core.get_root_type(definition.operation)
        if root is not None and (name in root.fields or name in {"__schema", "__type"}):
            return name
        return "unknown"
