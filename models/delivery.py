"""The way of documents and notes to a system outside, with every try."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, of_session, one_of, refers_to


class Destination(StrEnum):
    PSA = "psa"
    KB_LIBRARY = "kb_library"
    HUDU = "hudu"
    IT_GLUE = "it_glue"
    CLIPBOARD = "clipboard"
    EMAIL = "email"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    TAKEN = "taken"
    """From the clipboard: by whom is known, where it went is not."""


class DeliveryGuarantee(StrEnum):
    EXACTLY_ONCE = "exactly_once"
    AT_LEAST_ONCE = "at_least_once"
    NONE = "none"


class DeliveryFailure(StrEnum):
    """Why a try failed. RATE_LIMITED, CONFLICT, UNAVAILABLE and AMBIGUOUS are tried again."""

    AUTH = "auth"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    VALIDATION = "validation"
    RATE_LIMITED = "rate_limited"
    CONFLICT = "conflict"
    UNAVAILABLE = "unavailable"
    AMBIGUOUS = "ambiguous"


class Delivery(InAccount, Base):
    """One output or one handoff note on its way to one place."""

    __tablename__ = "deliveries"

    session_id: Mapped[UUID]
    output_id: Mapped[UUID | None]
    output_version: Mapped[int | None]
    """Which text of the output it is."""
    handoff_id: Mapped[UUID | None]
    integration_id: Mapped[UUID | None]
    destination: Mapped[Destination] = mapped_column(one_of(Destination, "destination"))
    state: Mapped[DeliveryState] = mapped_column(
        one_of(DeliveryState, "state"), server_default="queued"
    )
    document: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """What is delivered, frozen; the shape of services.destinations.port.Document."""
    is_client_visible: Mapped[bool] = mapped_column(server_default=text("false"))
    ticket_id: Mapped[str | None] = mapped_column(String(100))
    recipients: Mapped[list[str]] = mapped_column(JSONB(), server_default=text("'[]'::jsonb"))
    requests: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB(), server_default=text("'[]'::jsonb")
    )
    """What the last try was going to send: `method`, `url`, `body` of each, without credentials."""
    tries: Mapped[int] = mapped_column(server_default="0")
    """Since it was queued."""
    tried_at: Mapped[datetime | None]
    """When the try under way has begun; null between tries."""
    next_try_at: Mapped[datetime | None]
    is_ambiguous: Mapped[bool] = mapped_column(server_default=text("false"))
    """A try may have arrived without an answer: look before another one."""
    reference: Mapped[str | None] = mapped_column(String(200))
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    delivered_at: Mapped[datetime | None]

    __table_args__ = (
        of_session(),
        refers_to("session_id output_id", "session_resolution_outputs session_id id", "CASCADE"),
        refers_to("session_id handoff_id", "session_handoffs session_id id", "CASCADE"),
        refers_to("integration_id", "integrations id"),
        refers_to("created_by", "users id"),
        CheckConstraint("(output_id IS NULL) <> (handoff_id IS NULL)", name="one_content"),
        Index("ix_deliveries_output", "account_id", "output_id"),
        Index("ix_deliveries_handoff", "account_id", "handoff_id"),
    )


class DeliveryAttempt(Base):
    """One try; they are counted on when a delivery is queued again."""

    __tablename__ = "delivery_attempts"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    attempted_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    succeeded: Mapped[bool]
    failure: Mapped[DeliveryFailure | None] = mapped_column(one_of(DeliveryFailure, "failure"))
    detail: Mapped[str | None]

    __table_args__ = (refers_to("delivery_id", "deliveries id", "CASCADE"),)
