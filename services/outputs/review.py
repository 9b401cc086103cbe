"""What people do with a document: ask for it, edit, approve and reject it."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert

from models.audit import AuditAction
from models.output import ResolutionOutput, ResolutionOutputStatus, ResolutionOutputType
from models.session import AiSession, SessionStatus
from services import enqueue, lifecycle
from services.access import Actor, require_write_in
from services.branches import require_version
from services.database import transaction
from services.errors import InvalidTransition
from services.events import ResolutionOutputChanged
from services.ids import new_id
from services.outputs.drafts import add_revision
from services.outputs.reading import one
from services.runtime import Runtime
from services.sessions import lock_session
from services.unit_of_work import UnitOfWork
from services.usage import require_budget
from services.validation import Validation

LONGEST = 20_000
"""Characters of a document."""
MOST_LINES = 1_000


async def ask_for_all(work: UnitOfWork, session: AiSession) -> None:
    """When a session is resolved, for the first time or again."""
    asked = (
        insert(ResolutionOutput)
        .values(
            [
                {
                    "account_id": work.account_id,
                    "id": new_id(),
                    "session_id": session.id,
                    "output_type": output_type,
                }
                for output_type in ResolutionOutputType
            ]
        )
        .on_conflict_do_update(
            index_elements=["account_id", "session_id", "output_type"],
            set_={
                "status": ResolutionOutputStatus.GENERATING,
                "failure": None,
                "generation": ResolutionOutput.generation + 1,
                "version": ResolutionOutput.version + 1,
                "updated_at": func.now(),
            },
        )
        .returning(ResolutionOutput.id, ResolutionOutput.output_type)
    )
    rows = (await work.db.execute(asked)).all()
    order = list(ResolutionOutputType)
    for row in sorted(rows, key=lambda row: order.index(row.output_type)):
        _note(work, session.id, row.id, AuditAction.OUTPUT_REQUESTED)
        work.enqueue(enqueue.write_output(work.account_id, row.id))


async def regenerate_output(
    runtime: Runtime, actor: Actor, *, output_id: UUID, expected_version: int
) -> ResolutionOutput:
    """Asks for a new text; the old ones stay as revisions. One that is being written is begun anew.

    Raises NotFound, PermissionDenied, InvalidTransition, StaleVersion and BudgetExceeded.
    """
    async with transaction(runtime.engine, actor.account_id) as db:
        await require_budget(runtime, db, actor.account_id)
    async with runtime.work(actor) as work:
        session, output = await lock_output(work, actor, output_id, expected_version)
        if session.status is not SessionStatus.RESOLVED:
            raise InvalidTransition(
                f"The session is {session.status.name}; its documents are written when it is resolved.",
                source=session.status.name,
                target=ResolutionOutputStatus.GENERATING.name,
                allowed=[],
            )
        work.enqueue(enqueue.write_output(work.account_id, output.id))
        return await move(
            work,
            output,
            ResolutionOutputStatus.GENERATING,
            AuditAction.OUTPUT_REQUESTED,
            generation=ResolutionOutput.generation + 1,
        )


async def edit_output(
    runtime: Runtime, actor: Actor, *, output_id: UUID, content: str, expected_version: int
) -> ResolutionOutput:
    """Makes it a DRAFT again, whatever it was but GENERATING.

    Raises InvalidInput, NotFound, PermissionDenied, InvalidTransition and StaleVersion.
    """
    check = Validation()
    content = check.text(("content",), content, 1, LONGEST)
    if content.count("\n") >= MOST_LINES:
        check.add(("content",), f"Must have at most {MOST_LINES:,} lines.")
    check.done()
    async with runtime.work(actor) as work:
        _, output = await lock_output(work, actor, output_id, expected_version)
        if output.status is ResolutionOutputStatus.GENERATING:
            raise _refused(output, ResolutionOutputStatus.DRAFT, "is being written; wait for it")
        edited = await move(
            work,
            output,
            ResolutionOutputStatus.DRAFT,
            AuditAction.OUTPUT_EDITED,
            edited_content=content,
        )
        await add_revision(work, output.id, edited.version, content)
        return edited


async def approve_output(
    runtime: Runtime, actor: Actor, *, output_id: UUID, expected_version: int
) -> ResolutionOutput:
    """Raises NotFound, PermissionDenied, InvalidTransition and StaleVersion."""
    return await _judge(runtime, actor, output_id, expected_version, approve=True)


async def reject_output(
    runtime: Runtime, actor: Actor, *, output_id: UUID, expected_version: int
) -> ResolutionOutput:
    """Raises NotFound, PermissionDenied, InvalidTransition and StaleVersion."""
    return await _judge(runtime, actor, output_id, expected_version, approve=False)


async def _judge(
    runtime: Runtime, actor: Actor, output_id: UUID, expected_version: int, *, approve: bool
) -> ResolutionOutput:
    status, action = (
        (ResolutionOutputStatus.APPROVED, AuditAction.OUTPUT_APPROVED)
        if approve
        else (ResolutionOutputStatus.REJECTED, AuditAction.OUTPUT_REJECTED)
    )
    async with runtime.work(actor) as work:
        _, output = await lock_output(work, actor, output_id, expected_version)
        return await move(work, output, status, action)


# ------------------------------------------------------------------ what they share


async def lock_output(
    work: UnitOfWork, actor: Actor, output_id: UUID, expected_version: int
) -> tuple[AiSession, ResolutionOutput]:
    """The output as it is once its session is held, for who may write there."""
    known = await one(work.db, work.account_id, output_id)
    session = await lock_session(work, actor, known.session_id)
    require_write_in(actor, session)
    output = await one(work.db, work.account_id, output_id)
    require_version(output.version, expected_version)
    return session, output


async def move(
    work: UnitOfWork,
    output: ResolutionOutput,
    status: ResolutionOutputStatus,
    action: AuditAction,
    **values: Any,  # noqa: ANN401 - columns
) -> ResolutionOutput:
    """To another status, by a person. Raises InvalidTransition where the lifecycle has no such move."""
    if status not in lifecycle.OUTPUT[output.status]:
        raise _refused(output, status, f"is {output.status.name}")
    await work.db.execute(
        update(ResolutionOutput)
        .where(ResolutionOutput.account_id == work.account_id, ResolutionOutput.id == output.id)
        .values(
            status=status,
            failure=None,
            version=ResolutionOutput.version + 1,
            updated_at=func.now(),
            **values,
        )
    )
    _note(work, output.session_id, output.id, action)
    return await one(work.db, work.account_id, output.id)


def _note(work: UnitOfWork, session_id: UUID, output_id: UUID, action: AuditAction) -> None:
    work.record(ResolutionOutputChanged(session_id, output_id), action=action)


def _refused(
    output: ResolutionOutput, target: ResolutionOutputStatus, why: str
) -> InvalidTransition:
    return InvalidTransition(
        f"The document {why}.",
        source=output.status.name,
        target=target.name,
        allowed=sorted(state.name for state in lifecycle.OUTPUT[output.status]),
    )
