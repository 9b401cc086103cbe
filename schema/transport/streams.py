"""Subscriptions over HTTP: GraphQL over SSE in distinct connections, and Apollo's multipart form.

https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverSSE.md
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Send
from strawberry.http.streaming import (
    HTTPStreamTransport,
    MultipartSubscriptionTransport,
    SSETransport,
    merge_stream_with_heartbeat,
)
from strawberry.schema import BaseSchema
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from schema.context import Context
from schema.transport.answers import HEADERS, body_of
from schema.transport.bad_request import BadRequest
from schema.transport.connections import Connections, holder_of
from schema.transport.documents import document_of
from schema.transport.encoding import encode
from schema.transport.media import EVENT_STREAM, MULTIPART
from schema.transport.requests import GraphQLRequest

FORMS: dict[str, Callable[[], HTTPStreamTransport]] = {
    EVENT_STREAM: SSETransport,
    MULTIPART: MultipartSubscriptionTransport,
}

ALLOWED = {
    "GET": {OperationType.QUERY, OperationType.SUBSCRIPTION},
    "POST": set(OperationType),
}


def stream(
    schema: BaseSchema,
    connections: Connections,
    context: Context,
    operation: GraphQLRequest,
    request: Request,
    media: str,
) -> Response:
    """Every result as an event of its own; a query or a mutation has one. Raises BadRequest."""
    holder = holder_of(context, request)
    if connections.are_used_up(holder):
        raise BadRequest(429, f"No more than {connections.cap} connections may be open.")
    form: HTTPStreamTransport = FORMS[media]()

    async def events() -> AsyncGenerator[str, None]:
        results = await schema.stream(
            document_of(context, operation.query, operation.document_name),
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.operation_name,
            allowed_operation_types=ALLOWED[request.method],
        )
        with connections.one_of(holder):
            async with aclosing(results):
                async for result in results:
                    if isinstance(result, ExecutionResult):  # there is no @defer
                        yield form.encode_next(body_of(result), _text)
            yield form.encode_complete()

    alive = merge_stream_with_heartbeat(
        events,
        lambda: form.heartbeat_message(_text),
        form.heartbeat_interval,
        send_initial_heartbeat=form.send_initial_heartbeat,
    )
    return EventStream(alive(), context.runtime.closing, {**HEADERS, **form.headers})


class EventStream(StreamingResponse):
    """Ends with the server, without `complete`, so that the client goes on at another one."""

    def __init__(
        self, events: AsyncIterator[str], closing: asyncio.Event, headers: Mapping[str, str]
    ) -> None:
        super().__init__(events, headers=headers)
        self.closing = closing

    async def listen_for_disconnect(self, receive: Receive) -> None:
        ends = (
            asyncio.ensure_future(super().listen_for_disconnect(receive)),
            asyncio.ensure_future(self.closing.wait()),
        )
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except asyncio.CancelledError:
            if self.closing.is_set():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            raise


def _text(data: object) -> str:
    return encode(data).decode()
