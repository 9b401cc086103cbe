"""A chromium, and windows in it that each belong to somebody. What a page complains of fails its test."""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    WebSocket,
    async_playwright,
    expect,
)

from schema.page import CONSOLE_DOCUMENTS
from services.ids import Kind, node_id
from tests.factories import Colleagues

WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}
TRUSTED = set(json.loads(CONSOLE_DOCUMENTS.read_text()).values())
SOON = 20_000
"""Milliseconds after which a test gives up; nothing takes so long when it works."""

expect.set_options(timeout=SOON)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    executable = shutil.which("chromium")
    assert executable is not None, "apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-quic", "--disable-background-networking"],
        )
        yield browser
        await browser.close()


@dataclass
class Windows:
    """Windows at one server. `complaints` holds what their pages threw or wrote to the console as an error,
    which is what a refusal by the Content-Security-Policy is, too, unless a part of it is `expected`."""

    browser: Browser
    host: str
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    async def open(
        self,
        path: str = "/",
        *,
        who: str | None = None,
        of: Colleagues | None = None,
        **options: Any,
    ) -> Page:
        """A window of its own, that of `who` of those `of` one account if somebody is named."""
        if who is not None and of is not None:
            options["storage_state"] = self._signed_in(who, of)
        context = await self.browser.new_context(
            base_url=f"http://{self.host}", **{"viewport": WIDE, **options}
        )
        context.set_default_timeout(SOON)
        context.on(
            "weberror", lambda thrown: self._complain(thrown.error.stack or str(thrown.error))
        )
        context.on("console", self._listen)
        page = await context.new_page()
        page.on("request", self._read_request)
        page.on("websocket", partial(self._read_frames, page))
        await page.goto(path)
        return page

    async def close(self) -> None:
        for context in self.browser.contexts:
            await context.close()

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complain(f"{message.text} ({message.location['url']})")

    def _read_request(self, request: Request) -> None:
        if is_of_console(request.frame.url) and (
            request.headers.get("content-type") == "application/json"
        ):
            self._expect_trusted(request.post_data_json)

    def _read_frames(self, page: Page, line: WebSocket) -> None:
        def read(frame: str | bytes) -> None:
            message = json.loads(frame)
            if message["type"] == "subscribe":
                self._expect_trusted(message["payload"])

        if is_of_console(page.url):
            line.on("framesent", read)

    def _expect_trusted(self, params: Any) -> None:
        if params["query"] not in TRUSTED:
            self._complain(f"No server would trust this: {params['query']}")

    def _complain(self, complaint: str) -> None:
        if not any(part in complaint for part in self.expected):
            self.complaints.append(complaint)

    def _signed_in(self, who: str, people: Colleagues) -> Any:
        """What the console keeps of a sign-in, without the cost of a password. It cannot be renewed."""
        person = getattr(people, who)
        account = node_id(Kind.ACCOUNT, people.account_id)
        role = {"lead": "LEAD", "admin": "ADMIN"}.get(who, "ENGINEER")
        kept = {
            "credential": {
                "kind": "tokens",
                "tokens": {
                    "accessToken": person.token,
                    "refreshToken": "of-nobody",
                    "expiresAt": "2100-01-01T00:00:00Z",
                },
            },
            "identity": {
                "id": person.id,
                "name": who.title(),
                "detail": f"{role.lower()} at MSP",
                "role": role,
                "accountId": account,
            },
        }
        entry = {"name": "flowpilot.credential", "value": json.dumps(kept)}
        return {
            "cookies": [],
            "origins": [{"origin": f"http://{self.host}", "localStorage": [entry]}],
        }


def is_of_console(url: str) -> bool:
    """What the console asks is trusted by every server; GraphiQL asks whatever it is told to."""
    return urlsplit(url).path != "/graphql"


@asynccontextmanager
async def windows_at(browser: Browser, host: str) -> AsyncIterator[Windows]:
    """They are closed in the end, and must not have complained."""
    windows = Windows(browser, host)
    yield windows
    await windows.close()
    assert not windows.complaints, "\n".join(windows.complaints)
