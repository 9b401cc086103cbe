"""The job that finds out what a file says, after it has been stored."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from models.upload import FileUpload, UploadPreview, UploadState
from services.ai.port import Attachment, Image
from services.ai.tasks import DescribeFile, Description
from services.ai_tasks import TaskFailed, perform
from services.audit import Change
from services.database import fetch_one
from services.enqueue import TryAgain
from services.events import UploadChanged
from services.files.evidence.apart import Unreadable
from services.files.evidence.examination import Examined, examine
from services.files.evidence.pictures import Preview
from services.files.store import FileGone, StoreAway
from services.runtime import Runtime
from services.unit_of_work import UnitOfWork

SHORT = 2_000
"""Characters of a text that is read faster than a description of it."""


async def describe_upload(
    runtime: Runtime, account_id: UUID, upload_id: UUID, *, last_try: bool
) -> None:
    """What a model fails to describe keeps what was found out without one.

    Raises TryAgain on a fault that may pass, unless this is the last try.
    """
    async with runtime.assistant_work(account_id) as work:
        upload = await _begin(work, upload_id)
    if upload is None:
        return  # removed, or described by an earlier run
    try:
        content = await runtime.files.get(account_id, upload_id)
        examined = await examine(content, upload.content_type, upload.filename)
    except StoreAway:
        if not last_try:
            raise TryAgain from None
        await _end(runtime, upload, failure="The store of files could not be reached.")
        return
    except FileGone:
        await _end(runtime, upload, failure="The file is no longer in the store.")
        return
    except Unreadable as unreadable:
        await _end(runtime, upload, failure=str(unreadable))
        return
    try:
        told = await _describe(runtime, upload, examined, last_try=last_try)
    except TaskFailed as failed:
        await _end(runtime, upload, examined, failure=str(failed))
    else:
        await _end(runtime, upload, examined, told)


async def give_up(runtime: Runtime, account_id: UUID, upload_id: UUID, *, why: str) -> None:
    async with runtime.assistant_work(account_id) as work:
        upload = await _begin(work, upload_id)
        if upload is not None:
            await _move(work, upload, UploadState.FAILED, failure=why)


async def _describe(
    runtime: Runtime, upload: FileUpload, examined: Examined, *, last_try: bool
) -> Description | None:
    """None where there is no model, or no more to say than rules can.

    Raises TryAgain and TaskFailed.
    """
    is_worth_it = examined.preview is not None or len(examined.text or "") > SHORT
    if runtime.provider.is_offline or not is_worth_it:
        return None
    preview = examined.preview
    image = Image(preview.media_type, preview.content) if preview is not None else None
    attachment = Attachment(
        upload.filename,
        upload.content_type,
        examined.description,
        examined.summary,
        examined.text,
        image,
    )
    outcome = await perform(
        runtime,
        upload.account_id,
        DescribeFile(attachment),
        session_id=upload.session_id,
        branch_id=upload.uploaded_on_branch_id,
        last_try=last_try,
    )
    return outcome.result


async def _begin(work: UnitOfWork, upload_id: UUID) -> FileUpload | None:
    """None unless it waits to be described, or a worker was killed while it did that."""
    statement = (
        select(FileUpload)
        .where(
            FileUpload.account_id == work.account_id,
            FileUpload.id == upload_id,
            FileUpload.state.in_((UploadState.STORED, UploadState.DESCRIBING)),
        )
        .with_for_update()
    )
    upload = await fetch_one(work.db, statement)
    if upload is not None and upload.state is UploadState.STORED:
        await _move(work, upload, UploadState.DESCRIBING)
    return upload


async def _end(
    runtime: Runtime,
    upload: FileUpload,
    examined: Examined | None = None,
    told: Description | None = None,
    *,
    failure: str | None = None,
) -> None:
    state = UploadState.FAILED if failure else UploadState.DESCRIBED
    async with runtime.assistant_work(upload.account_id) as work:
        moved = await _move(
            work,
            upload,
            state,
            failure=failure,
            ai_description=_description(examined, told),
            content_summary=_summary(examined, told),
            extracted_content=examined and examined.text,
        )
        if moved and examined and examined.preview:
            await _keep(work, upload, examined.preview)


def _description(examined: Examined | None, told: Description | None) -> str | None:
    found = told or examined
    return found.description if found is not None else None


def _summary(examined: Examined | None, told: Description | None) -> str | None:
    """What a model said of a log stands before its digest, which has the figures."""
    parts = (told and told.summary, examined and examined.summary)
    return "\n\n".join(part for part in parts if part) or None


async def _keep(work: UnitOfWork, upload: FileUpload, preview: Preview) -> None:
    """Of a file that is described again the first stays: it is the same."""
    statement = insert(UploadPreview).values(
        account_id=work.account_id,
        upload_id=upload.id,
        media_type=preview.media_type,
        content=preview.content,
    )
    await work.db.execute(statement.on_conflict_do_nothing())


async def _move(work: UnitOfWork, upload: FileUpload, state: UploadState, **found: object) -> bool:
    """A session may have taken it over meanwhile; another run may have been faster: then False."""
    before = UploadState.STORED if state is UploadState.DESCRIBING else UploadState.DESCRIBING
    moved = (
        update(FileUpload)
        .where(
            FileUpload.account_id == work.account_id,
            FileUpload.id == upload.id,
            FileUpload.state == before,
        )
        .values(state=state, **found)
        .returning(FileUpload.session_id)
    )
    row = (await work.db.execute(moved)).one_or_none()
    if row is not None and row.session_id is not None:
        change = Change("state", before.name, state.name)
        work.record(UploadChanged(row.session_id, upload.id), change)
    return row is not None
