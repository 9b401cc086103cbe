"""What the audit keeps of a change, and how it is written: in the transaction of the change.

Every event of a session is an entry by itself; what no session sees (sign-ins, members, keys) is
entered by its verb. No secret and no text of a message goes in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.audit import AuditAction, AuditEntry
from services import events
from services.events import DomainEvent
from services.ids import Kind, new_id, node_id
from services.origin import ADDRESS, request_id


@dataclass(frozen=True, slots=True)
class Change:
    field: str
    """As the API names it."""
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    action: AuditAction
    kind: Kind
    target_id: UUID
    session_id: UUID | None = None
    changes: tuple[Change, ...] = ()


OF_EVENT: Mapping[type[DomainEvent], tuple[AuditAction, Kind, str]] = {
    events.SessionStarted: (AuditAction.SESSION_STARTED, Kind.SESSION, "session_id"),
    events.SessionUpdated: (AuditAction.SESSION_UPDATED, Kind.SESSION, "session_id"),
    events.SessionStatusChanged: (
        AuditAction.SESSION_STATUS_CHANGED,
        Kind.SESSION,
        "session_id",
    ),
    events.BranchForked: (AuditAction.BRANCH_FORKED, Kind.FORK_POINT, "fork_point_id"),
    events.BranchSwitched: (AuditAction.BRANCH_SWITCHED, Kind.SESSION, "session_id"),
    events.BranchStatusChanged: (AuditAction.BRANCH_STATUS_CHANGED, Kind.BRANCH, "branch_id"),
    events.BranchUpdated: (AuditAction.BRANCH_UPDATED, Kind.BRANCH, "branch_id"),
    events.MessageAdded: (AuditAction.MESSAGE_ADDED, Kind.MESSAGE, "message_id"),
    events.MessageRestarted: (AuditAction.MESSAGE_RESTARTED, Kind.MESSAGE, "message_id"),
    events.MessageFinished: (AuditAction.MESSAGE_FINISHED, Kind.MESSAGE, "message_id"),
    events.FindingsChanged: (AuditAction.FINDINGS_CHANGED, Kind.BRANCH, "branch_id"),
    events.FindingMergeChanged: (AuditAction.FINDINGS_MERGED, Kind.FINDING_MERGE, "merge_id"),
    events.RevivalProposalChanged: (
        AuditAction.REVIVAL_PROPOSED,
        Kind.REVIVAL_PROPOSAL,
        "proposal_id",
    ),
    events.SecondOpinionChanged: (
        AuditAction.SECOND_OPINION_CHANGED,
        Kind.SECOND_OPINION,
        "opinion_id",
    ),
    events.UploadChanged: (AuditAction.FILE_CHANGED, Kind.UPLOAD, "upload_id"),
    events.ResolutionOutputChanged: (AuditAction.OUTPUT_WRITTEN, Kind.OUTPUT, "output_id"),
    events.DeliveryChanged: (AuditAction.DELIVERY_CHANGED, Kind.DELIVERY, "delivery_id"),
    events.HandoffCreated: (AuditAction.HANDOFF_CREATED, Kind.HANDOFF, "handoff_id"),
    events.HandoffUpdated: (AuditAction.HANDOFF_UPDATED, Kind.HANDOFF, "handoff_id"),
    events.HandoffClaimed: (AuditAction.HANDOFF_CLAIMED, Kind.HANDOFF, "handoff_id"),
    events.HandoffCancelled: (AuditAction.HANDOFF_CANCELLED, Kind.HANDOFF, "handoff_id"),
    events.HandoffReturned: (AuditAction.HANDOFF_RETURNED, Kind.HANDOFF, "handoff_id"),
    events.HandoffDue: (AuditAction.HANDOFF_DUE, Kind.HANDOFF, "handoff_id"),
    events.HandoffSlaChanged: (AuditAction.HANDOFF_SLA_CHANGED, Kind.HANDOFF, "handoff_id"),
}
"""What an event says was done, and which of its fields names what it was done to."""

CHANGING = {
    "state": ("state", None),
    "status": ("status", None),
    "assignee_id": ("assignee", Kind.USER),
    "branch_id": ("activeBranch", Kind.BRANCH),
    "sla_state": ("slaState", None),
}
"""Fields of events that have a `previous_` beside them: their names in the API, and of what kind
they are."""


def entry_of(event: DomainEvent, action: AuditAction | None, changes: Sequence[Change]) -> Entry:
    """`action` and `changes` say more exactly what the event only hints at."""
    usual, kind, target = OF_EVENT[type(event)]
    return Entry(
        action or usual,
        kind,
        getattr(event, target),
        event.session_id,
        (*_changes_in(event), *changes),
    )


def _changes_in(event: DomainEvent) -> Iterator[Change]:
    for field in fields(event):
        _, previous, name = field.name.rpartition("previous_")
        if not previous:
            continue
        before, after = getattr(event, field.name), getattr(event, name)
        if before != after:
            shown, kind = CHANGING[name]
            yield Change(shown, _shown(before, kind), _shown(after, kind))


def _shown(value: object, kind: Kind | None) -> str | None:
    if isinstance(value, UUID) and kind is not None:
        return node_id(kind, value)
    if isinstance(value, StrEnum):
        return value.name
    return None if value is None else str(value)


INSERT = insert(AuditEntry.__table__)  # type: ignore[arg-type]


async def append(
    db: AsyncConnection, account_id: UUID, actor_id: UUID | None, entries: Sequence[Entry]
) -> None:
    """`actor_id` is None for the assistant, and where nobody was signed in."""
    await db.execute(INSERT, [row_of(account_id, actor_id, entry) for entry in entries])


def row_of(account_id: UUID, actor_id: UUID | None, entry: Entry) -> dict[str, object]:
    return {
        "account_id": account_id,
        "id": new_id(),
        "action": entry.action,
        "actor_id": actor_id,
        "target_kind": entry.kind.value,
        "target_id": entry.target_id,
        "session_id": entry.session_id,
        "changes": [
            {"field": change.field, "before": change.before, "after": change.after}
            for change in entry.changes
        ],
        "request_id": request_id(),
        "address": ADDRESS.get(),
    }
