"""The built-in library of articles."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, in_account, refers_to


class KbArticle(InAccount, Base):
    """An article outlives the session it was learnt in."""

    __tablename__ = "kb_articles"

    title: Mapped[str] = mapped_column(String(300))
    body: Mapped[str]
    content: Mapped[dict[str, Any]]
    """{symptoms: [str], root_cause: str | null, steps, rule_out_first, tags: [str]}"""
    source_session_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        in_account(),
        refers_to("source_session_id", "ai_sessions id", "SET NULL (source_session_id)"),
        Index("ix_kb_articles_newest", "account_id", "created_at"),
        Index("ix_kb_articles_source", "account_id", "source_session_id"),
    )
