"""What a document may ask for, and what its caller may ask for in a minute.

All of it is refused before the document is validated, which is the dearest part of a large one.
"""

import asyncio
from collections.abc import Collection, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    ValidationRule,
    parse,
    specified_rules,
)
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import validate_document
from strawberry.types import ExecutionContext
from strawberry.types.graphql import OperationType
from structlog.contextvars import bind_contextvars

from schema.context import Context
from schema.documents import Known, Rules
from schema.measure import Measured, page_sizes
from services.errors import RateLimited
from services.runtime import Limits
from services.telemetry.metrics import DOCUMENTS
from services.throttle import Spent

KEPT, READ = DOCUMENTS.labels("kept"), DOCUMENTS.labels("read")

UNREADABLE = 100
"""Characters for which a document that cannot be parsed costs one."""


class Admission:
    """Refuses a document over its caps, takes its cost from the caller's budget, and tells of it.

    An unfamiliar document may be a large piece of work, so others get their turn between its steps.
    """

    def __init__(self, operation: ExecutionContext) -> None:
        self.operation = operation
        self.spent: Spent | None = None

    async def refusals(self) -> list[GraphQLError]:
        """Why the operation is not to run; none where it may. Raises what schema.errors.NOT_TO_RUN has
        where the document has no such operation.
        """
        operation, context = self.operation, self.operation.context
        text = operation.query or ""
        refused = oversize(text, operation.variables, context.runtime.limits)
        refused = refused or context.documents.refusal(text)
        if refused is not None:
            return [refused]
        if not text:
            raise MissingQueryError
        known = context.documents.find(text)
        is_new = known is None
        (READ if is_new else KEPT).inc()
        if known is None:
            try:
                known = Known(parse(text, max_tokens=context.runtime.limits.max_tokens))
            except Exception as error:
                await asyncio.sleep(0)
                await self._charge(1 + len(text) // UNREADABLE)
                if isinstance(error, GraphQLError):
                    return [error]
                return [GraphQLError(str(error), original_error=error)]
            await asyncio.sleep(0)
        operation.graphql_document = known.document
        self._require_allowed()
        refused = await self._refusal(known)
        if is_new:
            await asyncio.sleep(0)
        return [refused] if refused else await self._problems(known, is_new=is_new)

    def _require_allowed(self) -> None:
        operation = self.operation
        try:
            kind = operation.operation_type
        except RuntimeError as error:
            raise CannotGetOperationTypeError(operation.operation_name) from error
        if kind not in operation.allowed_operations:
            raise InvalidOperationTypeError(kind)

    async def _problems(self, known: Known, *, is_new: bool) -> list[GraphQLError]:
        """What validation finds. Strangers are told nothing of the schema."""
        operation, context = self.operation, self.operation.context
        rules = RULES if context.caller else RULES_FOR_STRANGERS
        if rules not in known.valid_under:
            core = operation.schema._schema  # noqa: SLF001 - the one way to it
            problems = validate_document(core, known.document, rules)
            if is_new:
                await asyncio.sleep(0)
            if problems:
                return problems
            known.valid_under.add(rules)
        account_id = context.caller.account_id if context.caller else None
        context.documents.keep(operation.query or "", known, account_id)
        return []

    async def _refusal(self, known: Known) -> GraphQLError | None:
        size = known.measure(page_sizes(known.document, self.operation.variables or {}))
        bind_contextvars(cost=size.cost)  # for the log
        error = self._excess(known.document, size)
        if error is None:
            self.spent, error = await self._charge(size.cost)
        return error

    def results(self) -> dict[str, object]:
        """Of a query or a mutation; the events of a subscription tell only what happened."""
        spent = self.spent
        if spent is None or self.operation.operation_type is OperationType.SUBSCRIPTION:
            return {}
        cost = {
            "requested": spent.requested,
            "limit": spent.limit,
            "remaining": spent.remaining,
            "resetIn": spent.reset_in,
        }
        return {"cost": cost}

    def _excess(self, document: DocumentNode, size: Measured) -> GraphQLError | None:
        unnamed = self.operation._provided_operation_name is None  # noqa: SLF001 - the public one guesses
        if unnamed and _operations(document) > 1:
            return GraphQLError("Name the operation to run.", extensions={"code": "BAD_USER_INPUT"})
        return excess(size, self.operation.context.runtime.limits)

    async def _charge(self, cost: int) -> tuple[Spent | None, GraphQLError | None]:
        context: Context = self.operation.context
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


RULES: Rules = tuple(specified_rules)
RULES_FOR_STRANGERS: Rules = (*RULES, SchemaForCallers)


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
