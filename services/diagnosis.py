"""What is wrong with a database or a bus, told in sentences. Looks only; changes nothing."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Base
from services.batches import owner_engine
from services.bus_backends import connected
from services.database import APP_ROLE
from services.schema_revision import State, state_of
from services.wakebus import CHANNEL

OLDEST_VERSION = 150_000
MAX_SKEW = 5.0
"""Seconds that two clocks may differ before tokens and waiting times look wrong."""

BUS_PATIENCE = 5.0
ALIVE = "interval '60 seconds'"
"""Since a worker's last heartbeat; it beats every ten seconds and is given up after thirty."""

MIGRATE = "run `python -m cli migrate` (or `serve`)"

SERVER = text(
    """
    SELECT current_setting('server_version_num')::int AS number,
           current_setting('server_version') AS version, clock_timestamp() AS now,
           current_setting('max_connections')::int
             - current_setting('superuser_reserved_connections')::int AS connections,
           current_user AS owner, to_regclass('public.alembic_version') IS NOT NULL AS is_migrated,
           pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS is_read_only
    """
)
REVISION = text("SELECT version_num FROM alembic_version")
ROLE = text(
    """
    SELECT rolsuper, rolbypassrls, pg_has_role(current_user, oid, 'MEMBER') AS is_ours,
           (SELECT count(*) FROM pg_class WHERE relowner = pg_roles.oid) AS owned
      FROM pg_roles WHERE rolname = :role
    """
)
TABLES = text(
    """
    SELECT relname AS name, relrowsecurity AS walled, pg_get_userbyid(relowner) AS owner,
           pg_has_role(current_user, relowner, 'MEMBER') AS is_ours,
           pg_has_role(:role, relowner, 'MEMBER') AS is_the_servers
      FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY (:names)
    """
)
WORK = text(
    f"""
    SELECT (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - {ALIVE}) AS workers,
           count(*) FILTER (WHERE j.status = 'doing' AND
                (w.id IS NULL OR w.last_heartbeat < now() - {ALIVE})) AS stalled,
           count(*) FILTER (WHERE j.status = 'todo' AND coalesce(j.scheduled_at, e.at) <
                now() - interval '1 minute') AS waiting
      FROM procrastinate_jobs j
      LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
      LEFT JOIN LATERAL (SELECT max(at) AS at FROM procrastinate_events WHERE job_id = j.id) e ON true
     WHERE j.status IN ('todo', 'doing')
    """  # noqa: S608
)


async def database_problems(owner_url: str, *, serving: bool, connections: int) -> list[str]:
    """`serving`: a FlowPilot answers, so that somebody must work on jobs. `connections`: so many may be
    wanted at a time. Raises SQLAlchemyError.
    """
    async with owner_engine(owner_url) as engine, engine.connect() as db:
        server = (await db.execute(SERVER)).one()
        problems = []
        if server.number < OLDEST_VERSION:
            problems.append(
                f"The database is PostgreSQL {server.version}: FlowPilot needs 15 or newer."
            )
        if server.is_read_only:
            problems.append(
                "The database takes no writes: name the primary server, not a copy of it."
            )
        if connections > server.connections:
            problems.append(
                f"The servers set up here may want {connections} connections, and the database has "
                f"{server.connections}: lower FLOWPILOT_WORKERS or FLOWPILOT_POOL_SIZE, or raise its "
                "max_connections."
            )
        skew = abs((server.now - datetime.now(UTC)).total_seconds())
        if skew > MAX_SKEW:
            problems.append(
                f"The clocks of this machine and of the database differ by {skew:.0f} seconds: "
                "let both follow a time server."
            )
        problems += await _role_problems(db, migrated=server.is_migrated)
        revision = (await db.execute(REVISION)).scalar() if server.is_migrated else None
        match state_of(revision):
            case State.EMPTY:
                problems.append(f"The database holds no tables of FlowPilot yet: {MIGRATE}.")
            case State.OLDER:
                problems.append(f"The database is of an older FlowPilot: {MIGRATE}.")
            case State.NEWER:
                problems.append("The database is of a newer FlowPilot: run that version.")
            case State.CURRENT:
                problems += await _table_problems(db, server.owner)
                problems += await _work_problems(db, serving=serving)
        return problems


async def _role_problems(db: AsyncConnection, *, migrated: bool) -> list[str]:
    role = (await db.execute(ROLE, {"role": APP_ROLE})).one_or_none()
    if role is None:
        return [f"The role {APP_ROLE} is missing: {MIGRATE}."] if migrated else []
    problems = []
    if role.rolsuper or role.rolbypassrls:
        problems.append(
            f"The role {APP_ROLE} passes the walls between accounts: run "
            f"`ALTER ROLE {APP_ROLE} NOSUPERUSER NOBYPASSRLS`."
        )
    if role.owned:
        problems.append(
            f"The role {APP_ROLE} owns {role.owned} tables or indexes, so that no wall stops it there: "
            f"run `REASSIGN OWNED BY {APP_ROLE} TO` the database's user."
        )
    if not role.is_ours:
        problems.append(
            f"The database's user may not act as {APP_ROLE}: let an administrator run "
            f"`GRANT {APP_ROLE} TO` that user."
        )
    return problems


async def _table_problems(db: AsyncConnection, user: str) -> list[str]:
    names = list(Base.metadata.tables)
    tables = (await db.execute(TABLES, {"role": APP_ROLE, "names": names})).all()
    problems = []
    missing = set(names) - {table.name for table in tables}
    if missing:
        problems.append(f"Tables are missing, restore a backup: {', '.join(sorted(missing))}.")
    open_tables = sorted(table.name for table in tables if not table.walled)
    if open_tables:
        problems.append(
            "Row-level security is off, so that accounts see each other: run `ALTER TABLE … ENABLE "
            f"ROW LEVEL SECURITY` for {', '.join(open_tables)}."
        )
    if any(not table.is_ours for table in tables):
        owners = ", ".join(sorted({table.owner for table in tables}))
        problems.append(
            f"The tables belong to {owners}, not to {user}: name that user in FLOWPILOT_DATABASE_URL."
        )
    if any(table.is_the_servers for table in tables):
        problems.append(f"The role {APP_ROLE} has the rights of the tables' owner: revoke them.")
    return problems


async def _work_problems(db: AsyncConnection, *, serving: bool) -> list[str]:
    work = (await db.execute(WORK)).one()
    problems = []
    if work.stalled and work.workers == 0:
        problems.append(
            f"{work.stalled} jobs were left by a worker that died: start one, and they are taken up "
            "within a minute or two."
        )
    if work.workers == 0 and (serving or work.waiting):
        problems.append(
            f"Nobody works on jobs, and {work.waiting} wait: start `python -m cli worker`, or give "
            "`serve` a FLOWPILOT_WORKER_CONCURRENCY above 0."
        )
    elif work.waiting:
        problems.append(
            f"{work.waiting} jobs have waited for more than a minute although {work.workers} workers "
            "live: start more of them."
        )
    return problems


async def limits_problem(url: str) -> str | None:
    """Whether the store that several servers count in answers."""
    try:
        async with asyncio.timeout(BUS_PATIENCE), Redis.from_url(url) as store:
            await store.ping()
    except (RedisError, OSError, ValueError) as error:
        why = str(error) or "nothing came back in time"
        return (
            f"The store of limits in FLOWPILOT_LIMITS_URL does not answer ({why}): each server counts "
            "for itself. Start it, or leave the setting out."
        )
    return None


async def bus_problem(url: str) -> str | None:
    """Whether a message comes back through the carrier of hints."""
    try:
        async with (
            asyncio.timeout(BUS_PATIENCE),
            connected(url, CHANNEL, BUS_PATIENCE) as (broadcast, _),
            broadcast.subscribe(CHANNEL) as messages,
        ):
            hello = uuid4().hex  # to others a sender who names no topics
            await broadcast.publish(CHANNEL, hello)
            while (await messages.get()).message != hello:
                pass
    except Exception as error:  # whatever a driver raises
        why = str(error) or "nothing came back in time"
        return (
            f"The carrier of hints in FLOWPILOT_BROADCAST_URL does not work ({why}): events come up to "
            "two seconds late. Start it, or leave the setting out."
        )
    return None
