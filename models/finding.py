"""What a session established, with the messages that carry it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, of_session, one_of, refers_to


class FindingKind(StrEnum):
    OBSERVED = "observed"
    RULED_OUT = "ruled_out"
    CONFIRMED = "confirmed"


class Finding(InAccount, Base):
    __tablename__ = "findings"

    session_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    kind: Mapped[FindingKind] = mapped_column(one_of(FindingKind, "kind"))
    claim: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

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
