"""A database of its own, an account in it, and a way into the services."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from uuid import UUID, uuid4

from sqlalchemy import insert, make_url, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app import open_runtime
from cli import migrate
from models.account import Plan, Role
from models.branch import Branch, BranchStatus, ForkPoint
from models.session import AiSession
from services.access import SCOPES_OF, Actor
from services.accounts import NewPerson, create_account
from services.ai.scripted import ScriptedProvider
from services.ids import new_id
from services.postgres import EmbeddedPostgres
from services.runtime import Limits, Runtime
from settings import Settings

PASSWORD = "benchmark-password"  # noqa: S105
EMAIL = "engineer@benchmark.example"
SETTINGS = {"autovacuum": "off", "shared_buffers": "256MB", "synchronous_commit": "off"}
LIMITS = Limits(max_branches=20_000, max_depth=64, max_connections=1_000, cost_per_minute=10**12)


@dataclass(frozen=True)
class Stage:
    url: str
    data_dir: Path
    runtime: Runtime
    owner: AsyncEngine
    actor: Actor


@asynccontextmanager
async def stage(settings: Mapping[str, str] = MappingProxyType({})) -> AsyncIterator[Stage]:
    """With these settings of PostgreSQL besides; everything is thrown away afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        with EmbeddedPostgres(data_dir, settings={**SETTINGS, **settings}) as url:
            migrate(url)
            people = [NewPerson(EMAIL, "Engineer", Role.ADMIN, PASSWORD)]
            account = await create_account(
                url, name="Benchmark", plan=Plan.ENTERPRISE, people=people
            )
            user_id = account.user_ids[EMAIL]
            actor = Actor(
                account.account_id, user_id, Role.ADMIN, SCOPES_OF[Role.ADMIN], user_id, None
            )
            configured = Settings(
                data_dir=data_dir,
                worker_concurrency=0,
                access_token_minutes=600,
                outgoing_allowed=("127.0.0.1",),
            )
            owner = create_async_engine(
                make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool
            )
            async with open_runtime(configured, url, ScriptedProvider(), LIMITS) as runtime:
                yield Stage(url, data_dir, runtime, owner, actor)
            await owner.dispose()


async def plant_tree(stage: Stage, size: int, fan_out: int) -> UUID:
    """A session of `size` branches, each level `fan_out` times as wide as the one above."""
    session_id, trunk_id = new_id(), new_id()
    account_id, user_id = stage.actor.account_id, stage.actor.user_id
    rows, points = [], []
    open_parents = [(trunk_id, 0, None)]
    common = {"account_id": account_id, "session_id": session_id}
    statuses = list(BranchStatus)
    rows.append(
        {**common, "id": trunk_id, "parent_branch_id": None, "fork_point_id": None, "depth": 0,
         "branch_order": 1, "label": "Trunk", "description": None, "status": BranchStatus.ACTIVE,
         "status_reason": None}
    )  # fmt: skip
    while len(rows) < size:
        parent_id, depth, _ = open_parents.pop(0)
        point_id = new_id()
        points.append(
            {**common, "id": point_id, "parent_branch_id": parent_id, "position": 0,
             "fork_reason": "Several causes are possible", "created_by": user_id}
        )  # fmt: skip
        for order in range(1, min(fan_out, size - len(rows)) + 1):
            branch_id = new_id()
            status = statuses[len(rows) % len(statuses)]
            rows.append(
                {**common, "id": branch_id, "parent_branch_id": parent_id,
                 "fork_point_id": point_id, "depth": depth + 1, "branch_order": order,
                 "label": f"Hypothesis {len(rows)}", "status": status,
                 "description": "The resolver of the branch office answers with an old address",
                 "status_reason": "Ruled out by a direct query" if status == "dead_end" else None}
            )  # fmt: skip
            open_parents.append((branch_id, depth + 1, None))
    async with stage.owner.begin() as db:
        await db.execute(
            insert(AiSession).values(
                account_id=account_id, id=session_id, session_type="guided",
                intake_type="free_text", intake_content="Mail stopped arriving", opened_by=user_id,
                assignee_id=user_id, active_branch_id=trunk_id, is_branching=True,
                branch_count=len(rows), hypothesis_count=len(rows) - 1,
            )
        )  # fmt: skip
        await db.execute(insert(Branch), rows)
        if points:
            await db.execute(insert(ForkPoint), points)
        await db.exec_driver_sql("ANALYZE")
    return session_id


async def trunk_of(stage: Stage, session_id: UUID) -> UUID:
    statement = select(Branch.id).where(Branch.session_id == session_id, Branch.depth == 0)
    async with stage.owner.connect() as db:
        return (await db.execute(statement)).scalar_one()


def fresh_key() -> UUID:
    return uuid4()
