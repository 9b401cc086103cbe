"""The one address of the API."""

from collections.abc import Sequence
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.schema import BaseSchema
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from schema.context import Context
from schema.transport.callers import address_of
from schema.transport.connections import Connections
from schema.transport.encoding import decode
from schema.transport.http import respond
from schema.transport.sockets import TextFrames, TransportHandler
from services.runtime import Runtime


class GraphQLEndpoint(GraphQL[Context, None]):
    """Strawberry's sockets beside our own HTTP, which keeps to GraphQL over HTTP in what theirs does
    not: both media types, their status codes, and JSON that is no request.
    """

    websocket_adapter_class = TextFrames
    graphql_transport_ws_handler_class = TransportHandler

    def __init__(
        self, schema: BaseSchema, runtime: Runtime, allowed_origins: Sequence[str] = ()
    ) -> None:
        super().__init__(
            schema,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=runtime.limits.init_timeout),
            max_subscriptions_per_connection=None,  # TransportHandler counts them
            allowed_origins=allowed_origins,
        )
        self.runtime = runtime
        self.connections = Connections(runtime.limits.max_connections)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope, receive)
            response = await respond(self.schema, self.runtime, self.connections, request)
            await response(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """A socket's, until its first message says who calls."""
        return Context(self.runtime, None, address=address_of(request))

    def decode_json(self, data: str | bytes) -> object:
        value: object = decode(data)
        return value
