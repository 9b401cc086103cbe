"""Following what happens: query first, then subscribe from the query's cursor."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any
from uuid import UUID

import strawberry

from schema.context import Info
from schema.events import (
    BRANCH_EVENTS,
    QUEUE_EVENTS,
    SESSION_EVENTS,
    SESSION_LIST_EVENTS,
    BranchEvent,
    Event,
    FeedReset,
    MessageDelta,
    MessageEnded,
    MessageSnapshot,
    MessageStreamEvent,
    QueueEvent,
    SessionEvent,
    SessionListEvent,
)
from schema.presence import Presence, SessionPresence
from schema.queue import QueueFilter
from schema.session_list import SessionFilter
from schema.sharing import SharedContext, relay_of
from services import sessions
from services.errors import NotFound
from services.feed import Reset, StoredEvent, decode_cursor
from services.ids import Kind, uuid_of
from services.presence import follow_presence
from services.queue import event_in_queue
from services.streams import Delta, Snapshot, follow_message
from services.telemetry.metrics import EVENTS_DELIVERED, FEED_RESETS

AFTER = "The last cursor that was applied; without it, events from now on."

Wanted = Callable[[StoredEvent], Awaitable[bool]]


@strawberry.type
class Subscriptions:
    @strawberry.subscription(description=AFTER)
    async def sessions_changed(
        self,
        info: Info,
        filter: SessionFilter | None = None,
        after: str | None = None,
    ) -> AsyncGenerator[SessionListEvent, None]:
        runtime, actor = info.context.runtime, info.context.actor
        wanted = (filter or SessionFilter()).decoded()

        async def passes(event: StoredEvent) -> bool:
            return await sessions.event_in_list(runtime, actor, wanted, event)

        async with aclosing(_follow(info, after, SESSION_LIST_EVENTS, passes=passes)) as events:
            async for event in events:
                yield event

    @strawberry.subscription(description=AFTER)
    async def session_changed(
        self, info: Info, session_id: strawberry.ID, after: str | None = None
    ) -> AsyncGenerator[SessionEvent, None]:
        key = await _visible(info, session_id)
        async with aclosing(_follow(info, after, SESSION_EVENTS, session_key=key)) as events:
            async for event in events:
                yield event

    @strawberry.subscription(description=AFTER)
    async def branch_changed(
        self, info: Info, session_id: strawberry.ID, after: str | None = None
    ) -> AsyncGenerator[BranchEvent, None]:
        key = await _visible(info, session_id)
        async with aclosing(_follow(info, after, BRANCH_EVENTS, session_key=key)) as events:
            async for event in events:
                yield event

    @strawberry.subscription(description=AFTER)
    async def queue_changed(
        self, info: Info, filter: QueueFilter | None = None, after: str | None = None
    ) -> AsyncGenerator[QueueEvent, None]:
        _ = info.context.actor  # raises for whoever has not signed in, whatever the filter
        wanted = (filter or QueueFilter()).decoded()

        async def passes(event: StoredEvent) -> bool:
            return event_in_queue(wanted, event)

        async with aclosing(_follow(info, after, QUEUE_EVENTS, passes=passes)) as events:
            async for event in events:
                yield event

    @strawberry.subscription(
        description="An answer while it is written: a snapshot, deltas, the end. A retry begins "
        "with a new snapshot."
    )
    async def message_streamed(
        self, info: Info, message_id: strawberry.ID
    ) -> AsyncGenerator[MessageStreamEvent, None]:
        context = info.context
        actor, permit = context.actor, context.permit
        key = uuid_of(Kind.MESSAGE, message_id)
        async with aclosing(follow_message(context.runtime, actor, key, permit)) as pieces:
            async for piece in pieces:
                context.forget()
                if isinstance(piece, Snapshot):
                    yield MessageSnapshot(message_key=key, text=piece.text, offset=piece.offset)
                elif isinstance(piece, Delta):
                    yield MessageDelta(text=piece.text, offset=piece.offset)
                else:
                    yield MessageEnded(message_key=key)

    @strawberry.subscription(
        description="Who has it open: at once, and whenever that changes. State, not events: it needs no "
        "cursor."
    )
    async def presence_changed(
        self, info: Info, session_id: strawberry.ID
    ) -> AsyncGenerator[SessionPresence, None]:
        context = info.context
        actor, permit = context.actor, context.permit
        key = uuid_of(Kind.SESSION, session_id)
        async with aclosing(follow_presence(context.runtime, actor, key, permit)) as states:
            async for present in states:
                context.forget()
                yield SessionPresence(
                    session_key=key, presence=[Presence.of(one) for one in present]
                )


async def _visible(info: Info, session_id: str) -> UUID:
    """Raises NotFound."""
    loaders = info.context.loaders
    key = uuid_of(Kind.SESSION, session_id)
    if await loaders.sessions.load(key) is None:
        raise NotFound(session_id)
    return key


async def _follow(
    info: Info,
    after: str | None,
    kinds: Mapping[str, type[Event]],
    *,
    session_key: UUID | None = None,
    passes: Wanted | None = None,
) -> AsyncGenerator[Any, None]:
    """The one way of every event to a client; a cursor of another account ends in FeedReset."""
    context = info.context
    account_id, permit = context.actor.account_id, context.permit
    feed = context.runtime.feed
    place = None if after is None else decode_cursor(account_id, after)
    if after is not None and place is None:
        FEED_RESETS.inc()
        yield FeedReset.at(account_id, await feed.newest(account_id))
        return
    with relay_of(info) as relay:
        try:
            async with aclosing(
                feed.follow(account_id, place, session_key, permit, relay)
            ) as events:
                async for event in events:
                    kind = kinds.get(event.type)
                    if kind is None or (passes is not None and not await passes(event)):
                        continue
                    shown = kind.of(account_id, event)
                    if relay is not None and await relay.tell(event, shown):
                        continue
                    if not isinstance(context, SharedContext):  # to which nobody listens
                        EVENTS_DELIVERED.inc()
                    context.hear(event)
                    yield shown
                    context.forget()
        except Reset as reset:
            FEED_RESETS.inc()
            yield FeedReset.at(account_id, reset.seq)
