"""What the assistant makes of hypotheses: how likely each is, and which dead ends may be alive."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, of_session, one_of, refers_to


class Ranking(InAccount, Base):
    """How likely a hypothesis was held to be at a moment, and why. Every change is kept."""

    __tablename__ = "hypothesis_rankings"

    session_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    prior: Mapped[float | None]
    likelihood: Mapped[float]
    why: Mapped[str]
    next_check: Mapped[str | None]
    minutes: Mapped[int | None]
    """What the next check takes."""
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        of_session(),
        refers_to("session_id branch_id", "session_branches session_id id", "CASCADE"),
        CheckConstraint("prior BETWEEN 0 AND 1", name="prior"),
        CheckConstraint("likelihood BETWEEN 0 AND 1", name="likelihood"),
        CheckConstraint("minutes >= 0", name="minutes"),
        Index("ix_hypothesis_rankings_branch", "account_id", "branch_id", "id"),
    )


class RevivalProposalState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


class RevivalProposal(InAccount, Base):
    """A finding speaks against the reason of a dead end; a person decides what comes of it."""

    __tablename__ = "revival_proposals"

    session_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    """The dead end."""
    finding_id: Mapped[UUID]
    reason: Mapped[str]
    """Why the branch was given up, as it stood."""
    reason_message_id: Mapped[UUID | None]
    """The last thing said on it before that."""
    why: Mapped[str]
    state: Mapped[RevivalProposalState] = mapped_column(
        one_of(RevivalProposalState, "state"), server_default="open"
    )
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        of_session(),
        refers_to("session_id branch_id", "session_branches session_id id", "CASCADE"),
        refers_to("session_id finding_id", "findings session_id id", "CASCADE"),
        refers_to("session_id reason_message_id", "branch_messages session_id id", "CASCADE"),
        refers_to("decided_by", "users id"),
        UniqueConstraint("account_id", "branch_id", "finding_id"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
        Index("ix_revival_proposals_session", "account_id", "session_id"),
    )
