"""What a session established."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models import finding as models
from models.finding import FindingKind
from schema import branch as branches
from schema import message as messages
from schema.context import Info
from schema.node import Node
from services.ids import Kind, node_id

if TYPE_CHECKING:
    from schema.branch import Branch
    from schema.message import BranchMessage


@strawberry.type(description="A claim that a session established, with the messages that carry it.")
class Finding(Node):
    key: strawberry.Private[UUID]
    branch_key: strawberry.Private[UUID]
    kind: FindingKind
    claim: str
    created_at: datetime

    @strawberry.field
    async def branch(self, info: Info) -> Annotated["Branch", strawberry.lazy("schema.branch")]:
        return await branches.load(info, self.branch_key)

    @strawberry.field(description="At most 20.")
    async def evidence(
        self, info: Info
    ) -> list[Annotated["BranchMessage", strawberry.lazy("schema.message")]]:
        rows = await info.context.loaders.evidence_of_finding.load(self.key)
        return [messages.BranchMessage.of(row) for row in rows]

    @classmethod
    def of(cls, row: models.Finding) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.FINDING, row.id)),
            key=row.id,
            branch_key=row.branch_id,
            kind=row.kind,
            claim=row.claim,
            created_at=row.created_at,
        )
