"""What models were made to read and write."""

from datetime import UTC, datetime, time
from typing import Self

import strawberry

from models.usage import AccountUsage
from services import usage as service
from services.usage import CountsTokens, weighted

MAX_INT = 2**31 - 1
MAX_MONTHS = 36


@strawberry.type(
    description="Tokens of models; cacheRead and cacheWrite are parts of the input. "
    "A sum beyond 2,147,483,647 is shown as that."
)
class TokenUsage:
    input: int
    output: int
    cache_read: int
    cache_write: int

    @classmethod
    def of(cls, row: CountsTokens) -> Self:
        return cls(
            input=min(row.input_tokens, MAX_INT),
            output=min(row.output_tokens, MAX_INT),
            cache_read=min(row.cache_read_tokens, MAX_INT),
            cache_write=min(row.cache_write_tokens, MAX_INT),
        )


@strawberry.type(
    description="Of one month, in tokens weighted by price: what cost as much as one token of input "
    "that is not cached counts one. Output counts 5, what was written into the cache 1.25, what was "
    "read from it 0.1. A number beyond 2,147,483,647 is shown as that."
)
class TokenBudget:
    limit: int | None = strawberry.field(
        description="What may have been used when another answer is asked for. Null: unlimited."
    )
    used: int = strawberry.field(description="Answers under way may take it beyond the limit.")
    remaining: int | None = strawberry.field(description="Null: unlimited.")
    renews_at: datetime = strawberry.field(description="The next month's begin, UTC.")

    @classmethod
    def of(cls, budget: service.Budget) -> Self:
        return cls(
            limit=budget.limit,
            used=min(budget.used, MAX_INT),
            remaining=budget.remaining,
            renews_at=budget.renews_at,
        )


@strawberry.type(description="What an account used in one month.")
class MonthlyUsage:
    starts_at: datetime = strawberry.field(description="The month's begin, UTC.")
    answers: int = strawberry.field(description="That were completed.")
    usage: TokenUsage
    weighted: int = strawberry.field(description="As a `TokenBudget` counts.")

    @classmethod
    def of(cls, row: AccountUsage) -> Self:
        return cls(
            starts_at=datetime.combine(row.month, time(), UTC),
            answers=row.answers,
            usage=TokenUsage.of(row),
            weighted=min(weighted(row), MAX_INT),
        )
