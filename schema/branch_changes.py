"""The verbs that change a branch: what they are given, and what becomes of it."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from models.branch import BranchStatus
from schema.branch import Branch
from schema.context import Info
from schema.errors import (
    BranchLimitError,
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
    StaleVersionError,
)
from services.archive import still_open

if TYPE_CHECKING:
    from schema.session import AiSession


@strawberry.input
class SwitchBranchInput:
    branch_id: strawberry.ID


@strawberry.type
class SwitchBranchSuccess:
    session: Annotated["AiSession", strawberry.lazy("schema.session")]
    branch: Branch


SwitchBranchResult = Annotated[
    SwitchBranchSuccess | NotFoundError | PermissionDeniedError | InvalidTransitionError,
    strawberry.union("SwitchBranchResult"),
]


@strawberry.input
class MarkBranchStatusInput:
    branch_id: strawberry.ID
    status: BranchStatus
    reason: str | None = strawberry.field(
        default=None, description="5 to 2,000 characters; a dead end needs one."
    )
    expected_version: int


@strawberry.type
class MarkBranchStatusSuccess:
    branch: Branch
    session: Annotated["AiSession", strawberry.lazy("schema.session")]

    @strawberry.field(
        description="After SOLVED: hypotheses that are still open, which `resolveSession` with "
        "`closeOpenBranches` would archive; empty after any other status. Parents before children."
    )
    async def still_open(self, info: Info) -> list[Branch]:
        if self.branch.status is not BranchStatus.SOLVED:
            return []
        tree = await info.context.loaders.trees.load(self.branch.row.session_id)
        return [] if tree is None else [Branch.of(row, tree) for row in still_open(tree)]


MarkBranchStatusResult = Annotated[
    MarkBranchStatusSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError,
    strawberry.union("MarkBranchStatusResult"),
]


@strawberry.input
class ReviveBranchInput:
    branch_id: strawberry.ID
    evidence_from_branch_id: strawberry.ID
    evidence_message_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Of that branch; at most 20."
    )
    description: str = strawberry.field(description="5 to 2,000 characters.")


@strawberry.type
class ReviveBranchSuccess:
    branch: Branch
    session: Annotated["AiSession", strawberry.lazy("schema.session")]


ReviveBranchResult = Annotated[
    ReviveBranchSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError,
    strawberry.union("ReviveBranchResult"),
]


@strawberry.input
class RenameBranchInput:
    branch_id: strawberry.ID
    label: str = strawberry.field(description="1 to 200 characters, unique among its siblings.")
    description: str | None = strawberry.field(
        default=None, description="1 to 500 characters; null leaves it as it is."
    )
    expected_version: int


@strawberry.type
class RenameBranchSuccess:
    branch: Branch


RenameBranchResult = Annotated[
    RenameBranchSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError,
    strawberry.union("RenameBranchResult"),
]


@strawberry.input
class ArchiveBranchInput:
    branch_id: strawberry.ID
    expected_version: int


@strawberry.type
class ArchiveBranchSuccess:
    branch: Branch
    session: Annotated["AiSession", strawberry.lazy("schema.session")]


ArchiveBranchResult = Annotated[
    ArchiveBranchSuccess
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError,
    strawberry.union("ArchiveBranchResult"),
]


@strawberry.input
class RestoreBranchInput:
    branch_id: strawberry.ID
    expected_version: int


@strawberry.type
class RestoreBranchSuccess:
    branch: Branch
    session: Annotated["AiSession", strawberry.lazy("schema.session")]


RestoreBranchResult = Annotated[
    RestoreBranchSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError
    | BranchLimitError,
    strawberry.union("RestoreBranchResult"),
]
