"""What may be forgotten once it is old, and nothing else.

Kept for ever: people (deactivated, never deleted), articles of the library, the audit, and every session
that is still worked on. A session takes its tree, messages, findings, handoffs and documents along, and
goes only when no event of it is left in the log: a client that replays events finds what they name.

Events go from the oldest on, without holes, so that the log stays whole behind its beginning; a cursor
from before it is answered with a reset.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.batches import in_batches, owner_engine

SESSIONS_AT_ONCE = 20
"""Each may have thousands of messages."""

ROWS_AT_ONCE = 1_000


class RetentionUnclear(Exception):
    """A sentence: what to say instead."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Days; None keeps the kind for ever."""

    events: int | None = None
    sessions: int | None = None
    """Since the session was resolved or abandoned, and nothing in it changed any more."""
    tokens: int | None = None
    """Refresh tokens, since they ended by themselves; until then a used one tells of theft."""
    idempotency_keys: int | None = None
    """Since their first use; a repeat after that creates anew."""
    jobs: int | None = None
    """Since they ended. Jobs that succeeded go at once, without this."""

    def __post_init__(self) -> None:
        if all(getattr(self, field.name) is None for field in fields(self)):
            raise RetentionUnclear(
                "Say what to delete: set FLOWPILOT_RETENTION_DAYS, or add an option such as "
                "--events 90."
            )
        if self.sessions is not None and (self.events is None or self.events > self.sessions):
            raise RetentionUnclear(
                "Sessions go only after their events: keep events for no more days than sessions."
            )


BEGINNINGS = """
    SELECT a.id AS account_id,
           coalesce((SELECT min(seq) FROM events
                      WHERE account_id = a.id
                        AND occurred_at >= now() - make_interval(days => :event_days)),
                    a.event_seq + 1) AS seq
      FROM accounts a
"""
"""Of each account's log, once its old events are gone."""

COUNT_EVENTS = text(
    f"SELECT count(*) FROM events e JOIN ({BEGINNINGS}) b USING (account_id) "  # noqa: S608
    "WHERE e.seq < b.seq"
)
DELETE_EVENTS = text(
    """
    DELETE FROM events WHERE account_id = :account_id AND seq IN (
        SELECT seq FROM events WHERE account_id = :account_id AND seq < :beginning
         ORDER BY seq LIMIT :size)
    """
)

ENDED_SESSIONS = """
    SELECT s.account_id, s.id FROM ai_sessions s
     WHERE s.status IN ('resolved', 'abandoned')
       AND greatest(s.status_changed_at, s.updated_at) < now() - make_interval(days => :days)
       AND NOT EXISTS (SELECT FROM events e
                        WHERE e.account_id = s.account_id AND e.session_id = s.id {still_there})
"""
OLD_SESSIONS = ENDED_SESSIONS.format(still_there="")
COUNT_SESSIONS = text(
    f"WITH b AS ({BEGINNINGS}) SELECT count(*) FROM ("  # noqa: S608
    + ENDED_SESSIONS.format(
        still_there="AND e.seq >= (SELECT seq FROM b WHERE b.account_id = s.account_id)"
    )
    + ") old"
)

OLD_TOKENS = """
    SELECT account_id, id FROM refresh_tokens WHERE expires_at < now() - make_interval(days => :days)
"""
OLD_KEYS = """
    SELECT account_id, actor_id, mutation, key FROM idempotency_keys
     WHERE created_at < now() - make_interval(days => :days)
"""
OLD_JOBS = """
    SELECT j.id FROM procrastinate_jobs j
     WHERE j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
       AND NOT EXISTS (SELECT FROM procrastinate_events e
                        WHERE e.job_id = j.id AND e.at >= now() - make_interval(days => :days))
"""


@dataclass(frozen=True, slots=True)
class _Kind:
    table: str
    key: str
    old: str
    batch: int = ROWS_AT_ONCE


KINDS: Mapping[str, _Kind] = {
    "sessions": _Kind("ai_sessions", "account_id, id", OLD_SESSIONS, SESSIONS_AT_ONCE),
    "tokens": _Kind("refresh_tokens", "account_id, id", OLD_TOKENS),
    "idempotency_keys": _Kind("idempotency_keys", "account_id, actor_id, mutation, key", OLD_KEYS),
    "jobs": _Kind("procrastinate_jobs", "id", OLD_JOBS),
}


async def retain(owner_url: str, periods: Periods) -> dict[str, int]:
    """How many of each kind went. May be stopped and run again at any time."""
    counts: dict[str, int] = {}
    async with owner_engine(owner_url) as engine:
        if periods.events is not None:
            counts["events"] = await _delete_events(engine, periods.events)
        for name, kind, days in _wanted(periods):
            statement = text(
                f"DELETE FROM {kind.table} WHERE ({kind.key}) IN "  # noqa: S608 - our own words
                f"({kind.old} LIMIT :size)"
            )
            counts[name] = await in_batches(engine, statement, {"days": days}, size=kind.batch)
    return counts


async def count_old(owner_url: str, periods: Periods) -> dict[str, int]:
    """What `retain` would tell now."""
    counts: dict[str, int] = {}
    async with owner_engine(owner_url) as engine, engine.connect() as db:
        if periods.events is not None:
            values = {"event_days": periods.events}
            counts["events"] = (await db.execute(COUNT_EVENTS, values)).scalar_one()
        for name, kind, days in _wanted(periods):
            if name == "sessions":
                values = {"days": days, "event_days": periods.events or 0}
                counts[name] = (await db.execute(COUNT_SESSIONS, values)).scalar_one()
            else:
                statement = text(f"SELECT count(*) FROM ({kind.old}) old")  # noqa: S608
                counts[name] = (await db.execute(statement, {"days": days})).scalar_one()
    return counts


def _wanted(periods: Periods) -> Iterator[tuple[str, _Kind, int]]:
    for name, kind in KINDS.items():
        days: int | None = getattr(periods, name)
        if days is not None:
            yield name, kind, days


async def _delete_events(engine: AsyncEngine, days: int) -> int:
    async with engine.connect() as db:
        beginnings = (await db.execute(text(BEGINNINGS), {"event_days": days})).all()
    return sum(
        [
            await in_batches(
                engine,
                DELETE_EVENTS,
                {"account_id": row.account_id, "beginning": row.seq},
                size=ROWS_AT_ONCE,
            )
            for row in beginnings
        ]
    )
