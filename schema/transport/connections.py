"""How many sockets and event streams each caller holds open in this process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import HTTPConnection

from schema.context import Context
from schema.transport.callers import address_of


class Connections:
    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._open: Counter[str] = Counter()

    def are_used_up(self, holder: str) -> bool:
        return self._open[holder] >= self.cap

    @contextmanager
    def one_of(self, holder: str) -> Iterator[None]:
        self._open[holder] += 1
        try:
            yield
        finally:
            self._open[holder] -= 1
            if not self._open[holder]:
                del self._open[holder]


def holder_of(context: Context, connection: HTTPConnection) -> str:
    """A person or a key; strangers count by their address."""
    if context.caller is not None:
        return context.caller.user_id.hex
    return address_of(connection)
