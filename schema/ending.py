"""How a session ends, and begins again."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from schema import output as outputs
from schema.context import Info
from schema.errors import (
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
    StaleVersionError,
)

if TYPE_CHECKING:
    from schema.output import ResolutionOutput
    from schema.session import AiSession


@strawberry.input
class ResolveSessionInput:
    session_id: strawberry.ID
    solved_branch_id: strawberry.ID | None = strawberry.field(
        default=None, description="The branch that solved it, if one did: it is marked SOLVED."
    )
    summary: str = strawberry.field(description="5 to 4,000 characters.")
    close_open_branches: bool = strawberry.field(
        default=False,
        description="Archives the hypotheses that are still open, with what hangs on them, unless a branch "
        "below is settled or the solving one; they were not ruled out, so they become no dead ends.",
    )
    expected_version: int


@strawberry.type(description="The outputs start as GENERATING.")
class ResolveSessionSuccess:
    session: Annotated["AiSession", strawberry.lazy("schema.session")]

    @strawberry.field
    async def outputs(
        self, info: Info
    ) -> list[Annotated["ResolutionOutput", strawberry.lazy("schema.output")]]:
        return await outputs.of_session(info, self.session.row.id)


ResolveSessionResult = Annotated[
    ResolveSessionSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError,
    strawberry.union("ResolveSessionResult"),
]


@strawberry.input
class AbandonSessionInput:
    session_id: strawberry.ID
    reason: str = strawberry.field(
        description="5 to 4,000 characters; kept as `resolutionSummary`."
    )
    expected_version: int


@strawberry.type
class AbandonSessionSuccess:
    session: Annotated["AiSession", strawberry.lazy("schema.session")]


AbandonSessionResult = Annotated[
    AbandonSessionSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError,
    strawberry.union("AbandonSessionResult"),
]


@strawberry.input
class ReopenSessionInput:
    session_id: strawberry.ID
    expected_version: int


@strawberry.type
class ReopenSessionSuccess:
    session: Annotated["AiSession", strawberry.lazy("schema.session")]


ReopenSessionResult = Annotated[
    ReopenSessionSuccess
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError,
    strawberry.union("ReopenSessionResult"),
]
