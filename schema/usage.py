"""What models were made to read and write."""

from typing import Protocol, Self

import strawberry

MAX_INT = 2**31 - 1


class CountsTokens(Protocol):
    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def cache_read_tokens(self) -> int: ...
    @property
    def cache_write_tokens(self) -> int: ...


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
