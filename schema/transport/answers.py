"""What an operation's result looks like, and which HTTP status tells of it."""

from starlette.responses import Response
from strawberry.http import GraphQLHTTPResponse
from strawberry.types import ExecutionResult

from schema.transport.bad_request import BadRequest
from schema.transport.encoding import encode
from schema.transport.media import GRAPHQL_RESPONSE, JSON

HEADERS = {"Cache-Control": "no-store", "Vary": "Accept"}

CODES = {
    401: "UNAUTHENTICATED",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "TIMEOUT",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
    503: "SERVICE_UNAVAILABLE",
}


def body_of(result: ExecutionResult) -> GraphQLHTTPResponse:
    """`data` is left out where the operation was refused before it ran, as the specification asks."""
    body: GraphQLHTTPResponse = {}
    if not was_refused(result):
        body["data"] = result.data
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        body["extensions"] = result.extensions
    return body


def was_refused(result: ExecutionResult) -> bool:
    """An error of a field has a path."""
    return (
        result.data is None
        and bool(result.errors)
        and all(error.path is None for error in result.errors or ())
    )


def answer(result: ExecutionResult, media: str) -> Response:
    """The older media type says 200 to all that was GraphQL; the newer, 400 to what did not run."""
    refused = media == GRAPHQL_RESPONSE and was_refused(result)
    return _response(body_of(result), 400 if refused else 200, media)


def refusal(refused: BadRequest, media: str) -> Response:
    code = CODES.get(refused.status, "BAD_REQUEST")
    body = {"errors": [{"message": refused.message, "extensions": {"code": code}}]}
    response = _response(
        body, refused.status, GRAPHQL_RESPONSE if media == GRAPHQL_RESPONSE else JSON
    )
    response.headers.update(refused.headers)
    return response


def _response(body: object, status: int, media: str) -> Response:
    return Response(
        encode(body), status, headers={**HEADERS, "Content-Type": f"{media}; charset=utf-8"}
    )
