"""Work that must not be lost: Procrastinate runs it from the same PostgreSQL.

Jobs are enqueued inside the transaction that makes them necessary (services.unit_of_work) and run at
least once; what they do is fenced so that a second run changes nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job
from sqlalchemy.exc import DBAPIError

from services import (
    analysis,
    answers,
    delivering,
    handoff_drafts,
    notifications,
    second_opinions,
)
from services.database import APP_ROLE, is_away, plain_url
from services.enqueue import (
    ANALYSE_BRANCH,
    ANSWER_MESSAGE,
    DELIVER,
    DESCRIBE_UPLOAD,
    GIVE_SECOND_OPINION,
    NOTIFY_OF_CLAIM,
    NOTIFY_OF_HANDOFF,
    PREPARE_HANDOFF,
    RETURN_CLAIM,
    WAKE_HANDOFF,
    WATCH_SLA,
    WRITE_OUTPUT,
    TryAgain,
)
from services.files import descriptions
from services.files.sweep import sweep
from services.outputs import drafts
from services.returns import return_claim
from services.runtime import Runtime
from services.sla_watch import watch_sla
from services.telemetry.metrics import JOBS_GIVEN_UP
from services.telemetry.traces import whole
from services.waking import wake_handoff

log = logging.getLogger("flowpilot.jobs")

MAX_TRIES = 3

POLL = 2.0
"""Seconds after which a worker looks for jobs although nobody woke it."""

HEARTBEAT = 4.0
"""Seconds between two signs of life of a worker."""

SILENT = 3 * HEARTBEAT
"""Seconds after which a worker is given up and its jobs go to another: a reply that it was writing is begun
anew well within half a minute.
"""

REAPING = "* * * * * */5"

SWEEPING = "17 3 * * *"

RESTART_WAIT = 1.0


UNEXPECTED = "Something went wrong on our side."
"""What people are told of a fault that is in the log."""


class Backoff(BaseRetryStrategy):
    """Doubles the wait each time, and waits as long as was asked for. Besides TryAgain only a lost database
    is worth another try: anything else is a fault of ours.
    """

    def __init__(self, first: float, longest: float) -> None:
        """Both in seconds."""
        self.first = first
        self.longest = longest

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision()  # the worker shuts down; another one, or the next, goes on
        if not (isinstance(exception, TryAgain) or is_away(exception)):
            return None
        asked = exception.after if isinstance(exception, TryAgain) else None
        wait = max(self.first * 2 ** min(job.attempts, 20), asked or 0.0)
        return RetryDecision(retry_in={"seconds": min(wait, self.longest)})


class GivenUp(Exception):
    """What the job was about has been ended as failed, because of what caused this."""


def may_pass(error: BaseException, *, last_try: bool) -> bool:
    """A lost database does however often it was tried: without it nothing can be given up either. What
    may be a lost database or something else has as many tries as what asks for another one.
    """
    is_lost = is_away(error)
    if is_lost and isinstance(error, DBAPIError):
        return True
    return not last_try and (is_lost or isinstance(error, TryAgain))


class Run(Protocol):
    async def __call__(
        self, runtime: Runtime, account_id: UUID, key: UUID, /, *, last_try: bool
    ) -> None: ...


class GiveUp(Protocol):
    async def __call__(
        self, runtime: Runtime, account_id: UUID, key: UUID, /, *, why: str
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Work:
    """`argument` names what the job does it to. `give_up` ends that as failed, for a reason that people
    read, when the job has failed for good; it does nothing where there is nothing left to end.
    """

    run: Run
    argument: str
    give_up: GiveUp | None
    """None where nothing says that it is under way."""


WORK: Mapping[str, Work] = {
    ANSWER_MESSAGE: Work(answers.answer_message, "message_id", answers.give_up),
    ANALYSE_BRANCH: Work(analysis.analyse_branch, "branch_id", analysis.give_up),
    GIVE_SECOND_OPINION: Work(
        second_opinions.give_second_opinion, "opinion_id", second_opinions.give_up
    ),
    PREPARE_HANDOFF: Work(handoff_drafts.prepare_handoff, "handoff_id", handoff_drafts.give_up),
    DESCRIBE_UPLOAD: Work(descriptions.describe_upload, "upload_id", descriptions.give_up),
    WRITE_OUTPUT: Work(drafts.write_output, "output_id", drafts.give_up),
    NOTIFY_OF_HANDOFF: Work(notifications.notify_of_handoff, "handoff_id", None),
    NOTIFY_OF_CLAIM: Work(notifications.notify_of_claim, "handoff_id", None),
    DELIVER: Work(delivering.deliver, "delivery_id", delivering.give_up),
}

Timer = Callable[[Runtime, UUID, UUID], Awaitable[None]]

TIMERS: Mapping[str, Timer] = {
    RETURN_CLAIM: return_claim,
    WAKE_HANDOFF: wake_handoff,
    WATCH_SLA: watch_sla,
}
"""What becomes of a handoff when its time has come. They ask nobody outside, so they have no last try."""


def job_app(url: str, runtime: Runtime) -> App:
    connector = PsycopgConnector(
        conninfo=plain_url(url), kwargs={"options": f"-c role={APP_ROLE}"}, min_size=1, max_size=4
    )
    app = App(connector=connector)

    backoff = Backoff(runtime.limits.retry_wait, runtime.limits.longest_retry_wait)
    for name, work in WORK.items():
        app.task(name=name, pass_context=True, retry=backoff)(_task(runtime, name, work))

    for name, timer in TIMERS.items():
        app.task(name=name, retry=backoff)(_timer(runtime, name, timer))

    @app.periodic(cron=REAPING)
    @app.task(name="retry_stalled", queueing_lock="retry_stalled", pass_context=True)
    async def _retry_stalled(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT):
            await app.job_manager.retry_job(job)

    @app.periodic(cron=SWEEPING)
    @app.task(name="sweep_files", queueing_lock="sweep_files")
    async def _sweep_files(timestamp: int) -> None:  # noqa: ARG001
        await sweep(runtime.engine, runtime.files)

    return app


def _task(runtime: Runtime, name: str, work: Work) -> Callable[..., Awaitable[None]]:
    async def run(context: JobContext, account_id: str, **given: str) -> None:
        account, key = UUID(account_id), UUID(given[work.argument])
        last = context.job.attempts + 1 >= MAX_TRIES
        with whole(f"job {name}"):
            try:
                await work.run(runtime, account, key, last_try=last)
            except Exception as error:
                if may_pass(error, last_try=last):
                    raise
                why = str(error) if isinstance(error, TryAgain) else UNEXPECTED
                if work.give_up is not None:
                    await work.give_up(runtime, account, key, why=why)
                JOBS_GIVEN_UP.labels(name).inc()
                raise GivenUp(why) from error  # which is logged, once, where jobs are run

    return run


def _timer(runtime: Runtime, name: str, timer: Timer) -> Callable[..., Awaitable[None]]:
    async def run(account_id: str, handoff_id: str) -> None:
        with whole(f"job {name}"):
            await timer(runtime, UUID(account_id), UUID(handoff_id))

    return run


@asynccontextmanager
async def worker(
    url: str, runtime: Runtime, *, concurrency: int, grace: float
) -> AsyncIterator[None]:
    """Runs jobs until left; then those under way have `grace` seconds, and are given back after it."""
    app = job_app(url, runtime)
    async with app.open_async():
        running = asyncio.create_task(_keep_working(app, concurrency, grace))
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def _keep_working(app: App, concurrency: int, grace: float) -> None:
    """Procrastinate's worker ends when its connection does; then another one begins."""
    while True:
        try:
            await app.run_worker_async(
                concurrency=concurrency,
                install_signal_handlers=False,
                delete_jobs="successful",
                fetch_job_polling_interval=POLL,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=SILENT,
                shutdown_graceful_timeout=grace,
            )
        except Exception:  # whatever ended it, jobs wait
            log.warning("the worker stopped and is started again", exc_info=True)
        await asyncio.sleep(RESTART_WAIT)
