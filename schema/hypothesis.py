"""How hypotheses fare: likelihood over time, doubts about dead ends, what is merged and compared."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models import finding as finding_models
from models import hypothesis as models
from models.hypothesis import RevivalProposalState
from schema import account as accounts
from schema import branch as branches
from schema import finding as findings
from schema import message as messages
from schema.context import Info
from schema.errors import (
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
)
from schema.node import Node
from services.comparison import Comparison, Side
from services.errors import NotFound
from services.ids import Kind, node_id

if TYPE_CHECKING:
    from schema.account import User
    from schema.branch import Branch, ContextSummary
    from schema.finding import Finding
    from schema.message import BranchMessage
    from schema.session import AiSession

BranchRef = Annotated["Branch", strawberry.lazy("schema.branch")]
FindingRef = Annotated["Finding", strawberry.lazy("schema.finding")]
MessageRef = Annotated["BranchMessage", strawberry.lazy("schema.message")]
SessionRef = Annotated["AiSession", strawberry.lazy("schema.session")]
SummaryRef = Annotated["ContextSummary", strawberry.lazy("schema.branch")]
UserRef = Annotated["User", strawberry.lazy("schema.account")]


@strawberry.type(
    description="How likely the assistant held a hypothesis to be at a moment, and why."
)
class HypothesisRanking:
    likelihood: float = strawberry.field(description="0 to 1.")
    prior: float | None = strawberry.field(description="Before that; null: not ranked yet.")
    why: str
    next_check: str | None = strawberry.field(description="What would tell the most now.")
    minutes: int | None = strawberry.field(description="What that check takes, as estimated.")
    created_at: datetime

    @classmethod
    def of(cls, row: models.Ranking) -> Self:
        return cls(
            likelihood=row.likelihood,
            prior=row.prior,
            why=row.why,
            next_check=row.next_check,
            minutes=row.minutes,
            created_at=row.created_at,
        )


# ---------------------------------------------------------------- doubts about dead ends


@strawberry.type(
    description="A finding speaks against the reason why a branch was given up. A person decides."
)
class RevivalProposal(Node):
    row: strawberry.Private[models.RevivalProposal]
    reason: str = strawberry.field(description="Why the branch was given up, as it stood then.")
    why: str = strawberry.field(description="How the finding speaks against it.")
    state: RevivalProposalState
    decided_at: datetime | None
    created_at: datetime

    @strawberry.field(description="The dead end.")
    async def branch(self, info: Info) -> BranchRef:
        return await branches.load(info, self.row.branch_id)

    @strawberry.field(description="Its evidence are the messages that speak for a revival.")
    async def finding(self, info: Info) -> FindingRef:
        return await findings.load(info, self.row.finding_id)

    @strawberry.field(description="The last thing said on the dead end before it was given up.")
    async def reason_message(self, info: Info) -> MessageRef | None:
        key = self.row.reason_message_id
        return None if key is None else await messages.load(info, key)

    @strawberry.field
    async def decided_by(self, info: Info) -> UserRef | None:
        key = self.row.decided_by
        return None if key is None else await accounts.load_user(info, key)

    @classmethod
    def of(cls, row: models.RevivalProposal) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.REVIVAL_PROPOSAL, row.id)),
            row=row,
            reason=row.reason,
            why=row.why,
            state=row.state,
            decided_at=row.decided_at,
            created_at=row.created_at,
        )


async def load_proposal(info: Info, key: UUID) -> RevivalProposal:
    """Raises NotFound."""
    row = await info.context.loaders.revival_proposals.load(key)
    if row is None:
        raise NotFound(node_id(Kind.REVIVAL_PROPOSAL, key))
    return RevivalProposal.of(row)


# ---------------------------------------------------------------- merges


@strawberry.type(description="Findings of other branches, brought into one by a person.")
class FindingMerge(Node):
    row: strawberry.Private[finding_models.FindingMerge]
    merged_at: datetime
    undone_at: datetime | None = strawberry.field(
        description="When they were taken back; until then the assistant is told of them."
    )

    @strawberry.field(description="Which they were brought into.")
    async def branch(self, info: Info) -> BranchRef:
        return await branches.load(info, self.row.branch_id)

    @strawberry.field(description="In the order given; at most 50.")
    async def findings(self, info: Info) -> list[FindingRef]:
        rows = await info.context.loaders.findings_of_merge.load(self.row.id)
        return [findings.Finding.of(row) for row in rows]

    @strawberry.field
    async def merged_by(self, info: Info) -> UserRef | None:
        return await accounts.load_user(info, self.row.merged_by)

    @strawberry.field
    async def undone_by(self, info: Info) -> UserRef | None:
        key = self.row.undone_by
        return None if key is None else await accounts.load_user(info, key)

    @classmethod
    def of(cls, row: finding_models.FindingMerge) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.FINDING_MERGE, row.id)),
            row=row,
            merged_at=row.created_at,
            undone_at=row.undone_at,
        )


async def load_merge(info: Info, key: UUID) -> FindingMerge:
    """Raises NotFound."""
    row = await info.context.loaders.finding_merges.load(key)
    if row is None:
        raise NotFound(node_id(Kind.FINDING_MERGE, key))
    return FindingMerge.of(row)


# ---------------------------------------------------------------- comparison


@strawberry.type
class BranchSide:
    branch: BranchRef
    message_count: int = strawberry.field(description="What it heard since the two parted.")
    findings: list[FindingRef] = strawberry.field(
        description="Made since the two parted, in the order they were made."
    )
    summary: SummaryRef | None

    @classmethod
    def of(cls, side: Side) -> Self:
        branch = branches.Branch.of(side.branch)
        return cls(
            branch=branch,
            message_count=side.message_count,
            findings=[findings.Finding.of(row) for row in side.findings],
            summary=branch.context_summary(),
        )


@strawberry.type(description="What two branches of one session have each come to.")
class BranchComparison:
    common_ancestor: BranchRef = strawberry.field(
        description="The last branch that both have in their lineage; it may be one of the two."
    )
    left: BranchSide
    right: BranchSide

    @classmethod
    def of(cls, comparison: Comparison) -> Self:
        return cls(
            common_ancestor=branches.Branch.of(comparison.common_ancestor),
            left=BranchSide.of(comparison.left),
            right=BranchSide.of(comparison.right),
        )


# ---------------------------------------------------------------- inputs and results


@strawberry.input
class AcceptRevivalProposalInput:
    proposal_id: strawberry.ID


@strawberry.type
class AcceptRevivalProposalSuccess:
    proposal: RevivalProposal
    branch: BranchRef
    session: SessionRef


AcceptRevivalProposalResult = Annotated[
    AcceptRevivalProposalSuccess | NotFoundError | PermissionDeniedError | InvalidTransitionError,
    strawberry.union("AcceptRevivalProposalResult"),
]


@strawberry.input
class DismissRevivalProposalInput:
    proposal_id: strawberry.ID


@strawberry.type
class DismissRevivalProposalSuccess:
    proposal: RevivalProposal


DismissRevivalProposalResult = Annotated[
    DismissRevivalProposalSuccess | NotFoundError | PermissionDeniedError | InvalidTransitionError,
    strawberry.union("DismissRevivalProposalResult"),
]


@strawberry.input
class MergeFindingsInput:
    idempotency_key: UUID
    branch_id: strawberry.ID = strawberry.field(description="Which they are brought into.")
    finding_ids: list[strawberry.ID] = strawberry.field(
        description="1 to 50, of other branches of the session."
    )


@strawberry.type
class MergeFindingsSuccess:
    merge: FindingMerge
    branch: BranchRef


MergeFindingsResult = Annotated[
    MergeFindingsSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError,
    strawberry.union("MergeFindingsResult"),
]


@strawberry.input
class UndoFindingMergeInput:
    merge_id: strawberry.ID


@strawberry.type
class UndoFindingMergeSuccess:
    merge: FindingMerge
    branch: BranchRef


UndoFindingMergeResult = Annotated[
    UndoFindingMergeSuccess | NotFoundError | PermissionDeniedError | InvalidTransitionError,
    strawberry.union("UndoFindingMergeResult"),
]
