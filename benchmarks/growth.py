"""Fork into three and append, with their events and jobs, on conversations of 10 to 10,000 messages.

WAL bytes and time must stay flat: nothing of what a branch inherits is copied or read. WAL is what the
server's own position moved by around one operation, with nothing else running.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median
from uuid import UUID

from sqlalchemy import insert, text, update

from benchmarks.report import finish, table
from benchmarks.stage import Stage, fresh_key, plant_tree, stage, trunk_of
from models.branch import Branch
from models.message import BranchMessage, MessageRole
from services.forks import ForkOption, fork_branch
from services.ids import new_id
from services.messages import send_branch_message

SIZES = (10, 1_000, 10_000)
REPEAT = 40
WARM_UP = 5
"""What a page's first change after a checkpoint writes is not the point."""

Operation = Callable[[], Awaitable[object]]
Case = tuple[str, int]
"""A verb, and how many messages its branch holds."""

MUST = {
    "fork_wal_10000_to_10": 1.2,
    "append_wal_10000_to_10": 1.2,
    "fork_time_10000_to_10": 1.5,
    "append_time_10000_to_10": 1.5,
    "fork_kb": 8.0,
    "append_kb": 8.0,
}

POSITION = text("SELECT pg_current_wal_insert_lsn() - '0/0'")
TEXT = "The resolver of the branch office still answers with the old address. " * 4


async def speak(place: Stage, session_id: UUID, size: int) -> UUID:
    """A trunk of that many messages."""
    trunk_id = await trunk_of(place, session_id)
    rows = [
        {
            "account_id": place.actor.account_id,
            "id": new_id(),
            "session_id": session_id,
            "branch_id": trunk_id,
            "position": position,
            "role": MessageRole.USER if position % 2 else MessageRole.ASSISTANT,
            "body": TEXT,
        }
        for position in range(1, size + 1)
    ]
    async with place.owner.begin() as db:
        await db.execute(insert(BranchMessage), rows)
        await db.execute(update(Branch).where(Branch.id == trunk_id).values(last_position=size))
    return trunk_id


def operations(place: Stage, session_id: UUID, trunk_id: UUID) -> dict[str, Operation]:
    async def fork() -> None:
        key = fresh_key()
        await fork_branch(
            place.runtime,
            place.actor,
            key=key,
            session_id=session_id,
            parent_branch_id=trunk_id,
            fork_point_id=None,
            after_message_id=None,
            reason="Three causes are possible",
            options=[ForkOption(f"{cause} {key}", TEXT[:200]) for cause in "abc"],
        )

    async def append() -> None:
        await send_branch_message(
            place.runtime, place.actor, key=fresh_key(), branch_id=trunk_id, body=TEXT
        )

    return {"fork": fork, "append": append}


async def measure(place: Stage, todo: dict[Case, Operation]) -> dict[Case, tuple[float, float]]:
    """Median bytes of WAL and seconds of each; in turn, so that the machine's moods hit all alike."""
    wal: dict[Case, list[float]] = {case: [] for case in todo}
    seconds: dict[Case, list[float]] = {case: [] for case in todo}
    async with place.owner.connect() as watcher:
        await watcher.exec_driver_sql("CHECKPOINT")
        for turn in range(WARM_UP + REPEAT):
            for case, operation in todo.items():
                before = (await watcher.execute(POSITION)).scalar_one()
                began = time.perf_counter()
                await operation()
                took = time.perf_counter() - began
                if turn >= WARM_UP:
                    seconds[case].append(took)
                    wal[case].append(float((await watcher.execute(POSITION)).scalar_one() - before))
    return {case: (median(wal[case]), median(seconds[case])) for case in todo}


async def run() -> int:
    todo: dict[Case, Operation] = {}
    async with stage() as place:
        for size in SIZES:
            session_id = await plant_tree(place, 1, 1)
            trunk_id = await speak(place, session_id, size)
            for verb, operation in operations(place, session_id, trunk_id).items():
                todo[verb, size] = operation
        results = await measure(place, todo)
    rows = [
        [verb, size, wal / 1024, seconds * 1e3]
        for (verb, size), (wal, seconds) in sorted(results.items())
    ]
    table("One operation", ["verb", "messages", "WAL kB", "ms"], rows)
    ratios = {}
    for verb in ("fork", "append"):
        few, many = results[verb, SIZES[0]], results[verb, SIZES[-1]]
        ratios[f"{verb}_wal_10000_to_10"] = many[0] / few[0]
        ratios[f"{verb}_time_10000_to_10"] = many[1] / few[1]
        ratios[f"{verb}_kb"] = max(results[verb, size][0] for size in SIZES) / 1024
    return finish("growth", ratios, MUST)


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
