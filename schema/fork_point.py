"""Where branches left their parent, and the verb that makes them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models import branch as models
from models.branch import BranchStatus
from schema import account as accounts
from schema import branch as branches
from schema import knowledge
from schema import message as messages
from schema import session as sessions
from schema import step as steps
from schema.context import Info
from schema.errors import (
    BranchLimitError,
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
)
from schema.node import Node
from services.errors import NotFound
from services.ids import Kind, node_id
from services.knowledge.outcomes import Option

if TYPE_CHECKING:
    from schema.account import User
    from schema.branch import Branch
    from schema.knowledge import SimilarOutcome
    from schema.message import BranchMessage
    from schema.session import AiSession
    from schema.step import Step


@strawberry.type
class ForkOption:
    session_key: strawberry.Private[UUID]
    label: str
    description: str
    branch: Annotated["Branch", strawberry.lazy("schema.branch")]
    status: BranchStatus

    @strawberry.field(
        description="What became of the same hypothesis in resolved sessions that are like this one, best "
        "first, at most 5."
    )
    async def similar_outcomes(
        self, info: Info
    ) -> list[Annotated["SimilarOutcome", strawberry.lazy("schema.knowledge")]]:
        option = Option(self.session_key, self.label, self.description)
        return await knowledge.similar_outcomes(info, option)


@strawberry.type(
    description="Where branches left their parent: the parent's later messages are not inherited."
)
class ForkPoint(Node):
    key: strawberry.Private[UUID]
    row: strawberry.Private[models.ForkPoint]
    reason: str
    created_at: datetime

    @strawberry.field
    async def session(
        self, info: Info
    ) -> Annotated["AiSession", strawberry.lazy("schema.session")]:
        return await sessions.load(info, self.row.session_id)

    @strawberry.field
    async def parent(self, info: Info) -> Annotated["Branch", strawberry.lazy("schema.branch")]:
        return await branches.load(info, self.row.parent_branch_id)

    @strawberry.field(description="Null where the parent had said nothing of its own yet.")
    async def after_message(
        self, info: Info
    ) -> Annotated["BranchMessage", strawberry.lazy("schema.message")] | None:
        key = self.row.after_message_id
        return None if key is None else await messages.load(info, key)

    @strawberry.field(description="The move of the diagnosis that the fork is.")
    async def step(self, info: Info) -> Annotated["Step", strawberry.lazy("schema.step")] | None:
        row = await info.context.loaders.step_of_fork_point.load(self.key)
        return None if row is None else steps.Step.of(row)

    @strawberry.field(description="By order, with the live status of each; at most 1,000.")
    async def options(self, info: Info) -> list[ForkOption]:
        rows = await info.context.loaders.options_of_fork_point.load(self.key)
        return [
            ForkOption(
                session_key=row.session_id,
                label=row.label,
                description=row.description or "",
                branch=branches.Branch.of(row),
                status=row.status,
            )
            for row in rows
        ]

    @strawberry.field
    async def created_by(
        self, info: Info
    ) -> Annotated["User", strawberry.lazy("schema.account")] | None:
        return await accounts.load_user(info, self.row.created_by)

    @classmethod
    def of(cls, row: models.ForkPoint) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.FORK_POINT, row.id)),
            key=row.id,
            row=row,
            reason=row.fork_reason,
            created_at=row.created_at,
        )


async def load(info: Info, key: UUID) -> ForkPoint:
    """Raises NotFound."""
    row = await info.context.loaders.fork_points.load(key)
    if row is None:
        raise NotFound(node_id(Kind.FORK_POINT, key))
    return ForkPoint.of(row)


# ---------------------------------------------------------------- inputs and results


@strawberry.input
class ForkOptionInput:
    label: str = strawberry.field(description="1 to 200 characters, unique among its siblings.")
    description: str = strawberry.field(description="1 to 500 characters.")
    likelihood: float | None = strawberry.field(
        default=None, description="0 to 1, as a suggestion may carry it."
    )


@strawberry.input
class ForkBranchInput:
    idempotency_key: UUID
    session_id: strawberry.ID
    parent_branch_id: strawberry.ID | None = strawberry.field(
        default=None, description="Default: the active branch."
    )
    fork_point_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="To add one option to a fork that exists; then `options` holds exactly one.",
    )
    after_message_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="One of the parent's own messages. Default: its last complete assistant "
        "message.",
    )
    reason: str = strawberry.field(description="5 to 2,000 characters.")
    options: list[ForkOptionInput] = strawberry.field(description="2 to 10.")


@strawberry.type
class ForkBranchSuccess:
    session: Annotated["AiSession", strawberry.lazy("schema.session")]
    fork_point: ForkPoint
    branches: list[Annotated["Branch", strawberry.lazy("schema.branch")]]


ForkBranchResult = Annotated[
    ForkBranchSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | BranchLimitError,
    strawberry.union("ForkBranchResult"),
]
