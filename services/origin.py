"""Where the request that is being answered came from; None outside of requests.

Kept beside the call rather than passed down, because only the audit asks, from the very bottom.
"""

from contextvars import ContextVar

from structlog.contextvars import get_contextvars

LONGEST_ADDRESS = 64

ADDRESS: ContextVar[str | None] = ContextVar("address", default=None)


def request_id() -> str | None:
    """The one that the log and the answer name, too."""
    bound: str | None = get_contextvars().get("request_id")
    return bound
