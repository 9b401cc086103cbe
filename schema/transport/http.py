"""GraphQL over HTTP: one operation a request, answered whole or as a stream of events.

GraphQL over HTTP, draft of 2025: https://graphql.github.io/graphql-over-http/draft/
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from graphql import GraphQLError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from strawberry.schema import BaseSchema
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from schema.context import Context
from schema.errors import AWAY
from schema.lookahead import finds_out_who_calls
from schema.page import GRAPHIQL_PAGE, PAGE_HEADERS
from schema.transport.answers import answer, refusal
from schema.transport.bad_request import BadRequest
from schema.transport.callers import address_of, identify, presumed, stands
from schema.transport.connections import Connections
from schema.transport.documents import document_of
from schema.transport.forms import form_of, is_form, require_preflight
from schema.transport.media import EVENT_STREAM, JSON, MULTIPART, choose, wants_page
from schema.transport.requests import GraphQLRequest, checked_operation, read
from schema.transport.streams import stream
from services.database import is_away
from services.runtime import Runtime

T = TypeVar("T")

log = logging.getLogger("flowpilot.transport")

GONE = Response(status_code=499)
"""For a client that left while it sent its request; nobody reads this."""

UNACCEPTABLE = BadRequest(
    406, "Accept application/graphql-response+json, application/json or text/event-stream."
)

DOCUMENT = {"query", "documentId", "extensions"}
"""Of these, one says in an address which document is asked for."""

ALLOWED = {
    "GET": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}


async def respond(
    schema: BaseSchema, runtime: Runtime, connections: Connections, request: Request
) -> Response:
    """A browser that asks for a page gets GraphiQL."""
    accept = request.headers.get("accept", "")
    asked = request.method != "GET" or not DOCUMENT.isdisjoint(request.query_params)
    if not asked and wants_page(accept):
        return FileResponse(GRAPHIQL_PAGE, headers=PAGE_HEADERS)
    media = choose(accept)
    if media is None:
        return refusal(UNACCEPTABLE, JSON)
    try:
        if request.method == "POST" and is_form(request):
            return await _execute_form(schema, runtime, request, media)
        return await _execute_json(schema, runtime, connections, request, media)
    except BadRequest as refused:
        return refusal(refused, media)
    except ClientDisconnect:
        return GONE


async def _execute_json(
    schema: BaseSchema, runtime: Runtime, connections: Connections, request: Request, media: str
) -> Response:
    """Whoever has called before is taken for the same; if they are not, what came of it is thrown away."""
    operation = await read(runtime.limits, request)
    if media in {EVENT_STREAM, MULTIPART}:
        context = await _caller(runtime, request)
        return stream(schema, connections, context, operation, request, media)
    before = presumed(runtime, request.headers.get("authorization"), address_of(request))
    if before is not None and _finds_out_who_calls(before, operation):
        response = await _execute(schema, before, operation, request.method, media)
        if before.is_confirmed or await _in_time(runtime, stands(before)):
            return response
    context = await _caller(runtime, request)
    return await _execute(schema, context, operation, request.method, media)


def _finds_out_who_calls(context: Context, operation: GraphQLRequest) -> bool:
    """Of a document that is not kept nobody knows; and what is kept has been found valid."""
    text = document_of(context, operation.query, operation.document_name)
    known = context.documents.find(text)
    return known is not None and finds_out_who_calls(known.document, operation.operation_name)


async def _execute_form(
    schema: BaseSchema, runtime: Runtime, request: Request, media: str
) -> Response:
    """Strangers are refused before they have sent a file."""
    require_preflight(request)
    context = await _caller(runtime, request)
    if context.caller is None:
        raise BadRequest(401, context.problem or "Sign in, or send an API key.")
    if media in {EVENT_STREAM, MULTIPART}:
        raise UNACCEPTABLE
    async with form_of(runtime.limits, request) as params:
        return await _execute(schema, context, checked_operation(params), request.method, media)


async def _caller(runtime: Runtime, request: Request) -> Context:
    header = request.headers.get("authorization")
    return await _in_time(runtime, identify(runtime, header, address_of(request)))


async def _in_time(runtime: Runtime, asked: Awaitable[T]) -> T:
    """What the database says of the caller. Raises BadRequest where it is away, or too slow."""
    try:
        async with asyncio.timeout(runtime.limits.operation_timeout):
            return await asked
    except Exception as error:
        if not is_away(error):
            raise
        log.warning("the database is away: %s", type(error).__name__)
        raise BadRequest(503, AWAY, **{"Retry-After": "1"}) from None


async def _execute(
    schema: BaseSchema, context: Context, operation: GraphQLRequest, method: str, media: str
) -> Response:
    try:
        result = await schema.execute(
            document_of(context, operation.query, operation.document_name),
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.operation_name,
            allowed_operation_types=ALLOWED[method],
        )
    except CannotGetOperationTypeError as unknown:
        extensions = {"code": "BAD_USER_INPUT"}
        error = GraphQLError(unknown.as_http_error_reason(), extensions=extensions)
        result = ExecutionResult(data=None, errors=[error])
    except InvalidOperationTypeError as wrong:
        if wrong.operation_type is OperationType.SUBSCRIPTION:
            raise BadRequest(
                406, "A subscription needs a socket, or `Accept: text/event-stream`."
            ) from None
        raise BadRequest(405, "Send a mutation by POST.", Allow="POST") from None
    return answer(result, media)
