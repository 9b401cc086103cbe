"""Systems outside: tickets, articles, mail, webhooks."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, in_account, one_of


class IntegrationProvider(StrEnum):
    CONNECTWISE = "connectwise"
    HALOPSA = "halopsa"
    AUTOTASK = "autotask"
    HUDU = "hudu"
    IT_GLUE = "it_glue"
    SMTP = "smtp"
    WEBHOOK = "webhook"


class Integration(InAccount, Base):
    __tablename__ = "integrations"

    provider: Mapped[IntegrationProvider] = mapped_column(one_of(IntegrationProvider, "provider"))
    name: Mapped[str] = mapped_column(String(200))
    base_url: Mapped[str] = mapped_column(String(2000))
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """What is no secret: see services.integrations.providers for its keys."""
    credentials: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted (services.sealing); never leaves the server. Null once it was removed."""
    is_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    last_success_at: Mapped[datetime | None]
    last_failure: Mapped[str | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    """Tries in a row that failed because of the other side, not of what was sent."""
    paused_until: Mapped[datetime | None]
    """No try begins before: the other side has failed too often."""
    removed_at: Mapped[datetime | None]
    """Its deliveries stay in the ledger, so the row does, too."""
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (in_account(),)
