"""What somebody says who was told the observations alone."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, of_session, one_of, refers_to


class SecondOpinionState(StrEnum):
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class SecondOpinion(InAccount, Base):
    __tablename__ = "second_opinions"

    session_id: Mapped[UUID]
    state: Mapped[SecondOpinionState] = mapped_column(
        one_of(SecondOpinionState, "state"), server_default="pending"
    )
    leading_branch_id: Mapped[UUID | None]
    """The hypothesis that was held to be the likeliest when it was asked for; it was not told of it."""
    observation_count: Mapped[int] = mapped_column(server_default="0")
    opinion: Mapped[dict[str, Any] | None]
    """{likely_cause, reasoning, alternatives: [str], suggested_steps: [str], confidence}"""
    model: Mapped[str | None] = mapped_column(String(100))
    failure: Mapped[str | None]
    requested_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        of_session(),
        refers_to("session_id leading_branch_id", "session_branches session_id id", "CASCADE"),
        refers_to("requested_by", "users id"),
        CheckConstraint("(state = 'ready') = (opinion IS NOT NULL)", name="opinion"),
        CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failure"),
        CheckConstraint("(state = 'pending') = (finished_at IS NULL)", name="finished"),
        Index("ix_second_opinions_session", "account_id", "session_id", "id"),
        Index(
            "uq_second_opinions_pending",
            "account_id",
            "session_id",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
    )
