"""An id for every request and socket, and what became of those that GraphQL never saw."""

import logging
import re
from functools import cache
from time import perf_counter

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from services.ids import new_id
from services.telemetry import traces
from services.telemetry.metrics import HTTP_RESPONSES, OPEN_SOCKETS

HEADER = "X-Request-Id"
RAW_HEADER = HEADER.lower().encode()

SANE = re.compile(r"[\w.:-]{1,128}", re.ASCII)

LONGEST_PATH = 100

REFUSED = 400

responses = cache(HTTP_RESPONSES.labels)

log = logging.getLogger("flowpilot.requests")


class RequestLog:
    """Each request runs in a task of its own, so what is bound here ends with it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        request_id = _given(headers) or new_id().hex
        bind_contextvars(request_id=request_id)
        traces.continue_from(headers)
        began = perf_counter()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (RAW_HEADER, request_id.encode())]
                status = message["status"]
                responses(status).inc()
                if status >= REFUSED:
                    told = {
                        "method": scope["method"],
                        "path": scope["path"][:LONGEST_PATH],  # no query string: it has variables
                        "status": status,
                        "duration_ms": round((perf_counter() - began) * 1000, 1),
                    }
                    log.info("refused", extra=told)
            await send(message)

        await self.app(scope, receive, answer)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        bind_contextvars(socket_id=_given(headers) or new_id().hex)
        traces.continue_from(headers)
        with OPEN_SOCKETS.track_inprogress():
            await self.app(scope, receive, send)


def _given(headers: Headers) -> str | None:
    """The caller's own id, if it is fit to be repeated in logs."""
    given = headers.get(HEADER, "")
    return given if SANE.fullmatch(given) else None
