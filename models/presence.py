"""Where each person looks, and how far they have read."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, of_session, refers_to


class BranchView(Base):
    """When a person last looked at a branch. The newest in a session is their place there."""

    __tablename__ = "branch_views"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    branch_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    read_position: Mapped[int]
    """Up to which message they have read; an answer that is being written is not read yet."""
    is_asking: Mapped[bool]
    has_left: Mapped[bool] = mapped_column(server_default=text("false"))
    seen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        of_session(),
        refers_to("session_id branch_id", "session_branches session_id id", "CASCADE"),
        refers_to("user_id", "users id", "CASCADE"),
        CheckConstraint("read_position >= 0", name="read_position"),
        # Without seen_at, so that saying "still here" touches no index.
        Index("ix_branch_views_session", "account_id", "session_id", "user_id"),
    )
