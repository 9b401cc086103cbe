"""A session as a file."""

from datetime import datetime
from typing import Self
from urllib.parse import urlencode
from uuid import UUID

import strawberry

from schema.context import Info
from services.exports.links import (
    CONTENT_TYPES,
    ExportFormat,
    ExportLink,
    link_for,
    signature,
)
from services.ids import Kind, node_id
from services.runtime import Runtime


@strawberry.type
class SessionExport:
    url: str = strawberry.field(
        description="Path below the API's host; signed, good for 5 minutes, for this viewer. The file is "
        "made when it is fetched, and shows the session as it is then."
    )
    filename: str
    content_type: str
    expires_at: datetime

    @classmethod
    def of(cls, runtime: Runtime, link: ExportLink) -> Self:
        query = {
            "account": node_id(Kind.ACCOUNT, link.account_id),
            "viewer": node_id(Kind.USER, link.viewer_id),
            "format": link.format,
            "expires": link.expires,
            "signature": signature(runtime, link),
        }
        return cls(
            url=f"/exports/{node_id(Kind.SESSION, link.session_id)}?{urlencode(query)}",
            filename=link.filename,
            content_type=CONTENT_TYPES[link.format],
            expires_at=link.expires_at,
        )


def export_of(info: Info, session_key: UUID, format_: ExportFormat) -> SessionExport:
    context = info.context
    return SessionExport.of(context.runtime, link_for(context.actor, session_key, format_))
