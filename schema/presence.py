"""Who has a session open, and the verbs of a page that shows one."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from schema import account as accounts
from schema import branch as branches
from schema import session as sessions
from schema.context import Info
from schema.errors import NotFoundError, PermissionDeniedError
from services.presence import Present

if TYPE_CHECKING:
    from schema.account import User
    from schema.branch import Branch
    from schema.session import AiSession

BranchRef = Annotated["Branch", strawberry.lazy("schema.branch")]
SessionRef = Annotated["AiSession", strawberry.lazy("schema.session")]


@strawberry.type(description="Somebody who has a session open.")
class Presence:
    row: strawberry.Private[Present]
    is_asking: bool = strawberry.field(description="Whether they write a question there.")
    seen_at: datetime = strawberry.field(
        description="When their page last said so; that alone is no change of which "
        "`presenceChanged` tells."
    )

    @strawberry.field
    async def user(self, info: Info) -> Annotated["User", strawberry.lazy("schema.account")]:
        return await accounts.load_user(info, self.row.user_id)

    @strawberry.field(description="What they look at.")
    async def branch(self, info: Info) -> BranchRef:
        return await branches.load(info, self.row.branch_id)

    @classmethod
    def of(cls, row: Present) -> Self:
        return cls(row=row, is_asking=row.is_asking, seen_at=row.seen_at)


@strawberry.type
class SessionPresence:
    session_key: strawberry.Private[UUID]
    presence: list[Presence] = strawberry.field(
        description="Others who have it open, by display name; at most 50."
    )

    @strawberry.field
    async def session(self, info: Info) -> SessionRef:
        return await sessions.load(info, self.session_key)


# ---------------------------------------------------------------- inputs and results


@strawberry.input
class LookAtBranchInput:
    branch_id: strawberry.ID
    is_asking: bool = strawberry.field(
        default=False, description="Whether the viewer writes a question there."
    )


@strawberry.type
class LookAtBranchSuccess:
    branch_key: strawberry.Private[UUID]
    session_key: strawberry.Private[UUID]

    @strawberry.field
    async def branch(self, info: Info) -> BranchRef:
        return await branches.load(info, self.branch_key)

    @strawberry.field
    async def session(self, info: Info) -> SessionRef:
        return await sessions.load(info, self.session_key)


LookAtBranchResult = Annotated[
    LookAtBranchSuccess | NotFoundError | PermissionDeniedError,
    strawberry.union("LookAtBranchResult"),
]


@strawberry.input
class LeaveSessionInput:
    session_id: strawberry.ID


@strawberry.type
class LeaveSessionSuccess:
    session_key: strawberry.Private[UUID]

    @strawberry.field
    async def session(self, info: Info) -> SessionRef:
        return await sessions.load(info, self.session_key)


LeaveSessionResult = Annotated[
    LeaveSessionSuccess | NotFoundError | PermissionDeniedError,
    strawberry.union("LeaveSessionResult"),
]
