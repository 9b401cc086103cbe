"""Addresses at which one viewer may fetch one session as a file for a few minutes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from time import time
from uuid import UUID

from sqlalchemy import select

from models.account import User
from services.access import Actor
from services.addresses import SECONDS, is_same, sign
from services.database import transaction
from services.errors import NotFound
from services.ids import Kind, node_id
from services.runtime import Runtime


class ExportFormat(StrEnum):
    """ARCHIVE: a ZIP with all three and the files that were brought in."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    ARCHIVE = "archive"


ENDINGS = {
    ExportFormat.MARKDOWN: "md",
    ExportFormat.HTML: "html",
    ExportFormat.JSON: "json",
    ExportFormat.ARCHIVE: "zip",
}
CONTENT_TYPES = {
    ExportFormat.MARKDOWN: "text/markdown; charset=utf-8",
    ExportFormat.HTML: "text/html; charset=utf-8",
    ExportFormat.JSON: "application/json",
    ExportFormat.ARCHIVE: "application/zip",
}


@dataclass(frozen=True, slots=True)
class ExportLink:
    account_id: UUID
    session_id: UUID
    viewer_id: UUID
    format: ExportFormat
    expires: int
    """Seconds since 1970."""

    @property
    def expires_at(self) -> datetime:
        return datetime.fromtimestamp(self.expires, UTC)

    @property
    def filename(self) -> str:
        """Of our own characters only."""
        return f"session-{self.session_id.hex[-12:]}.{ENDINGS[self.format]}"


def link_for(actor: Actor, session_id: UUID, format_: ExportFormat) -> ExportLink:
    expires = int(time()) + SECONDS
    return ExportLink(actor.account_id, session_id, actor.user_id, format_, expires)


def signature(runtime: Runtime, link: ExportLink) -> str:
    keys = (link.account_id.hex, link.session_id.hex, link.viewer_id.hex)
    return sign(runtime, b"addresses of exports", *keys, link.format, str(link.expires))


async def require_genuine(runtime: Runtime, link: ExportLink, given: str) -> None:
    """Raises NotFound, whatever is wrong: forged, over, or its viewer is gone."""
    missing = NotFound(node_id(Kind.SESSION, link.session_id))
    if not is_same(signature(runtime, link), given) or link.expires < time():
        raise missing
    viewer = select(User.id).where(
        User.account_id == link.account_id,
        User.id == link.viewer_id,
        User.deactivated_at.is_(None),
    )
    async with transaction(runtime.engine, link.account_id) as db:
        if (await db.execute(viewer)).first() is None:
            raise missing
