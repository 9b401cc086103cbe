"""GraphQL over HTTP and over graphql-transport-ws: who calls, in what frames, and what is refused."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import orjson
from cross_web import HTTPException, StarletteRequestAdapter
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.schema import BaseSchema
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    SubscribeMessage,
)
from strawberry.types.unset import UnsetType

from schema.context import Context
from schema.page import GRAPHIQL_PAGE, PAGE_HEADERS
from services.authentication import authenticate
from services.errors import Unauthenticated
from services.runtime import Runtime

MAX_BODY = 1_000_000
"""Bytes of one request."""

INIT_TIMEOUT = timedelta(seconds=10)

CALLER_CHECK = 5.0
"""Seconds between looks at whether a socket's caller may still use it; each operation looks, too."""

log = logging.getLogger("flowpilot.transport")


class BoundedRequest(StarletteRequestAdapter):
    """Reads no more of a body than is allowed."""

    async def get_body(self) -> bytes:
        body = bytearray()
        async for part in self._request.stream():
            body += part
            if len(body) > MAX_BODY:
                raise HTTPException(413, f"A request may have {MAX_BODY:,} bytes.")
        return bytes(body)


class TextFrames(ASGIWebSocketAdapter):
    """Answers in text frames, as the protocol asks, although the encoder makes bytes."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        await self.ws.send_text(orjson.dumps(message).decode())


class TransportHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Strawberry's, with malformed messages answered by 4400, a bad document hurting only itself, and
    a socket that lives no longer than the right to use it.
    """

    _guard: asyncio.Task[None] | None = None

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        await super().handle_connection_init(message)
        if self.connection_acknowledged and self._guard is None:
            self._guard = asyncio.create_task(self._watch_caller())

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        if not self.connection_acknowledged or await self._is_still_welcome():
            await super().handle_subscribe(message)

    async def shutdown(self) -> None:
        if self._guard is not None:
            self._guard.cancel()
        await super().shutdown()

    async def _watch_caller(self) -> None:
        while await self._is_still_welcome():  # noqa: ASYNC110 - it asks the database
            await asyncio.sleep(CALLER_CHECK)

    async def _is_still_welcome(self) -> bool:
        """Closes with 4403 once the token has run out, or its holder was shut out; clients that have
        a new token connect again. A database that is away shuts nobody out.
        """
        try:
            await cast("GraphQLEndpoint", self.view).on_ws_connect(self.context)
        except ConnectionRejectionError:
            await self.websocket.close(code=4403, reason="Forbidden")
            return False
        except (SQLAlchemyError, OSError):
            log.warning("a socket's caller could not be checked", exc_info=True)
        return True

    async def handle_message(self, message: Any) -> None:  # noqa: ANN401 - any JSON value
        if not _is_message(message):
            await self.handle_invalid_message("Malformed message")
            return
        await super().handle_message(message)

    @staticmethod
    def _get_pre_execution_close_reason(error: object) -> str | None:  # noqa: ARG004
        return None


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
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )


class GraphQLEndpoint(GraphQL[Context, None]):
    """The one address of the API; a browser that asks for a page gets GraphiQL."""

    request_adapter_class = BoundedRequest
    websocket_adapter_class = TextFrames
    graphql_transport_ws_handler_class = TransportHandler

    def __init__(self, schema: BaseSchema, runtime: Runtime) -> None:
        super().__init__(
            schema,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=INIT_TIMEOUT,
        )
        self.runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except HTTPException as refused:  # raised while a body is read
            await _refusal(refused)(scope, receive, send)

    async def get_context(
        self,
        request: Request | WebSocket,
        response: Response | WebSocket,
    ) -> Context:
        if isinstance(request, WebSocket):
            return Context(self.runtime, None)
        return await self._caller(request.headers.get("authorization"))

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """The token comes in the first message; a wrong one closes the socket with 4403."""
        params = context.connection_params
        token = params.get("Authorization") or params.get("authorization")
        caller = await self._caller(token if isinstance(token, str) else None)
        if caller.problem is not None:
            raise ConnectionRejectionError
        context.caller = caller.caller
        return UnsetType()  # acknowledged, with no payload

    async def _caller(self, header: str | None) -> Context:
        """A wrong token names nobody, and says so only to fields that need somebody."""
        if not header:
            return Context(self.runtime, None)
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return Context(self.runtime, None, "Write `Authorization: Bearer <token>`.")
        try:
            return Context(self.runtime, await authenticate(self.runtime, token.strip()))
        except Unauthenticated as refused:
            return Context(self.runtime, None, refused.message)

    def decode_json(self, data: str | bytes) -> object:
        decoded: object = orjson.loads(data)
        return decoded

    def parse_json(self, data: str | bytes) -> Any:  # noqa: ANN401 - a mapping of anything
        parsed = super().parse_json(data)
        if not isinstance(parsed, dict):
            raise HTTPException(400, "Send a JSON object with a `query`.")
        return parsed

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    async def render_graphql_ide(self, request: Request) -> Response:
        return FileResponse(GRAPHIQL_PAGE, headers=PAGE_HEADERS)


def _refusal(refused: HTTPException) -> Response:
    body = {"errors": [{"message": refused.reason, "extensions": {"code": "BAD_REQUEST"}}]}
    return Response(
        orjson.dumps(body), status_code=refused.status_code, media_type="application/json"
    )
