"""The documents a session leaves behind."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, of_session, one_of, refers_to


class ResolutionOutputType(StrEnum):
    PSA_TICKET_NOTES = "psa_ticket_notes"
    KNOWLEDGE_BASE = "knowledge_base"
    CLIENT_SUMMARY = "client_summary"


class ResolutionOutputStatus(StrEnum):
    GENERATING = "generating"
    DRAFT = "draft"
    APPROVED = "approved"
    REJECTED = "rejected"
    PUSHED = "pushed"
    FAILED = "failed"


class ResolutionOutput(InAccount, Base):
    __tablename__ = "session_resolution_outputs"

    session_id: Mapped[UUID]
    output_type: Mapped[ResolutionOutputType] = mapped_column(
        one_of(ResolutionOutputType, "output_type")
    )
    status: Mapped[ResolutionOutputStatus] = mapped_column(
        one_of(ResolutionOutputStatus, "status"), server_default="generating"
    )
    generated_content: Mapped[str | None]
    edited_content: Mapped[str | None]
    structured_data: Mapped[dict[str, Any] | None]
    """{title: str | null, tags: [str]}: what of an article its text does not tell."""
    sources: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """By sentence, of every text that was generated: {basis: str, messages: [uuid]}."""
    generation: Mapped[int] = mapped_column(server_default="1")
    """How often it was asked for. Who writes names the one it was asked in, so a late one is refused."""
    failure: Mapped[str | None]
    """Why it is FAILED."""
    generated_by_model: Mapped[str | None] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        of_session(),
        UniqueConstraint("account_id", "session_id", "output_type"),
        UniqueConstraint("account_id", "session_id", "id"),
        CheckConstraint("(status = 'failed') = (failure IS NOT NULL)", name="failure"),
    )


class ResolutionRevision(Base):
    """Every text an output has had, generated or edited."""

    __tablename__ = "resolution_revisions"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    output_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[str]
    author_id: Mapped[UUID | None]
    """Null for what the assistant wrote."""
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        refers_to("output_id", "session_resolution_outputs id", "CASCADE"),
        refers_to("author_id", "users id"),
    )
