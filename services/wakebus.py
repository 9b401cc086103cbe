"""Placeholder of the interface; see the module's docstring once written."""

from contextlib import AbstractContextManager
from typing import Protocol


class Listener(Protocol):
    async def wait(self, timeout: float) -> None: ...


class WakeBus(Protocol):
    def wake(self, topic: str) -> None: ...

    def listen(self, topic: str) -> AbstractContextManager[Listener]: ...
