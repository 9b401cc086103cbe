"""Where the request that is being answered came from; nothing outside of requests.

Kept beside the call rather than passed down, because only the audit asks, from the very bottom.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
LONGEST_ADDRESS = 64


@dataclass(frozen=True, slots=True)
class Origin:
    request_id: str | None = None
    """As the client or a proxy before us named it."""
    address: str | None = None


ORIGIN: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - is frozen


def origin_of(client: tuple[str, int] | None, headers: Mapping[str, str]) -> Origin:
    """A request id that is no plain word is left out: it would end up in logs and answers."""
    request_id = headers.get("x-request-id", "")
    return Origin(
        request_id if REQUEST_ID.fullmatch(request_id) else None,
        client[0][:LONGEST_ADDRESS] if client else None,
    )
