"""Following an answer while it is written: the rows are the truth, hints only say when to look."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, or_, select

from models.account import Account
from models.message import BranchMessage, MessageChunk
from services import lifecycle
from services.access import Actor
from services.errors import NotFound
from services.feed import Permit
from services.ids import Kind, node_id
from services.messages import by_id, stream_topic
from services.runtime import Runtime

SAFETY_POLL = 1.0
"""Seconds after which the rows are read although no hint came."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The text so far; `offset` is where it goes on, in characters."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Delta:
    """More text, which begins at `offset`."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The stored message is the truth now."""


async def follow_message(
    runtime: Runtime, actor: Actor, message_id: UUID, permit: Permit | None = None
) -> AsyncGenerator[Snapshot | Delta | Ended, None]:
    """A snapshot, then deltas; a new snapshot when the answer is begun anew; the end, last.

    Raises NotFound, and what the permit raises, before a piece that its holder may not hear.
    """
    attempt, offset = None, 0
    with runtime.bus.listen(stream_topic(message_id)) as hints:
        while True:
            seen = _written_here(runtime, message_id, attempt, offset) or await _look(
                runtime, actor, message_id, attempt, offset
            )
            if permit is not None:
                await permit.hold(seen.access_version)
            if seen.attempt != attempt:
                attempt, offset = seen.attempt, len(seen.text)
                yield Snapshot(seen.text, offset)
            elif seen.text:
                yield Delta(seen.text, offset)
                offset += len(seen.text)
            if seen.ended:
                yield Ended()
                return
            await hints.wait(SAFETY_POLL)


@dataclass(frozen=True, slots=True)
class _Seen:
    access_version: int
    attempt: int
    ended: bool
    text: str


def _written_here(
    runtime: Runtime, message_id: UUID, attempt: int | None, offset: int
) -> _Seen | None:
    """What a job of this process has just written, for who has looked before and so may see it."""
    live = runtime.live.get(message_id)
    if live is None or live.attempt != attempt or len(live.text) <= offset:
        return None
    return _Seen(live.access_version, live.attempt, ended=False, text=live.text[offset:])


async def _look(
    runtime: Runtime, actor: Actor, message_id: UUID, attempt: int | None, offset: int
) -> _Seen:
    """State and text beyond what was seen, in one statement."""
    statement = (
        select(
            Account.access_version,
            BranchMessage.state,
            BranchMessage.attempt,
            BranchMessage.body,
            MessageChunk.start,
            MessageChunk.body.label("chunk"),
        )
        .join(Account, Account.id == BranchMessage.account_id)
        .outerjoin(
            MessageChunk,
            and_(
                MessageChunk.account_id == BranchMessage.account_id,
                MessageChunk.message_id == BranchMessage.id,
                MessageChunk.attempt == BranchMessage.attempt,
                or_(MessageChunk.attempt != attempt, MessageChunk.start >= offset),
            ),
        )
        .where(BranchMessage.account_id == actor.account_id, BranchMessage.id == message_id)
        .order_by(MessageChunk.start)
    )
    async with runtime.read(actor) as db:
        rows = (await db.execute(statement)).all()
    if not rows:
        raise NotFound(node_id(Kind.MESSAGE, message_id))
    first = rows[0]
    ended = first.state not in lifecycle.UNFINISHED
    if ended:
        text = first.body[offset:] if first.attempt == attempt else first.body
    else:
        text = "".join(row.chunk or "" for row in rows)
    return _Seen(first.access_version, first.attempt, ended, text)


async def finished_reply(runtime: Runtime, actor: Actor, reply: BranchMessage) -> BranchMessage:
    """The reply once it is finished, or as it is when the time for it has passed."""
    with suppress(TimeoutError):
        async with (
            asyncio.timeout(runtime.limits.reply_timeout),
            aclosing(follow_message(runtime, actor, reply.id)) as pieces,
        ):
            async for _ in pieces:
                pass
    return (await by_id(runtime, actor, [reply.id]))[reply.id]
