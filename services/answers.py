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
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import Account
from models.message import BranchMessage, MessageChunk, MessageState
from models.session import AiSession
from services import lifecycle
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
from services.database import fetch_one, is_away, transaction
from services.enqueue import TryAgain
from services.errors import BudgetExceeded
from services.events import SessionUpdated
from services.files.sent import wait_until_read
from services.inspection import remember_prompt
from services.knowledge.suggestions import suggest
from services.messages import finish, have_analysed_from, stop_topic, stream_topic
from services.requests import build_request
from services.runtime import Live, Runtime
from services.sessions import hold_session
from services.siblings import wait_for_first
from services.steps import add_step
from services.telemetry.metrics import AI_ANSWERS
from services.unit_of_work import UnitOfWork
from services.usage import count, counters, require_budget

STOP_POLL = 1.0
"""Seconds after which a worker looks whether its answer is still wanted although no hint came."""

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
    await wait_for_first(runtime, account_id, message_id)
    begun = await _begin(runtime, account_id, message_id)
    if begun is None:
        return
    reply, request = begun
    meter = Meter()
    try:
        async with transaction(runtime.engine, account_id) as db:
            await require_budget(runtime, db, account_id)  # others may have used it up since
        async with asyncio.timeout(runtime.limits.reply_timeout):
            done, body = await _stream_until_over(runtime, reply, request, meter)
    except BudgetExceeded as refusal:
        AI_ANSWERS.labels("failed").inc()
        await _fail(runtime, reply, refusal.message, meter, again=False)
    except ProviderError as error:
        AI_ANSWERS.labels("retry" if error.retryable and not last_try else "failed").inc()
        again = error.retryable and not last_try
        await _fail(runtime, reply, error.message, meter, again=again, after=error.retry_after)
    except TimeoutError:
        AI_ANSWERS.labels("failed" if last_try else "retry").inc()
        await _fail(runtime, reply, "The assistant took too long.", meter, again=not last_try)
    except Exception:  # the job fails with it, but its tokens were paid for
        AI_ANSWERS.labels("failed").inc()
        await _count_alone(runtime, reply, meter.usage)
        raise
    else:
        AI_ANSWERS.labels("cancelled" if done is None else "complete").inc()
        if done is not None:
            await _complete(runtime, reply, done, body)
        else:
            await _count_alone(runtime, reply, meter.usage)
    finally:
        runtime.live.pop(message_id, None)
        runtime.bus.wake(stream_topic(message_id))


async def give_up(runtime: Runtime, account_id: UUID, message_id: UUID, *, why: str) -> None:
    """Whatever a second worker may still be writing of the reply is refused afterwards."""
    async with transaction(runtime.engine, account_id) as db:
        reply = await fetch_one(
            db,
            select(BranchMessage).where(
                BranchMessage.account_id == account_id, BranchMessage.id == message_id
            ),
        )
    if reply is None:
        return  # removed with its session
    async with runtime.assistant_work(account_id) as work:
        await hold_session(work, reply.session_id)
        await finish(work, reply, MessageState.FAILED, body="", failure=why)
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


async def _stream_until_over(
    runtime: Runtime, reply: BranchMessage, request: TurnRequest, meter: Meter
) -> tuple[Done | None, str]:
    """As `_stream`, but lets go of the model as soon as nobody waits for its answer any more."""
    name = f"answer {reply.id}"
    writing = asyncio.create_task(_stream(runtime, reply, request, meter), name=name)
    watching = asyncio.create_task(_until_over(runtime, reply), name=name)
    try:
        await asyncio.wait((writing, watching), return_when=asyncio.FIRST_COMPLETED)
        if writing.done():
            return writing.result()
        watching.result()
        return None, ""
    finally:
        for task in (writing, watching):
            task.cancel()
        await asyncio.gather(writing, watching, return_exceptions=True)


async def _until_over(runtime: Runtime, reply: BranchMessage) -> None:
    """Until the reply was cancelled, or another worker began it anew."""
    with runtime.bus.listen(stop_topic(reply.id)) as hints:
        while True:
            try:
                async with transaction(runtime.engine, reply.account_id) as db:
                    if not await _is_current(db, reply):
                        return
            except Exception as error:
                if not is_away(error):
                    raise
            await hints.wait(STOP_POLL)


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
        current = session is not None and await _is_current(work.db, reply)
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
        await have_analysed_from(work, reply)


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


async def _count(work: UnitOfWork, reply: BranchMessage, usage: Usage, *, answers: int = 0) -> None:
    """Whether or not the answer is kept: it was paid for."""
    await count(
        work, reply.session_id, reply.branch_id, usage, message_id=reply.id, answers=answers
    )


async def _count_alone(runtime: Runtime, reply: BranchMessage, usage: Usage) -> None:
    async with runtime.assistant_work(reply.account_id) as work:
        await hold_session(work, reply.session_id)
        await _count(work, reply, usage)


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
    runtime: Runtime,
    reply: BranchMessage,
    why: str,
    meter: Meter,
    *,
    again: bool,
    after: float | None = None,
) -> None:
    async with runtime.assistant_work(reply.account_id) as work:
        await hold_session(work, reply.session_id)
        await _count(work, reply, meter.usage)
        if not await _is_current(work.db, reply):
            return
        if not again:
            await finish(work, reply, MessageState.FAILED, body="", failure=why)
            return
        await work.db.execute(
            update(BranchMessage)
            .where(BranchMessage.account_id == reply.account_id, BranchMessage.id == reply.id)
            .values(state=MessageState.PENDING)
        )
    raise TryAgain(why, after=after)


async def _is_current(db: AsyncConnection, reply: BranchMessage) -> bool:
    statement = select(BranchMessage.id).where(
        BranchMessage.account_id == reply.account_id,
        BranchMessage.id == reply.id,
        BranchMessage.attempt == reply.attempt,
        BranchMessage.state == MessageState.STREAMING,
    )
    return (await db.execute(statement)).first() is not None
