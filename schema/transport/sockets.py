"""GraphQL over WebSocket, in the protocol graphql-transport-ws.

https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from graphql import GraphQLError
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)

from schema.context import Context
from schema.sharing import Listener, Push, listening
from schema.transport.callers import identify
from schema.transport.connections import Connections, holder_of
from schema.transport.documents import document_of, name_of
from schema.transport.encoding import encode
from services.database import is_away

CALLER_CHECK = 5.0
"""Seconds between looks at whether anybody's rights have changed in the account of a socket's caller."""

CALLER_LOOKUP = 60.0
"""Seconds after which the caller is looked up although none have; each operation looks, too."""

TRY_AGAIN_LATER = 1013

PUSH = "flowpilot.push"
"""The extension of ASGI by which our server sends without waiting (server.py)."""

log = logging.getLogger("flowpilot.transport")


class TextFrames(ASGIWebSocketAdapter):
    """Answers in text frames, as the protocol asks; says nothing on a socket that is closed, whose
    operations end a moment later.
    """

    async def send_json(self, message: Mapping[str, object]) -> None:
        if self.ws.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect):
                await self.ws.send_text(encode(message).decode())

    async def close(self, code: int, reason: str) -> None:
        if self.ws.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect):
                await self.ws.close(code, reason)

    @property
    def push(self) -> Push | None:
        """Sends a text at once, in UTF-8, where the server knows how; False if it would have to wait."""
        push: Push | None = self.ws.scope["extensions"].get(PUSH)
        return push


class TransportHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Strawberry's, with malformed messages answered by 4400, a bad document hurting only itself, and
    a socket that lives no longer than the right to use it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the handler's
        super().__init__(*args, **kwargs)
        self.connections: Connections = cast("Any", self.view).connections
        self._held = ExitStack()
        self._guard: asyncio.Task[None] | None = None

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """The token comes in here; a wrong one closes the socket with 4403."""
        payload = message.get("payload")
        if not isinstance(payload, dict | None):
            await self.handle_invalid_message("The payload must be an object")
            return
        if self.connection_init_received:
            await self.websocket.close(4429, "Too many initialisation requests")
            return
        self.connection_init_received = True
        if self.connection_init_timeout_task is not None:
            self.connection_init_timeout_task.cancel()
        self.context.connection_params = payload or {}
        if not await self._is_still_welcome():
            return
        holder = holder_of(self.context, cast("TextFrames", self.websocket).ws)
        if self.connections.are_used_up(holder):
            await self.websocket.close(TRY_AGAIN_LATER, "Too many connections")
            return
        self._held.enter_context(self.connections.one_of(holder))
        await self.send_message({"type": "connection_ack"})
        self.connection_acknowledged = True
        self._guard = asyncio.create_task(self._watch_caller())

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        push = cast("TextFrames", self.websocket).push
        if push is not None:
            told = partial(self._push, push, operation, encode(operation.id))
            listening.set(Listener(told, operation.variables or {}))
        await super().run_operation(operation)

    def _push(
        self, push: Push, operation: Operation[Context, None], key: bytes, result: bytes
    ) -> bool:
        return self.operations.get(operation.id) is operation and push(
            b'{"id":%b,"type":"next","payload":%b}' % (key, result)
        )

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        if self.connection_acknowledged:
            if not await self._is_still_welcome():
                return
            cap = self.context.runtime.limits.max_operations
            if len(self.operations) >= cap and message["id"] not in self.operations:
                error = GraphQLError(
                    f"A socket may run {cap} operations at a time.",
                    extensions={"code": "RATE_LIMITED"},
                )
                await self.send_message(
                    {"id": message["id"], "type": "error", "payload": [error.formatted]}
                )
                return
            payload = message["payload"]
            payload["query"] = document_of(self.context, payload.get("query"), name_of(payload))
        await super().handle_subscribe(message)

    async def send_message(self, message: Message) -> None:
        """A caller whose token has run out is told by 4403, on which clients connect again; an error
        would end the subscription for good.
        """
        if (
            self.context.token is not None
            and _is_for_strangers(message)
            and not await self._is_still_welcome()
        ):
            return
        await super().send_message(message)

    async def shutdown(self) -> None:
        with self._held:
            if self._guard is not None:
                self._guard.cancel()
            await super().shutdown()

    async def _watch_caller(self) -> None:
        looked_at, seen = time.monotonic(), None
        while True:
            await asyncio.sleep(CALLER_CHECK)
            version = await self._access_version()
            unchanged = version is not None and version == seen and not self._token_has_ended()
            if not unchanged or time.monotonic() - looked_at > CALLER_LOOKUP:
                if not await self._is_still_welcome():
                    return
                looked_at, seen = time.monotonic(), version

    async def _access_version(self) -> int | None:
        """Of the caller's account; None where it cannot be told, and then the caller is looked up."""
        context = self.context
        if context.caller is None:
            return None
        try:
            return await context.runtime.feed.access_version(context.caller.account_id)
        except (SQLAlchemyError, OSError):
            return None

    def _token_has_ended(self) -> bool:
        caller = self.context.caller
        return (
            caller is not None
            and caller.expires_at is not None
            and (caller.expires_at <= datetime.now(UTC))
        )

    async def _is_still_welcome(self) -> bool:
        """Closes with 4403 once the token has run out, or its holder was shut out; clients that have
        a new token connect again. A database that is away shuts nobody out.
        """
        params = self.context.connection_params
        header = params.get("Authorization") or params.get("authorization")
        try:
            now = await identify(
                self.context.runtime,
                header if isinstance(header, str) else None,
                self.context.address,
            )
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("a socket's caller could not be checked: %s", type(error).__name__)
            return self.connection_acknowledged
        if now.problem is not None:
            await self.websocket.close(4403, "Forbidden")
            return False
        self.context.caller, self.context.token = now.caller, now.token
        return True

    async def handle_message(self, message: Any) -> None:  # noqa: ANN401 - any JSON value
        if not _is_message(message):
            await self.handle_invalid_message("Malformed message")
            return
        await super().handle_message(message)

    @staticmethod
    def _get_pre_execution_close_reason(error: object) -> str | None:  # noqa: ARG004
        return None


def _is_for_strangers(message: Message) -> bool:
    payload: Any = message.get("payload") or {}
    errors = payload if isinstance(payload, list) else payload.get("errors", ())
    return any(error["extensions"]["code"] == "UNAUTHENTICATED" for error in errors)


def _is_message(message: object) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] in {"subscribe", "complete"} and not isinstance(message.get("id"), str):
        return False
    if message["type"] != "subscribe":
        return True
    payload = message.get("payload")
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("extensions"), dict | None)
        and isinstance(payload.get("query"), str | None)
        and (payload.get("query") is not None or name_of(payload) is not None)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )
