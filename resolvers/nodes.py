"""Any object by its id."""

import asyncio

import strawberry

from schema import objects
from schema.context import Info
from schema.node import Node
from services.errors import FieldProblem, InvalidInput, NotFound
from services.ids import parse_node_id

MAX_NODES = 100


async def find(info: Info, id: str) -> Node | None:
    """None for what is malformed, too."""
    _ = info.context.actor  # raises for whoever has not signed in, whatever the id
    try:
        return await objects.find(info, *parse_node_id(id))
    except NotFound:
        return None


@strawberry.type
class NodeQueries:
    @strawberry.field
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        return await find(info, id)

    @strawberry.field(description="In the order of the ids, null for the unknown; at most 100.")
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        if len(ids) > MAX_NODES:
            raise InvalidInput([FieldProblem(("ids",), f"At most {MAX_NODES} at a time.")])
        return await asyncio.gather(*(find(info, id) for id in ids))
