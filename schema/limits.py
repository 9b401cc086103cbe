"""What a document may ask for, and what its caller may ask for in a minute.

All of it is refused before the document is validated, which is the dearest part of a large one.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    ValidationRule,
)
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType
from structlog.contextvars import bind_contextvars

from schema.context import Context
from schema.documents import Known
from schema.measure import Measured, page_sizes
from services.errors import RateLimited
from services.runtime import Limits
from services.telemetry.metrics import DOCUMENTS
from services.throttle import Spent

KEPT, READ = DOCUMENTS.labels("kept"), DOCUMENTS.labels("read")

UNREADABLE = 100
"""Characters for which a document that cannot be parsed costs one."""


class Admission(SchemaExtension):
    """Refuses a document over its caps, takes its cost from the caller's budget, and tells of it.

    An unfamiliar document may be a large piece of work, so others get their turn between its steps.
    """

    def __init__(self) -> None:
        self.spent: Spent | None = None
        self.known: Known | None = None

    async def on_parse(self) -> AsyncIterator[None]:
        context = self.execution_context
        context.parse_options["max_tokens"] = context.context.runtime.limits.max_tokens
        self.known = context.context.documents.find(context.query or "")
        (READ if self.known is None else KEPT).inc()
        if self.known is not None:
            context.graphql_document = self.known.document
        yield
        await self._give_way()
        if context.graphql_document is None:
            await self._charge(1 + len(context.query or "") // UNREADABLE)

    async def on_validate(self) -> AsyncIterator[None]:
        """Tells strangers nothing of the schema."""
        context = self.execution_context
        document = context.graphql_document
        if document is not None:
            known = self.known or Known(document)
            error = await self._refusal(known)
            await self._give_way()
            if error is not None:
                context.pre_execution_errors = [error]
            else:
                if context.context.caller is None:
                    context.validation_rules += (SchemaForCallers,)
                if context.validation_rules in known.valid_under:
                    context.pre_execution_errors = []
        yield
        await self._give_way()
        if document is not None and not context.pre_execution_errors:
            known.valid_under.add(context.validation_rules)
            caller = context.context.caller
            context.context.documents.keep(
                context.query or "", known, caller.account_id if caller else None
            )

    async def _give_way(self) -> None:
        if self.known is None:
            await asyncio.sleep(0)

    async def _refusal(self, known: Known) -> GraphQLError | None:
        size = known.measure(page_sizes(known.document, self.execution_context.variables or {}))
        bind_contextvars(cost=size.cost)  # for the log
        error = self._problem(known.document, size)
        if error is None:
            self.spent, error = await self._charge(size.cost)
        return error

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


def _operations(document: DocumentNode) -> int:
    return sum(isinstance(node, OperationDefinitionNode) for node in document.definitions)


def oversize(
    text: str, variables: Mapping[str, object] | None, limits: Limits
) -> GraphQLError | None:
    """What would be too much work to read, before anything of it is read."""
    if len(text) > limits.max_document:
        return _too_large(
            f"The document has more characters than allowed. The cap is {limits.max_document:,}."
        )
    if variables and _has_more_values(variables, limits.max_values):
        return _too_large(
            f"The variables have more values than allowed. The cap is {limits.max_values:,}."
        )
    return None


def _has_more_values(variables: Mapping[str, object], cap: int) -> bool:
    count = 0
    waiting: list[Collection[object]] = [variables.values()]
    while waiting and count <= cap:
        values = waiting.pop()
        count += len(values)
        if count <= cap:
            for value in values:
                if isinstance(value, dict):
                    waiting.append(value.values())
                elif isinstance(value, list):
                    waiting.append(value)
    return count > cap


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
            "Ask for fewer fields, for shorter lists where they take `first`, or split the document: "
            "a query for each branch.",
            extensions={
                "code": "DOCUMENT_TOO_COSTLY",
                "cost": {"requested": size.cost, "limit": limits.max_cost},
            },
        )
    return None


def _too_large(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "DOCUMENT_TOO_LARGE"})
