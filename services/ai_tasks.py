"""Work of the model besides answers, as jobs do it: one call, bounded in time, counted."""

import asyncio
from uuid import UUID

from services.ai.port import Outcome, ProviderError, R, Task
from services.database import transaction
from services.enqueue import TryAgain
from services.errors import BudgetExceeded
from services.runtime import Runtime
from services.telemetry.metrics import AI_TASKS
from services.usage import require_budget


class TaskFailed(Exception):
    """For good; the message is written for clients."""


async def perform(
    runtime: Runtime, account_id: UUID, task: Task[R], *, last_try: bool
) -> Outcome[R]:
    """What it used is for the caller to count, where the outcome is written.

    Raises TryAgain on a fault that may pass unless this is the last try, and TaskFailed.
    """
    try:
        async with transaction(runtime.engine, account_id) as db:
            await require_budget(runtime, db, account_id)
    except BudgetExceeded as refusal:
        AI_TASKS.labels(task.name, "no budget").inc()
        raise TaskFailed(refusal.message) from refusal
    try:
        async with asyncio.timeout(runtime.limits.reply_timeout):
            outcome = await runtime.provider.perform(task)
    except ProviderError as error:
        why, again = error.message, error.retryable and not last_try
    except TimeoutError:
        why, again = "The assistant took too long.", not last_try
    else:
        AI_TASKS.labels(task.name, "done").inc()
        return outcome
    AI_TASKS.labels(task.name, "retry" if again else "failed").inc()
    raise TryAgain(why) if again else TaskFailed(why)
