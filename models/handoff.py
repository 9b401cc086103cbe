"""A session put down: parked, or escalated to whoever claims it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, of_session, one_of, refers_to


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
    claimed_by: Mapped[UUID | None]
    claimed_at: Mapped[datetime | None]
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
        UniqueConstraint("account_id", "session_id", "id"),
        CheckConstraint("intent = 'escalate' OR priority = 'normal'", name="priority"),
        CheckConstraint("(state = 'claimed') = (claimed_by IS NOT NULL)", name="claimed"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed"),
        Index("ix_session_handoffs_session", "account_id", "session_id", "created_at"),
        Index(
            "uq_session_handoffs_open",
            "account_id",
            "session_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "ix_session_handoffs_queue",
            "account_id",
            text("(priority = 'elevated') DESC"),
            "created_at",
            "id",
            postgresql_where=text("state = 'open'"),
        ),
    )
