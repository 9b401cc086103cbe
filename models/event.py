"""The append-only log that subscriptions replay, and the memory of creates already done."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, in_account, of_session, refers_to


class Event(Base):
    """`seq` counts from 1 within an account, without gaps, in the order of commits."""

    __tablename__ = "events"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    session_id: Mapped[UUID]
    type: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[UUID | None]
    occurred_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    payload: Mapped[dict[str, Any]]

    __table_args__ = (
        of_session(),
        refers_to("actor_id", "users id"),
        Index("ix_events_session", "account_id", "session_id", "seq"),
    )


class IdempotencyKey(Base):
    """What a create with a client's key made, so that its repeat finds it again."""

    __tablename__ = "idempotency_keys"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    actor_id: Mapped[UUID] = mapped_column(primary_key=True)
    mutation: Mapped[str] = mapped_column(String(60), primary_key=True)
    key: Mapped[UUID] = mapped_column(primary_key=True)
    input_hash: Mapped[bytes] = mapped_column(LargeBinary)
    made: Mapped[dict[str, Any]]
    """Names to ids, or lists of ids."""
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (in_account(), refers_to("actor_id", "users id", "CASCADE"))
