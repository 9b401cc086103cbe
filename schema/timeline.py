"""What happened in a session, event by event."""

from collections.abc import Mapping
from typing import Self
from uuid import UUID

import strawberry

from schema.context import Info
from schema.events import SESSION_EVENTS, SESSION_LIST_EVENTS, Event
from schema.node import PageInfo
from services import replay

EVENTS: Mapping[str, type[Event]] = {**SESSION_LIST_EVENTS, **SESSION_EVENTS}
"""Every kind of event that a session has."""


@strawberry.type
class EventEdge:
    cursor: str = strawberry.field(description="The event's own: `AiSession.at` takes it.")
    node: Event


@strawberry.type
class EventConnection:
    edges: list[EventEdge]
    page_info: PageInfo
    is_complete: bool = strawberry.field(
        description="False where older events were deleted for their age: then the list begins later "
        "than the session, and `AiSession.at` tells nothing."
    )

    @classmethod
    def of(cls, account_id: UUID, found: replay.Timeline) -> Self:
        nodes = [EVENTS[stored.type].of(account_id, stored) for stored in found.page.items]
        edges = [EventEdge(cursor=node.cursor, node=node) for node in nodes]
        return cls(
            edges=edges,
            page_info=PageInfo.of(found.page, edges),
            is_complete=found.is_complete,
        )


async def of_session(
    info: Info, session_key: UUID, first: int, after: str | None
) -> EventConnection:
    """Raises InvalidInput (first, after)."""
    actor = info.context.actor
    found = await replay.timeline(
        info.context.runtime, actor, session_key, EVENTS, first=first, after=after
    )
    return EventConnection.of(actor.account_id, found)
