"""Which other sites' pages may call from a browser."""

from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.client import Client
from tests.factories import Colleagues

Serve = Callable[..., Awaitable[Client]]

FRIEND = "https://console.example"
STRANGER = "https://elsewhere.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type",
}


async def test_a_page_of_an_allowed_site_may_call(
    serve_also: Serve, colleagues: Colleagues
) -> None:
    server = await serve_also(allowed_origins=(FRIEND,))
    asked = await server.http.options("/graphql", headers={"Origin": FRIEND, **PREFLIGHT})
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "Access-Control-Allow-Credentials" not in asked.headers
    answer = await server.http.post(
        "/graphql",
        json={"query": "{ viewer { scopes } }"},
        headers={"Origin": FRIEND, "Authorization": f"Bearer {colleagues.engineer.token}"},
    )
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert answer.json()["data"] == {"viewer": {"scopes": ["READ", "WRITE"]}}
    async with connect(
        f"ws://{server.host}/graphql", subprotocols=["graphql-transport-ws"], origin=FRIEND
    ):
        pass


@pytest.mark.parametrize("allowed", [(), (FRIEND,)])
async def test_a_page_of_another_site_may_not(serve_also: Serve, allowed: tuple[str, ...]) -> None:
    server = await serve_also(allowed_origins=allowed)
    asked = await server.http.options("/graphql", headers={"Origin": STRANGER, **PREFLIGHT})
    assert asked.status_code in {400, 405}
    assert "Access-Control-Allow-Origin" not in asked.headers
    with pytest.raises(InvalidStatus) as refused:
        async with connect(
            f"ws://{server.host}/graphql", subprotocols=["graphql-transport-ws"], origin=STRANGER
        ):
            pass
    assert refused.value.response.status_code == 403


async def test_the_servers_own_pages_may(serve_also: Serve) -> None:
    server = await serve_also()
    async with connect(
        f"ws://{server.host}/graphql",
        subprotocols=["graphql-transport-ws"],
        origin=f"http://{server.host}",
    ):
        pass
