"""Files that engineers bring in as evidence."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, in_account, of_session, one_of, refers_to


class UploadState(StrEnum):
    STORED = "stored"
    DESCRIBING = "describing"
    DESCRIBED = "described"
    FAILED = "failed"


class FileUpload(InAccount, Base):
    """Brought in before its session exists, if it is part of the intake."""

    __tablename__ = "file_uploads"

    session_id: Mapped[UUID | None]
    uploaded_on_branch_id: Mapped[UUID | None]
    uploaded_at_step_id: Mapped[UUID | None]
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(100))
    byte_size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[UploadState] = mapped_column(
        one_of(UploadState, "state"), server_default="stored"
    )
    ai_description: Mapped[str | None]
    content_summary: Mapped[str | None]
    extracted_content: Mapped[str | None]
    failure: Mapped[str | None]
    """Why it could not be described, in a sentence."""
    uploaded_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        in_account(),
        of_session(),
        refers_to("session_id uploaded_on_branch_id", "session_branches session_id id"),
        refers_to("session_id uploaded_at_step_id", "ai_session_steps session_id id"),
        refers_to("uploaded_by", "users id"),
        CheckConstraint("byte_size >= 0", name="byte_size"),
        Index("ix_file_uploads_session", "account_id", "session_id"),
        Index("ix_file_uploads_branch", "account_id", "uploaded_on_branch_id"),
    )


class UploadPreview(Base):
    """A picture as models are shown it, kept here so that no answer waits for the store of files."""

    __tablename__ = "upload_previews"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    upload_id: Mapped[UUID] = mapped_column(primary_key=True)
    media_type: Mapped[str] = mapped_column(String(100))
    content: Mapped[bytes] = mapped_column(LargeBinary())

    __table_args__ = (refers_to("upload_id", "file_uploads id", "CASCADE"),)
