"""Fork into three, append and read the last page of conversations of 10 to 10,000 messages.

WAL bytes and time must stay flat: nothing of what a branch inherits is copied. What is forked and appended
comes with its events, its audit and its jobs; the hypotheses are those of a built-in playbook. WAL is what
the server's own position moved by around one operation, after a checkpoint and a warm-up, with nothing
else running and without full-page images, which depend on when the last checkpoint was. kB are 1,000 bytes.
"""

import asyncio
import itertools
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
from services.ai.cards import load_cards
from services.forks import Forked, ForkOption, fork_branch
from services.ids import new_id
from services.messages import MessageScope, list_messages, send_branch_message

SIZES = (10, 1_000, 10_000)
REPEAT = 40
WARM_UP = 5
PAGE = 50
Operation = Callable[[], Awaitable[object]]
Case = tuple[str, int]
"""A verb, and how many messages its branch holds."""

MUST = {
    "fork_wal_10000_to_10": 1.05,
    "append_wal_10000_to_10": 1.05,
    "fork_time_10000_to_10": 1.5,
    "append_time_10000_to_10": 1.5,
    "read_time_10000_to_10": 1.5,
    **{f"{verb}_kb_{size}": 6.0 for verb in ("fork", "append") for size in SIZES},
}

POSITION = text("SELECT pg_current_wal_insert_lsn() - '0/0'")
HYPOTHESES = load_cards()[0].hypotheses[:3]
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


async def operations(place: Stage, session_id: UUID, trunk_id: UUID) -> dict[str, Operation]:
    number = itertools.count(1)

    async def fork() -> Forked:
        place_in_line = next(number)
        return await fork_branch(
            place.runtime,
            place.actor,
            key=fresh_key(),
            session_id=session_id,
            parent_branch_id=trunk_id,
            fork_point_id=None,
            after_message_id=None,
            reason="Three causes are possible",
            options=[
                ForkOption(f"{one.label} {place_in_line}", one.description) for one in HYPOTHESES
            ],
        )

    async def append() -> None:
        await send_branch_message(
            place.runtime, place.actor, key=fresh_key(), branch_id=trunk_id, body=TEXT
        )

    child_id = (await fork()).branches[0].id

    async def read() -> None:
        """From the end of what a branch inherits, as a client does that opens it."""
        await list_messages(
            place.runtime,
            place.actor,
            branch_id=child_id,
            scope=MessageScope.LINEAGE,
            first=None,
            after=None,
            last=PAGE,
        )

    return {"fork": fork, "append": append, "read": read}


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
    writing: dict[Case, Operation] = {}
    reading: dict[Case, Operation] = {}
    async with stage({"full_page_writes": "off"}) as place:
        for size in SIZES:
            session_id = await plant_tree(place, 1, 1)
            trunk_id = await speak(place, session_id, size)
            verbs = await operations(place, session_id, trunk_id)
            reading["read", size] = verbs.pop("read")
            writing |= {(verb, size): operation for verb, operation in verbs.items()}
        # Apart: who reads a page tidies up behind those who wrote on it, which is WAL of theirs.
        results = await measure(place, writing) | await measure(place, reading)
    rows = [
        [verb, size, wal / 1e3, seconds * 1e3]
        for (verb, size), (wal, seconds) in sorted(results.items())
    ]
    table("One operation", ["verb", "messages", "WAL kB", "ms"], rows)
    first, last = SIZES[0], SIZES[-1]
    ratios = {f"{verb}_kb_{size}": results[verb, size][0] / 1e3 for verb, size in writing}
    for verb in ("fork", "append", "read"):
        ratios[f"{verb}_time_{last}_to_{first}"] = results[verb, last][1] / results[verb, first][1]
    for verb in ("fork", "append"):
        ratios[f"{verb}_wal_{last}_to_{first}"] = results[verb, last][0] / results[verb, first][0]
    return finish("conversation", ratios, MUST)


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
