"""Many sessions: pages of them, and which are wanted."""

from collections.abc import Sequence
from typing import Self

import strawberry

from models.session import SessionStatus
from schema.node import PageInfo
from schema.session import AiSession
from services import sessions as service
from services.ids import Kind, optional_uuid_of
from services.pages import Page, write_cursor
from services.sessions import SessionView
from services.validation import Validation


@strawberry.type
class AiSessionEdge:
    cursor: str
    node: AiSession


@strawberry.type
class AiSessionConnection:
    edges: list[AiSessionEdge]
    page_info: PageInfo
    event_cursor: str = strawberry.field(
        description="As AiSession.eventCursor, for `sessionsChanged`."
    )

    @classmethod
    def of(cls, page: Page[SessionView], event_cursor: str) -> Self:
        edges = [
            AiSessionEdge(
                cursor=write_cursor(view.row.created_at.isoformat(), str(view.row.id)),
                node=AiSession.of(view),
            )
            for view in page.items
        ]
        return cls(edges=edges, page_info=PageInfo.of(page, edges), event_cursor=event_cursor)


@strawberry.input
class SessionFilter:
    status: Sequence[SessionStatus] | None = None
    assignee_id: strawberry.ID | None = None
    team_id: strawberry.ID | None = None
    search: str | None = strawberry.field(
        default=None,
        description="English full text over intake, summary and findings, at most 200 characters. "
        'All words must occur, in any of their forms; "in quotes" as one phrase, `or` between '
        "words for either, `-` before a word for none of it. Blank: everything.",
    )

    def decoded(self) -> service.SessionFilter:
        """Raises InvalidInput, and NotFound for ids that name no user or team."""
        check = Validation()
        search = check.optional_text(("filter", "search"), self.search, 200)
        check.done()
        return service.SessionFilter(
            status=self.status,
            assignee_id=optional_uuid_of(Kind.USER, self.assignee_id),
            team_id=optional_uuid_of(Kind.TEAM, self.team_id),
            search=search,
        )
