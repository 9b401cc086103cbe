"""Addresses at which one viewer may fetch one file for a few minutes, without a token of theirs."""

from dataclasses import dataclass
from time import time
from uuid import UUID

from sqlalchemy import select

from models.account import User
from models.upload import FileUpload
from services.access import Actor
from services.addresses import SECONDS, is_same, sign
from services.database import fetch_one, transaction
from services.errors import NotFound
from services.ids import Kind, node_id
from services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Link:
    account_id: UUID
    upload_id: UUID
    viewer_id: UUID
    expires: int
    """Seconds since 1970."""


def link_for(actor: Actor, upload: FileUpload) -> Link:
    return Link(upload.account_id, upload.id, actor.user_id, int(time()) + SECONDS)


def signature(runtime: Runtime, link: Link) -> str:
    parts = (link.account_id.hex, link.upload_id.hex, link.viewer_id.hex, str(link.expires))
    return sign(runtime, b"addresses of files", *parts)


async def follow(runtime: Runtime, link: Link, given: str) -> FileUpload:
    """Raises NotFound, whatever is wrong: forged, over, or the file or its viewer are gone."""
    missing = NotFound(node_id(Kind.UPLOAD, link.upload_id))
    if not is_same(signature(runtime, link), given):
        raise missing
    if link.expires < time():
        raise missing
    statement = (
        select(FileUpload)
        .join(User, User.account_id == FileUpload.account_id)
        .where(
            FileUpload.account_id == link.account_id,
            FileUpload.id == link.upload_id,
            User.id == link.viewer_id,
            User.deactivated_at.is_(None),
        )
    )
    async with transaction(runtime.engine, link.account_id) as db:
        upload = await fetch_one(db, statement)
    if upload is None:
        raise missing
    return upload
