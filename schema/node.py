"""What every aggregate and every connection shares."""

from collections.abc import Sequence
from typing import Protocol, Self

import strawberry

from services.pages import Page


@strawberry.interface
class Node:
    id: strawberry.ID


class Edge(Protocol):
    cursor: str


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None

    @classmethod
    def of(cls, page: Page[object], edges: Sequence[Edge]) -> Self:
        return cls(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        )
