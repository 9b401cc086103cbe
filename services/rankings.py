"""How likely hypotheses have been held to be, over time."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from models.hypothesis import Ranking
from services.access import Actor
from services.database import fetch
from services.runtime import Runtime

OF_BRANCH = 100


async def by_branch(
    runtime: Runtime, actor: Actor, branch_ids: Sequence[UUID]
) -> dict[UUID, list[Ranking]]:
    """Oldest first, the newest 100 of each branch."""
    age = (
        func.row_number()
        .over(partition_by=Ranking.branch_id, order_by=Ranking.id.desc())
        .label("age")
    )
    aged = (
        select(Ranking.id, age)
        .where(Ranking.account_id == actor.account_id, Ranking.branch_id.in_(branch_ids))
        .subquery()
    )
    statement = (
        select(Ranking)
        .join(aged, Ranking.id == aged.c.id)
        .where(Ranking.account_id == actor.account_id, aged.c.age <= OF_BRANCH)
        .order_by(Ranking.id)
    )
    found: defaultdict[UUID, list[Ranking]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            found[row.branch_id].append(row)
    return found
