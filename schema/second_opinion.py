"""What is thought of a session by who was told its observations alone."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

import strawberry

from models import opinion as models
from models.handoff import Confidence
from models.opinion import SecondOpinionState
from schema import account as accounts
from schema import branch as branches
from schema import session as sessions
from schema.context import Info
from schema.errors import (
    BudgetExceededError,
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
)
from schema.node import Node
from services.errors import NotFound
from services.ids import Kind, node_id

if TYPE_CHECKING:
    from schema.account import User
    from schema.branch import Branch
    from schema.session import AiSession


@strawberry.type
class Opinion:
    likely_cause: str
    reasoning: str
    alternatives: list[str] = strawberry.field(description="What else it could be; at most 5.")
    suggested_steps: list[str] = strawberry.field(description="In order; at most 8.")
    confidence: Confidence

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        return cls(**{**stored, "confidence": Confidence(stored["confidence"])})


@strawberry.type(
    description="A blind one: the assistant is told the intake and what was observed, and none of the "
    "hypotheses. Set it beside `leadingHypothesis` to see whether everybody looks the wrong way."
)
class SecondOpinion(Node):
    row: strawberry.Private[models.SecondOpinion]
    state: SecondOpinionState
    observation_count: int = strawberry.field(description="Findings that it was told; at most 100.")
    failure: str | None = strawberry.field(description="Why there is none, if that failed.")
    created_at: datetime
    finished_at: datetime | None

    @strawberry.field
    async def session(
        self, info: Info
    ) -> Annotated["AiSession", strawberry.lazy("schema.session")]:
        return await sessions.load(info, self.row.session_id)

    @strawberry.field(description="Null until it is given.")
    def opinion(self) -> Opinion | None:
        return Opinion.of(self.row.opinion) if self.row.opinion else None

    @strawberry.field(description="The likeliest when it was asked for; null if none was ranked.")
    async def leading_hypothesis(
        self, info: Info
    ) -> Annotated["Branch", strawberry.lazy("schema.branch")] | None:
        key = self.row.leading_branch_id
        return None if key is None else await branches.load(info, key)

    @strawberry.field
    async def requested_by(
        self, info: Info
    ) -> Annotated["User", strawberry.lazy("schema.account")] | None:
        return await accounts.load_user(info, self.row.requested_by)

    @classmethod
    def of(cls, row: models.SecondOpinion) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.SECOND_OPINION, row.id)),
            row=row,
            state=row.state,
            observation_count=row.observation_count,
            failure=row.failure,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )


async def load(info: Info, key: UUID) -> SecondOpinion:
    """Raises NotFound."""
    row = await info.context.loaders.second_opinions.load(key)
    if row is None:
        raise NotFound(node_id(Kind.SECOND_OPINION, key))
    return SecondOpinion.of(row)


@strawberry.input
class RequestSecondOpinionInput:
    idempotency_key: UUID
    session_id: strawberry.ID


@strawberry.type
class RequestSecondOpinionSuccess:
    second_opinion: SecondOpinion


RequestSecondOpinionResult = Annotated[
    RequestSecondOpinionSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | BudgetExceededError,
    strawberry.union("RequestSecondOpinionResult"),
]
