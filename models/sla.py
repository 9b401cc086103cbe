"""How soon an account wants what waits in its queue to be claimed."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, in_account


class SlaState(StrEnum):
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    BREACHED = "breached"


class SlaTargets(Base):
    """Of an account that has set its own; the others have services.slas.DEFAULTS."""

    __tablename__ = "sla_targets"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    normal_minutes: Mapped[int]
    elevated_minutes: Mapped[int]
    version: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        in_account(),
        CheckConstraint(
            "normal_minutes BETWEEN 1 AND 43200 AND elevated_minutes BETWEEN 1 AND 43200",
            name="minutes",
        ),
    )
