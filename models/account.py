"""Tenants, their people, and what lets people and programs in."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, InAccount, in_account, one_of, refers_to


class Plan(StrEnum):
    FREE = "free"
    PRO = "pro"
    TEAM = "team"
    ENTERPRISE = "enterprise"


class Role(StrEnum):
    ENGINEER = "engineer"
    LEAD = "lead"
    ADMIN = "admin"


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Account(Base):
    """A tenant: one managed service provider."""

    __tablename__ = "accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    plan: Mapped[Plan] = mapped_column(one_of(Plan, "plan"))
    event_seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Sequence of the newest committed event; taken last, so that it follows commit order."""
    access_version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Grows when a role, a deactivation or a key's rights change; triggers count it."""
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Team(InAccount, Base):
    __tablename__ = "teams"

    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        in_account(),
        Index("uq_teams_name", "account_id", func.lower(name), unique=True),
    )


class User(InAccount, Base):
    """A person, or the service user behind an API key. Never deleted: deactivated."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(String(320))
    """Unique over all accounts, whatever the case: it alone names who signs in."""
    display_name: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(one_of(Role, "role"))
    team_id: Mapped[UUID | None]
    password_hash: Mapped[str | None]
    is_service: Mapped[bool] = mapped_column(server_default=text("false"))
    deactivated_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        in_account(),
        refers_to("team_id", "teams id"),
        Index("uq_users_email", func.lower(email), unique=True),
        Index("ix_users_team", "account_id", "team_id"),
    )


class RefreshToken(InAccount, Base):
    """One use each. A family is one sign-in; a token used twice revokes its whole family."""

    __tablename__ = "refresh_tokens"

    user_id: Mapped[UUID]
    family_id: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        refers_to("user_id", "users id", "CASCADE"),
        Index("ix_refresh_tokens_family", "account_id", "family_id"),
        Index("ix_refresh_tokens_user", "account_id", "user_id"),
    )


class ApiKey(InAccount, Base):
    """A partner's key. Acts as a service user of its own; the secret is kept only as a hash."""

    __tablename__ = "api_keys"

    user_id: Mapped[UUID]
    created_by: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(200))
    prefix: Mapped[str] = mapped_column(String(20))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[Scope]] = mapped_column(ARRAY(String(10)))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        refers_to("user_id", "users id", "CASCADE"),
        refers_to("created_by", "users id"),
        Index("ix_api_keys_user", "account_id", "user_id"),
    )
