"""A client's problem, from intake to resolution."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models.branch import BranchStatus
from models.handoff import HandoffIntent
from models.hypothesis import RevivalProposalState
from models.session import AiSession as Row
from models.session import ConfidenceTier, IntakeType, SessionStatus, SessionType
from schema import account as accounts
from schema import branch as branches
from schema import export as exports
from schema import finding as findings
from schema import fork_point as fork_points
from schema import handoff as handoffs
from schema import hypothesis as hypotheses
from schema import integration as integrations
from schema import knowledge
from schema import moment as moments
from schema import output as outputs
from schema import presence as presences
from schema import second_opinion as second_opinions
from schema import step as steps
from schema import timeline as timelines
from schema import upload as uploads
from schema.compiled.fields import NotAtHand, at_hand
from schema.context import Info
from schema.node import Node
from schema.usage import TokenUsage
from services.errors import NotFound
from services.exports.links import ExportFormat
from services.feed import decode_cursor, encode_cursor
from services.ids import Kind, node_id
from services.presence import others
from services.sessions import SessionView
from services.steps import list_steps
from services.tree import Tree

if TYPE_CHECKING:
    from schema.account import Team, User
    from schema.branch import Branch
    from schema.finding import Finding, RuleOutMatrix
    from schema.fork_point import ForkPoint
    from schema.handoff import Handoff, HandoffSnapshot
    from schema.hypothesis import RevivalProposal
    from schema.integration import Integration
    from schema.knowledge import SimilarSession
    from schema.moment import SessionMoment
    from schema.output import ResolutionOutput
    from schema.presence import Presence
    from schema.second_opinion import SecondOpinion
    from schema.step import StepConnection
    from schema.timeline import EventConnection
    from schema.upload import FileUpload


@strawberry.type
class Intake:
    type: IntakeType
    text: str
    reference: str | None = strawberry.field(description="The ticket or alert it came from.")


@strawberry.type
class EscalationPackage:
    handoff_id: strawberry.ID
    intent: HandoffIntent
    engineer_notes: str | None
    snapshot: Annotated["HandoffSnapshot", strawberry.lazy("schema.handoff")]


@strawberry.type(
    description="One client problem, from intake to documents; owns exactly one tree of branches."
)
class AiSession(Node):
    row: strawberry.Private[Row]
    tree: strawberry.Private[Tree | None]
    status: SessionStatus
    session_type: SessionType
    intake: Intake
    problem_summary: str | None = strawberry.field(
        description="Written by the assistant from the intake; null until then."
    )
    problem_domain: str | None
    confidence_tier: ConfidenceTier
    psa_ticket_id: str | None = strawberry.field(
        description="The ticket in the account's ticket system."
    )
    resolution_summary: str | None
    is_branching: bool = strawberry.field(
        description="False until the first fork; the trunk exists from the start."
    )
    branch_count: int = strawberry.field(description="The trunk and the archived ones included.")
    handoff_count: int
    event_cursor: str = strawberry.field(
        description="Newest event already reflected here; subscribe with it as `after` and "
        "nothing is missed."
    )
    version: int
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None

    @strawberry.field
    async def opened_by(self, info: Info) -> Annotated["User", strawberry.lazy("schema.account")]:
        return await accounts.load_user(info, self.row.opened_by)

    @strawberry.field(
        description="Who works on it now: the opener, the last one to claim it, or whom a lead has "
        "given it to."
    )
    async def assignee(self, info: Info) -> Annotated["User", strawberry.lazy("schema.account")]:
        return await accounts.load_user(info, self.row.assignee_id)

    @strawberry.field(
        description="What the lead wrote who gave it to the assignee. Null: nothing, or nobody did."
    )
    def assignment_note(self) -> str | None:
        return self.row.assignment_note

    @strawberry.field
    async def team(self, info: Info) -> Annotated["Team", strawberry.lazy("schema.account")] | None:
        key = self.row.team_id
        return None if key is None else await accounts.load_team(info, key)

    @strawberry.field(
        description="Where that ticket is; null: that is not known, or it was removed."
    )
    async def integration(
        self, info: Info
    ) -> Annotated["Integration", strawberry.lazy("schema.integration")] | None:
        return await integrations.find(info, self.row.integration_id)

    @strawberry.field(metadata=at_hand(lambda session: trunk_of(session.tree)))
    async def root_branch(
        self, info: Info
    ) -> Annotated["Branch", strawberry.lazy("schema.branch")]:
        return trunk_of(await self._tree(info))

    @strawberry.field
    async def active_branch(
        self, info: Info
    ) -> Annotated["Branch", strawberry.lazy("schema.branch")]:
        tree = await self._tree(info)
        return branches.Branch.of(tree.by_id[self.row.active_branch_id], tree)

    @strawberry.field(
        description="The branch that the viewer looked at last here, archived or not. Null: none yet, or "
        "the viewer is an API key."
    )
    async def viewer_branch(
        self, info: Info
    ) -> Annotated["Branch", strawberry.lazy("schema.branch")] | None:
        row = await info.context.own_loaders.place_in_session.load(self.row.id)
        if row is None:
            return None
        is_in_tree = self.tree is not None and row.id in self.tree.by_id  # it may be younger
        return branches.Branch.of(row, self.tree if is_in_tree else None)

    @strawberry.field(description="Others who have it open now, by display name; at most 50.")
    async def presence(
        self, info: Info
    ) -> list[Annotated["Presence", strawberry.lazy("schema.presence")]]:
        rows = await info.context.loaders.present_in_session.load(self.row.id)
        return [presences.Presence.of(row) for row in others(rows, info.context.actor)]

    @strawberry.field(
        description="The whole tree, parents before children, in one read. At most 1,000; "
        "archived ones only if asked for."
    )
    async def branches(
        self,
        info: Info,
        status: list[BranchStatus] | None = None,
        include_archived: bool = False,
    ) -> list[Annotated["Branch", strawberry.lazy("schema.branch")]]:
        tree = await self._tree(info)
        return [
            branches.Branch.of(row, tree)
            for row in tree.branches
            if (include_archived or row.archived_at is None)
            and (status is None or row.status in status)
        ]

    @strawberry.field(
        description="Resolved sessions of this account that look like this one, best first; "
        "`first` is 1 to 20."
    )
    async def similar_sessions(
        self, info: Info, first: int = 5
    ) -> list[Annotated["SimilarSession", strawberry.lazy("schema.knowledge")]]:
        return await knowledge.similar_sessions(info, self.row.id, first)

    @strawberry.field(description="In the order they were made; at most 1,000.")
    async def fork_points(
        self, info: Info
    ) -> list[Annotated["ForkPoint", strawberry.lazy("schema.fork_point")]]:
        rows = await info.context.loaders.fork_points_of_session.load(self.row.id)
        return [fork_points.ForkPoint.of(row) for row in rows]

    @strawberry.field(description="By order.")
    async def steps(
        self, info: Info, first: int = 50, after: str | None = None
    ) -> Annotated["StepConnection", strawberry.lazy("schema.step")]:
        context = info.context
        page = await list_steps(
            context.runtime, context.actor, self.row.id, first=first, after=after
        )
        return steps.StepConnection.of(page)

    @strawberry.field(description="In the order they were made, at most 500.")
    async def findings(
        self, info: Info
    ) -> list[Annotated["Finding", strawberry.lazy("schema.finding")]]:
        rows = await info.context.loaders.findings_of_session.load(self.row.id)
        return [findings.Finding.of(row) for row in rows]

    @strawberry.field
    async def rule_out_matrix(
        self, info: Info
    ) -> Annotated["RuleOutMatrix", strawberry.lazy("schema.finding")]:
        return await findings.rule_out_matrix(info, self.row.id, await self._tree(info))

    @strawberry.field(
        description="Dead ends that a finding has put in doubt, newest first, at most 100."
    )
    async def revival_proposals(
        self, info: Info, state: RevivalProposalState | None = None
    ) -> list[Annotated["RevivalProposal", strawberry.lazy("schema.hypothesis")]]:
        rows = await info.context.loaders.proposals_of_session.load(self.row.id)
        return [
            hypotheses.RevivalProposal.of(row)
            for row in rows
            if state is None or row.state is state
        ]

    @strawberry.field(description="Newest first, at most 20.")
    async def second_opinions(
        self, info: Info
    ) -> list[Annotated["SecondOpinion", strawberry.lazy("schema.second_opinion")]]:
        rows = await info.context.loaders.opinions_of_session.load(self.row.id)
        return [second_opinions.SecondOpinion.of(row) for row in rows]

    @strawberry.field(description="In the order they came in, at most 200.")
    async def uploads(
        self, info: Info
    ) -> list[Annotated["FileUpload", strawberry.lazy("schema.upload")]]:
        rows = await info.context.loaders.uploads_of_session.load(self.row.id)
        return [uploads.FileUpload.of(row) for row in rows]

    @strawberry.field(description="Newest first, at most 100.")
    async def handoffs(
        self, info: Info
    ) -> list[Annotated["Handoff", strawberry.lazy("schema.handoff")]]:
        rows = await info.context.loaders.handoffs_of_session.load(self.row.id)
        return [handoffs.Handoff.of(row) for row in rows]

    @strawberry.field(description="Null unless it waits in the queue.")
    async def open_handoff(
        self, info: Info
    ) -> Annotated["Handoff", strawberry.lazy("schema.handoff")] | None:
        row = await info.context.loaders.open_handoff_of_session.load(self.row.id)
        return None if row is None else handoffs.Handoff.of(row)

    @strawberry.field(
        deprecation_reason="Use handoffs. Kept for readers of the first queue; derived from the "
        "last escalation. Removal on 2027-11-23."
    )
    async def escalation_package(self, info: Info) -> EscalationPackage | None:
        rows = await info.context.loaders.handoffs_of_session.load(self.row.id)
        for row in rows:
            if row.intent is HandoffIntent.ESCALATE:
                return EscalationPackage(
                    handoff_id=strawberry.ID(node_id(Kind.HANDOFF, row.id)),
                    intent=row.intent,
                    engineer_notes=row.engineer_notes,
                    snapshot=handoffs.HandoffSnapshot.of(row.snapshot),
                )
        return None

    @strawberry.field(description="What happened, oldest first; `first` is 1 to 100.")
    async def timeline(
        self, info: Info, first: int = 50, after: str | None = None
    ) -> Annotated["EventConnection", strawberry.lazy("schema.timeline")]:
        return await timelines.of_session(info, self.row.id, first, after)

    @strawberry.field(
        description="As it was at an event: `cursor` is an event's, or an `eventCursor` read before. "
        "Null where the log does not hold the session's beginning up to there: it began later, or "
        "events were deleted for their age (`timeline.isComplete`)."
    )
    async def at(
        self, info: Info, cursor: str
    ) -> Annotated["SessionMoment", strawberry.lazy("schema.moment")] | None:
        newest = decode_cursor(info.context.actor.account_id, self.event_cursor)
        return await moments.at(info, self.row.id, cursor, newest or 0)

    @strawberry.field(
        description="All of it as a file, the secrets that are kept from models taken out of its texts."
    )
    def export(
        self, info: Info, form: Annotated[ExportFormat, strawberry.argument(name="format")]
    ) -> exports.SessionExport:
        return exports.export_of(info, self.row.id, form)

    @strawberry.field(
        description="Ticket notes, article and client summary, in this order; empty until it was resolved "
        "once."
    )
    async def resolution_outputs(
        self, info: Info
    ) -> list[Annotated["ResolutionOutput", strawberry.lazy("schema.output")]]:
        return await outputs.of_session(info, self.row.id)

    @strawberry.field
    def usage(self) -> TokenUsage:
        return TokenUsage.of(self.row)

    @strawberry.field(description="Time as ACTIVE, the running stretch included.")
    def active_seconds(self) -> int:
        return self.row.active_seconds + self._running(SessionStatus.ACTIVE)

    @strawberry.field(description="Time as PAUSED or ESCALATED, the running stretch included.")
    def parked_seconds(self) -> int:
        running = self._running(SessionStatus.PAUSED, SessionStatus.ESCALATED)
        return self.row.parked_seconds + running

    def _running(self, *statuses: SessionStatus) -> int:
        if self.status not in statuses:
            return 0
        return max(0, int((datetime.now(UTC) - self.row.status_changed_at).total_seconds()))

    async def _tree(self, info: Info) -> Tree:
        tree = self.tree or await info.context.loaders.trees.load(self.row.id)
        if tree is None:
            raise NotFound(self.id)
        return tree

    @classmethod
    def of(cls, view: SessionView) -> Self:
        row = view.row
        return cls(
            id=strawberry.ID(node_id(Kind.SESSION, row.id)),
            row=row,
            tree=view.tree,
            status=row.status,
            session_type=row.session_type,
            intake=Intake(
                type=row.intake_type, text=row.intake_content, reference=row.intake_reference
            ),
            problem_summary=row.problem_summary,
            problem_domain=row.problem_domain,
            confidence_tier=row.confidence_tier,
            psa_ticket_id=row.psa_ticket_id,
            resolution_summary=row.resolution_summary,
            is_branching=row.is_branching,
            branch_count=row.branch_count,
            handoff_count=row.handoff_count,
            event_cursor=encode_cursor(row.account_id, view.seq),
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
            resolved_at=row.resolved_at,
        )


def trunk_of(tree: Tree | None) -> "Branch":
    """Raises NotAtHand without a tree."""
    if tree is None:
        raise NotAtHand
    return branches.Branch.of(tree.root, tree)


async def load(info: Info, key: UUID) -> AiSession:
    """Raises NotFound."""
    view = await info.context.loaders.sessions.load(key)
    if view is None:
        raise NotFound(node_id(Kind.SESSION, key))
    return AiSession.of(view)
