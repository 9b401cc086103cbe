"""Files that go with what is said: each is sent once, in one session."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.message import MessageAttachment
from models.upload import FileUpload
from services.access import Actor
from services.database import fetch
from services.errors import FieldProblem, InvalidInput, NotFound
from services.events import UploadChanged
from services.ids import Kind, node_id
from services.runtime import Runtime
from services.unit_of_work import UnitOfWork
from services.validation import Validation

OF_MESSAGE = 10


def check_attachments(check: Validation, upload_ids: Sequence[UUID]) -> None:
    check.count(("uploadIds",), upload_ids, 0, OF_MESSAGE)
    if len(set(upload_ids)) < len(upload_ids):
        check.add(("uploadIds",), "Must not name a file twice.")


def named_uploads(upload_ids: Sequence[UUID]) -> dict[str, object]:
    """For the idempotency of a verb; nothing where there are none, as before there were files."""
    return {"uploads": [str(upload_id) for upload_id in upload_ids]} if upload_ids else {}


async def attach(
    work: UnitOfWork,
    *,
    session_id: UUID,
    branch_id: UUID,
    message_id: UUID,
    upload_ids: Sequence[UUID],
) -> None:
    """Files of the session, or ones that this person brought in for a session to come.

    Raises NotFound and InvalidInput.
    """
    if not upload_ids:
        return
    found = await _lock(work, upload_ids)
    problems = []
    for place, upload_id in enumerate(upload_ids):
        upload = found.get(upload_id)
        if upload is None:
            raise NotFound(node_id(Kind.UPLOAD, upload_id))
        if problem := _problem(upload, session_id, work.user_id):
            problems.append(FieldProblem(("uploadIds", str(place)), problem))
    if problems:
        raise InvalidInput(problems)
    attached = (
        insert(MessageAttachment)
        .values(
            [
                {
                    "account_id": work.account_id,
                    "message_id": message_id,
                    "ordinal": ordinal,
                    "upload_id": upload_id,
                }
                for ordinal, upload_id in enumerate(upload_ids, 1)
            ]
        )
        .on_conflict_do_nothing(index_elements=["account_id", "upload_id"])
        .returning(MessageAttachment.upload_id)
    )
    new = set((await work.db.execute(attached)).scalars())
    sent_before = [place for place, upload_id in enumerate(upload_ids) if upload_id not in new]
    if sent_before:
        raise InvalidInput(
            [
                FieldProblem(("uploadIds", str(place)), "Was sent with another message already.")
                for place in sent_before
            ]
        )
    await work.db.execute(
        update(FileUpload)
        .where(FileUpload.account_id == work.account_id, FileUpload.id.in_(upload_ids))
        .values(
            session_id=session_id,
            uploaded_on_branch_id=func.coalesce(FileUpload.uploaded_on_branch_id, branch_id),
        )
    )
    for upload_id in upload_ids:
        if found[upload_id].session_id is None:
            work.record(UploadChanged(session_id, upload_id))


async def _lock(work: UnitOfWork, upload_ids: Sequence[UUID]) -> dict[UUID, FileUpload]:
    """In one order for all, so that nobody waits for one another."""
    statement = (
        select(FileUpload)
        .where(FileUpload.account_id == work.account_id, FileUpload.id.in_(upload_ids))
        .order_by(FileUpload.id)
        .with_for_update()
    )
    return {row.id: row for row in await fetch(work.db, statement)}


def _problem(upload: FileUpload, session_id: UUID, user_id: UUID | None) -> str | None:
    if upload.session_id is None:
        if upload.uploaded_by != user_id:
            return "Only whoever brought it in may use it in a session."
        return None
    return None if upload.session_id == session_id else "Belongs to another session."


async def by_message(
    runtime: Runtime, actor: Actor, message_ids: Sequence[UUID]
) -> dict[UUID, list[FileUpload]]:
    """In the order given."""
    statement = (
        select(MessageAttachment.message_id, *FileUpload.__table__.c)
        .join(
            FileUpload,
            (FileUpload.account_id == MessageAttachment.account_id)
            & (FileUpload.id == MessageAttachment.upload_id),
        )
        .where(
            MessageAttachment.account_id == actor.account_id,
            MessageAttachment.message_id.in_(message_ids),
        )
        .order_by(MessageAttachment.ordinal)
    )
    found: defaultdict[UUID, list[FileUpload]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in (await db.execute(statement)).all():
            found[row.message_id].append(row)  # type: ignore[arg-type]
    return found
