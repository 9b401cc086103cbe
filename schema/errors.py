"""Refusals as members of result unions, and what becomes of every other error.

A service raises a DomainError; if the field's union has the type that its handler returns, the client
gets that member. Elsewhere (queries, subscriptions) it becomes a top-level error with a code. Whatever
is no DomainError is a fault of ours: logged once with its request's id, which the client sees, and masked.
"""

import logging
import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from graphql import ExecutionResult, GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult as StrawberryResult
from strawberry.types.field import StrawberryField
from structlog.contextvars import get_contextvars

from models.account import Plan
from schema.context import Info
from schema.usage import MAX_INT
from services import errors as refusals
from services.access import Actor
from services.database import is_away

if TYPE_CHECKING:
    from schema.handoff import Handoff

log = logging.getLogger("flowpilot.graphql")


@strawberry.interface(
    description="An expected refusal: nothing was changed and nothing was published."
)
class UserError:
    message: str


@strawberry.type
class FieldError:
    path: list[str] = strawberry.field(description='As ["options", "0", "label"].')
    message: str


@strawberry.type
class InvalidInputError(UserError):
    fields: list[FieldError]


@strawberry.type(description="No such object, or none this viewer may see; the two look alike.")
class NotFoundError(UserError):
    id: strawberry.ID


@strawberry.type
class PermissionDeniedError(UserError):
    pass


@strawberry.type
class StaleVersionError(UserError):
    current_version: int


@strawberry.type
class InvalidTransitionError(UserError):
    source: str = strawberry.field(name="from")
    to: str
    allowed: list[str]


@strawberry.type
class BranchLimitError(UserError):
    plan: Plan
    limit: int
    current: int
    requested: int


@strawberry.type
class HandoffTakenError(UserError):
    handoff: Annotated["Handoff", strawberry.lazy("schema.handoff")]


@strawberry.type(
    description="A model, a ticket system or a mail server did not do its part; `retryable` says "
    "whether trying again can help."
)
class ServiceUnavailableError(UserError):
    service: str
    retryable: bool


@strawberry.type
class BudgetExceededError(UserError):
    budget: int
    used: int
    resets_at: datetime


class InvalidInputHandler(strawberry.ExceptionHandler[refusals.InvalidInput, InvalidInputError]):
    def handle(
        self, exception: refusals.InvalidInput, *, field: StrawberryField, info: Info
    ) -> InvalidInputError:
        problems = [FieldError(path=list(p.path), message=p.message) for p in exception.problems]
        return InvalidInputError(message=exception.message, fields=problems)


class NotFoundHandler(strawberry.ExceptionHandler[refusals.NotFound, NotFoundError]):
    def handle(
        self, exception: refusals.NotFound, *, field: StrawberryField, info: Info
    ) -> NotFoundError:
        return NotFoundError(message=exception.message, id=strawberry.ID(exception.node_id))


class PermissionDeniedHandler(
    strawberry.ExceptionHandler[refusals.PermissionDenied, PermissionDeniedError]
):
    def handle(
        self, exception: refusals.PermissionDenied, *, field: StrawberryField, info: Info
    ) -> PermissionDeniedError:
        return PermissionDeniedError(message=exception.message)


class StaleVersionHandler(strawberry.ExceptionHandler[refusals.StaleVersion, StaleVersionError]):
    def handle(
        self, exception: refusals.StaleVersion, *, field: StrawberryField, info: Info
    ) -> StaleVersionError:
        return StaleVersionError(
            message=exception.message, current_version=exception.current_version
        )


class InvalidTransitionHandler(
    strawberry.ExceptionHandler[refusals.InvalidTransition, InvalidTransitionError]
):
    def handle(
        self, exception: refusals.InvalidTransition, *, field: StrawberryField, info: Info
    ) -> InvalidTransitionError:
        return InvalidTransitionError(
            message=exception.message,
            source=exception.source,
            to=exception.target,
            allowed=list(exception.allowed),
        )


class BranchLimitHandler(strawberry.ExceptionHandler[refusals.BranchLimit, BranchLimitError]):
    def handle(
        self, exception: refusals.BranchLimit, *, field: StrawberryField, info: Info
    ) -> BranchLimitError:
        return BranchLimitError(
            message=exception.message,
            plan=exception.plan,
            limit=exception.limit,
            current=exception.current,
            requested=exception.requested,
        )


class ServiceUnavailableHandler(
    strawberry.ExceptionHandler[refusals.ServiceUnavailable, ServiceUnavailableError]
):
    def handle(
        self, exception: refusals.ServiceUnavailable, *, field: StrawberryField, info: Info
    ) -> ServiceUnavailableError:
        return ServiceUnavailableError(
            message=exception.message, service=exception.service, retryable=exception.retryable
        )


class BudgetExceededHandler(
    strawberry.ExceptionHandler[refusals.BudgetExceeded, BudgetExceededError]
):
    def handle(
        self, exception: refusals.BudgetExceeded, *, field: StrawberryField, info: Info
    ) -> BudgetExceededError:
        return BudgetExceededError(
            message=exception.message,
            budget=exception.budget,
            used=min(exception.used, MAX_INT),
            resets_at=exception.resets_at,
        )


HANDLERS = (
    InvalidInputHandler(),
    NotFoundHandler(),
    PermissionDeniedHandler(),
    StaleVersionHandler(),
    InvalidTransitionHandler(),
    BranchLimitHandler(),
    ServiceUnavailableHandler(),
    BudgetExceededHandler(),
)
"""HandoffTaken's is with its type, in schema.handoff."""

CODES: dict[type[refusals.DomainError], str] = {
    refusals.Unauthenticated: "UNAUTHENTICATED",
    refusals.PermissionDenied: "FORBIDDEN",
    refusals.NotFound: "NOT_FOUND",
    refusals.InvalidInput: "BAD_USER_INPUT",
    refusals.RateLimited: "RATE_LIMITED",
}

LONGEST_LOGGED = 200

AWAY = "The database cannot be reached. Try again."

NOT_TO_RUN = (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError)
"""No such operation in the document, or none of a kind that may run this way."""


HINTS = re.compile(r" Did you mean .*", re.DOTALL)


def show(result: object, caller: Actor | None) -> None:
    """Gives every top-level error of a result a code, and hides what is our own fault."""
    if isinstance(result, ExecutionResult | StrawberryResult) and result.errors:
        result.errors = [_shown(error, caller) for error in result.errors]


def _shown(error: GraphQLError, caller: Actor | None) -> GraphQLError:
    cause = error.original_error
    if isinstance(cause, refusals.DomainError):
        late = {"retryAfter": cause.retry_after} if isinstance(cause, refusals.RateLimited) else {}
        return _with_code(error, CODES.get(type(cause), "REFUSED"), cause.message, **late)
    if (error.extensions or {}).get("code"):
        return error
    if is_away(cause):
        log.warning("the database is away: %s", type(cause).__name__)
        return _with_code(error, "SERVICE_UNAVAILABLE", AWAY)
    code = _code_of_document(error)
    if code is not None:  # strangers are told no names that they did not know
        message = error.message if caller else HINTS.sub("", error.message)
        return _with_code(error, code, message)
    # A GraphQLError prints the document, which may have passwords in it.
    log.error("an operation failed: %s", error.message[:LONGEST_LOGGED], exc_info=cause)
    return _with_code(
        error,
        "INTERNAL_SERVER_ERROR",
        "Something went wrong on our side.",
        requestId=get_contextvars()["request_id"],
    )


def _code_of_document(error: GraphQLError) -> str | None:
    """None where it is not the document, its name or its variables that are wrong."""
    cause = error.original_error
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    if isinstance(cause, NOT_TO_RUN):
        return "BAD_USER_INPUT"
    if error.path is None and (error.nodes or isinstance(cause or error, GraphQLError)):
        return "GRAPHQL_VALIDATION_FAILED"
    return None


def _with_code(
    error: GraphQLError, code: str, message: str | None = None, **details: object
) -> GraphQLError:
    return GraphQLError(
        message or error.message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={"code": code, **details},
    )
