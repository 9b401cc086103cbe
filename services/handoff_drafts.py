"""What the assistant adds to a handoff after it was made: assessment, briefing, and empty notes.

A job of its own, so that it can neither block nor fail the handoff.
"""

import logging
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.handoff import Handoff, HandoffIntent, HandoffState
from services.ai.tasks import HandoffDraft, PrepareHandoff
from services.ai_tasks import TaskFailed, perform
from services.database import fetch_one, transaction
from services.events import HandoffUpdated
from services.handoff_events import event_of
from services.record import conversation, hypothesis_facts, read_record
from services.runtime import Runtime
from services.sessions import hold_session
from services.unit_of_work import UnitOfWork

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
        return
    async with runtime.assistant_work(account_id) as work:
        await _write(work, handoff, outcome.result)


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
