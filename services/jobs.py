"""Work that must not be lost: Procrastinate runs it from the same PostgreSQL.

Jobs are enqueued inside the transaction that makes them necessary (services.unit_of_work) and run at
least once; what they do is fenced so that a second run changes nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Protocol
from uuid import UUID

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job

from services.analysis import analyse_branch
from services.answers import answer_message
from services.database import APP_ROLE, is_away, plain_url
from services.delivering import deliver
from services.enqueue import (
    ANALYSE_BRANCH,
    ANSWER_MESSAGE,
    DELIVER,
    DESCRIBE_UPLOAD,
    GIVE_SECOND_OPINION,
    PREPARE_HANDOFF,
    WRITE_OUTPUT,
    TryAgain,
)
from services.files.descriptions import describe_upload
from services.files.sweep import sweep
from services.handoff_drafts import prepare_handoff
from services.outputs.drafts import write_output
from services.runtime import Runtime
from services.second_opinions import give_second_opinion
from services.telemetry.traces import whole

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


class Backoff(BaseRetryStrategy):
    """Doubles the wait each time. Besides TryAgain only a lost database is worth another try: anything
    else is a fault of ours.
    """

    def __init__(self, first_wait: float) -> None:
        self.first_wait = first_wait

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision()  # the worker shuts down; another one, or the next, goes on
        if not (isinstance(exception, TryAgain) or is_away(exception)):
            return None
        return RetryDecision(retry_in={"seconds": self.first_wait * 2**job.attempts})


class Work(Protocol):
    async def __call__(
        self, runtime: Runtime, account_id: UUID, key: UUID, /, *, last_try: bool
    ) -> None: ...


WORK: Mapping[str, tuple[Work, str]] = {
    ANSWER_MESSAGE: (answer_message, "message_id"),
    ANALYSE_BRANCH: (analyse_branch, "branch_id"),
    GIVE_SECOND_OPINION: (give_second_opinion, "opinion_id"),
    PREPARE_HANDOFF: (prepare_handoff, "handoff_id"),
    DESCRIBE_UPLOAD: (describe_upload, "upload_id"),
    WRITE_OUTPUT: (write_output, "output_id"),
    DELIVER: (deliver, "delivery_id"),
}
"""What each job does, and the argument that names what it does it to."""


def job_app(url: str, runtime: Runtime) -> App:
    connector = PsycopgConnector(
        conninfo=plain_url(url), kwargs={"options": f"-c role={APP_ROLE}"}, min_size=1, max_size=4
    )
    app = App(connector=connector)

    for name, (work, argument) in WORK.items():
        app.task(name=name, pass_context=True, retry=Backoff(runtime.limits.retry_wait))(
            _task(runtime, name, work, argument)
        )

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


def _task(runtime: Runtime, name: str, work: Work, argument: str) -> Callable[..., Awaitable[None]]:
    async def run(context: JobContext, account_id: str, **given: str) -> None:
        last = context.job.attempts + 1 >= MAX_TRIES
        with whole(f"job {name}"):
            await work(runtime, UUID(account_id), UUID(given[argument]), last_try=last)

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
