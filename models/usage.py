"""What each account used, month by month."""

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, in_account
from models.session import CountsTokens


class AccountUsage(CountsTokens, Base):
    """One month of an account. It stays when the sessions that used it go."""

    __tablename__ = "account_usage"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    """Its first day; months begin at midnight UTC."""
    answers: Mapped[int] = mapped_column(server_default="0")
    """That were completed; tokens are also those of attempts that failed."""

    __table_args__ = (in_account(),)
