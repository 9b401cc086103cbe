"""What happens, as the event log stores it: facts and ids, frozen.

`session_id` is a column of the log; the other fields become its payload. Objects are loaded when
the event is read, so they show their current state; scalars here show the state as of the event.
"""

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DomainEvent:
    session_id: UUID

    def payload(self) -> dict[str, Any]:
        return {
            field.name: _plain(getattr(self, field.name))
            for field in fields(self)
            if field.name != "session_id"
        }


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class SessionStarted(DomainEvent):
    status: str
    assignee_id: UUID
    team_id: UUID | None


@dataclass(frozen=True, slots=True)
class SessionUpdated(DomainEvent):
    """Summary, domain, confidence, assignee or ticket."""

    status: str
    assignee_id: UUID
    previous_assignee_id: UUID
    team_id: UUID | None


@dataclass(frozen=True, slots=True)
class SessionStatusChanged(DomainEvent):
    previous_status: str
    status: str
    assignee_id: UUID
    team_id: UUID | None


@dataclass(frozen=True, slots=True)
class BranchForked(DomainEvent):
    """`labels` and `likelihoods` are those of the branches, as they were made."""

    fork_point_id: UUID
    branch_ids: tuple[UUID, ...]
    labels: tuple[str, ...]
    likelihoods: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class BranchSwitched(DomainEvent):
    previous_branch_id: UUID
    branch_id: UUID


@dataclass(frozen=True, slots=True)
class BranchStatusChanged(DomainEvent):
    branch_id: UUID
    previous_status: str
    status: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class BranchUpdated(DomainEvent):
    """Renamed, archived, restored, summarised, ranked. What is None did not change."""

    branch_id: UUID
    label: str | None = None
    archived: bool | None = None
    likelihood: float | None = None


@dataclass(frozen=True, slots=True)
class MessageAdded(DomainEvent):
    branch_id: UUID
    message_id: UUID


@dataclass(frozen=True, slots=True)
class MessageRestarted(DomainEvent):
    """Pending again, after a retry."""

    branch_id: UUID
    message_id: UUID


@dataclass(frozen=True, slots=True)
class MessageFinished(DomainEvent):
    """Complete, failed or cancelled."""

    branch_id: UUID
    message_id: UUID


@dataclass(frozen=True, slots=True)
class FindingsChanged(DomainEvent):
    """Made on the branch, or withdrawn."""

    branch_id: UUID
    finding_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class FindingMergeChanged(DomainEvent):
    """Made, or undone."""

    merge_id: UUID


@dataclass(frozen=True, slots=True)
class RevivalProposalChanged(DomainEvent):
    """Made, or decided."""

    proposal_id: UUID


@dataclass(frozen=True, slots=True)
class SecondOpinionChanged(DomainEvent):
    """Asked for, given or failed."""

    opinion_id: UUID


@dataclass(frozen=True, slots=True)
class UploadChanged(DomainEvent):
    """Brought in, taken over by a session, or on its way to being described."""

    upload_id: UUID


@dataclass(frozen=True, slots=True)
class ResolutionOutputChanged(DomainEvent):
    """Asked for, written or failed, edited, judged."""

    output_id: UUID


@dataclass(frozen=True, slots=True)
class DeliveryChanged(DomainEvent):
    """Queued, tried, delivered or given up. A try that is followed by another leaves it as it is."""

    delivery_id: UUID
    previous_state: str | None
    state: str


@dataclass(frozen=True, slots=True)
class HandoffEvent(DomainEvent):
    """What a queue filters by travels along, as it was."""

    handoff_id: UUID
    intent: str
    priority: str
    team_id: UUID | None
    domain: str | None
    sla_state: str | None
    is_due: bool


@dataclass(frozen=True, slots=True)
class HandoffCreated(HandoffEvent):
    pass


@dataclass(frozen=True, slots=True)
class HandoffUpdated(HandoffEvent):
    pass


@dataclass(frozen=True, slots=True)
class HandoffClaimed(HandoffEvent):
    pass


@dataclass(frozen=True, slots=True)
class HandoffCancelled(HandoffEvent):
    pass


@dataclass(frozen=True, slots=True)
class HandoffReturned(HandoffEvent):
    """Its claim has ended and another handoff continues it, which is created next."""

    claim_end: str


@dataclass(frozen=True, slots=True)
class HandoffDue(HandoffEvent):
    """What was parked wakes up."""


@dataclass(frozen=True, slots=True)
class HandoffSlaChanged(HandoffEvent):
    previous_sla_state: str
