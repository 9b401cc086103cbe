"""A session put down and picked up, and the verbs of both."""

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Optional, Self
from uuid import UUID

import strawberry
from strawberry.types.field import StrawberryField

from models import handoff as models
from models.branch import BranchStatus
from models.handoff import ClaimEnd, Confidence, HandoffIntent, HandoffPriority, HandoffState
from models.session import ConfidenceTier, SessionStatus
from schema import account as accounts
from schema import branch as branches
from schema import delivery as deliveries
from schema import session as sessions
from schema.context import Info
from schema.errors import (
    HandoffTakenError,
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
)
from schema.node import Node
from schema.sla import HandoffSla
from services.errors import HandoffTaken, NotFound
from services.ids import Kind, node_id

if TYPE_CHECKING:
    from schema.account import User
    from schema.branch import Branch
    from schema.delivery import Delivery
    from schema.session import AiSession


@strawberry.type
class HandoffAssessment:
    text: str
    likely_cause: str
    suggested_steps: list[str]
    confidence: Confidence

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        return cls(**{**stored, "confidence": Confidence(stored["confidence"])})


@strawberry.type
class SnapshotBranch:
    id: strawberry.ID
    parent_id: strawberry.ID | None
    label: str
    status: BranchStatus
    status_reason: str | None

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        parent = stored["parent_branch_id"]
        return cls(
            id=branch_id(stored["id"]),
            parent_id=parent and branch_id(parent),
            label=stored["label"],
            status=BranchStatus(stored["status"]),
            status_reason=stored["status_reason"],
        )


@strawberry.type
class BranchStatusCount:
    status: BranchStatus
    count: int


@strawberry.type
class Artifact:
    name: str
    type: str
    reference: str


@strawberry.type(description="The session as it was when it was handed off.")
class HandoffSnapshot:
    problem_summary: str | None
    problem_domain: str | None
    status: SessionStatus
    confidence_tier: ConfidenceTier
    step_count: int
    active_branch_id: strawberry.ID
    notes_by_assistant: bool = strawberry.field(
        description="Whether the assistant completed notes that the engineer had left empty."
    )
    branch_map: list[SnapshotBranch] = strawberry.field(
        description="Parents before children, without archived ones; at most 1,000."
    )
    status_counts: list[BranchStatusCount] = strawberry.field(
        description="How many hypotheses of `branchMap` had each status, without the trunk; a status that "
        "none had is left out."
    )
    next_step: str | None
    waiting_on: str | None
    watch_out: list[str] = strawberry.field(description="At most 10.")
    artifacts: list[Artifact]

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        return cls(
            problem_summary=stored["problem_summary"],
            problem_domain=stored["problem_domain"],
            status=SessionStatus(stored["status"]),
            confidence_tier=ConfidenceTier(stored["confidence_tier"]),
            step_count=stored["step_count"],
            active_branch_id=branch_id(stored["active_branch_id"]),
            notes_by_assistant=stored["notes_by_assistant"],
            branch_map=[SnapshotBranch.of(branch) for branch in stored["branch_map"]],
            status_counts=_status_counts(stored["branch_map"]),
            next_step=stored["next_step"],
            waiting_on=stored["waiting_on"],
            watch_out=stored["watch_out"],
            artifacts=[Artifact(**artifact) for artifact in stored["artifacts"]],
        )


def _status_counts(branch_map: list[dict[str, Any]]) -> list[BranchStatusCount]:
    counts = Counter(branch["status"] for branch in branch_map if branch["parent_branch_id"])
    return [
        BranchStatusCount(status=status, count=counts[status.value])
        for status in BranchStatus
        if counts[status.value]
    ]


def branch_id(stored: str) -> strawberry.ID:
    return strawberry.ID(node_id(Kind.BRANCH, UUID(stored)))


@strawberry.type
class Handoff(Node):
    row: strawberry.Private[models.Handoff]
    state: HandoffState
    intent: HandoffIntent
    priority: HandoffPriority
    engineer_notes: str | None
    briefing: str | None = strawberry.field(
        description="For whoever takes over, in plain language; null until ready."
    )
    preparation_failure: str | None = strawberry.field(
        description="Why assessment and briefing could not be written, in a sentence; "
        "`retryHandoffPreparation` asks again. Null: they were, or still may be."
    )
    claimed_at: datetime | None
    lease_expires_at: datetime | None = strawberry.field(
        description="When the session goes back into the queue unless the claimer shows a sign of life: a "
        "write in it, or `heartbeatHandoff`. Null: nobody holds it, or for as long as they like."
    )
    claim_ended_at: datetime | None = strawberry.field(
        description="Until when the claimer held it. Null: not claimed, or still held."
    )
    claim_end: ClaimEnd | None = strawberry.field(description="Null as `claimEndedAt` is.")
    waiting_since: datetime = strawberry.field(
        description="When the first of those was made that this one continues; the queue's order."
    )
    wake_at: datetime | None = strawberry.field(
        description="When what was parked is due again. Null: at no certain time."
    )
    is_due: bool = strawberry.field(description="Whether `wakeAt` has come while it waited.")
    notification_sent: bool = strawberry.field(
        description="Whether colleagues were mailed that it waits: an escalation that nobody claimed "
        "within 90 seconds, where the account has an SMTP integration."
    )
    version: int
    created_at: datetime

    @strawberry.field
    async def session(
        self, info: Info
    ) -> Annotated["AiSession", strawberry.lazy("schema.session")]:
        return await sessions.load(info, self.row.session_id)

    @strawberry.field
    async def handed_off_by(
        self, info: Info
    ) -> Annotated["User", strawberry.lazy("schema.account")]:
        return await accounts.load_user(info, self.row.handed_off_by)

    @strawberry.field(description="What the team worked on at that moment.")
    async def source_branch(
        self, info: Info
    ) -> Annotated["Branch", strawberry.lazy("schema.branch")] | None:
        return await branches.load(info, self.row.source_branch_id)

    @strawberry.field(
        description="The session as it was at that moment. Only notes the engineer left empty may "
        "be completed, once, by the assistant."
    )
    def snapshot(self) -> HandoffSnapshot:
        return HandoffSnapshot.of(self.row.snapshot)

    @strawberry.field(
        description="For escalations, written by the assistant; null until ready or if that failed."
    )
    def assessment(self) -> HandoffAssessment | None:
        return HandoffAssessment.of(self.row.assessment) if self.row.assessment else None

    @strawberry.field
    async def claimed_by(
        self, info: Info
    ) -> Annotated["User", strawberry.lazy("schema.account")] | None:
        key = self.row.claimed_by
        return None if key is None else await accounts.load_user(info, key)

    @strawberry.field(description="Notes of it on tickets, newest first, at most 100.")
    async def deliveries(
        self, info: Info
    ) -> list[Annotated["Delivery", strawberry.lazy("schema.delivery")]]:
        rows = await info.context.loaders.deliveries_of_handoff.load(self.row.id)
        return [deliveries.Delivery.of(row) for row in rows]

    @strawberry.field(
        description="The one that this one continues: its claimer let the lease run out, or gave the "
        "session back. Null: it is the first."
    )
    async def returned_from(self, info: Info) -> Optional["Handoff"]:
        key = self.row.returned_from
        return None if key is None else await load(info, key)

    @strawberry.field(
        description="Since `waitingSince`, up to now, or until it was claimed or cancelled."
    )
    def waiting_seconds(self) -> int:
        until = self.row.closed_at or datetime.now(UTC)
        return max(0, int((until - self.waiting_since).total_seconds()))

    @strawberry.field(
        description="Null: no time runs, because it is parked and not due, or was handed off before "
        "there were targets."
    )
    def sla(self) -> HandoffSla | None:
        return HandoffSla.of(self.row)

    @classmethod
    def of(cls, row: models.Handoff) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.HANDOFF, row.id)),
            row=row,
            state=row.state,
            intent=row.intent,
            priority=row.priority,
            engineer_notes=row.engineer_notes,
            briefing=row.briefing,
            preparation_failure=row.preparation_failure,
            claimed_at=row.claimed_at,
            lease_expires_at=None if row.claim_ended_at else row.lease_expires_at,
            claim_ended_at=row.claim_ended_at,
            claim_end=row.claim_end,
            waiting_since=row.waiting_since,
            wake_at=row.wake_at,
            is_due=row.woken_at is not None,
            notification_sent=row.notification_sent,
            version=row.version,
            created_at=row.created_at,
        )


async def load(info: Info, key: UUID) -> Handoff:
    """Raises NotFound."""
    row = await info.context.loaders.handoffs.load(key)
    if row is None:
        raise NotFound(node_id(Kind.HANDOFF, key))
    return Handoff.of(row)


class HandoffTakenHandler(strawberry.ExceptionHandler[HandoffTaken, HandoffTakenError]):
    async def handle(
        self, exception: HandoffTaken, *, field: StrawberryField, info: Info
    ) -> HandoffTakenError:
        handoff = await load(info, exception.handoff_id)
        return HandoffTakenError(message=exception.message, handoff=handoff)


# ---------------------------------------------------------------- inputs and results


@strawberry.input
class HandOffSessionInput:
    idempotency_key: UUID
    session_id: strawberry.ID
    intent: HandoffIntent
    engineer_notes: str | None = strawberry.field(
        default=None, description="At most 4,000 characters."
    )
    priority: HandoffPriority = strawberry.field(
        default=HandoffPriority.NORMAL, description="Escalations only."
    )
    next_step: str | None = strawberry.field(default=None, description="At most 1,000 characters.")
    waiting_on: str | None = strawberry.field(default=None, description="At most 1,000 characters.")
    watch_out: list[str] = strawberry.field(
        default_factory=list, description="At most 10, each at most 500 characters."
    )
    wake_at: datetime | None = strawberry.field(
        default=None, description="Parks only: when it is due again; in the future, within a year."
    )


@strawberry.type
class HandOffSessionSuccess:
    handoff: Handoff
    session: Annotated["AiSession", strawberry.lazy("schema.session")]


HandOffSessionResult = Annotated[
    HandOffSessionSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError,
    strawberry.union("HandOffSessionResult"),
]


@strawberry.input
class ClaimHandoffInput:
    handoff_id: strawberry.ID


@strawberry.type
class ClaimHandoffSuccess:
    handoff: Handoff
    session: Annotated["AiSession", strawberry.lazy("schema.session")]


ClaimHandoffResult = Annotated[
    ClaimHandoffSuccess
    | NotFoundError
    | PermissionDeniedError
    | HandoffTakenError
    | InvalidTransitionError,
    strawberry.union("ClaimHandoffResult"),
]


@strawberry.input
class CancelHandoffInput:
    handoff_id: strawberry.ID


@strawberry.type
class CancelHandoffSuccess:
    handoff: Handoff
    session: Annotated["AiSession", strawberry.lazy("schema.session")]


CancelHandoffResult = Annotated[
    CancelHandoffSuccess | NotFoundError | PermissionDeniedError | InvalidTransitionError,
    strawberry.union("CancelHandoffResult"),
]
