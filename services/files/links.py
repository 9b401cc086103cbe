"""Addresses at which one viewer may fetch one file for a few minutes, without a token of theirs."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from time import time
from uuid import UUID

from sqlalchemy import select

from models.account import User
from models.upload import FileUpload
from services.access import Actor
from services.database import fetch_one, transaction
from services.errors import NotFound
from services.ids import Kind, node_id
from services.runtime import Runtime

SECONDS = 300


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
    """Under a key of its own, so that it is good for nothing else that the secret signs."""
    key = hmac.digest(runtime.secret, b"addresses of files", hashlib.sha256)
    parts = (link.account_id.hex, link.upload_id.hex, link.viewer_id.hex, str(link.expires))
    signed = hmac.digest(key, ":".join(parts).encode(), hashlib.sha256)
    return urlsafe_b64encode(signed).rstrip(b"=").decode()


async def follow(runtime: Runtime, link: Link, given: str) -> FileUpload:
    """Raises NotFound, whatever is wrong: forged, over, or the file or its viewer are gone."""
    missing = NotFound(node_id(Kind.UPLOAD, link.upload_id))
    if not hmac.compare_digest(signature(runtime, link).encode(), given.encode()):
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
