"""What waits for somebody, and what of it is asked for."""

from collections.abc import Sequence
from typing import Self

import strawberry

from models.handoff import HandoffIntent, HandoffPriority
from models.sla import SlaState
from schema.handoff import Handoff
from schema.node import PageInfo
from services import queue as service
from services.ids import Kind, optional_uuid_of
from services.pages import write_cursor
from services.validation import Validation


@strawberry.type
class QueueEdge:
    cursor: str
    node: Handoff


@strawberry.type
class QueueConnection:
    edges: list[QueueEdge]
    page_info: PageInfo
    total_count: int = strawberry.field(
        description="Of all that match, on every page; counted only where it is asked for."
    )
    event_cursor: str = strawberry.field(
        description="As AiSession.eventCursor, for `queueChanged`."
    )

    @classmethod
    def of(cls, queue: service.Queue, event_cursor: str) -> Self:
        edges = [
            QueueEdge(cursor=write_cursor(*service.queue_key(row)), node=Handoff.of(row))
            for row in queue.page.items
        ]
        return cls(
            edges=edges,
            page_info=PageInfo.of(queue.page, edges),
            total_count=queue.total,
            event_cursor=event_cursor,
        )


@strawberry.input
class QueueFilter:
    intent: HandoffIntent | None = None
    priority: HandoffPriority | None = None
    team_id: strawberry.ID | None = None
    domain: str | None = strawberry.field(
        default=None, description="Exactly as in `problemDomain`."
    )
    sla_state: Sequence[SlaState] | None = strawberry.field(
        default=None, description="Any of these; what no time runs for is in none."
    )
    is_due: bool | None = strawberry.field(
        default=None, description="Whether what was parked is due again; escalations never are."
    )

    def decoded(self) -> service.QueueFilter:
        """Raises InvalidInput, and NotFound for an id that names no team."""
        check = Validation()
        check.text(("filter", "domain"), self.domain or "", 0, 100)
        check.done()
        return service.QueueFilter(
            intent=self.intent,
            priority=self.priority,
            team_id=optional_uuid_of(Kind.TEAM, self.team_id),
            domain=self.domain,
            sla_state=self.sla_state,
            is_due=self.is_due,
        )
