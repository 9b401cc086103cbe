"""Sessions as files, by their signed addresses."""

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from schema.transport.downloads import LONGEST_NUMBER, refusal
from services.errors import NotFound, RateLimited
from services.exports.links import CONTENT_TYPES, ExportFormat, ExportLink, require_genuine
from services.exports.write import write_export
from services.ids import Kind, uuid_of
from services.runtime import Runtime

COST = 25_000
"""Of one export, from its viewer's minute: as much as a large document."""

FORMATS = {str(form): form for form in ExportFormat}


async def export(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    try:
        link, signature = _asked_for(request)
        await require_genuine(runtime, link, signature)
        budget = runtime.limits.cost_per_minute
        await runtime.throttle.spend(link.viewer_id.hex, min(COST, budget), budget)
        content = await write_export(runtime, link)
    except NotFound:
        return refusal(404, "There is no such export, or its address is no longer good.")
    except RateLimited as late:
        answer = refusal(429, late.message)
        answer.headers["Retry-After"] = str(late.retry_after)
        return answer
    return StreamingResponse(
        content,
        media_type=CONTENT_TYPES[link.format],
        headers={
            "Cache-Control": "private, no-store",
            "Content-Disposition": f'attachment; filename="{link.filename}"',
            "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        },
    )


def _asked_for(request: Request) -> tuple[ExportLink, str]:
    """Raises NotFound for what this server never made."""
    given = request.query_params
    session_id = request.path_params["session_id"]
    expires, form = given.get("expires", ""), FORMATS.get(given.get("format", ""))
    digits = expires.isascii() and expires.isdecimal() and len(expires) <= LONGEST_NUMBER
    if not digits or form is None:
        raise NotFound(session_id)
    link = ExportLink(
        account_id=uuid_of(Kind.ACCOUNT, given.get("account", "")),
        session_id=uuid_of(Kind.SESSION, session_id),
        viewer_id=uuid_of(Kind.USER, given.get("viewer", "")),
        format=form,
        expires=int(expires),
    )
    return link, given.get("signature", "")
