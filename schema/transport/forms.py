"""Files that come with an operation: one form, by the GraphQL multipart request specification.

https://github.com/jaydenseric/graphql-multipart-request-spec
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from json import JSONDecodeError
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from schema.transport.bad_request import BadRequest
from schema.transport.encoding import decode
from services.runtime import Limits

PREFLIGHT = ("GraphQL-Require-Preflight", "Apollo-Require-Preflight")
"""One of them must be there: a browser lets no form of another site send it."""

MOST_FILES = 1


def is_form(request: Request) -> bool:
    media = request.headers.get("content-type", "").partition(";")[0]
    return media.strip().lower() == "multipart/form-data"


def require_preflight(request: Request) -> None:
    if not any(request.headers.get(name) for name in PREFLIGHT):
        raise BadRequest(400, f"Send the header `{PREFLIGHT[0]}: 1` with a form.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise BadRequest(415, "Send the body uncompressed.")


@asynccontextmanager
async def form_of(limits: Limits, request: Request) -> AsyncIterator[object]:
    """The operation, with its file in its place; the file is gone afterwards.

    Raises BadRequest, and ClientDisconnect when the client goes while it sends.
    """
    form = await _parse(limits, request)
    try:
        yield _operation(form)
    finally:
        await form.close()


async def _parse(limits: Limits, request: Request) -> FormData:
    parser = MultiPartParser(
        request.headers,
        _body(limits, request),
        max_files=MOST_FILES,
        max_fields=2,
        max_part_size=limits.max_body,
    )
    try:
        async with asyncio.timeout(limits.upload_timeout):
            return await parser.parse()
    except TimeoutError:
        raise BadRequest(408, f"Send the body within {limits.upload_timeout:g} seconds.") from None
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise BadRequest(
            400, "Send a form with `operations`, `map` and one file, in this order."
        ) from None


async def _body(limits: Limits, request: Request) -> AsyncGenerator[bytes, None]:
    """No more of it than is allowed: large files go to the disk meanwhile."""
    cap, size = limits.max_upload + limits.max_body, 0
    async for part in request.stream():
        size += len(part)
        if size > cap:
            raise BadRequest(413, f"A file may have at most {limits.max_upload:,} bytes.")
        yield part


def _operation(form: FormData) -> object:
    operation, places = _json(form, "operations"), _json(form, "map")
    if not isinstance(operation, dict):
        raise BadRequest(400, "Send one operation as `operations`, a JSON object.")
    if not isinstance(places, dict):
        raise BadRequest(400, "Send `map` as a JSON object.")
    for name, paths in places.items():
        file = form.get(name)
        if not isinstance(file, UploadFile) or not isinstance(paths, list):
            raise BadRequest(400, "Each name in `map` is that of a file, with a list of places.")
        for path in paths:
            _put(operation, path, file)
    return operation


def _json(form: FormData, name: str) -> Any:  # noqa: ANN401 - any JSON value
    value = form.get(name)
    if not isinstance(value, str):
        raise BadRequest(400, f"Send `{name}` as JSON, before the file.")
    try:
        return decode(value)
    except JSONDecodeError:
        raise BadRequest(400, f"`{name}` is not JSON.") from None


def _put(operation: Mapping[str, Any], path: object, file: UploadFile) -> None:
    """As `variables.input.file`; what is there must be null."""
    value: Any = operation
    *parents, last = path.split(".") if isinstance(path, str) else [""]
    for name in parents:
        value = value.get(name) if isinstance(value, dict) else None
    if not parents or parents[0] != "variables" or not isinstance(value, dict):
        raise BadRequest(400, "A place in `map` is as `variables.input.file`.")
    if last not in value or value[last] is not None:
        raise BadRequest(400, "What a place in `map` names must be null.")
    value[last] = file
