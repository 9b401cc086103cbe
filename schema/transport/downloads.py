"""Files by their signed addresses. Nothing in them runs in a browser, whoever made them."""

import logging
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from services.errors import NotFound
from services.files.evidence.kinds import IMAGES, OPAQUE
from services.files.links import Link, follow
from services.files.store import FileGone, StoreAway
from services.ids import Kind, uuid_of
from services.runtime import Runtime

log = logging.getLogger("flowpilot.transport")

LONGEST_NUMBER = 15
"""Digits."""


async def download(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    try:
        link, signature = _asked_for(request)
        upload = await follow(runtime, link, signature)
        content = await runtime.files.open(upload.account_id, upload.id)
    except NotFound:
        return refusal(404, "There is no such file, or its address is no longer good.")
    except FileGone:
        log.warning("a file is missing in the store: %s", link.upload_id)
        return refusal(404, "The file is no longer in the store.")
    except StoreAway:
        return refusal(503, "The store of files cannot be reached. Try again.")
    kind = upload.content_type
    return StreamingResponse(
        content,
        media_type=kind if kind in IMAGES else OPAQUE,
        headers={
            "Cache-Control": "private, no-store",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(upload.filename, safe='')}",
            "Content-Length": str(upload.byte_size),
            "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        },
    )


def _asked_for(request: Request) -> tuple[Link, str]:
    """Raises NotFound for what this server never made."""
    given = request.query_params
    upload_id = request.path_params["upload_id"]
    expires = given.get("expires", "")
    if not (expires.isascii() and expires.isdecimal() and len(expires) <= LONGEST_NUMBER):
        raise NotFound(upload_id)
    link = Link(
        account_id=uuid_of(Kind.ACCOUNT, given.get("account", "")),
        upload_id=uuid_of(Kind.UPLOAD, upload_id),
        viewer_id=uuid_of(Kind.USER, given.get("viewer", "")),
        expires=int(expires),
    )
    return link, given.get("signature", "")


def refusal(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status, headers={"Cache-Control": "no-store"})
