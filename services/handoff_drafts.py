"""What the assistant adds to a handoff after it was made: assessment, briefing, and empty notes.

A job of its own, so that it can neither block nor fail the handoff.
"""

import logging
from typing import Any, cast
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.handoff import Handoff, HandoffIntent, HandoffState
from services import enqueue
from services.access import Actor, require_write
from services.ai.tasks import HandoffDraft, PrepareHandoff
from services.ai_tasks import TaskFailed, perform
from services.database import fetch_one, transaction
from services.errors import InvalidTransition
from services.events import HandoffUpdated
from services.handoff_events import event_of
from services.held_handoffs import lock_handoff
from services.record import conversation, hypothesis_facts, read_record
from services.runtime import Runtime
from services.sessions import hold_session
from services.unit_of_work import UnitOfWork
from services.usage import require_budget

log = logging.getLogger("flowpilot.handoffs")

NOTES = ("next_step", "waiting_on", "watch_out")


async def prepare_handoff(
    runtime: Runtime, account_id: UUID, handoff_id: UUID, *, last_try: bool
) -> None:
    """Once for each handoff that is not cancelled. Raises TryAgain on a fault that may pass, unless this
    is the last try.
    """
    async with transaction(runtime.engine, account_id) as db:
        handoff = await _unprepared(db, account_id, handoff_id)
        if handoff is None:
            return
        record = await read_record(db, account_id, handoff.source_branch_id)
    task = PrepareHandoff(
        conversation(record, record.messages),
        handoff.intent,
        handoff.engineer_notes,
        hypothesis_facts(record),
    )
    try:
        outcome = await perform(
            runtime,
            account_id,
            task,
            session_id=handoff.session_id,
            branch_id=handoff.source_branch_id,
            last_try=last_try,
        )
    except TaskFailed as failure:
        log.warning("handoff not assessed", extra={"handoff": str(handoff_id), "why": str(failure)})
        await give_up(runtime, account_id, handoff_id, why=str(failure))
        return
    async with runtime.assistant_work(account_id) as work:
        await _write(work, handoff, outcome.result)


async def give_up(runtime: Runtime, account_id: UUID, handoff_id: UUID, *, why: str) -> None:
    """Without an event: the handoff stands as it is, and nobody waits for this."""
    async with transaction(runtime.engine, account_id) as db:
        await db.execute(
            update(Handoff)
            .where(
                Handoff.account_id == account_id,
                Handoff.id == handoff_id,
                Handoff.briefing.is_(None),
            )
            .values(preparation_failure=why)
        )


async def retry_handoff_preparation(runtime: Runtime, actor: Actor, *, handoff_id: UUID) -> Handoff:
    """Asks for assessment and briefing again, after they have failed. By whoever may claim or write.

    Raises NotFound, PermissionDenied, InvalidTransition and BudgetExceeded.
    """
    require_write(actor)
    async with runtime.work(actor) as work:
        session, handoff = await lock_handoff(work, actor, handoff_id)
        if handoff.preparation_failure is None or handoff.state is HandoffState.CANCELLED:
            raise InvalidTransition(
                "Nothing has failed that could be asked for again.",
                source=handoff.state.name,
                target="PREPARED",
                allowed=[],
            )
        await require_budget(runtime, work.db, work.account_id)
        asked = (
            update(Handoff)
            .where(Handoff.account_id == work.account_id, Handoff.id == handoff_id)
            .values(preparation_failure=None)
            .returning(*Handoff.__table__.c)
        )
        handoff = cast("Handoff", (await work.db.execute(asked)).one())
        work.record(event_of(HandoffUpdated, session, handoff))
        work.enqueue(enqueue.prepare_handoff(work.account_id, session.id, handoff_id))
        return handoff


async def _unprepared(db: AsyncConnection, account_id: UUID, handoff_id: UUID) -> Handoff | None:
    statement = select(Handoff).where(
        Handoff.account_id == account_id,
        Handoff.id == handoff_id,
        Handoff.briefing.is_(None),
        Handoff.state != HandoffState.CANCELLED,
    )
    return await fetch_one(db, statement)


async def _write(work: UnitOfWork, handoff: Handoff, draft: HandoffDraft) -> None:
    session = await hold_session(work, handoff.session_id)
    if session is None:
        return
    current = await _unprepared(work.db, work.account_id, handoff.id)
    if current is None:
        return
    values: dict[str, Any] = {
        "briefing": draft.briefing,
        "preparation_failure": None,
        "snapshot": _completed(current.snapshot, draft),
    }
    if current.intent is HandoffIntent.ESCALATE:
        values["assessment"] = draft.model_dump(
            mode="json", include={"text", "likely_cause", "suggested_steps", "confidence"}
        )
    await work.db.execute(
        update(Handoff)
        .where(Handoff.account_id == work.account_id, Handoff.id == handoff.id)
        .values(values)
    )
    work.record(event_of(HandoffUpdated, session, current))


def _completed(snapshot: dict[str, Any], draft: HandoffDraft) -> dict[str, Any]:
    """With the notes that the engineer had left empty; everything else is frozen."""
    added = {
        name: getattr(draft, name) for name in NOTES if not snapshot[name] and getattr(draft, name)
    }
    return {
        **snapshot,
        **added,
        "notes_by_assistant": snapshot["notes_by_assistant"] or bool(added),
    }
