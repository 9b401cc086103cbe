"""What others have published, unchanged, against this server: audits and clients from npm."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.client import Client
from tests.factories import Colleagues

NODE = Path(sys.executable).parent / "node"
PROGRAMS = Path(__file__).parents[2] / "web" / "protocol"

ENOUGH = 60
"""Seconds after which a test gives up."""


async def node(program: str, *arguments: str) -> dict[str, Any]:
    """What the program printed."""
    process = await asyncio.create_subprocess_exec(
        NODE, PROGRAMS / program, *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(ENOUGH):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    seen: dict[str, Any] = orjson.loads(printed)
    return seen


async def test_every_audit_of_graphql_over_http_is_green(
    client: Client, colleagues: Colleagues
) -> None:
    result = await node("audit.mjs", f"http://{client.host}/graphql", colleagues.admin.token)
    assert result["failed"] == []
    assert result["audits"] >= 60


@pytest.mark.parametrize("library", ["graphql-ws", "graphql-sse"])
async def test_a_client_as_published_works_unchanged(
    client: Client, colleagues: Colleagues, library: str
) -> None:
    seen = await node("client.mjs", library, client.host, colleagues.engineer.token)
    assert seen == {
        "viewer": {"viewer": {"scopes": ["READ", "WRITE"]}},
        "started": "StartSessionSuccess",
        "event": "SessionStarted",
        "refused": "GRAPHQL_VALIDATION_FAILED",
        "missed": "StartSessionSuccess",
        "resumed": "SessionStarted",
    }
