"""A session put down: parked, or escalated to whoever claims it; and how long it is held then."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, of_session, one_of, refers_to
from models.sla import SlaState


class HandoffIntent(StrEnum):
    PARK = "park"
    ESCALATE = "escalate"


class HandoffPriority(StrEnum):
    NORMAL = "normal"
    ELEVATED = "elevated"


class HandoffState(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"
    CANCELLED = "cancelled"


class ClaimEnd(StrEnum):
    """Why somebody holds a session no more."""

    EXPIRED = "expired"
    RELEASED = "released"
    REASSIGNED = "reassigned"
    HANDED_OFF = "handed_off"
    SESSION_ENDED = "session_ended"


class Confidence(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Handoff(InAccount, Base):
    __tablename__ = "session_handoffs"

    session_id: Mapped[UUID]
    state: Mapped[HandoffState] = mapped_column(
        one_of(HandoffState, "state"), server_default="open"
    )
    intent: Mapped[HandoffIntent] = mapped_column(one_of(HandoffIntent, "intent"))
    priority: Mapped[HandoffPriority] = mapped_column(
        one_of(HandoffPriority, "priority"), server_default="normal"
    )
    handed_off_by: Mapped[UUID]
    source_branch_id: Mapped[UUID]
    engineer_notes: Mapped[str | None] = mapped_column(String(4000))
    snapshot: Mapped[dict[str, Any]]
    """The session as it was: see services.handoffs.snapshot for its shape."""
    assessment: Mapped[dict[str, Any] | None]
    """{text, likely_cause, suggested_steps: [str], confidence: low | medium | high}"""
    briefing: Mapped[str | None]
    preparation_failure: Mapped[str | None]
    """Why the assistant could not write assessment and briefing; null while it may still."""
    claimed_by: Mapped[UUID | None]
    claimed_at: Mapped[datetime | None]
    claimed_from: Mapped[UUID | None]
    """Whose the session was before: it is theirs again when it comes back into the queue."""
    lease: Mapped[timedelta | None]
    """For how long each sign of life of the claimer is good; None: the claim does not run out."""
    lease_expires_at: Mapped[datetime | None]
    claim_ended_at: Mapped[datetime | None]
    """None while it is claimed and held; at most one handoff of a session is."""
    claim_end: Mapped[ClaimEnd | None] = mapped_column(one_of(ClaimEnd, "claim_end"))
    returned_from: Mapped[UUID | None]
    """The handoff that this one continues, after its claim ran out or was given back."""
    waiting_since: Mapped[datetime] = mapped_column(server_default=text("now()"))
    """When the first of those that this one continues was made."""
    wake_at: Mapped[datetime | None]
    woken_at: Mapped[datetime | None]
    sla_state: Mapped[SlaState | None] = mapped_column(one_of(SlaState, "sla_state"))
    """As it was told last. None for what is parked: its time begins when it is woken."""
    sla_at_risk_at: Mapped[datetime | None]
    sla_due_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    """When it was claimed or cancelled: where its waiting ends."""
    notification_sent: Mapped[bool] = mapped_column(server_default=text("false"))
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        of_session(),
        refers_to("session_id source_branch_id", "session_branches session_id id", "CASCADE"),
        refers_to("handed_off_by", "users id"),
        refers_to("claimed_by", "users id"),
        refers_to("claimed_from", "users id"),
        refers_to("session_id returned_from", "session_handoffs session_id id", "CASCADE"),
        UniqueConstraint("account_id", "session_id", "id"),
        CheckConstraint("intent = 'escalate' OR priority = 'normal'", name="priority"),
        CheckConstraint("(state = 'claimed') = (claimed_by IS NOT NULL)", name="claimed"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed"),
        CheckConstraint(
            "(claim_ended_at IS NULL) = (claim_end IS NULL) "
            "AND (claim_ended_at IS NULL OR state = 'claimed')",
            name="claim_ended",
        ),
        CheckConstraint(
            "(lease IS NULL) = (lease_expires_at IS NULL) AND (lease IS NULL OR state = 'claimed')",
            name="lease",
        ),
        CheckConstraint("wake_at IS NULL OR intent = 'park'", name="wake"),
        CheckConstraint("woken_at IS NULL OR wake_at IS NOT NULL", name="woken"),
        CheckConstraint(
            "(sla_state IS NULL) = (sla_due_at IS NULL) "
            "AND (sla_at_risk_at IS NULL) = (sla_due_at IS NULL)",
            name="sla",
        ),
        Index("ix_session_handoffs_session", "account_id", "session_id", "created_at"),
        Index(
            "uq_session_handoffs_open",
            "account_id",
            "session_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "uq_session_handoffs_held",
            "account_id",
            "session_id",
            unique=True,
            postgresql_where=text("state = 'claimed' AND claim_ended_at IS NULL"),
        ),
        Index(
            "uq_session_handoffs_returned",
            "account_id",
            "returned_from",
            unique=True,
            postgresql_where=text("returned_from IS NOT NULL"),
        ),
        Index(
            "ix_session_handoffs_queue",
            "account_id",
            text("(priority <> 'elevated')"),
            "waiting_since",
            "id",
            postgresql_where=text("state = 'open'"),
        ),
    )
