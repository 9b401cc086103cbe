"""The files that were sent with messages, as the assistant is told of them."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import JSON, Select, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from models.message import BranchMessage, MessageAttachment
from models.upload import FileUpload, UploadPreview, UploadState
from services import lifecycle
from services.ai.port import Attachment, Image
from services.database import fetch, transaction
from services.runtime import Runtime
from services.unit_of_work import events_topic

PICTURES = 20
"""At most so many are shown of a lineage, the newest. When there are more, half of them make room at
once, so that what prompt caches have kept moves with every tenth picture only.
"""

READ_WITHIN = 20.0
"""Seconds that an answer waits for files to be read; then it goes on with what is known of them."""

LOOK_AGAIN = 1.0

FILES = literal_column(
    """(
    SELECT json_agg(json_build_object(
        'id', upload.id, 'filename', upload.filename, 'content_type', upload.content_type,
        'description', upload.ai_description, 'summary', upload.content_summary,
        'text', upload.extracted_content, 'failure', upload.failure,
        'has_preview', preview.upload_id IS NOT NULL) ORDER BY sent.ordinal)
      FROM message_attachments sent
      JOIN file_uploads upload
        ON upload.account_id = sent.account_id AND upload.id = sent.upload_id
      LEFT JOIN upload_previews preview
        ON preview.account_id = upload.account_id AND preview.upload_id = upload.id
     WHERE sent.account_id = branch_messages.account_id
       AND sent.message_id = branch_messages.id
    )""",
    JSON,
).label("files")
"""A column of branch_messages: null for a message without files."""


class _Sent(BaseModel):
    id: UUID
    filename: str
    content_type: str
    description: str | None
    summary: str | None
    text: str | None
    failure: str | None
    has_preview: bool


async def read_attachments(
    db: AsyncConnection, account_id: UUID, files: Mapping[UUID, list[dict[str, Any]] | None]
) -> dict[UUID, tuple[Attachment, ...]]:
    """By message. `files` has what FILES told of each message of a lineage, in its order.

    A statement where pictures were sent, else none.
    """
    sent = {
        message_id: [_Sent.model_validate(file) for file in of_message]
        for message_id, of_message in files.items()
        if of_message
    }
    pictures = [file.id for one in sent.values() for file in one if file.has_preview]
    images = await _read_images(db, account_id, _shown(pictures))
    return {
        message_id: tuple(_attachment(file, images.get(file.id)) for file in of_message)
        for message_id, of_message in sent.items()
    }


def _shown(pictures: Sequence[UUID]) -> Sequence[UUID]:
    step = PICTURES // 2
    return pictures[max(0, (len(pictures) - 1) // step * step - step) :]


async def _read_images(
    db: AsyncConnection, account_id: UUID, upload_ids: Sequence[UUID]
) -> dict[UUID, Image]:
    if not upload_ids:
        return {}
    statement = select(UploadPreview).where(
        UploadPreview.account_id == account_id, UploadPreview.upload_id.in_(upload_ids)
    )
    rows = await fetch(db, statement)
    return {row.upload_id: Image(row.media_type, row.content) for row in rows}


def _attachment(file: _Sent, image: Image | None) -> Attachment:
    return Attachment(
        file.filename,
        file.content_type,
        file.description or file.failure,
        file.summary,
        file.text,
        image,
    )


async def wait_until_read(runtime: Runtime, account_id: UUID, reply_id: UUID) -> None:
    """Until the files sent on the branch before the reply were read or nobody waits for it any more, at
    most READ_WITHIN.
    """
    reply = aliased(BranchMessage)
    statement = (
        select(FileUpload.id)
        .join(
            MessageAttachment,
            (MessageAttachment.account_id == FileUpload.account_id)
            & (MessageAttachment.upload_id == FileUpload.id),
        )
        .join(
            BranchMessage,
            (BranchMessage.account_id == MessageAttachment.account_id)
            & (BranchMessage.id == MessageAttachment.message_id),
        )
        .join(
            reply,
            (reply.account_id == BranchMessage.account_id)
            & (reply.branch_id == BranchMessage.branch_id)
            & (reply.position > BranchMessage.position),
        )
        .where(
            reply.account_id == account_id,
            reply.id == reply_id,
            reply.state.in_(lifecycle.UNFINISHED),
            FileUpload.state.in_((UploadState.STORED, UploadState.DESCRIBING)),
        )
        .limit(1)
    )
    with runtime.bus.listen(events_topic(account_id)) as hints, suppress(TimeoutError):
        async with asyncio.timeout(READ_WITHIN):
            while await _any(runtime, account_id, statement):
                await hints.wait(LOOK_AGAIN)


async def _any(runtime: Runtime, account_id: UUID, statement: Select[UUID]) -> bool:
    async with transaction(runtime.engine, account_id) as db:
        return (await db.execute(statement)).first() is not None
