"""The verb that opens a session."""

from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models.session import IntakeType, SessionType
from schema import message as messages
from schema.errors import (
    BudgetExceededError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    ServiceUnavailableError,
)
from schema.session import AiSession
from services import sessions as service

if TYPE_CHECKING:
    from schema.message import BranchMessage


@strawberry.input
class IntakeInput:
    type: IntakeType = IntakeType.FREE_TEXT
    text: str = strawberry.field(
        description="1 to 20,000 characters. With the type PSA_TICKET and an integration the ticket's "
        "title and text come after it, cut to fit, and it may be empty."
    )
    reference: str | None = strawberry.field(
        default=None, description="The ticket or alert it came from; at most 200 characters."
    )


@strawberry.input
class StartSessionInput:
    idempotency_key: UUID
    session_type: SessionType = SessionType.GUIDED
    intake: IntakeInput
    psa_ticket_id: str | None = strawberry.field(
        default=None, description="At most 100 characters."
    )
    integration_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The ticket system in which that ticket is: it is looked up there.",
    )
    upload_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Files that you have uploaded before, at most 10."
    )
    team_id: strawberry.ID | None = strawberry.field(
        default=None, description="Default: the assignee's."
    )


@strawberry.type
class StartSessionSuccess:
    session: AiSession
    reply: Annotated["BranchMessage", strawberry.lazy("schema.message")] = strawberry.field(
        description="The assistant's analysis of the intake, under way."
    )

    @classmethod
    def of(cls, started: service.Started) -> Self:
        return cls(
            session=AiSession.of(started.session), reply=messages.BranchMessage.of(started.reply)
        )


StartSessionResult = Annotated[
    StartSessionSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | BudgetExceededError
    | ServiceUnavailableError,
    strawberry.union("StartSessionResult"),
]
