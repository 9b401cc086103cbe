"""One transaction, with the events it records, its audit and the jobs it makes necessary.

Either everything commits or nothing did happen. The account's event counter is taken by the last
statement, so the order of sequence numbers is the order of commits and a reader sees no gap.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.audit import AuditAction
from models.event import IdempotencyKey
from services import audit
from services.audit import Change, Entry
from services.database import transaction
from services.errors import FieldProblem, InvalidInput
from services.events import DomainEvent
from services.ids import Kind
from services.wakebus import JOBS_TOPIC, WakeBus

APPEND_EVENTS = text(
    """
    WITH counter AS (
        UPDATE accounts SET event_seq = event_seq + :count WHERE id = :account_id RETURNING event_seq
    )
    INSERT INTO events (account_id, seq, session_id, type, actor_id, payload)
    SELECT :account_id, counter.event_seq - :count + event.place,
           event.session_id, event.type, :actor_id, event.payload
      FROM counter,
           unnest(CAST(:session_ids AS uuid[]), CAST(:types AS text[]), CAST(:payloads AS jsonb[]))
           WITH ORDINALITY AS event(session_id, type, payload, place)
    """
)

DEFER_JOBS = text(
    """
    SELECT procrastinate_defer_jobs_v1(array_agg(
        ROW('default', job.task, job.priority, job.lock, NULL, job.args, job.scheduled_at)
        ::procrastinate_job_to_defer_v1 ORDER BY job.place))
      FROM unnest(CAST(:tasks AS text[]), CAST(:locks AS text[]), CAST(:args AS jsonb[]),
                  CAST(:times AS timestamptz[]), CAST(:priorities AS int[]))
           WITH ORDINALITY AS job(task, lock, args, scheduled_at, priority, place)
    """
)


@dataclass(frozen=True, slots=True)
class Job:
    """Work for a worker. Jobs with one `lock` run one at a time, in the order they were made."""

    task: str
    args: Mapping[str, object]
    lock: str | None = None
    scheduled_at: datetime | None = None
    priority: int = 0
    """Higher goes first."""


@dataclass(slots=True)
class UnitOfWork:
    account_id: UUID
    user_id: UUID | None
    """Who does this; None when it is the assistant."""
    db: AsyncConnection
    events: list[DomainEvent] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def record(
        self, event: DomainEvent, *changes: Change, action: AuditAction | None = None
    ) -> None:
        """For subscribers and for the audit; `changes` and `action` are for the audit alone."""
        self.events.append(event)
        self.entries.append(audit.entry_of(event, action, changes))

    def audit(self, action: AuditAction, kind: Kind, target_id: UUID, *changes: Change) -> None:
        """A change that is no event of a session."""
        self.entries.append(Entry(action, kind, target_id, changes=changes))

    def enqueue(self, job: Job) -> None:
        self.jobs.append(job)

    async def once(
        self, mutation: str, key: UUID, content: Mapping[str, object], makes: Mapping[str, object]
    ) -> dict[str, Any] | None:
        """What this key made before, or None: then `makes` is remembered if the work commits.

        A second caller with the same key waits here until the first has committed or failed.
        Raises InvalidInput when the key was used with other content, and for the nil UUID: it is
        what a client sends that has forgotten to make a key.
        """
        identity, digest = self._identity(mutation, key), _digest(key, content)
        statement = (
            insert(IdempotencyKey)
            .values(**identity, input_hash=digest, made=dict(makes))
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.key)
        )
        if (await self.db.execute(statement)).first() is not None:
            return None
        return await self._made(identity, digest)

    async def made_before(
        self, mutation: str, key: UUID, content: Mapping[str, object]
    ) -> dict[str, Any] | None:
        """As `once`, but a look only: for what must be done before the work that makes something."""
        return await self._made(self._identity(mutation, key), _digest(key, content))

    def _identity(self, mutation: str, key: UUID) -> dict[str, Any]:
        return {
            "account_id": self.account_id,
            "actor_id": self.user_id,
            "mutation": mutation,
            "key": key,
        }

    async def _made(self, identity: Mapping[str, Any], digest: bytes) -> dict[str, Any] | None:
        table = IdempotencyKey.__table__
        known = (await self.db.execute(table.select().filter_by(**identity))).one_or_none()
        if known is None:
            return None
        if known.input_hash != digest:
            raise InvalidInput(
                [FieldProblem(("idempotencyKey",), "Was used before, with other content.")]
            )
        return dict(known.made)

    async def flush(self) -> None:
        if self.jobs:
            await self.db.execute(
                DEFER_JOBS,
                {
                    "tasks": [job.task for job in self.jobs],
                    "locks": [job.lock for job in self.jobs],
                    "args": [orjson.dumps(job.args).decode() for job in self.jobs],
                    "times": [job.scheduled_at for job in self.jobs],
                    "priorities": [job.priority for job in self.jobs],
                },
            )
        if self.entries:
            await audit.append(self.db, self.account_id, self.user_id, self.entries)
        if self.events:
            await self.db.execute(
                APPEND_EVENTS,
                {
                    "account_id": self.account_id,
                    "actor_id": self.user_id,
                    "count": len(self.events),
                    "session_ids": [event.session_id for event in self.events],
                    "types": [type(event).__name__ for event in self.events],
                    "payloads": [orjson.dumps(event.payload()).decode() for event in self.events],
                },
            )


def _digest(key: UUID, content: Mapping[str, object]) -> bytes:
    if key.int == 0:
        problem = "Must be a UUID of your making, not the nil one."
        raise InvalidInput([FieldProblem(("idempotencyKey",), problem)])
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


@asynccontextmanager
async def unit_of_work(
    engine: AsyncEngine, bus: WakeBus, account_id: UUID, user_id: UUID | None
) -> AsyncIterator[UnitOfWork]:
    async with transaction(engine, account_id) as db:
        work = UnitOfWork(account_id, user_id, db)
        yield work
        await work.flush()
    if work.events:
        bus.wake(events_topic(account_id))
    if work.jobs:
        bus.wake(JOBS_TOPIC)


def events_topic(account_id: UUID) -> str:
    return f"events:{account_id.hex}"
