"""The tree: branches, the points where they left their parents, and why dead ones came back."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, of_session, one_of, refers_to
from models.session import CountsTokens


class BranchStatus(StrEnum):
    UNTRIED = "untried"
    ACTIVE = "active"
    DEAD_END = "dead_end"
    SOLVED = "solved"
    REVIVED = "revived"


class Branch(InAccount, CountsTokens, Base):
    """A hypothesis and its own messages; what it inherits is read through its ancestors.

    Message positions run through the lineage: a branch's own begin at fork_position + 1 and have no
    gap, so last_position is the length of the lineage and both counts cost nothing.
    """

    __tablename__ = "session_branches"

    if TYPE_CHECKING:
        is_active: bool
        """No column: whether the session's team works on it; services.tree.branch_rows adds it."""

    session_id: Mapped[UUID]
    parent_branch_id: Mapped[UUID | None]
    fork_point_id: Mapped[UUID | None]
    fork_position: Mapped[int] = mapped_column(server_default="0")
    last_position: Mapped[int] = mapped_column(server_default="0")
    depth: Mapped[int] = mapped_column(server_default="0")
    branch_order: Mapped[int] = mapped_column(server_default="1")
    last_child_order: Mapped[int] = mapped_column(server_default="0")
    label: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(String(500))
    status: Mapped[BranchStatus] = mapped_column(
        one_of(BranchStatus, "status"), server_default="active"
    )
    status_reason: Mapped[str | None]
    status_changed_at: Mapped[datetime | None]
    status_changed_by: Mapped[UUID | None]
    likelihood: Mapped[float | None]
    context_summary: Mapped[dict[str, Any] | None]
    """{tried: [str], concluded: str | null, artifacts: [str], updated_at: str}"""
    analysed_position: Mapped[int] = mapped_column(server_default="0")
    """Up to which message the findings and the summary take the conversation into account."""
    analysis_failure: Mapped[str | None]
    """Why they could not be brought up to date, in a sentence."""
    step_count: Mapped[int] = mapped_column(server_default="0")
    archived_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        of_session(),
        refers_to("session_id parent_branch_id", "session_branches session_id id"),
        refers_to(
            "session_id parent_branch_id fork_point_id",
            "fork_points session_id parent_branch_id id",
            deferred=True,
        ),
        refers_to("status_changed_by", "users id"),
        UniqueConstraint("account_id", "session_id", "id"),
        UniqueConstraint("account_id", "parent_branch_id", "branch_order"),
        CheckConstraint("branch_order > 0", name="branch_order"),
        CheckConstraint("(parent_branch_id IS NULL) = (depth = 0)", name="trunk_depth"),
        CheckConstraint("(parent_branch_id IS NULL) = (fork_point_id IS NULL)", name="fork_point"),
        CheckConstraint("last_position >= fork_position", name="positions"),
        CheckConstraint("likelihood BETWEEN 0 AND 1", name="likelihood"),
        CheckConstraint("status <> 'dead_end' OR status_reason IS NOT NULL", name="reason"),
        CheckConstraint(
            "parent_branch_id IS NOT NULL OR (status <> 'dead_end' AND archived_at IS NULL)",
            name="trunk_lives",
        ),
        Index(
            "uq_session_branches_trunk",
            "account_id",
            "session_id",
            unique=True,
            postgresql_where=text("parent_branch_id IS NULL"),
        ),
        Index(
            "uq_session_branches_label",
            "account_id",
            "parent_branch_id",
            # Alike in every locale, and no stricter than the check in services.branches. Eight bytes
            # stand for a label, for a fork writes several; no two below a parent share them by chance.
            text('hashtextextended(lower(label::text COLLATE "C"), 0::bigint)'),
            unique=True,
            postgresql_where=text("archived_at IS NULL"),
        ),
    )


class ForkPoint(InAccount, Base):
    """Where branches left their parent; its messages after `position` are not inherited."""

    __tablename__ = "fork_points"

    session_id: Mapped[UUID]
    parent_branch_id: Mapped[UUID]
    after_message_id: Mapped[UUID | None]
    position: Mapped[int]
    fork_reason: Mapped[str]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        of_session(),
        refers_to("session_id parent_branch_id", "session_branches session_id id", "CASCADE"),
        refers_to("session_id after_message_id", "branch_messages session_id id"),
        refers_to("created_by", "users id"),
        UniqueConstraint("account_id", "session_id", "parent_branch_id", "id"),
    )


class Revival(InAccount, Base):
    """Why a dead end came back, told by another branch. Every revival is kept."""

    __tablename__ = "branch_revivals"

    session_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    evidence_from_branch_id: Mapped[UUID]
    evidence_description: Mapped[str]
    dead_end_reason: Mapped[str | None]
    """As it stood when the branch came back; null for revivals from before it was kept."""
    dead_end_at: Mapped[datetime | None]
    revived_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        of_session(),
        refers_to("session_id branch_id", "session_branches session_id id", "CASCADE"),
        refers_to(
            "session_id evidence_from_branch_id", "session_branches session_id id", "CASCADE"
        ),
        refers_to("revived_by", "users id"),
        UniqueConstraint("account_id", "session_id", "id"),
        CheckConstraint("branch_id <> evidence_from_branch_id", name="other_branch"),
        Index("ix_branch_revivals_branch", "account_id", "branch_id"),
    )


class RevivalEvidence(Base):
    """The messages that speak for a revival, in the order they were given."""

    __tablename__ = "branch_revival_evidence"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    revival_id: Mapped[UUID] = mapped_column(primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    message_id: Mapped[UUID]

    __table_args__ = (
        refers_to("session_id revival_id", "branch_revivals session_id id", "CASCADE"),
        refers_to("session_id message_id", "branch_messages session_id id", "CASCADE"),
    )
