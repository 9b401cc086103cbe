"""A GraphQL request as it comes over HTTP, and everything that is none.

GraphQL over HTTP, draft of 2025: https://graphql.github.io/graphql-over-http/draft/
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any

from starlette.requests import Request

from schema.transport.bad_request import BadRequest
from schema.transport.documents import name_of
from schema.transport.encoding import decode
from services.runtime import Limits


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    query: str | None
    document_name: str | None
    variables: dict[str, Any] | None
    operation_name: str | None


async def read(limits: Limits, request: Request) -> GraphQLRequest:
    """Raises BadRequest, and ClientDisconnect when the client goes while it sends."""
    if request.method == "GET":
        return _checked(_of_query_string(request))
    if request.method != "POST":
        raise BadRequest(405, "Send GraphQL by POST, or a query by GET.", Allow="GET, POST")
    _require_json(request)
    try:
        params = decode(await _body(limits, request))
    except JSONDecodeError:
        raise BadRequest(400, "The body is not JSON in UTF-8, or is nested too deep.") from None
    return checked_operation(params)


def checked_operation(params: object) -> GraphQLRequest:
    """Raises BadRequest for any other JSON."""
    if isinstance(params, list):
        raise BadRequest(400, "Send one operation a request; there are no batches.")
    if not isinstance(params, dict):
        raise BadRequest(400, "Send a JSON object with a `query`.")
    return _checked(params)


def _require_json(request: Request) -> None:
    media, *parameters = request.headers.get("content-type", "").lower().split(";")
    charsets = [value.strip(' "') for name, _, value in _pairs(parameters) if name == "charset"]
    if media.strip() != "application/json" or charsets not in ([], ["utf-8"], ["utf8"]):
        raise BadRequest(415, "Send `Content-Type: application/json`, in UTF-8.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise BadRequest(415, "Send the body uncompressed.")


def _pairs(parameters: list[str]) -> list[tuple[str, str, str]]:
    return [parameter.strip().partition("=") for parameter in parameters]


async def _body(limits: Limits, request: Request) -> bytes:
    """No more of it than is allowed, and not for longer."""
    cap, seconds = limits.max_body, limits.body_timeout
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                body += part
                if len(body) > cap:
                    raise BadRequest(413, f"A request may have {cap:,} bytes.")
    except TimeoutError:
        raise BadRequest(408, f"Send the body within {seconds:g} seconds.") from None
    return bytes(body)


def _of_query_string(request: Request) -> dict[str, Any]:
    params: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if params.get(name):
            try:
                params[name] = decode(params[name])
            except JSONDecodeError:
                raise BadRequest(400, f"`{name}` is not JSON.") from None
        else:
            params.pop(name, None)
    return params


def _checked(params: Mapping[str, Any]) -> GraphQLRequest:
    for name in ("variables", "extensions"):
        if not isinstance(params.get(name), dict | None):
            raise BadRequest(400, f"`{name}` must be an object or null.")
    query, document_name = params.get("query"), name_of(params)
    if not isinstance(query, str | None) or not (query or document_name is not None):
        raise BadRequest(400, "Send the document as `query`, a text.")
    operation_name = params.get("operationName")
    if not isinstance(operation_name, str | None):
        raise BadRequest(400, "`operationName` must be a text or null.")
    return GraphQLRequest(query, document_name, params.get("variables"), operation_name or None)
