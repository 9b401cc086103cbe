"""What a far end can be told to do instead of answering as it should, ticket by ticket."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

LARGE = 3_000_000


@dataclass(frozen=True)
class Status:
    """An answer in the place of the usual one; nothing is stored."""

    code: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    """The same, but after it was stored."""

    code: int
    body: Any = None


@dataclass(frozen=True)
class Page:
    """HTML with status 200, as of a firewall that wants to be signed in to."""


@dataclass(frozen=True)
class Giant:
    """Stored, and answered with more than anybody wants to read."""


@dataclass(frozen=True)
class Away:
    """Sent to another address."""

    url: str


@dataclass(frozen=True)
class HangUp:
    """The connection is closed: after it was stored, or before."""

    stores: bool


@dataclass(frozen=True)
class Held:
    """Stored; `stored` is set. Answered once `goes_on` is set."""

    stored: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)


Behaviour = Status | Stored | Page | Giant | Away | HangUp | Held
Act = Callable[[], Awaitable[Response]]


class Script:
    """Behaviours for the writes to come, by what is written to: a ticket, a company."""

    def __init__(self) -> None:
        self._of: defaultdict[str, deque[Behaviour]] = defaultdict(deque)

    def add(self, target: str, *items: Behaviour) -> None:
        self._of[target].extend(items)

    async def play(self, target: str, act: Act) -> "Response | Closed":
        item = self._of[target].popleft() if self._of[target] else None
        instead = _instead(item)
        if instead is not None:
            return instead
        answer = await act()
        if isinstance(item, HangUp):
            return Closed()
        if isinstance(item, Stored):
            return JSONResponse(item.body, item.code)
        if isinstance(item, Giant):
            return Response(b"[" + b" " * LARGE + b"]", media_type="application/json")
        if isinstance(item, Held):
            item.stored.set()
            await item.goes_on.wait()
        return answer


def _instead(item: Behaviour | None) -> "Response | Closed | None":
    """Nothing is stored."""
    if isinstance(item, Status):
        return JSONResponse(item.body, item.code, dict(item.headers))
    if isinstance(item, Page):
        return HTMLResponse("<html><body>Sign in to the guest network</body></html>")
    if isinstance(item, Away):
        return RedirectResponse(item.url, 302)
    if isinstance(item, HangUp) and not item.stores:
        return Closed()
    return None


class Closed:
    """No answer but the end of the connection."""

    async def __call__(self, scope: Scope, receive: Receive, _: Send) -> None:
        connections = scope["app"].state.connections
        connections[tuple(scope["client"])].close()
        while (await receive())["type"] != "http.disconnect":
            pass
