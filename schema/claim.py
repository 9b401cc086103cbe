"""Holding a claimed session, giving it back, and giving it to somebody."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.errors import (
    BudgetExceededError,
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
    StaleVersionError,
)

if TYPE_CHECKING:
    from schema.handoff import Handoff
    from schema.session import AiSession


@strawberry.input
class HeartbeatHandoffInput:
    handoff_id: strawberry.ID


@strawberry.type
class HeartbeatHandoffSuccess:
    handoff: Annotated["Handoff", strawberry.lazy("schema.handoff")]


HeartbeatHandoffResult = Annotated[
    HeartbeatHandoffSuccess | NotFoundError | PermissionDeniedError | InvalidTransitionError,
    strawberry.union("HeartbeatHandoffResult"),
]


@strawberry.input
class ReleaseHandoffInput:
    handoff_id: strawberry.ID
    engineer_notes: str | None = strawberry.field(
        default=None,
        description="At most 4,000 characters, for whoever takes over. Null: those of before stay.",
    )


@strawberry.type
class ReleaseHandoffSuccess:
    handoff: Annotated["Handoff", strawberry.lazy("schema.handoff")] = strawberry.field(
        description="The one that waits now; what was claimed is its `returnedFrom`."
    )
    session: Annotated["AiSession", strawberry.lazy("schema.session")]


ReleaseHandoffResult = Annotated[
    ReleaseHandoffSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError,
    strawberry.union("ReleaseHandoffResult"),
]


@strawberry.input
class ReassignSessionInput:
    session_id: strawberry.ID
    assignee_id: strawberry.ID = strawberry.field(description="A person of the account.")
    note: str | None = strawberry.field(
        default=None, description="For them, at most 2,000 characters; see `assignmentNote`."
    )
    expected_version: int


@strawberry.type
class ReassignSessionSuccess:
    session: Annotated["AiSession", strawberry.lazy("schema.session")]


ReassignSessionResult = Annotated[
    ReassignSessionSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError,
    strawberry.union("ReassignSessionResult"),
]


@strawberry.input
class RetryHandoffPreparationInput:
    handoff_id: strawberry.ID


@strawberry.type
class RetryHandoffPreparationSuccess:
    handoff: Annotated["Handoff", strawberry.lazy("schema.handoff")]


RetryHandoffPreparationResult = Annotated[
    RetryHandoffPreparationSuccess
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | BudgetExceededError,
    strawberry.union("RetryHandoffPreparationResult"),
]
