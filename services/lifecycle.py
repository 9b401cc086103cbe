"""The state machines, as data. What is not listed is refused."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from models.branch import BranchStatus
from models.delivery import DeliveryState
from models.handoff import HandoffState
from models.message import MessageState
from models.output import ResolutionOutputStatus
from models.session import SessionStatus
from services.errors import InvalidTransition

S = TypeVar("S", bound=StrEnum)

MARKABLE: Mapping[BranchStatus, frozenset[BranchStatus]] = {
    BranchStatus.UNTRIED: frozenset({BranchStatus.DEAD_END}),
    BranchStatus.ACTIVE: frozenset({BranchStatus.DEAD_END, BranchStatus.SOLVED}),
    BranchStatus.REVIVED: frozenset({BranchStatus.DEAD_END, BranchStatus.SOLVED}),
    BranchStatus.DEAD_END: frozenset(),
    BranchStatus.SOLVED: frozenset({BranchStatus.ACTIVE}),
}
"""What `markBranchStatus` may do. The other moves belong to verbs of their own: a switch or the
first message makes UNTRIED active, the first message makes REVIVED active, `reviveBranch` alone
brings a DEAD_END back."""

OPEN_BRANCH = frozenset({BranchStatus.UNTRIED, BranchStatus.ACTIVE, BranchStatus.REVIVED})
"""Takes messages and forks."""

SESSION: Mapping[SessionStatus, frozenset[SessionStatus]] = {
    SessionStatus.ACTIVE: frozenset(
        {
            SessionStatus.PAUSED,
            SessionStatus.ESCALATED,
            SessionStatus.RESOLVED,
            SessionStatus.ABANDONED,
        }
    ),
    SessionStatus.PAUSED: frozenset(
        {SessionStatus.ACTIVE, SessionStatus.RESOLVED, SessionStatus.ABANDONED}
    ),
    SessionStatus.ESCALATED: frozenset(
        {SessionStatus.ACTIVE, SessionStatus.RESOLVED, SessionStatus.ABANDONED}
    ),
    SessionStatus.RESOLVED: frozenset({SessionStatus.ACTIVE}),
    SessionStatus.ABANDONED: frozenset({SessionStatus.ACTIVE}),
}

WORKABLE = frozenset({SessionStatus.ACTIVE, SessionStatus.PAUSED, SessionStatus.ESCALATED})
"""Its tree may change; RESOLVED and ABANDONED must be reopened first."""

HANDOFF: Mapping[HandoffState, frozenset[HandoffState]] = {
    HandoffState.OPEN: frozenset({HandoffState.CLAIMED, HandoffState.CANCELLED}),
    HandoffState.CLAIMED: frozenset(),
    HandoffState.CANCELLED: frozenset(),
}

OUTPUT: Mapping[ResolutionOutputStatus, frozenset[ResolutionOutputStatus]] = {
    ResolutionOutputStatus.GENERATING: frozenset(
        {
            ResolutionOutputStatus.GENERATING,
            ResolutionOutputStatus.DRAFT,
            ResolutionOutputStatus.FAILED,
        }
    ),
    ResolutionOutputStatus.DRAFT: frozenset(
        {
            ResolutionOutputStatus.GENERATING,
            ResolutionOutputStatus.DRAFT,
            ResolutionOutputStatus.APPROVED,
            ResolutionOutputStatus.REJECTED,
        }
    ),
    ResolutionOutputStatus.APPROVED: frozenset(
        {
            ResolutionOutputStatus.GENERATING,
            ResolutionOutputStatus.DRAFT,
            ResolutionOutputStatus.PUSHED,
        }
    ),
    ResolutionOutputStatus.REJECTED: frozenset(
        {ResolutionOutputStatus.GENERATING, ResolutionOutputStatus.DRAFT}
    ),
    ResolutionOutputStatus.PUSHED: frozenset(
        {
            ResolutionOutputStatus.GENERATING,
            ResolutionOutputStatus.DRAFT,
            ResolutionOutputStatus.PUSHED,
        }
    ),
    ResolutionOutputStatus.FAILED: frozenset(
        {ResolutionOutputStatus.GENERATING, ResolutionOutputStatus.DRAFT}
    ),
}
"""An edit makes a DRAFT of what is not being written; what was APPROVED may be pushed more than once."""

MESSAGE: Mapping[MessageState, frozenset[MessageState]] = {
    MessageState.PENDING: frozenset(
        {MessageState.STREAMING, MessageState.FAILED, MessageState.CANCELLED}
    ),
    MessageState.STREAMING: frozenset(
        {MessageState.COMPLETE, MessageState.FAILED, MessageState.CANCELLED}
    ),
    MessageState.COMPLETE: frozenset(),
    MessageState.FAILED: frozenset({MessageState.PENDING}),
    MessageState.CANCELLED: frozenset({MessageState.PENDING}),
}

DELIVERY: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.QUEUED: frozenset({DeliveryState.SENDING}),
    DeliveryState.SENDING: frozenset({DeliveryState.DELIVERED, DeliveryState.FAILED}),
    DeliveryState.DELIVERED: frozenset(),
    DeliveryState.TAKEN: frozenset(),
    DeliveryState.FAILED: frozenset({DeliveryState.QUEUED}),
}
"""However often it is tried, it is SENDING until it has arrived or was given up."""

UNFINISHED = frozenset({MessageState.PENDING, MessageState.STREAMING})

RETRYABLE = frozenset({MessageState.FAILED, MessageState.CANCELLED})


def require_transition(table: Mapping[S, frozenset[S]], source: S, target: S, message: str) -> None:
    """Raises InvalidTransition with what would be allowed instead."""
    if target not in table[source]:
        raise InvalidTransition(
            message,
            source=source.name,
            target=target.name,
            allowed=sorted(state.name for state in table[source]),
        )
