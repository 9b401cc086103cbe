"""What a session established, and what that says about its hypotheses."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models import finding as models
from models.finding import Bearing, FindingKind
from schema import branch as branches
from schema import message as messages
from schema.context import Info
from schema.node import Node
from services.errors import NotFound
from services.ids import Kind, node_id
from services.tree import Tree

if TYPE_CHECKING:
    from schema.branch import Branch
    from schema.message import BranchMessage


@strawberry.type
class FindingBearing:
    branch_key: strawberry.Private[UUID]
    bearing: Bearing

    @strawberry.field(description="The branch that tests it.")
    async def hypothesis(self, info: Info) -> Annotated["Branch", strawberry.lazy("schema.branch")]:
        return await branches.load(info, self.branch_key)


@strawberry.type(description="A claim that a session established, with the messages that carry it.")
class Finding(Node):
    key: strawberry.Private[UUID]
    branch_key: strawberry.Private[UUID]
    kind: FindingKind
    claim: str
    subject: str = strawberry.field(description="What it is about, in a few words; may be empty.")
    created_at: datetime
    withdrawn_at: datetime | None = strawberry.field(
        description="Since when it no longer holds: the answer that carried it was taken back, or later "
        "messages show otherwise. Null: it holds. What was withdrawn stays in lists, and is no longer told "
        "to the assistant, compared, merged or weighed."
    )

    @strawberry.field
    async def branch(self, info: Info) -> Annotated["Branch", strawberry.lazy("schema.branch")]:
        return await branches.load(info, self.branch_key)

    @strawberry.field(description="At most 20.")
    async def evidence(
        self, info: Info
    ) -> list[Annotated["BranchMessage", strawberry.lazy("schema.message")]]:
        rows = await info.context.loaders.evidence_of_finding.load(self.key)
        return [messages.BranchMessage.of(row) for row in rows]

    @strawberry.field(description="What it says about hypotheses, where that was judged.")
    async def bearings(self, info: Info) -> list[FindingBearing]:
        rows = await info.context.loaders.bearings_of_finding.load(self.key)
        return [FindingBearing(branch_key=row.branch_id, bearing=row.bearing) for row in rows]

    @classmethod
    def of(cls, row: models.Finding) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.FINDING, row.id)),
            key=row.id,
            branch_key=row.branch_id,
            kind=row.kind,
            claim=row.claim,
            subject=row.subject,
            created_at=row.created_at,
            withdrawn_at=row.withdrawn_at,
        )


async def load(info: Info, key: UUID) -> Finding:
    """Raises NotFound."""
    row = await info.context.loaders.findings.load(key)
    if row is None:
        raise NotFound(node_id(Kind.FINDING, key))
    return Finding.of(row)


@strawberry.type
class RuleOutRow:
    finding: Finding
    cells: list[Bearing | None] = strawberry.field(
        description="One for each of the matrix' hypotheses, in their order; null: not judged."
    )


@strawberry.type(
    description="Hypotheses against what was found: which explain it and which it contradicts."
)
class RuleOutMatrix:
    hypotheses: list[Annotated["Branch", strawberry.lazy("schema.branch")]] = strawberry.field(
        description="Every branch but the trunk and the archived ones, parents before children."
    )
    rows: list[RuleOutRow] = strawberry.field(
        description="Findings that hold and bear on any of them, in the order they were made; the newest "
        "100."
    )


MATRIX_ROWS = 100


async def rule_out_matrix(info: Info, session_key: UUID, tree: Tree) -> RuleOutMatrix:
    loaders = info.context.loaders
    hypotheses = [
        row
        for row in tree.by_id.values()
        if row.parent_branch_id is not None and row.archived_at is None
    ]
    made = await loaders.findings_of_session.load(session_key)
    found = [row for row in made if row.withdrawn_at is None]
    judged = await loaders.bearings_of_finding.load_many([row.id for row in found])
    rows = []
    for finding, bearings in zip(found, judged, strict=True):
        by_branch = {bearing.branch_id: bearing.bearing for bearing in bearings}
        cells = [by_branch.get(hypothesis.id) for hypothesis in hypotheses]
        if any(cells):
            rows.append(RuleOutRow(finding=Finding.of(finding), cells=cells))
    return RuleOutMatrix(
        hypotheses=[branches.Branch.of(row, tree) for row in hypotheses], rows=rows[-MATRIX_ROWS:]
    )
