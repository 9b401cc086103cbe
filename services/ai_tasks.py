"""Work of the model besides answers, as jobs do it: one call, bounded in time, counted."""

import asyncio
from uuid import UUID

from services.ai.port import Outcome, ProviderError, R, Task, Usage
from services.database import transaction
from services.enqueue import TryAgain
from services.errors import BudgetExceeded
from services.runtime import Runtime
from services.sessions import hold_session
from services.telemetry.metrics import AI_TASKS
from services.usage import count, require_budget


class TaskFailed(Exception):
    """For good; the message is written for clients."""


async def perform(
    runtime: Runtime,
    account_id: UUID,
    task: Task[R],
    *,
    session_id: UUID | None,
    branch_id: UUID | None,
    last_try: bool,
) -> Outcome[R]:
    """What it used is counted for the branch and the session, whatever becomes of the outcome.

    Raises TryAgain on a fault that may pass unless this is the last try, and TaskFailed.
    """
    try:
        async with transaction(runtime.engine, account_id) as db:
            await require_budget(runtime, db, account_id)
    except BudgetExceeded as refusal:
        AI_TASKS.labels(task.name, "no budget").inc()
        raise TaskFailed(refusal.message) from refusal
    after = None
    try:
        async with asyncio.timeout(runtime.limits.reply_timeout):
            outcome = await runtime.provider.perform(task)
    except ProviderError as error:
        why, again, used = error.message, error.retryable and not last_try, error.usage
        after = error.retry_after
    except TimeoutError:
        why, again, used = "The assistant took too long.", not last_try, Usage()
    else:
        AI_TASKS.labels(task.name, "done").inc()
        await _count(runtime, account_id, session_id, branch_id, outcome.usage)
        return outcome
    AI_TASKS.labels(task.name, "retry" if again else "failed").inc()
    await _count(runtime, account_id, session_id, branch_id, used)
    raise TryAgain(why, after=after) if again else TaskFailed(why)


async def _count(
    runtime: Runtime,
    account_id: UUID,
    session_id: UUID | None,
    branch_id: UUID | None,
    usage: Usage,
) -> None:
    async with runtime.assistant_work(account_id) as work:
        if session_id is not None:
            await hold_session(work, session_id)
        await count(work, session_id, branch_id, usage)
