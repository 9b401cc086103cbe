"""The job that finds out what a file says, after it has been stored."""

from uuid import UUID

from sqlalchemy import select, update

from models.upload import FileUpload, UploadState
from services.audit import Change
from services.database import fetch_one
from services.enqueue import TryAgain
from services.events import UploadChanged
from services.evidence.examination import Examined, examine
from services.evidence.pdf_text import Unreadable
from services.file_store import FileGone, StoreAway
from services.runtime import Runtime
from services.unit_of_work import UnitOfWork


async def describe_upload(
    runtime: Runtime, account_id: UUID, upload_id: UUID, *, last_try: bool
) -> None:
    """Raises TryAgain while the store is away, unless this is the last try."""
    async with runtime.assistant_work(account_id) as work:
        upload = await _begin(work, upload_id)
    if upload is None:
        return  # removed, or described by an earlier run
    try:
        content = await runtime.files.get(account_id, upload_id)
        examined = await examine(content, upload.content_type, upload.filename)
        description = await describe(runtime, upload, content, examined)
    except StoreAway:
        if not last_try:
            raise TryAgain from None
        await _end(runtime, upload, failure="The store of files could not be reached.")
    except FileGone:
        await _end(runtime, upload, failure="The file is no longer in the store.")
    except Unreadable as failure:
        await _end(runtime, upload, failure=str(failure))
    else:
        await _end(
            runtime,
            upload,
            ai_description=description,
            content_summary=examined.summary,
            extracted_content=examined.text,
        )


async def describe(
    runtime: Runtime,  # noqa: ARG001 - has the model that may say more
    upload: FileUpload,  # noqa: ARG001
    content: bytes,  # noqa: ARG001
    examined: Examined,
) -> str:
    """One sentence, of what can be said without a model."""
    return examined.description


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


async def _end(runtime: Runtime, upload: FileUpload, **found: object) -> None:
    state = UploadState.FAILED if "failure" in found else UploadState.DESCRIBED
    async with runtime.assistant_work(upload.account_id) as work:
        await _move(work, upload, state, **found)


async def _move(work: UnitOfWork, upload: FileUpload, state: UploadState, **found: object) -> None:
    """A session may have taken it over meanwhile; another run may have been faster."""
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
