"""The first page of a queue of 10,000 open handoffs, beside a look-up of one of them by its key.

Both through the services, with their transactions. The page is one statement by its index, so it costs the
same at 100 as at 10,000, and so does a page deep in it; counting all of them is what costs. A worker that
looks for its next job passes by a timer for each. Between sizes the ratios to the look-up are compared.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import event, insert, text

from benchmarks.report import finish, table
from benchmarks.stage import Stage, stage
from models.branch import Branch, BranchStatus
from models.handoff import Handoff, HandoffIntent, HandoffPriority
from models.session import AiSession
from models.sla import SlaState
from services.enqueue import WATCH_SLA
from services.handoffs import by_id
from services.ids import new_id
from services.pages import write_cursor
from services.queue import QueueFilter, list_queue

SIZES = (100, 10_000)
REPEAT = 200
WARM_UP = 20

Operation = Callable[[], Awaitable[object]]

MUST = {
    "page_to_lookup": 5.0,
    "page_statements": 1.0,
    "deep_page_to_page": 1.5,
    "page_10000_to_100": 1.5,
}

FETCH = text("SELECT procrastinate_fetch_job_v2(NULL, NULL)")
TIMERS = text(
    """
    INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, scheduled_at)
    SELECT 'default', :task, 0, '{}', 'todo', now() + interval '1 day' FROM generate_series(1, :count)
    """
)


async def wait_in_line(place: Stage, count: int) -> list[dict[str, Any]]:
    """So many more handoffs, every fifth elevated, each of a session of its own."""
    account_id, user_id = place.actor.account_id, place.actor.user_id
    began = datetime.now(UTC) - timedelta(days=2)
    sessions, trunks, handoffs = [], [], []
    for number in range(count):
        session_id, trunk_id = new_id(), new_id()
        since = began + timedelta(seconds=number)
        sessions.append(
            {"account_id": account_id, "id": session_id, "session_type": "guided",
             "intake_type": "free_text", "intake_content": "Mail stopped", "status": "escalated",
             "opened_by": user_id, "assignee_id": user_id, "active_branch_id": trunk_id}
        )  # fmt: skip
        trunks.append(
            {"account_id": account_id, "id": trunk_id, "session_id": session_id, "depth": 0,
             "branch_order": 1, "label": "Trunk", "status": BranchStatus.ACTIVE}
        )  # fmt: skip
        handoffs.append(
            {"account_id": account_id, "id": new_id(), "session_id": session_id,
             "intent": HandoffIntent.ESCALATE, "handed_off_by": user_id,
             "priority": HandoffPriority.NORMAL if number % 5 else HandoffPriority.ELEVATED,
             "source_branch_id": trunk_id, "engineer_notes": "The core switch. " * 10,
             "snapshot": {"branch_map": [{"label": "Trunk", "status": "active"}] * 5},
             "created_at": since, "waiting_since": since, "sla_state": SlaState.ON_TRACK,
             "sla_at_risk_at": since + timedelta(days=3), "sla_due_at": since + timedelta(days=4)}
        )  # fmt: skip
    async with place.owner.begin() as db:
        await db.execute(insert(AiSession), sessions)
        await db.execute(insert(Branch), trunks)
        await db.execute(insert(Handoff), handoffs)
        await db.execute(TIMERS, {"task": WATCH_SLA, "count": count})
        await db.exec_driver_sql("ANALYZE")
    return handoffs


async def measure(todo: dict[str, Operation]) -> dict[str, float]:
    """Median seconds of each; in turn, so that the machine's moods hit all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in todo}
    for turn in range(WARM_UP + REPEAT):
        for name, operation in todo.items():
            began = time.perf_counter()
            await operation()
            if turn >= WARM_UP:
                seconds[name].append(time.perf_counter() - began)
    return {name: median(all_of_it) for name, all_of_it in seconds.items()}


def operations(place: Stage, handoffs: list[dict[str, Any]]) -> dict[str, Operation]:
    runtime, actor = place.runtime, place.actor
    key = handoffs[len(handoffs) // 2]["id"]
    ordinary = [each for each in handoffs if each["priority"] is HandoffPriority.NORMAL]
    deep = ordinary[len(ordinary) // 2]
    cursor = write_cursor(0, deep["waiting_since"].isoformat(), str(deep["id"]))

    def page(after: str | None = None, *, counted: bool = False) -> Operation:
        return lambda: list_queue(
            runtime, actor, QueueFilter(), first=50, after=after, counted=counted
        )

    async def fetch() -> None:
        async with place.runtime.engine.connect() as db:
            await db.execute(FETCH)

    return {
        "look-up by key": lambda: by_id(runtime, actor, [key]),
        "first page": page(),
        "page half-way": page(cursor),
        "first page, counted": page(counted=True),
        "worker's look for a job": fetch,
    }


async def statements_of(place: Stage, operation: Operation) -> int:
    """Without those that begin and end transactions."""
    seen: list[str] = []

    def remember(*arguments: Any) -> None:  # noqa: ANN401
        seen.append(arguments[2])

    engine = place.runtime.engine.sync_engine
    event.listen(engine, "before_cursor_execute", remember)
    await operation()
    event.remove(engine, "before_cursor_execute", remember)
    return len(seen)


async def run() -> int:
    results: dict[int, dict[str, float]] = {}
    async with stage() as place:
        handoffs: list[dict[str, Any]] = []
        for size in SIZES:
            handoffs += await wait_in_line(place, size - len(handoffs))
            todo = operations(place, handoffs)
            results[size] = await measure(todo)
        statements = await statements_of(place, todo["first page"])
    names = list(results[SIZES[0]])
    table(
        "Milliseconds at so many open handoffs",
        ["", *map(str, SIZES)],
        [[name, *(results[size][name] * 1e3 for size in SIZES)] for name in names],
    )
    few, many = results[SIZES[0]], results[SIZES[-1]]
    ratios = {
        "page_to_lookup": many["first page"] / many["look-up by key"],
        "page_statements": float(statements),
        "deep_page_to_page": many["page half-way"] / many["first page"],
        "page_10000_to_100": (many["first page"] / many["look-up by key"])
        / (few["first page"] / few["look-up by key"]),
        "counted_to_page": many["first page, counted"] / many["first page"],
    }
    return finish("queue", ratios, MUST)


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
