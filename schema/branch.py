"""A hypothesis and its conversation."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

import strawberry

from models import branch as models
from models.branch import BranchStatus
from schema import account as accounts
from schema import finding as findings
from schema import fork_point as fork_points
from schema import hypothesis as hypotheses
from schema import message as messages
from schema import session as sessions
from schema import upload as uploads
from schema.compiled.fields import NotAtHand, at_hand
from schema.context import Info
from schema.node import Node
from schema.rows import of_row
from schema.usage import TokenUsage
from services.comparison import compare
from services.errors import NotFound
from services.ids import Kind, node_id, uuid_of
from services.messages import MessageScope, list_messages
from services.tree import Tree

if TYPE_CHECKING:
    from schema.account import User
    from schema.finding import Finding
    from schema.fork_point import ForkPoint
    from schema.hypothesis import BranchComparison, FindingMerge, HypothesisRanking
    from schema.message import BranchMessage, BranchMessageConnection
    from schema.session import AiSession
    from schema.upload import FileUpload


@strawberry.type
class ContextSummary:
    tried: list[str]
    concluded: str | None
    artifacts: list[str]
    updated_at: datetime

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        return cls(
            tried=stored["tried"],
            concluded=stored["concluded"],
            artifacts=stored["artifacts"],
            updated_at=datetime.fromisoformat(stored["updated_at"]),
        )


@strawberry.type
class Revival:
    row: strawberry.Private[models.Revival]
    description: str
    revived_at: datetime
    dead_end_reason: str | None = strawberry.field(
        description="Why the branch had been given up. Null: it came back before this was kept."
    )
    dead_end_at: datetime | None

    @classmethod
    def of(cls, row: models.Revival) -> Self:
        return cls(
            row=row,
            description=row.evidence_description,
            revived_at=row.created_at,
            dead_end_reason=row.dead_end_reason,
            dead_end_at=row.dead_end_at,
        )

    @strawberry.field
    async def evidence_from(
        self, info: Info
    ) -> Annotated["Branch", strawberry.lazy("schema.branch")]:
        return await load(info, self.row.evidence_from_branch_id)

    @strawberry.field(description="In the order given; at most 20.")
    async def evidence(
        self, info: Info
    ) -> list[Annotated["BranchMessage", strawberry.lazy("schema.message")]]:
        rows = await info.context.loaders.evidence_of_revival.load(self.row.id)
        return [messages.BranchMessage.of(row) for row in rows]

    @strawberry.field
    async def revived_by(
        self, info: Info
    ) -> Annotated["User", strawberry.lazy("schema.account")] | None:
        return await accounts.load_user(info, self.row.revived_by)


@of_row(id=lambda row: node_id(Kind.BRANCH, row.id), order="branch_order")
@strawberry.type(
    description="One hypothesis and the conversation that tests it; the root is the trunk."
)
class Branch(Node):
    row: strawberry.Private[models.Branch]
    tree: strawberry.Private[Tree | None]
    label: str
    description: str | None
    order: int = strawberry.field(
        description="From 1, unique among the children of one parent, over all its forks."
    )
    depth: int = strawberry.field(description="0 for the trunk.")
    status: BranchStatus
    status_reason: str | None
    status_changed_at: datetime | None
    is_active: bool = strawberry.field(
        description="Whether it is the session's active branch; the same for every viewer."
    )
    likelihood: float | None = strawberry.field(
        description="0 to 1, by the assistant; null until ranked."
    )
    archived_at: datetime | None
    step_count: int
    version: int
    created_at: datetime
    updated_at: datetime

    @strawberry.field
    async def session(
        self, info: Info
    ) -> Annotated["AiSession", strawberry.lazy("schema.session")]:
        return await sessions.load(info, self.row.session_id)

    @strawberry.field(description="Null for the trunk.")
    async def parent(
        self, info: Info
    ) -> Annotated["Branch", strawberry.lazy("schema.branch")] | None:
        key = self.row.parent_branch_id
        if key is None:
            return None
        tree = await self._tree(info)
        return Branch.of(tree.by_id[key], tree)

    @strawberry.field(
        description="By order, without the archived ones.",
        metadata=at_hand(lambda branch: children_in(branch.tree, branch)),
    )
    async def children(
        self, info: Info
    ) -> list[Annotated["Branch", strawberry.lazy("schema.branch")]]:
        return children_in(await self._tree(info), self)

    @strawberry.field(description="Root first, parent last.")
    async def ancestors(
        self, info: Info
    ) -> list[Annotated["Branch", strawberry.lazy("schema.branch")]]:
        tree = await self._tree(info)
        return [Branch.of(row, tree) for row in tree.ancestors(self.row.id)]

    @strawberry.field(description="Null for the root.")
    async def fork_point(
        self, info: Info
    ) -> Annotated["ForkPoint", strawberry.lazy("schema.fork_point")] | None:
        key = self.row.fork_point_id
        return None if key is None else await fork_points.load(info, key)

    @strawberry.field
    async def status_changed_by(
        self, info: Info
    ) -> Annotated["User", strawberry.lazy("schema.account")] | None:
        key = self.row.status_changed_by
        return None if key is None else await accounts.load_user(info, key)

    @strawberry.field(
        description="What was tried and concluded; null until the assistant has summarised it."
    )
    def context_summary(self) -> ContextSummary | None:
        stored = self.row.context_summary
        return ContextSummary.of(stored) if stored else None

    @strawberry.field(
        description="Why findings, summary and ranking could not be brought up to date, in a sentence; "
        "null where they were. The next answer on the branch tries again."
    )
    def analysis_failure(self) -> str | None:
        return self.row.analysis_failure

    @strawberry.field(description="In the order they were made, at most 200.")
    async def findings(
        self, info: Info
    ) -> list[Annotated["Finding", strawberry.lazy("schema.finding")]]:
        rows = await info.context.loaders.findings_of_branch.load(self.row.id)
        return [findings.Finding.of(row) for row in rows]

    @strawberry.field(description="In the order they came in, at most 200.")
    async def uploads(
        self, info: Info
    ) -> list[Annotated["FileUpload", strawberry.lazy("schema.upload")]]:
        rows = await info.context.loaders.uploads_of_branch.load(self.row.id)
        return [uploads.FileUpload.of(row) for row in rows]

    @strawberry.field(description="Why it came back, newest first.")
    async def revivals(self, info: Info) -> list[Revival]:
        rows = await info.context.loaders.revivals_of_branch.load(self.row.id)
        return [Revival.of(row) for row in rows]

    @strawberry.field(
        description="How likely the assistant held it to be, oldest first; the newest 100."
    )
    async def rankings(
        self, info: Info
    ) -> list[Annotated["HypothesisRanking", strawberry.lazy("schema.hypothesis")]]:
        rows = await info.context.loaders.rankings_of_branch.load(self.row.id)
        return [hypotheses.HypothesisRanking.of(row) for row in rows]

    @strawberry.field(
        description="Findings of other branches that were brought in, in the order they were; those "
        "taken back included."
    )
    async def merges(
        self, info: Info
    ) -> list[Annotated["FindingMerge", strawberry.lazy("schema.hypothesis")]]:
        rows = await info.context.loaders.merges_of_branch.load(self.row.id)
        return [hypotheses.FindingMerge.of(row) for row in rows]

    @strawberry.field(description="With another branch of the session.")
    async def compare_with(
        self, info: Info, branch_id: strawberry.ID
    ) -> Annotated["BranchComparison", strawberry.lazy("schema.hypothesis")]:
        other, tree = uuid_of(Kind.BRANCH, branch_id), await self._tree(info)
        if other not in tree.by_id:
            raise NotFound(branch_id)
        found = await info.context.loaders.findings_of_session.load(self.row.session_id)
        return hypotheses.BranchComparison.of(compare(tree, self.row.id, other, found))

    @strawberry.field(
        description="Forward with first/after, from the end with last/before; by default the "
        "first 50. At most 100 a page."
    )
    async def messages(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        scope: MessageScope = MessageScope.OWN,
    ) -> Annotated["BranchMessageConnection", strawberry.lazy("schema.message")]:
        page = await list_messages(
            info.context.runtime,
            info.context.actor,
            self.row.id,
            scope,
            first=first,
            after=after,
            last=last,
            before=before,
        )
        return messages.BranchMessageConnection.of(page)

    @strawberry.field
    def message_count(self, scope: MessageScope = MessageScope.OWN) -> int:
        inherited = self.row.fork_position if scope is MessageScope.OWN else 0
        return self.row.last_position - inherited

    @strawberry.field(
        description="Of its own messages, those by others that came after the viewer last looked at it; an "
        "answer counts once it has ended. 0 for an API key."
    )
    async def unread_count(self, info: Info) -> int:
        found = await info.context.own_loaders.unread_in_session.load(self.row.session_id)
        return (found or {}).get(self.row.id, 0)

    @strawberry.field
    def usage(self) -> TokenUsage:
        return TokenUsage.of(self.row)

    async def _tree(self, info: Info) -> Tree:
        """The session's tree; a branch that came with one need not ask for it."""
        tree = self.tree or await info.context.loaders.trees.load(self.row.session_id)
        if tree is None:
            raise NotFound(self.id)
        return tree

    @classmethod
    def of(cls, row: models.Branch, tree: Tree | None = None) -> Self:
        branch = cls.__new__(cls)
        branch.row, branch.tree = row, tree
        return branch


def children_in(tree: Tree | None, branch: Branch) -> list[Branch]:
    """Raises NotAtHand without a tree."""
    if tree is None:
        raise NotAtHand
    below = tree.children(branch.row.id)
    return [Branch.of(row, tree) for row in below if row.archived_at is None] if below else []


async def load(info: Info, key: UUID) -> Branch:
    """Raises NotFound."""
    row = await info.context.loaders.branches.load(key)
    if row is None:
        raise NotFound(node_id(Kind.BRANCH, key))
    return Branch.of(row)
