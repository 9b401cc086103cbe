"""A troubleshooting session and the steps of its guided diagnosis."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    String,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, in_account, of_session, one_of, refers_to


class SessionStatus(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    ABANDONED = "abandoned"


class SessionType(StrEnum):
    GUIDED = "guided"
    CHAT = "chat"


class IntakeType(StrEnum):
    FREE_TEXT = "free_text"
    PSA_TICKET = "psa_ticket"
    ALERT = "alert"
    UPLOAD = "upload"


class ConfidenceTier(StrEnum):
    DISCOVERY = "discovery"
    GUIDED = "guided"
    CONFIDENT = "confident"


class StepType(StrEnum):
    INTAKE_ANALYSIS = "intake_analysis"
    QUESTION = "question"
    ACTION = "action"
    VERIFICATION = "verification"
    INFO_REQUEST = "info_request"
    SCRIPT_GENERATION = "script_generation"
    NOTE = "note"
    FORK = "fork"


class CountsTokens:
    """What the model read and wrote; cache_read and cache_write are parts of its input."""

    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")


class AiSession(InAccount, CountsTokens, Base):
    """One client problem. Its row is the lock under which its tree changes."""

    __tablename__ = "ai_sessions"

    session_type: Mapped[SessionType] = mapped_column(one_of(SessionType, "session_type"))
    intake_type: Mapped[IntakeType] = mapped_column(one_of(IntakeType, "intake_type"))
    intake_content: Mapped[str]
    intake_reference: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[SessionStatus] = mapped_column(
        one_of(SessionStatus, "status"), server_default="active"
    )
    status_changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    confidence_tier: Mapped[ConfidenceTier] = mapped_column(
        one_of(ConfidenceTier, "confidence_tier"), server_default="discovery"
    )
    problem_summary: Mapped[str | None]
    problem_domain: Mapped[str | None] = mapped_column(String(100))
    resolution_summary: Mapped[str | None]
    opened_by: Mapped[UUID]
    assignee_id: Mapped[UUID]
    assignment_note: Mapped[str | None] = mapped_column(String(2000))
    """What the lead wrote who gave it to the assignee."""
    team_id: Mapped[UUID | None]
    psa_ticket_id: Mapped[str | None] = mapped_column(String(100))
    integration_id: Mapped[UUID | None]
    is_branching: Mapped[bool] = mapped_column(server_default=text("false"))
    active_branch_id: Mapped[UUID]
    branch_count: Mapped[int] = mapped_column(server_default="1")
    """All branches, the trunk and the archived ones included."""
    hypothesis_count: Mapped[int] = mapped_column(server_default="0")
    """What plans limit: branches that are neither the trunk nor archived."""
    step_count: Mapped[int] = mapped_column(server_default="0")
    handoff_count: Mapped[int] = mapped_column(server_default="0")
    active_seconds: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Up to status_changed_at; the running stretch is added when read. So is parked_seconds."""
    parked_seconds: Mapped[int] = mapped_column(BigInteger, server_default="0")
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    resolved_at: Mapped[datetime | None]

    __table_args__ = (
        in_account(),
        refers_to("opened_by", "users id"),
        refers_to("assignee_id", "users id"),
        refers_to("team_id", "teams id"),
        refers_to("integration_id", "integrations id"),
        refers_to("id active_branch_id", "session_branches session_id id", deferred=True),
        CheckConstraint("char_length(intake_content) BETWEEN 1 AND 20000", name="intake_length"),
        CheckConstraint("hypothesis_count BETWEEN 0 AND branch_count - 1", name="branch_counts"),
        Index("ix_ai_sessions_newest", "account_id", "created_at", "id"),
        Index("ix_ai_sessions_assignee", "account_id", "assignee_id", "created_at"),
        Index("ix_ai_sessions_team", "account_id", "team_id", "created_at"),
        Index(
            "ix_ai_sessions_search",
            literal_column(
                "to_tsvector('english'::regconfig, "
                "(COALESCE(problem_summary, ''::text) || ' '::text) || intake_content)"
            ),
            postgresql_using="gin",
        ),
    )


class Step(InAccount, Base):
    """One move of the guided diagnosis; `content` has the shape that its step_type names."""

    __tablename__ = "ai_session_steps"

    session_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    message_id: Mapped[UUID | None]
    step_order: Mapped[int]
    step_type: Mapped[StepType] = mapped_column(one_of(StepType, "step_type"))
    content: Mapped[dict[str, Any]]
    confidence_at_step: Mapped[float | None]
    is_fork_point: Mapped[bool] = mapped_column(server_default=text("false"))
    fork_point_id: Mapped[UUID | None]
    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        of_session(),
        refers_to("session_id branch_id", "session_branches session_id id", "CASCADE"),
        refers_to("session_id message_id", "branch_messages session_id id"),
        refers_to(
            "session_id branch_id fork_point_id", "fork_points session_id parent_branch_id id"
        ),
        UniqueConstraint("account_id", "session_id", "step_order"),
        UniqueConstraint("account_id", "session_id", "id"),
        CheckConstraint("step_order > 0", name="step_order"),
        CheckConstraint("confidence_at_step BETWEEN 0 AND 1", name="confidence"),
        Index("ix_ai_session_steps_branch", "account_id", "branch_id", "fork_point_id"),
        Index(
            "ix_ai_session_steps_message",
            "account_id",
            "message_id",
            postgresql_where=text("message_id IS NOT NULL"),
        ),
    )
