"""How a pending reply becomes an answer: begun, streamed, and ended, each in a transaction of its own.

A worker may die at any point and another begin again: an attempt that was overtaken finds its writes
refused, because each names the attempt and asks for a reply that is still being written.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update

from models.account import Account
from models.branch import Branch
from models.message import BranchMessage, MessageChunk, MessageState
from models.session import AiSession
from services import enqueue, lifecycle
from services.accounts import hypotheses_left
from services.ai.port import (
    Done,
    ForkDraft,
    IntakeAnalysis,
    Prompt,
    ProviderError,
    TurnRequest,
    Usage,
    no_fork_within,
    step_to_json,
)
from services.database import transaction
from services.enqueue import TryAgain
from services.errors import BudgetExceeded
from services.events import SessionUpdated
from services.files.sent import wait_until_read
from services.inspection import remember_prompt
from services.knowledge.suggestions import suggest
from services.messages import finish, stream_topic
from services.requests import build_request
from services.runtime import Live, Runtime
from services.sessions import hold_session
from services.steps import add_step
from services.telemetry.metrics import AI_ANSWERS
from services.unit_of_work import UnitOfWork
from services.usage import count, counters, require_budget

CHUNK_INTERVAL = 0.075
"""Seconds that text is gathered before it is written. The first piece is not made to wait."""


_WRITE_CHUNK = text(
    "SELECT flowpilot_write_chunk(:account_id, :message_id, :attempt, :start, :body)"
)


@dataclass(slots=True)
class Meter:
    """What an attempt has used so far, as the provider told."""

    usage: Usage = field(default_factory=Usage)


async def answer_message(
    runtime: Runtime, account_id: UUID, message_id: UUID, *, last_try: bool
) -> None:
    """Writes one reply. Raises TryAgain on a fault that may pass, unless this is the last try."""
    await wait_until_read(runtime, account_id, message_id)
    begun = await _begin(runtime, account_id, message_id)
    if begun is None:
        return
    reply, request = begun
    meter = Meter()
    try:
        async with transaction(runtime.engine, account_id) as db:
            await require_budget(runtime, db, account_id)  # others may have used it up since
        async with asyncio.timeout(runtime.limits.reply_timeout):
            done, body = await _stream(runtime, reply, request, meter)
    except BudgetExceeded as refusal:
        AI_ANSWERS.labels("failed").inc()
        await _fail(runtime, reply, refusal.message, meter, again=False)
    except ProviderError as error:
        AI_ANSWERS.labels("retry" if error.retryable and not last_try else "failed").inc()
        await _fail(runtime, reply, error.message, meter, again=error.retryable and not last_try)
    except TimeoutError:
        AI_ANSWERS.labels("failed" if last_try else "retry").inc()
        await _fail(runtime, reply, "The assistant took too long.", meter, again=not last_try)
    else:
        AI_ANSWERS.labels("cancelled" if done is None else "complete").inc()
        if done is not None:
            await _complete(runtime, reply, done, body)
        else:
            async with runtime.assistant_work(account_id) as work:
                await _count(work, reply, meter.usage)
    finally:
        runtime.live.pop(message_id, None)
        runtime.bus.wake(stream_topic(message_id))


# ---------------------------------------------------------------- begin


async def _begin(
    runtime: Runtime, account_id: UUID, message_id: UUID
) -> tuple[BranchMessage, TurnRequest] | None:
    """None when there is nothing to write any more."""
    async with transaction(runtime.engine, account_id) as db:
        begun = (
            update(BranchMessage)
            .where(
                BranchMessage.account_id == account_id,
                BranchMessage.id == message_id,
                BranchMessage.state.in_(lifecycle.UNFINISHED),
            )
            .values(state=MessageState.STREAMING, attempt=BranchMessage.attempt + 1)
            .returning(*BranchMessage.__table__.c)
        )
        reply: Any = (await db.execute(begun)).one_or_none()
        if reply is None:
            return None
        await db.execute(
            delete(MessageChunk).where(
                MessageChunk.account_id == account_id, MessageChunk.message_id == message_id
            )
        )
        request = await build_request(db, reply, await suggest(db, reply))
    runtime.bus.wake(stream_topic(message_id))
    return reply, request


# ---------------------------------------------------------------- stream


async def _stream(
    runtime: Runtime, reply: BranchMessage, request: TurnRequest, meter: Meter
) -> tuple[Done | None, str]:
    """The answer's end and its text; the end is None when the reply was cancelled or overtaken."""
    written = 0
    text = ""
    next_write = 0.0
    clock = asyncio.get_running_loop()
    async with aclosing(runtime.provider.stream_turn(request)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Done):
                return piece, text
            if isinstance(piece, Usage):
                meter.usage = piece
                continue
            if isinstance(piece, Prompt):
                await remember_prompt(runtime, reply, piece)
                continue
            text += piece.text
            if clock.time() < next_write:
                continue
            access_version = await _write_chunk(runtime, reply, written, text[written:])
            if access_version is None:
                return None, text
            runtime.live[reply.id] = Live(reply.attempt, text, access_version)
            runtime.bus.wake(stream_topic(reply.id))
            written = len(text)
            next_write = clock.time() + CHUNK_INTERVAL
    raise ProviderError("The answer broke off.", retryable=True)


async def _write_chunk(runtime: Runtime, reply: BranchMessage, start: int, body: str) -> int | None:
    """The account's access version as of the writing; None when this attempt is over: the reply was
    cancelled, or another worker began anew. One round trip, since everybody who follows waits for it.
    """
    given = {
        "account_id": reply.account_id,
        "message_id": reply.id,
        "attempt": reply.attempt,
        "start": start,
        "body": body,
    }
    async with runtime.engine.connect() as db:
        await db.execution_options(isolation_level="AUTOCOMMIT")
        version: int | None = (await db.execute(_WRITE_CHUNK, given)).scalar_one()
    return version


# ---------------------------------------------------------------- end


async def _complete(runtime: Runtime, reply: BranchMessage, done: Done, body: str) -> None:
    usage = counters(done.usage)
    async with runtime.assistant_work(reply.account_id) as work:
        session = await hold_session(work, reply.session_id)
        current = session is not None and await _is_current(work, reply)
        await _count(work, reply, done.usage, answers=int(current))
        if session is None or not current:
            return
        fork, remark = await _within_plan(work, session, done.fork)
        await finish(
            work,
            reply,
            MessageState.COMPLETE,
            body=body + remark,
            model=done.model,
            suggested_fork=fork.to_json() if fork else None,
        )
        if done.step is not None:
            await add_step(
                work,
                session_id=reply.session_id,
                branch_id=reply.branch_id,
                message_id=reply.id,
                step_type=done.step.kind,
                content=step_to_json(done.step),
                confidence=done.confidence,
                input_tokens=usage["input_tokens"],
                output_tokens=usage["output_tokens"],
            )
        if done.intake is not None:
            await _take_over(work, session, done.intake)
        await _have_analysed(work, reply)


async def _within_plan(
    work: UnitOfWork, session: AiSession, fork: ForkDraft | None
) -> tuple[ForkDraft | None, str]:
    """What `forkBranch` would take of the proposal now, and a remark for the answer where that is nothing.

    A provider that goes by rules has asked for no more than it was told; another may have forked since.
    """
    if fork is None:
        return None, ""
    plan = await work.db.execute(select(Account.plan).where(Account.id == work.account_id))
    room = hypotheses_left(plan.scalar_one(), session.hypothesis_count)
    fitting = fork.within(room)
    return fitting, f"\n\n{no_fork_within(room)}" if fitting is None and room is not None else ""


async def _have_analysed(work: UnitOfWork, reply: BranchMessage) -> None:
    """An answer that was retried may stand before what has been analysed already."""
    await work.db.execute(
        update(Branch)
        .where(Branch.account_id == reply.account_id, Branch.id == reply.branch_id)
        .values(analysed_position=func.least(Branch.analysed_position, reply.position - 1))
    )
    work.enqueue(enqueue.analyse_branch(work.account_id, reply.branch_id))


async def _count(work: UnitOfWork, reply: BranchMessage, usage: Usage, *, answers: int = 0) -> None:
    """Whether or not the answer is kept: it was paid for."""
    await count(
        work, reply.session_id, reply.branch_id, usage, message_id=reply.id, answers=answers
    )


async def _take_over(work: UnitOfWork, session: AiSession, intake: IntakeAnalysis) -> None:
    await work.db.execute(
        update(AiSession)
        .where(AiSession.account_id == work.account_id, AiSession.id == session.id)
        .values(
            problem_summary=intake.summary,
            problem_domain=intake.domain[:100],
            confidence_tier=intake.confidence_tier,
            updated_at=func.now(),
        )
    )
    work.record(
        SessionUpdated(
            session.id, session.status, session.assignee_id, session.assignee_id, session.team_id
        )
    )


async def _fail(
    runtime: Runtime, reply: BranchMessage, why: str, meter: Meter, *, again: bool
) -> None:
    async with runtime.assistant_work(reply.account_id) as work:
        await hold_session(work, reply.session_id)
        await _count(work, reply, meter.usage)
        if not await _is_current(work, reply):
            return
        if not again:
            await finish(work, reply, MessageState.FAILED, body="", failure=why)
            return
        await work.db.execute(
            update(BranchMessage)
            .where(BranchMessage.account_id == reply.account_id, BranchMessage.id == reply.id)
            .values(state=MessageState.PENDING)
        )
    raise TryAgain(why)


async def _is_current(work: UnitOfWork, reply: BranchMessage) -> bool:
    statement = select(BranchMessage.id).where(
        BranchMessage.account_id == reply.account_id,
        BranchMessage.id == reply.id,
        BranchMessage.attempt == reply.attempt,
        BranchMessage.state == MessageState.STREAMING,
    )
    return (await work.db.execute(statement)).first() is not None
