"""Bringing in files, and reading what is known of them."""

import asyncio
import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from models.account import User
from models.audit import AuditAction
from models.session import Step
from models.upload import FileUpload, UploadState
from services import enqueue
from services.access import Actor, require_write
from services.audit import Change
from services.branches import in_session, lock_branch
from services.database import fetch, fetch_one, is_away
from services.errors import (
    FieldProblem,
    InvalidInput,
    InvalidTransition,
    NotFound,
    PermissionDenied,
    ServiceUnavailable,
)
from services.events import UploadChanged
from services.files.evidence.kinds import kind_of
from services.files.store import StoreAway
from services.ids import Kind, new_id, node_id
from services.runtime import Runtime
from services.sessions import lock_workable
from services.unit_of_work import UnitOfWork
from services.validation import Validation

OF_SESSION = 200
WAITING = 50
"""Files that one person has brought in for sessions to come."""

LONGEST_NAME = 255
LONGEST_SUFFIX = 20

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of Unicode that show nothing or turn the direction of what is read, as in `exe.png`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is brought in; nothing: for a session to come. A branch names its session, too."""

    session_id: UUID | None
    branch_id: UUID | None


async def upload_file(
    runtime: Runtime, actor: Actor, *, key: UUID, filename: str, content: bytes, place: Place
) -> FileUpload:
    """The file is there before its row is, and goes again where the row cannot be made.

    Raises InvalidInput, NotFound, PermissionDenied, InvalidTransition and ServiceUnavailable.
    """
    check = Validation()
    if not content:
        check.add(("file",), "Must not be empty.")
    if len(content) > runtime.limits.max_upload:
        check.add(("file",), f"Must have at most {runtime.limits.max_upload:,} bytes.")
    check.done()
    require_write(actor)
    async with runtime.work(actor) as work:
        await _settle(work, actor, place)  # so that nothing is written for what will be refused
    upload_id, name = new_id(), clean_name(filename)
    try:
        await runtime.files.put(actor.account_id, upload_id, content)
    except StoreAway:
        raise ServiceUnavailable(
            "The file could not be stored.", service="files", retryable=True
        ) from None
    try:
        kept = await _record(runtime, actor, key, upload_id, name, content, place)
    except Exception as error:
        if not is_away(error):  # else it may have been committed: the sweep will see
            await _discard(runtime, actor.account_id, upload_id)
        raise
    if kept.id != upload_id:
        await _discard(runtime, actor.account_id, upload_id)
    return kept


async def _record(
    runtime: Runtime,
    actor: Actor,
    key: UUID,
    upload_id: UUID,
    name: str,
    content: bytes,
    place: Place,
) -> FileUpload:
    sha256 = (await asyncio.to_thread(hashlib.sha256, content)).hexdigest()
    given = {
        "name": name,
        "sha256": sha256,
        "session": place.session_id and str(place.session_id),
        "branch": place.branch_id and str(place.branch_id),
    }
    async with runtime.work(actor) as work:
        made = await work.once("uploadFile", key, given, {"upload": str(upload_id)})
        if made is not None:
            return await _one(work.db, actor.account_id, UUID(made["upload"]))
        settled = await _settle(work, actor, place)
        await work.db.execute(
            insert(FileUpload).values(
                account_id=work.account_id,
                id=upload_id,
                session_id=settled.session_id,
                uploaded_on_branch_id=settled.branch_id,
                uploaded_at_step_id=await _latest_step(work, settled.branch_id),
                filename=name,
                content_type=kind_of(content, name),
                byte_size=len(content),
                sha256=sha256,
                uploaded_by=actor.user_id,
            )
        )
        if settled.session_id is None:
            work.audit(AuditAction.FILE_UPLOADED, Kind.UPLOAD, upload_id)
        else:
            work.record(
                UploadChanged(settled.session_id, upload_id), action=AuditAction.FILE_UPLOADED
            )
        work.enqueue(enqueue.describe_upload(work.account_id, upload_id))
        return await _one(work.db, actor.account_id, upload_id)


async def _discard(runtime: Runtime, account_id: UUID, upload_id: UUID) -> None:
    """What this cannot remove, the sweep will."""
    try:
        await runtime.files.delete(account_id, [upload_id])
    except StoreAway:
        return


async def _settle(work: UnitOfWork, actor: Actor, place: Place) -> Place:
    """Locks where the file goes, and sees that it may and that there is room."""
    if place.session_id is None and place.branch_id is None:
        own = (
            select(User.id)
            .where(User.account_id == work.account_id, User.id == actor.user_id)
            .with_for_update(key_share=True)
        )
        await work.db.execute(own)
        mine = (FileUpload.session_id.is_(None), FileUpload.uploaded_by == actor.user_id)
        if await _count(work, *mine) >= WAITING:
            problem = f"{WAITING} of your files wait for a session already."
            raise InvalidInput([FieldProblem(("file",), problem)])
        return place
    if place.session_id is None:
        session, _ = await lock_branch(work, actor, place.branch_id)  # type: ignore[arg-type]
    else:
        session = await lock_workable(work, actor, place.session_id)
        if place.branch_id is not None:
            await in_session(work.db, session, place.branch_id)
    if await _count(work, FileUpload.session_id == session.id) >= OF_SESSION:
        raise InvalidInput([FieldProblem(("file",), f"A session may have {OF_SESSION} files.")])
    return Place(session.id, place.branch_id)


async def _count(work: UnitOfWork, *which: object) -> int:
    statement = select(func.count()).where(FileUpload.account_id == work.account_id, *which)  # type: ignore[arg-type]
    return int((await work.db.execute(statement)).scalar_one())


async def _latest_step(work: UnitOfWork, branch_id: UUID | None) -> UUID | None:
    if branch_id is None:
        return None
    statement = (
        select(Step.id)
        .where(Step.account_id == work.account_id, Step.branch_id == branch_id)
        .order_by(Step.step_order.desc())
        .limit(1)
    )
    return (await work.db.execute(statement)).scalar_one_or_none()


def clean_name(given: str) -> str:
    """Without folders and what cannot be seen, at most 255 characters with its suffix; never empty."""
    last = given.replace("\\", "/").rpartition("/")[2]
    shown = "".join(
        character
        for character in unicodedata.normalize("NFC", last)
        if unicodedata.category(character) not in HIDDEN
    ).strip(" .")
    if len(shown) > LONGEST_NAME:
        suffix = PurePath(shown).suffix[:LONGEST_SUFFIX]
        shown = shown[: LONGEST_NAME - len(suffix)] + suffix
    return shown or "file"


async def retry_upload(runtime: Runtime, actor: Actor, *, upload_id: UUID) -> FileUpload:
    """A file that could not be described is read again.

    Raises NotFound, PermissionDenied and InvalidTransition.
    """
    async with runtime.work(actor) as work:
        upload = await _one(work.db, actor.account_id, upload_id)
        if upload.session_id is not None:
            await lock_workable(work, actor, upload.session_id)
        else:
            require_write(actor)
            if upload.uploaded_by != actor.user_id:
                raise PermissionDenied("Only whoever brought the file in may do this.")
        again = (
            update(FileUpload)
            .where(
                FileUpload.account_id == work.account_id,
                FileUpload.id == upload_id,
                FileUpload.state == UploadState.FAILED,
            )
            .values(state=UploadState.STORED, failure=None)
            .returning(FileUpload.id)
        )
        if (await work.db.execute(again)).first() is None:
            raise InvalidTransition(
                f"The file is {upload.state.name}.",
                source=upload.state.name,
                target=UploadState.STORED.name,
                allowed=[],
            )
        if upload.session_id is not None:
            stored = Change("state", UploadState.FAILED.name, UploadState.STORED.name)
            work.record(UploadChanged(upload.session_id, upload_id), stored)
        work.enqueue(enqueue.describe_upload(work.account_id, upload_id))
        return await _one(work.db, actor.account_id, upload_id)


async def _one(db: AsyncConnection, account_id: UUID, upload_id: UUID) -> FileUpload:
    statement = select(FileUpload).where(
        FileUpload.account_id == account_id, FileUpload.id == upload_id
    )
    upload = await fetch_one(db, statement)
    if upload is None:
        raise NotFound(node_id(Kind.UPLOAD, upload_id))
    return upload


# ---------------------------------------------------------------- reads


async def by_id(
    runtime: Runtime, actor: Actor, upload_ids: Sequence[UUID]
) -> dict[UUID, FileUpload]:
    statement = select(FileUpload).where(
        FileUpload.account_id == actor.account_id, FileUpload.id.in_(upload_ids)
    )
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}


async def by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, list[FileUpload]]:
    """In the order they came in, at most 200 of each session."""
    return await _grouped(runtime, actor, FileUpload.session_id, session_ids)


async def by_branch(
    runtime: Runtime, actor: Actor, branch_ids: Sequence[UUID]
) -> dict[UUID, list[FileUpload]]:
    """In the order they came in, at most 200 of each branch."""
    return await _grouped(runtime, actor, FileUpload.uploaded_on_branch_id, branch_ids)


async def _grouped(
    runtime: Runtime,
    actor: Actor,
    owner: InstrumentedAttribute[UUID | None],
    keys: Sequence[UUID],
) -> dict[UUID, list[FileUpload]]:
    """A session never has more than OF_SESSION."""
    statement = (
        select(FileUpload)
        .where(FileUpload.account_id == actor.account_id, owner.in_(keys))
        .order_by(FileUpload.id)
    )
    found: defaultdict[UUID, list[FileUpload]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[getattr(row, owner.key)].append(row)
    return found
