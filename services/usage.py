"""What models were made to read and write, counted wherever it counts, and each plan's budget of it.

A budget is in tokens weighted by what they cost beside one token of input: `weighted` has the ratios.
Months begin at midnight UTC, by the database's clock, which is one for all servers.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import Date, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import Account
from models.branch import Branch
from models.message import BranchMessage
from models.session import AiSession
from models.usage import AccountUsage
from services.access import Actor
from services.ai.port import Usage
from services.database import fetch
from services.errors import BudgetExceeded
from services.runtime import Runtime
from services.telemetry.metrics import AI_TOKENS
from services.unit_of_work import UnitOfWork

THIS_MONTH = cast(func.date_trunc("month", func.timezone("UTC", func.now())), Date)

COLUMNS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


class CountsTokens(Protocol):
    """Cache reads and writes are parts of the input."""

    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def cache_read_tokens(self) -> int: ...
    @property
    def cache_write_tokens(self) -> int: ...


@dataclass(frozen=True, slots=True)
class TokenCounts:
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """Of one month, in weighted tokens; a limit of None is none."""

    limit: int | None
    used: int
    renews_at: datetime

    @property
    def remaining(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Spending:
    """Of one account: all there was, what is left, and the months, newest first."""

    total: TokenCounts
    budget: Budget
    months: Sequence[AccountUsage]


def counters(usage: Usage) -> dict[str, int]:
    """The port's input leaves the cache out; stored and shown input is all that was read."""
    return {
        "input_tokens": usage.input + usage.cache_read + usage.cache_write,
        "output_tokens": usage.output,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write,
    }


def weighted(counts: CountsTokens) -> int:
    """Tokens of plain input that cost as much, rounded up.

    Anthropic's price list has the same ratios for every model that is offered: output 5, a write into
    the cache (of five minutes) 1.25, a read from it 0.1.
    """
    fresh = counts.input_tokens - counts.cache_read_tokens - counts.cache_write_tokens
    twentieths = (
        20 * fresh
        + 100 * counts.output_tokens
        + 25 * counts.cache_write_tokens
        + 2 * counts.cache_read_tokens
    )
    return -(-twentieths // 20)


# ---------------------------------------------------------------- counting


async def count(
    work: UnitOfWork,
    session_id: UUID,
    branch_id: UUID | None,
    usage: Usage,
    *,
    message_id: UUID | None = None,
    answers: int = 0,
) -> None:
    """Adds one call of a model to all that it was made for, and to the account's month.

    Every call is counted here and nowhere else, whatever became of it, so messages, branches, sessions
    and accounts add up. The session is locked first, as by every verb.
    """
    for kind, tokens in asdict(usage).items():
        AI_TOKENS.labels(kind).inc(tokens)
    counts = counters(usage)
    if any(counts.values()):
        for table, key in (
            (AiSession, session_id),
            (Branch, branch_id),
            (BranchMessage, message_id),
        ):
            if key is not None:
                await work.db.execute(
                    update(table)
                    .where(table.account_id == work.account_id, table.id == key)
                    .values({name: getattr(table, name) + more for name, more in counts.items()})
                )
    elif not answers:
        return
    added = {**counts, "answers": answers}
    statement = insert(AccountUsage).values(account_id=work.account_id, month=THIS_MONTH, **added)
    await work.db.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id", "month"],
            set_={name: getattr(AccountUsage, name) + statement.excluded[name] for name in added},
        )
    )


# ---------------------------------------------------------------- budgets


async def require_budget(runtime: Runtime, db: AsyncConnection, account_id: UUID) -> None:
    """Raises BudgetExceeded once this month's budget is used up, unless answers cost nothing."""
    if runtime.provider.is_offline:
        return
    statement = (
        select(Account.plan, THIS_MONTH, *(getattr(AccountUsage, name) for name in COLUMNS))
        .outerjoin(
            AccountUsage,
            (AccountUsage.account_id == Account.id) & (AccountUsage.month == THIS_MONTH),
        )
        .where(Account.id == account_id)
    )
    plan, month, *used = (await db.execute(statement)).one()
    limit = runtime.limits.token_budgets[plan]
    spent = weighted(TokenCounts(*(tokens or 0 for tokens in used)))
    if limit is not None and spent >= limit:
        raise BudgetExceeded(budget=limit, used=spent, resets_at=_end_of(month))


def _end_of(month: date) -> datetime:
    return datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)


async def spending_by_account(
    runtime: Runtime, actor: Actor, account_ids: Sequence[UUID]
) -> dict[UUID, Spending]:
    of_account = select(Account.plan, THIS_MONTH).where(
        Account.id.in_(account_ids), Account.id == actor.account_id
    )
    by_month = (
        select(AccountUsage)
        .where(AccountUsage.account_id == actor.account_id)
        .order_by(AccountUsage.month.desc())
    )
    async with runtime.read(actor) as db:
        found = (await db.execute(of_account)).one_or_none()
        months = await fetch(db, by_month)
    if found is None:
        return {}
    plan, this_month = found
    total = TokenCounts(*(sum(getattr(row, name) for row in months) for name in COLUMNS))
    used = sum(weighted(row) for row in months if row.month == this_month)
    budget = Budget(runtime.limits.token_budgets[plan], used, _end_of(this_month))
    return {actor.account_id: Spending(total, budget, months)}
