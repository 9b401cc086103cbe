"""What is said on a branch: one row a message, never an element of an array."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, of_session, one_of, refers_to
from models.session import CountsTokens


class MessageRole(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"
    NOTE = "note"


class MessageState(StrEnum):
    PENDING = "pending"
    STREAMING = "streaming"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BranchMessage(InAccount, CountsTokens, Base):
    __tablename__ = "branch_messages"

    session_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    position: Mapped[int]
    role: Mapped[MessageRole] = mapped_column(one_of(MessageRole, "role"))
    state: Mapped[MessageState] = mapped_column(
        one_of(MessageState, "state"), server_default="complete"
    )
    body: Mapped[str] = mapped_column(server_default="")
    author_id: Mapped[UUID | None]
    attempt: Mapped[int] = mapped_column(server_default="0")
    """Grows each time an answer is begun; what an earlier attempt still writes is refused."""
    model: Mapped[str | None] = mapped_column(String(100))
    failure: Mapped[str | None]
    suggested_fork: Mapped[dict[str, Any] | None]
    """{reason: str, options: [{label, description, likelihood}]}, as `forkBranch` takes it."""
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        of_session(),
        refers_to("session_id branch_id", "session_branches session_id id", "CASCADE"),
        refers_to("author_id", "users id"),
        UniqueConstraint("account_id", "branch_id", "position"),
        UniqueConstraint("account_id", "session_id", "id"),
        CheckConstraint("position > 0", name="position"),
        CheckConstraint("role = 'assistant' OR state = 'complete'", name="only_answers_wait"),
        Index(
            "ix_branch_messages_unfinished",
            "account_id",
            "session_id",
            postgresql_where=text("state IN ('pending', 'streaming')"),
        ),
    )


class MessageAlternative(Base):
    """An earlier text of an answer that was written anew, as the message had it."""

    __tablename__ = "message_alternatives"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """The attempt that it was the outcome of: no two texts of a message ever have the same."""
    session_id: Mapped[UUID]
    body: Mapped[str]
    model: Mapped[str | None] = mapped_column(String(100))
    suggested_fork: Mapped[dict[str, Any] | None]
    step_id: Mapped[UUID | None]
    """The move that it made, which is no longer the message's."""
    finished_at: Mapped[datetime]

    __table_args__ = (
        refers_to("session_id message_id", "branch_messages session_id id", "CASCADE"),
        refers_to("session_id step_id", "ai_session_steps session_id id", "CASCADE"),
    )


class MessageAttachment(Base):
    """The uploads that were sent with a message, in order; each is sent once."""

    __tablename__ = "message_attachments"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[UUID]

    __table_args__ = (
        refers_to("message_id", "branch_messages id", "CASCADE"),
        refers_to("upload_id", "file_uploads id", "CASCADE"),
        UniqueConstraint("account_id", "upload_id"),
    )


class MessagePrompt(Base):
    """What a model was told for an answer in the last message: all but the conversation, which is stored
    already.
    """

    __tablename__ = "message_prompts"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The answer; of several attempts the last."""
    parts: Mapped[list[str | None]] = mapped_column(JSONB())
    """Texts as they were sent, without secrets; null in the place of each image."""
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the prompt as it was sent: tells whether it can be shown as it was."""

    __table_args__ = (refers_to("message_id", "branch_messages id", "CASCADE"),)


class MessageChunk(Base):
    """Text of an answer while it is being written; gone once the message is finished."""

    __tablename__ = "message_chunks"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[int] = mapped_column(primary_key=True)
    """Offset in characters of the first one, from 0."""
    body: Mapped[str]

    __table_args__ = (refers_to("message_id", "branch_messages id", "CASCADE"),)
