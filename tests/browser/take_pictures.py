"""Takes the pictures of docs/ anew: `python -m tests.browser.take_pictures`, beside a fresh server.

Every page of the console, wide, in the dark and on a phone.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Page, expect

from tests.browser.windows import NARROW, WIDE, chromium, windows_at

DOCS = Path(__file__).parents[2] / "docs"
COLORS = 160
SIZES: dict[str, dict[str, Any]] = {
    "": {"viewport": WIDE},
    "-dark": {"viewport": WIDE, "color_scheme": "dark"},
    "-narrow": {"viewport": NARROW},
}
IN_THE_README = {"session": "session.png", "queue-dark": "queue-dark.png"}

Step = Callable[[Page], Awaitable[object]]


def pressed(name: str) -> Step:
    return lambda page: page.get_by_role("button", name=name).last.click()


async def opened(page: Page, problem: str, view: str = "") -> None:
    await page.goto("/sessions")
    await page.get_by_role("link", name=problem).click()
    await expect(page.get_by_role("main").get_by_role("heading").first).to_be_visible()
    if view:
        await page.goto(f"{page.url}?view={view}")


def session(problem: str, view: str = "", then: Step | None = None) -> Step:
    async def show(page: Page) -> None:
        await opened(page, problem, view)
        if then is not None:
            await then(page)

    return show


def at(path: str) -> Step:
    return lambda page: page.goto(path)


PAGES: dict[str, Step] = {
    "sessions": at("/sessions"),
    "start": at("/sessions?new"),
    "session": session("Branch-office users"),
    "fork": session("Branch-office users", then=pressed("Fork")),
    "handoff": session("Branch-office users", then=pressed("Hand off")),
    "resolve": session("Branch-office users", then=pressed("Resolve")),
    "compare": session("Branch-office users", "compare"),
    "timeline": session("Branch-office users", "timeline"),
    "documents": session("The copier could not scan", "documents"),
    "queue": at("/queue"),
    "library": at("/library"),
    "settings": at("/settings/members"),
    "usage": at("/settings/usage"),
    "connections": at("/settings/connections"),
    "audit": at("/settings/audit"),
}


async def signed_in(page: Page) -> None:
    await page.get_by_label("E-mail").fill("admin@first.example")
    await page.get_by_label("Password").fill("flowpilot-demo")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("banner")).to_be_visible()


async def take(page: Page, name: str) -> None:
    await expect(page.locator(".animate-pulse")).to_have_count(0)
    await page.evaluate("document.fonts.ready")
    picture = Image.open(BytesIO(await page.screenshot(animations="disabled")))
    target = DOCS / IN_THE_README.get(name, f"pictures/{name}.png")
    colors = Image.Quantize.MAXCOVERAGE  # also of what is small, such as a glyph
    picture.convert("RGB").quantize(COLORS, colors).save(target, optimize=True)


async def main(host: str) -> None:
    async with chromium() as browser, windows_at(browser, host) as windows:
        for suffix, options in SIZES.items():
            page = await windows.open(**options)
            await take(page, f"sign-in{suffix}")
            await signed_in(page)
            for name, show in PAGES.items():
                await show(page)
                await take(page, f"{name}{suffix}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8000"))
