"""An account whose log is written by one process and followed in another, which two objects stand for."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.account import Account, Plan, Role, User
from models.branch import Branch
from models.session import AiSession, IntakeType, SessionType
from services.database import connect_pool, plain_url
from services.events import BranchUpdated
from services.feed import Feed, StoredEvent
from services.ids import new_id
from services.unit_of_work import unit_of_work
from services.wakebus import WakeBus
from tests.tables import as_owner

SOON = 30
"""Seconds after which a test gives up; nothing takes so long when it works."""


@dataclass(frozen=True)
class Desk:
    """An account with two sessions, written to by one process and followed in another."""

    url: str
    engine: AsyncEngine
    writers: WakeBus
    feed: Feed
    account_id: UUID
    user_id: UUID
    sessions: tuple[UUID, UUID]

    async def write(self, count: int = 1, *, session: int = 0) -> None:
        """So many events in one commit."""
        async with unit_of_work(self.engine, self.writers, self.account_id, self.user_id) as work:
            for _ in range(count):
                work.record(BranchUpdated(self.sessions[session], new_id()))

    async def stored(self) -> list[tuple[int, UUID, str]]:
        """Sequence, session and branch of every event."""
        statement = text(
            "SELECT seq, session_id, payload->>'branch_id' FROM events "
            "WHERE account_id = :account_id ORDER BY seq"
        )
        async with as_owner(self.url) as db:
            rows = await db.execute(statement, {"account_id": self.account_id})
            return [(row[0], row[1], row[2]) for row in rows]


@asynccontextmanager
async def open_desk(
    url: str, reader: WakeBus | None = None, writers: WakeBus | None = None
) -> AsyncIterator[Desk]:
    """With buses of the database where none are given."""
    async with AsyncExitStack() as stack:
        engine = connect_pool(url, size=8)
        stack.push_async_callback(engine.dispose)
        if writers is None:
            writers = await stack.enter_async_context(WakeBus(plain_url(url), engine))
        if reader is None:
            reader = await stack.enter_async_context(WakeBus(plain_url(url), engine))
        account_id, user_id = new_id(), new_id()
        async with as_owner(url) as db:
            await db.execute(insert(Account).values(id=account_id, name="MSP", plan=Plan.TEAM))
            await db.execute(
                insert(User).values(
                    account_id=account_id,
                    id=user_id,
                    email=f"{user_id.hex}@example.com",
                    display_name="Engineer",
                    role=Role.ENGINEER,
                )
            )
            sessions = (new_id(), new_id())
            for session_id in sessions:
                trunk_id = new_id()
                await db.execute(
                    insert(AiSession).values(
                        account_id=account_id,
                        id=session_id,
                        session_type=SessionType.GUIDED,
                        intake_type=IntakeType.FREE_TEXT,
                        intake_content="It fails",
                        opened_by=user_id,
                        assignee_id=user_id,
                        active_branch_id=trunk_id,
                    )
                )
                await db.execute(
                    insert(Branch).values(
                        account_id=account_id, session_id=session_id, id=trunk_id, label="Trunk"
                    )
                )
        feed = Feed(engine, reader)
        yield Desk(url, engine, writers, feed, account_id, user_id, sessions)


def seen(events: list[StoredEvent]) -> list[tuple[int, UUID, str]]:
    return [(event.seq, event.session_id, event.payload["branch_id"]) for event in events]


async def next_event(events: AsyncGenerator[StoredEvent, None]) -> StoredEvent:
    async with asyncio.timeout(SOON):
        return await anext(events)


async def is_followed(desk: Desk) -> None:
    """Until a follower waits: then its place in the log is taken."""
    async with asyncio.timeout(SOON):
        while not any(task.get_name() == reader_name(desk) for task in asyncio.all_tasks()):
            await desk.feed.newest(desk.account_id)


def reader_name(desk: Desk) -> str:
    return f"feed of {desk.account_id}"
