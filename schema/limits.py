"""What a document may ask for, and what its caller may ask for in a minute.

All of it is refused before the document is validated, which is the dearest part of a large one.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    ValidationRule,
)
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache
from strawberry.types import ExecutionContext
from strawberry.types.graphql import OperationType
from structlog.contextvars import bind_contextvars

from schema.context import Context
from schema.measure import Measured, measure
from services.errors import RateLimited
from services.runtime import Limits
from services.throttle import Spent

LARGE = 4_000
"""Characters of a document from which on it is not remembered, and others get their turn before it is
validated. A cache full of large ones would be as slow to collect as it is to fill."""

UNREADABLE = 100
"""Characters for which a document that cannot be parsed costs one."""


class BoundedParsing(ParserCache):
    """Stops the parser at a number of tokens, and remembers what it has parsed.

    A syntax error raised here would escape the operation: on a socket nobody would be told of it. So
    a bad document is left unparsed, as a large one is, and the execution, which parses what it does not
    find parsed, reports the error.
    """

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        context.parse_options["max_tokens"] = context.context.runtime.limits.max_tokens
        if not is_large(context):
            with suppress(GraphQLSyntaxError):
                context.graphql_document = self.cached_parse_document(
                    context.query, **context.parse_options
                )
        yield


class Admission(SchemaExtension):
    """Refuses a document over its caps, takes its cost from the caller's budget, and tells of it."""

    def __init__(self) -> None:
        self.spent: Spent | None = None

    async def on_parse(self) -> AsyncIterator[None]:
        yield
        context = self.execution_context
        if context.graphql_document is None:
            await asyncio.sleep(0)
            await self._charge(1 + len(context.query or "") // UNREADABLE)

    async def on_validate(self) -> AsyncIterator[None]:
        context = self.execution_context
        document = context.graphql_document
        if document is not None:
            size = measure(document, context.variables, remember=not is_large(context))
            bind_contextvars(cost=size.cost)  # for the log
            error = self._problem(document, size)
            if error is None:
                self.spent, error = await self._charge(size.cost)
            if error is not None:
                context.pre_execution_errors = [error]
            elif is_large(context):
                await asyncio.sleep(0)
        yield

    def get_results(self) -> dict[str, object]:
        """Of a query or a mutation; the events of a subscription tell only what happened."""
        spent = self.spent
        if spent is None or self.execution_context.operation_type is OperationType.SUBSCRIPTION:
            return {}
        cost = {
            "requested": spent.requested,
            "limit": spent.limit,
            "remaining": spent.remaining,
            "resetIn": spent.reset_in,
        }
        return {"cost": cost}

    def _problem(self, document: DocumentNode, size: Measured) -> GraphQLError | None:
        context = self.execution_context
        unnamed = context._provided_operation_name is None  # noqa: SLF001 - the public one guesses
        if unnamed and _operations(document) > 1:
            return GraphQLError("Name the operation to run.", extensions={"code": "BAD_USER_INPUT"})
        return excess(size, context.context.runtime.limits)

    async def _charge(self, cost: int) -> tuple[Spent | None, GraphQLError | None]:
        context: Context = self.execution_context.context
        viewer = context.caller.user_id.hex if context.caller else context.address
        budget = context.runtime.limits.cost_per_minute
        try:
            return await context.runtime.throttle.spend(viewer, min(cost, budget), budget), None
        except RateLimited as refused:
            extensions = {"code": "RATE_LIMITED", "retryAfter": refused.retry_after}
            return None, GraphQLError(refused.message, extensions=extensions)


class SchemaForCallers(ValidationRule):
    """The schema is for those who have signed in."""

    def enter_field(self, node: FieldNode, *_: object) -> None:
        if node.name.value in {"__schema", "__type"}:
            code = {"code": "UNAUTHENTICATED"}
            self.report_error(GraphQLError("Sign in to see the schema.", node, extensions=code))


class BoundedValidation(ValidationCache):
    """Validates what was admitted; tells strangers nothing of the schema."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if context.pre_execution_errors:
            yield
            return
        if context.context.caller is None:
            context.validation_rules += (SchemaForCallers,)
        if is_large(context):
            yield  # the execution validates what nobody has
        else:
            yield from super().on_validate()


def is_large(context: ExecutionContext) -> bool:
    return len(context.query or "") > LARGE


def _operations(document: DocumentNode) -> int:
    return sum(isinstance(node, OperationDefinitionNode) for node in document.definitions)


def excess(size: Measured, limits: Limits) -> GraphQLError | None:
    """What is too much, in a sentence."""
    caps = {
        "levels": (size.levels, limits.max_levels),
        "fields": (size.fields, limits.max_fields),
        "aliases": (size.aliases, limits.max_aliases),
        "root fields": (size.root_fields, limits.max_root_fields),
        "fields of one name at one place": (size.repeats, limits.max_repeats),
    }
    for name, (count, cap) in caps.items():
        if count > cap:
            return _too_large(f"The document has more {name} than allowed. The cap is {cap:,}.")
    if size.sign_ins > 1:
        return _too_large("A document may sign in or refresh tokens once.")
    if size.cost > limits.max_cost:
        return GraphQLError(
            f"The answer may have {size.cost:,} fields, and {limits.max_cost:,} are allowed. "
            "Ask for fewer fields, or for shorter lists with `first`.",
            extensions={
                "code": "DOCUMENT_TOO_COSTLY",
                "cost": {"requested": size.cost, "limit": limits.max_cost},
            },
        )
    return None


def _too_large(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "DOCUMENT_TOO_LARGE"})
