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
    credentials: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted; never leaves the server."""
    is_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    last_success_at: Mapped[datetime | None]
    last_failure: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (in_account(),)
