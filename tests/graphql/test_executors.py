"""A server whose selections are compiled answers as one that leaves them to graphql-core."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from schema.compiled.plans import sighted
from tests.client import Client
from tests.talk import Conversation

FIELDS = "id label description order depth status isActive likelihood archivedAt createdAt"
DOCUMENTS = {
    "nested": f"""query Tree($id: ID!) {{ session(id: $id) {{ id rootBranch {{
        {FIELDS} children {{ {FIELDS} children {{ id }} }} }} }} }}""",
    "flat": f"""query Flat($id: ID!) {{ session(id: $id) {{ status branches {{ ...F }} }} }}
        fragment F on Branch {{ __typename {FIELDS} session {{ id }} }}""",
    "messages": """query Talk($id: ID!) { session(id: $id) { rootBranch { messages {
        edges { cursor node { id role state body author { __typename } createdAt } }
        pageInfo { hasNextPage } } } } }""",
    "chosen": """query Chosen($id: ID!, $long: Boolean = true) { session(id: $id) {
        branches { id label @include(if: $long) status @skip(if: $long) } } }""",
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
async def test_answers_are_the_same(
    document: str, talk: Conversation, serve_also: Callable[..., Awaitable[Client]]
) -> None:
    await talk.fork()
    expected = await answers(await serve_also(executor="stock"), talk, document)
    found = await answers(await serve_also(executor="compiled"), talk, document)
    assert found == expected
    plans = [plan for known in list(sighted.values()) for plan in known.plans.values()]
    assert any([*plan.readers.values(), *plan.mixes.values()] for plan in plans)


async def answers(server: Client, talk: Conversation, document: str) -> list[Any]:
    """As text, because the order counts. Asked more than once, for what comes again is compiled."""
    client = server.as_(talk.people.engineer)
    choices = [{"long": False}, {}] if "$long" in document else [{}]
    return [
        str(await client.run(document, id=talk.id, **choice))
        for _ in range(4)
        for choice in choices
    ]
