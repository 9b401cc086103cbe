"""What an account knows: its articles, and its resolved sessions as far as they can be searched."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, Index, String, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, in_account, of_session, refers_to

ARTICLE_WORDS = (
    "((setweight(to_tsvector('english'::regconfig, (title)::text), 'A'::\"char\") || "
    "setweight(jsonb_to_tsvector('english'::regconfig, "
    "COALESCE((content -> 'symptoms'::text), '[]'::jsonb), '[\"string\"]'::jsonb), 'B'::\"char\")) || "
    "setweight(jsonb_to_tsvector('english'::regconfig, "
    "(COALESCE((content -> 'root_cause'::text), '[]'::jsonb) || "
    "COALESCE((content -> 'tags'::text), '[]'::jsonb)), "
    "'[\"string\"]'::jsonb), 'C'::\"char\")) || "
    "setweight(to_tsvector('english'::regconfig, \"left\"(body, 100000)), 'D'::\"char\")"
)
"""Title, symptoms, cause and tags, body. The cut keeps it below the largest vector there can be."""


WORD_KEYS = "flowpilot_word_keys(account_id, words)"
"""Each word with its account before it, so that an index finds an account's words and no other's."""


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
    words: Mapped[str] = mapped_column(
        TSVECTOR(), Computed(ARTICLE_WORDS, persisted=True), deferred=True
    )

    __table_args__ = (
        in_account(),
        refers_to("source_session_id", "ai_sessions id", "SET NULL (source_session_id)"),
        Index("ix_kb_articles_newest", "account_id", "created_at"),
        Index("ix_kb_articles_source", "account_id", "source_session_id"),
        Index("ix_kb_articles_words", text(WORD_KEYS), postgresql_using="gin"),
    )


class ResolvedSession(Base):
    """The words of a session while it is resolved; a trigger on ai_sessions keeps them."""

    __tablename__ = "resolved_sessions"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    words: Mapped[str] = mapped_column(TSVECTOR())
    """Summary A, intake and findings B, resolution C."""

    __table_args__ = (
        of_session(),
        Index("ix_resolved_sessions_words", text(WORD_KEYS), postgresql_using="gin"),
    )


class MessageArticle(Base):
    """An article that was suggested with an answer, by rank from 1."""

    __tablename__ = "message_articles"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[UUID]
    score: Mapped[float]

    __table_args__ = (
        refers_to("message_id", "branch_messages id", "CASCADE"),
        refers_to("article_id", "kb_articles id", "CASCADE"),
        CheckConstraint("rank > 0", name="rank"),
        CheckConstraint("score BETWEEN 0 AND 1", name="score"),
        Index("ix_message_articles_article", "account_id", "article_id"),
    )
