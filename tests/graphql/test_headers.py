"""What answers tell browsers: of the API, the page, its files, and of everything refused."""

import re
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from app import create_app
from server import http_config
from settings import Settings
from tests.client import Client
from tests.conftest import SECRET, served
from tests.factories import Colleagues

NOTHING = "default-src 'none'; frame-ancestors 'none'"
GRAPHIQL = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; "
    "object-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
CONSOLE = (
    "default-src 'none'; script-src 'self'; style-src 'self' "
    "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o=' "
    "'sha256-gYiS/BvZvRcK27JIXTuwhZ3hs2+VJ1X+2gUlE+farlg='; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'none'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
PAGES = [
    ("/graphql", "/graphql/assets/", GRAPHIQL),
    ("/", "/assets/", CONSOLE),
    ("/queue", "/assets/", CONSOLE),
    ("/sessions/se_1/br_1", "/assets/", CONSOLE),
    ("/library/kb_1", "/assets/", CONSOLE),
    ("/settings/api-keys", "/assets/", CONSOLE),
]
ALWAYS = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
}
QUERY = {"query": "{ viewer { scopes } }"}
PAGE = {"Accept": "text/html"}


def protects(answer: httpx.Response, policy: str) -> None:
    assert {name: answer.headers.get_list(name) for name in ALWAYS} == {
        name: [value] for name, value in ALWAYS.items()
    }
    assert answer.headers.get_list("content-security-policy") == [policy]
    assert "set-cookie" not in answer.headers
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status", "caching"),
    [
        ("GET", "/healthz", 200, None),
        ("GET", "/readyz", 200, None),
        ("POST", "/healthz", 405, None),
        ("GET", "/nowhere", 404, None),
        ("GET", "/graphql?query={viewer{scopes}}", 200, "no-store"),
        ("GET", "/graphql", 400, "no-store"),
        ("PUT", "/graphql", 405, "no-store"),
        ("GET", "/graphql/assets/nothing.js", 404, None),
    ],
)
async def test_nothing_but_the_page_may_load_anything(
    client: Client, method: str, path: str, status: int, caching: str | None
) -> None:
    answer = await client.http.request(method, path)
    assert (answer.status_code, answer.headers.get("cache-control")) == (status, caching)
    protects(answer, NOTHING)


async def test_an_answer_to_somebody_is_kept_nowhere(
    client: Client, colleagues: Colleagues
) -> None:
    answer = await client.as_(colleagues.engineer).post(QUERY["query"])
    assert answer.json()["data"] == {"viewer": {"scopes": ["READ", "WRITE"]}}
    assert answer.headers["cache-control"] == "no-store"
    protects(answer, NOTHING)


async def test_an_event_stream_is_protected_as_well(client: Client) -> None:
    wanted = {"Accept": "text/event-stream"}
    answer = await client.http.post("/graphql", json=QUERY, headers=wanted)
    assert answer.headers["content-type"].startswith("text/event-stream")
    protects(answer, NOTHING)


@pytest.mark.parametrize(("path", "folder", "policy"), PAGES)
async def test_a_page_loads_only_what_this_server_has(
    client: Client, path: str, folder: str, policy: str
) -> None:
    page = await client.http.get(path, headers=PAGE)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
    protects(page, policy)
    assert re.search(r"<script(?![^>]* src=\"/)|<style|\son\w+=|=\"https?:", page.text) is None
    files = re.findall(rf"(?:src|href)=\"({folder}[^\"]+)\"", page.text)
    assert {Path(file).suffix for file in files} >= {".js", ".css"}
    for file in files:
        answer = await client.http.get(file)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        protects(answer, policy)
        etag = {"If-None-Match": answer.headers["etag"]}
        unchanged = await client.http.get(file, headers=etag)
        assert unchanged.status_code == 304
        protects(unchanged, policy)
    largest = max(
        [await client.http.get(file) for file in files], key=lambda file: len(file.content)
    )
    assert largest.headers["content-encoding"] == "gzip"


async def test_an_address_that_leads_nowhere_is_told_by_the_console(client: Client) -> None:
    nowhere = await client.http.get("/nowhere/at/all", headers=PAGE)
    assert (nowhere.status_code, nowhere.text) == (404, (await client.http.get("/")).text)
    protects(nowhere, CONSOLE)


@pytest.mark.parametrize(
    ("trusted", "scheme", "told"),
    [
        ("127.0.0.1", "https", "max-age=31536000"),
        ("127.0.0.1", "http", None),
        ("10.0.0.1", "https", None),
        (None, "https", None),
    ],
)
async def test_only_who_came_by_tls_is_told_to_come_no_other_way(
    database_url: str, tmp_path: Path, trusted: str | None, scheme: str, told: str | None
) -> None:
    settings = Settings(
        data_dir=tmp_path,
        secret_key=SECRET,
        port=0,
        worker_concurrency=0,
        pool_size=2,
        trusted_proxies=trusted,
    )
    config = http_config(settings, create_app(settings, database_url))
    async with served(config) as host, Client(host) as server:
        answer = await server.http.get("/healthz", headers={"X-Forwarded-Proto": scheme})
    assert answer.status_code == 200
    assert answer.headers.get("strict-transport-security") == told
    assert "server" not in answer.headers


async def test_a_socket_is_not_compressed(database_url: str, tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, secret_key=SECRET, port=0, worker_concurrency=0, pool_size=2
    )
    config = http_config(settings, create_app(settings, database_url))
    protocol = Subprotocol("graphql-transport-ws")
    async with (
        served(config) as host,
        connect(f"ws://{host}/graphql", subprotocols=[protocol]) as line,
    ):
        assert line.request is not None
        assert line.response is not None
        assert "permessage-deflate" in line.request.headers["Sec-WebSocket-Extensions"]
        assert "Sec-WebSocket-Extensions" not in line.response.headers
