"""Any object by its key."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from uuid import UUID

from schema import (
    account,
    api_key,
    branch,
    delivery,
    finding,
    fork_point,
    handoff,
    hypothesis,
    integration,
    knowledge,
    message,
    output,
    second_opinion,
    session,
    upload,
)
from schema.context import Info
from schema.node import Node
from schema.step import Step
from services.errors import NotFound
from services.ids import Kind, node_id


async def load_step(info: Info, key: UUID) -> Step:
    """Raises NotFound."""
    row = await info.context.loaders.steps.load(key)
    if row is None:
        raise NotFound(node_id(Kind.STEP, key))
    return Step.of(row)


@cache
def _loads() -> Mapping[Kind, Callable[[Info, UUID], Awaitable[Node]]]:
    """Made at its first use: until then the types' modules, which name one another, are unfinished."""
    return {
        Kind.ACCOUNT: account.load_account,
        Kind.API_KEY: api_key.load,
        Kind.BRANCH: branch.load,
        Kind.DELIVERY: delivery.load,
        Kind.FINDING: finding.load,
        Kind.FINDING_MERGE: hypothesis.load_merge,
        Kind.FORK_POINT: fork_point.load,
        Kind.HANDOFF: handoff.load,
        Kind.INTEGRATION: integration.load,
        Kind.KB_ARTICLE: knowledge.load,
        Kind.MESSAGE: message.load,
        Kind.OUTPUT: output.load,
        Kind.REVIVAL_PROPOSAL: hypothesis.load_proposal,
        Kind.SECOND_OPINION: second_opinion.load,
        Kind.SESSION: session.load,
        Kind.STEP: load_step,
        Kind.TEAM: account.load_team,
        Kind.UPLOAD: upload.load,
        Kind.USER: account.load_user,
    }


async def find(info: Info, kind: Kind, key: UUID) -> Node | None:
    """None for what is unknown or of another account: the two look alike."""
    try:
        load = _loads().get(kind)
        return None if load is None else await load(info, key)
    except NotFound:
        return None
