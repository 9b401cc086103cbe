"""Metrics for Prometheus, on a port of their own that the public does not reach.

They are rendered in a thread, so a scrape takes no time from the event loop but the query for jobs.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import TimeoutError as NotInTime
from contextlib import asynccontextmanager

from prometheus_client import REGISTRY, start_http_server
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime import Runtime

log = logging.getLogger("flowpilot.metrics")

PATIENCE = 2.0
"""Seconds that a scrape waits for the database."""

MOST_JOBS = 10_000
"""Counting stops there, so that a scrape stays cheap while work piles up."""

JOBS = text(
    f"""
    SELECT state,
           (SELECT count(*)
              FROM (SELECT FROM procrastinate_jobs
                     WHERE status = CAST(state AS procrastinate_job_status)
                       AND (state <> 'todo' OR coalesce(scheduled_at, now()) <= now())
                     LIMIT {MOST_JOBS}) AS capped) AS jobs
      FROM unnest(ARRAY['todo', 'doing', 'failed']) AS state
    """  # noqa: S608 - a constant
)


@asynccontextmanager
async def exposed(runtime: Runtime, host: str, port: int) -> AsyncIterator[int]:
    """Answers to Prometheus meanwhile; yields the port. Raises OSError where that is taken."""
    collector = RuntimeCollector(runtime, asyncio.get_running_loop())
    server, _ = start_http_server(port, host)
    REGISTRY.register(collector)
    try:
        yield server.server_port
    finally:
        REGISTRY.unregister(collector)
        await asyncio.to_thread(server.shutdown)
        server.server_close()


class RuntimeCollector(Collector):
    """What is read off the process when it is asked for."""

    def __init__(self, runtime: Runtime, loop: asyncio.AbstractEventLoop) -> None:
        self.runtime = runtime
        self.loop = loop

    def describe(self) -> list[Metric]:
        """Nothing: else it would be collected once to learn the names."""
        return []

    def collect(self) -> Iterator[Metric]:
        runtime = self.runtime
        yield GaugeMetricFamily(
            "flowpilot_feed_followers", "Followers of accounts' events", runtime.feed.followers
        )
        yield CounterMetricFamily(
            "flowpilot_bus_rebuilds", "Connections of the bus made anew", runtime.bus.rebuilds
        )
        pool = runtime.engine.pool
        in_use = GaugeMetricFamily(
            "flowpilot_pool_connections", "Connections to the database", labels=["state"]
        )
        in_use.add_metric(["in_use"], pool.checkedout())  # type: ignore[attr-defined]
        in_use.add_metric(["most"], pool.size())  # type: ignore[attr-defined]
        yield in_use
        jobs = asyncio.run_coroutine_threadsafe(count_jobs(runtime.engine), self.loop)
        try:
            counted = jobs.result(PATIENCE)
        except (NotInTime, SQLAlchemyError, OSError):
            jobs.cancel()
            log.warning("jobs could not be counted", exc_info=True)
            return
        by_state = GaugeMetricFamily(
            "flowpilot_jobs", f"Jobs, counted up to {MOST_JOBS}", labels=["state"]
        )
        for state, count in counted.items():
            by_state.add_metric([state], count)
        yield by_state


async def count_jobs(engine: AsyncEngine) -> dict[str, int]:
    async with engine.connect() as db:
        return {row.state: row.jobs for row in (await db.execute(JOBS)).all()}
