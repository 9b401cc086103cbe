"""The metadata every table shares, and how Python types become columns."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Enum, ForeignKeyConstraint, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables. Rows are read as plain tuples, never as live entities: no relationships."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        UUID: Uuid(),
        datetime: TIMESTAMP(timezone=True),
        str: Text(),
        dict[str, Any]: JSONB(none_as_null=True),
    }


class InAccount:
    """Primary key (account_id, id): keys lead with the tenant, so no row of another is named."""

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)


def one_of(enum: type[StrEnum], name: str) -> Enum:
    """A varchar that a CHECK keeps within the enum's values (which are lower case)."""
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=30,
        values_callable=lambda members: [member.value for member in members],
    )


def refers_to(
    columns: str, target: str, ondelete: str | None = None, *, deferred: bool = False
) -> ForeignKeyConstraint:
    """A foreign key that carries the account along, so that it cannot point outside it.

    `refers_to("session_id parent_branch_id", "session_branches session_id id")`.
    """
    table, *target_columns = target.split()
    return ForeignKeyConstraint(
        ["account_id", *columns.split()],
        [f"{table}.{column}" for column in ("account_id", *target_columns)],
        ondelete=ondelete,
        deferrable=deferred or None,
        initially="DEFERRED" if deferred else None,
        use_alter=deferred,
    )


def in_account() -> ForeignKeyConstraint:
    """For aggregates that hang on nothing but their tenant."""
    return ForeignKeyConstraint(["account_id"], ["accounts.id"], ondelete="CASCADE")


def of_session() -> ForeignKeyConstraint:
    """For rows that go when their session goes."""
    return refers_to("session_id", "ai_sessions id", "CASCADE")
