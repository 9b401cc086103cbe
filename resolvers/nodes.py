"""Any object by its id."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import strawberry

from schema import account, branch, fork_point, handoff, message, session
from schema.context import Info
from schema.finding import Finding
from schema.node import Node
from schema.step import Step
from services.errors import FieldProblem, InvalidInput, NotFound
from services.ids import Kind, node_id, parse_node_id

MAX_NODES = 100


async def _step(info: Info, key: UUID) -> Step:
    row = await info.context.loaders.steps.load(key)
    if row is None:
        raise NotFound(node_id(Kind.STEP, key))
    return Step.of(row)


async def _finding(info: Info, key: UUID) -> Finding:
    row = await info.context.loaders.findings.load(key)
    if row is None:
        raise NotFound(node_id(Kind.FINDING, key))
    return Finding.of(row)


LOADS: Mapping[Kind, Callable[[Info, UUID], Awaitable[Node]]] = {
    Kind.ACCOUNT: account.load_account,
    Kind.API_KEY: account.load_api_key,
    Kind.BRANCH: branch.load,
    Kind.FINDING: _finding,
    Kind.FORK_POINT: fork_point.load,
    Kind.HANDOFF: handoff.load,
    Kind.MESSAGE: message.load,
    Kind.SESSION: session.load,
    Kind.STEP: _step,
    Kind.TEAM: account.load_team,
    Kind.USER: account.load_user,
}


async def find(info: Info, id: str) -> Node | None:
    """None for what is unknown, malformed or of another account: the three look alike."""
    _ = info.context.actor  # raises for whoever has not signed in, whatever the id
    try:
        kind, key = parse_node_id(id)
        return await LOADS[kind](info, key) if kind in LOADS else None
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
