"""Siblings of a fork that are asked at once: the first question writes what is before the fork into the
model's cache, and the others read it there instead of paying for it, too.
"""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from models.branch import Branch
from models.message import BranchMessage, MessageChunk
from services import lifecycle
from services.database import transaction
from services.messages import stream_topic
from services.runtime import Runtime

PATIENCE = 5.0
"""Seconds that a sibling waits at most; then it pays."""

LOOK_AGAIN = 0.5

FIRST_REPLY = 2
"""Its place among a branch's own messages."""


async def wait_for_first(runtime: Runtime, account_id: UUID, reply_id: UUID) -> None:
    """Until the first reply on the fork's first branch that was asked anything has begun: what its call
    has written can be read from then on. Nobody else is waited for.
    """
    if runtime.provider.is_offline:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while first := await _silent(runtime, account_id, reply_id):
                with runtime.bus.listen(stream_topic(first)) as hints:
                    await hints.wait(LOOK_AGAIN)


async def _silent(runtime: Runtime, account_id: UUID, reply_id: UUID) -> UUID | None:
    """The reply that has to begin before this one, if it has not."""
    own, branch = aliased(BranchMessage), aliased(Branch)
    spoken = exists().where(
        MessageChunk.account_id == account_id,
        MessageChunk.message_id == BranchMessage.id,
        MessageChunk.attempt == BranchMessage.attempt,
    )
    statement = (
        select(
            BranchMessage.id, BranchMessage.state, own.state.label("own"), spoken.label("spoken")
        )
        .select_from(own)
        .join(branch, (branch.account_id == own.account_id) & (branch.id == own.branch_id))
        .join(
            Branch,
            (Branch.account_id == branch.account_id)
            & (Branch.parent_branch_id == branch.parent_branch_id)
            & (Branch.fork_point_id == branch.fork_point_id),
        )
        .join(
            BranchMessage,
            (BranchMessage.account_id == Branch.account_id)
            & (BranchMessage.branch_id == Branch.id)
            & (BranchMessage.position == Branch.fork_position + FIRST_REPLY),
        )
        .where(
            own.account_id == account_id,
            own.id == reply_id,
            own.position == branch.fork_position + FIRST_REPLY,
        )
        .order_by(BranchMessage.id)
        .limit(1)
    )
    async with transaction(runtime.engine, account_id) as db:
        first: Any = (await db.execute(statement)).one_or_none()
    if first is None or first.id == reply_id or first.spoken:
        return None
    both = (first.state, first.own)
    return first.id if all(state in lifecycle.UNFINISHED for state in both) else None
