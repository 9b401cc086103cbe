"""What a session established, with the messages that carry it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, of_session, one_of, refers_to


class FindingKind(StrEnum):
    OBSERVED = "observed"
    RULED_OUT = "ruled_out"
    CONFIRMED = "confirmed"


class Bearing(StrEnum):
    """What a finding says about a hypothesis."""

    EXPLAINS = "explains"
    CONTRADICTS = "contradicts"
    NEUTRAL = "neutral"


class Finding(InAccount, Base):
    __tablename__ = "findings"

    session_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    kind: Mapped[FindingKind] = mapped_column(one_of(FindingKind, "kind"))
    claim: Mapped[str]
    subject: Mapped[str] = mapped_column(String(100), server_default="")
    """What it is about, in a few words."""
    position: Mapped[int] = mapped_column(server_default="0")
    """In the lineage, of the last message that carries it: a branch that forked before it did not
    inherit it.
    """
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    withdrawn_at: Mapped[datetime | None]
    """Since when it no longer holds; kept for the record, and told to nobody who reasons with it."""

    __table_args__ = (
        of_session(),
        refers_to("session_id branch_id", "session_branches session_id id", "CASCADE"),
        UniqueConstraint("account_id", "session_id", "id"),
        Index("ix_findings_branch", "account_id", "branch_id"),
    )


class FindingEvidence(Base):
    __tablename__ = "finding_evidence"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    finding_id: Mapped[UUID] = mapped_column(primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    message_id: Mapped[UUID]

    __table_args__ = (
        refers_to("session_id finding_id", "findings session_id id", "CASCADE"),
        refers_to("session_id message_id", "branch_messages session_id id", "CASCADE"),
    )


class FindingBearing(Base):
    """A cell of the rule-out matrix."""

    __tablename__ = "finding_bearings"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    finding_id: Mapped[UUID] = mapped_column(primary_key=True)
    branch_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The hypothesis."""
    session_id: Mapped[UUID]
    bearing: Mapped[Bearing] = mapped_column(one_of(Bearing, "bearing"))

    __table_args__ = (
        refers_to("session_id finding_id", "findings session_id id", "CASCADE"),
        refers_to("session_id branch_id", "session_branches session_id id", "CASCADE"),
        Index("ix_finding_bearings_session", "account_id", "session_id"),
    )


class FindingMerge(InAccount, Base):
    """Findings of other branches, brought into one. Taking it back keeps the record."""

    __tablename__ = "finding_merges"

    session_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    """Which they were brought into."""
    merged_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UUID | None]

    __table_args__ = (
        of_session(),
        refers_to("session_id branch_id", "session_branches session_id id", "CASCADE"),
        refers_to("merged_by", "users id"),
        refers_to("undone_by", "users id"),
        UniqueConstraint("account_id", "session_id", "id"),
        CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone"),
        Index("ix_finding_merges_branch", "account_id", "branch_id"),
    )


class MergedFinding(Base):
    __tablename__ = "merged_findings"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    merge_id: Mapped[UUID] = mapped_column(primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    finding_id: Mapped[UUID]

    __table_args__ = (
        refers_to("session_id merge_id", "finding_merges session_id id", "CASCADE"),
        refers_to("session_id finding_id", "findings session_id id", "CASCADE"),
    )
