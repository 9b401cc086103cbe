"""Every page of the console: axe finds nothing in it, light and dark, wide and narrow, and nothing scrolls
sideways on the narrowest phone.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from app import create_app
from cli import migrate
from services.ai.scripted import ScriptedProvider
from services.demo.load import load_once
from settings import Settings
from tests.browser.conftest import PASSWORD
from tests.browser.windows import NARROW, WIDE, Windows, windows_at
from tests.client import Client
from tests.conftest import SECRET, UNTHROTTLED, served

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
NARROWEST = {"width": 360, "height": 740}
FOUND = """async (rules) => (await axe.run({
    resultTypes: ["violations"], ...(rules.length ? { runOnly: rules } : {}),
  })).violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, html }) => `${id}: ${help} at ${target}: ${html.slice(0, 160)}`))"""
RULES: dict[str, list[str]] = {"light": [], "dark": ["color-contrast"]}
"""All of them, and then that which the light decides."""
SCROLLS_SIDEWAYS = """() =>
  [document.documentElement, ...document.body.querySelectorAll("*")]
    .filter((part) => part.scrollWidth > part.clientWidth + 1)
    .filter((part) => part === document.documentElement ||
      (/auto|scroll/.test(getComputedStyle(part).overflowX) && part.querySelector("h1,h2,h3,form,article")))
    .map((part) => part.outerHTML.slice(0, 200))"""
"""Wide tables and code may, within what holds them."""

SECTIONS = (
    "you", "members", "api-keys", "connections", "service-targets", "usage", "audit", "api",
)  # fmt: skip
PROBLEMS = {
    "active": "Branch-office users lose their file shares every afternoon while the VPN stays up.",
    "resolved": "The copier could not scan to mail after the tenant switched off basic authentication.",
    "waiting": "Tablets on the warehouse floor lose the wireless network when they are driven around.",
}
SESSIONS = """{ sessions(first: 10) { edges { node { id problemSummary
  activeBranch { id } branches { id status } } } } kbArticles(first: 1) { edges { node { id } } } }"""


@dataclass(frozen=True)
class Demo:
    """The demo, whose first account has something of everything."""

    host: str
    sessions: dict[str, dict[str, Any]]
    article: str

    def session(self, name: str, query: str = "") -> str:
        session = self.sessions[PROBLEMS[name]]
        return f"/sessions/{session['id']}/{session['activeBranch']['id']}{query}"

    def dead_end(self) -> str:
        session = self.sessions[PROBLEMS["active"]]
        (dead, *_) = (each["id"] for each in session["branches"] if each["status"] == "DEAD_END")
        return f"/sessions/{session['id']}/{dead}"


@pytest.fixture(scope="module")
async def demo(
    make_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Demo]:
    url = make_database("pages")
    migrate(url)
    await load_once(url, PASSWORD)
    settings = Settings(data_dir=tmp_path_factory.mktemp("pages"), secret_key=SECRET)
    app = create_app(settings, url, ScriptedProvider(), limits=UNTHROTTLED)
    async with served(app) as host, Client(host) as client:
        signed_in = await client.mutate(
            "signIn", "tokens { accessToken }", email="admin@first.example", password=PASSWORD
        )
        admin = client.with_token(signed_in["tokens"]["accessToken"])
        found = await admin.run(SESSIONS)
        sessions = [edge["node"] for edge in found["sessions"]["edges"]]
        (article,) = (edge["node"]["id"] for edge in found["kbArticles"]["edges"])
        yield Demo(host, {each["problemSummary"]: each for each in sessions}, article)


@pytest.fixture
async def windows(browser: Browser, demo: Demo) -> AsyncIterator[Windows]:
    async with windows_at(browser, demo.host) as opened:
        yield opened


Opening = Callable[[Page], Awaitable[None]]


def button(name: str, dialog: str) -> Opening:
    async def press(page: Page) -> None:
        await page.get_by_role("button", name=name, exact=True).first.click()
        await expect(page.get_by_role("dialog", name=dialog)).to_be_visible()

    return press


def key(key: str, shown: str) -> Opening:
    async def press(page: Page) -> None:
        await page.keyboard.press(key)
        await expect(page.get_by_text(shown).first).to_be_visible()

    return press


async def edit(page: Page) -> None:
    await page.get_by_role("button", name="Edit", exact=True).click()
    await expect(page.get_by_label("Text, in Markdown")).to_be_visible()


async def preview(page: Page) -> None:
    await page.get_by_role("button", name="Deliver…").click()
    dialog = page.get_by_role("dialog", name="Deliver: Ticket notes")
    await dialog.get_by_label("Clipboard").check()
    await dialog.get_by_role("button", name="Preview").click()
    await expect(dialog.get_by_role("region", name="Preview")).to_be_visible()


async def briefing(page: Page) -> None:
    await page.get_by_role("button", name="Briefing").click()
    await expect(page.get_by_role("region", name="Briefing")).to_be_visible()


async def as_it_is(page: Page) -> None: ...


def stops(demo: Demo) -> list[tuple[str, str, Opening]]:
    """Each page and dialog: its name, its address, and what opens it there."""
    at = demo.session("active")
    documents = demo.session("resolved", "?view=documents")
    return [
        ("sessions", "/sessions", as_it_is),
        ("start", "/sessions", button("New session", "New session")),
        ("conversation", at, as_it_is),
        ("dead end", demo.dead_end(), as_it_is),
        ("ending", at, key("x", "a dead end?")),
        ("fork", at, key("f", "Why several causes are possible")),
        ("revival", demo.dead_end(), button("Bring it back…", "Bring back")),
        ("hand-off", at, button("Hand off", "Hand off")),
        ("resolve", at, button("Resolve", "Resolve")),
        ("matrix", at, button("Rule-out matrix", "Rule-out matrix")),
        ("timeline", f"{at}?view=timeline", as_it_is),
        ("compare", f"{demo.dead_end()}?view=compare", as_it_is),
        ("briefing", demo.session("waiting"), briefing),
        ("documents", documents, as_it_is),
        ("delivery", documents, preview),
        ("editor", documents, edit),
        ("queue", "/queue", as_it_is),
        ("library", "/library", as_it_is),
        ("article", f"/library/{demo.article}", as_it_is),
        *((f"settings, {name}", f"/settings/{name}", as_it_is) for name in SECTIONS),
        ("nowhere", "/settings/nowhere", as_it_is),
    ]


async def settled(page: Page) -> None:
    await expect(page.get_by_role("heading").first).to_be_attached()
    await expect(page.get_by_text("Loading", exact=True)).to_have_count(0)
    await expect(page.get_by_text("could not be loaded")).to_have_count(0)


async def look(page: Page, name: str, panes: bool) -> list[str]:
    """What is wrong with what is shown now, in each light and size."""
    wrong = []

    async def note(how: str, script: str, *given: Any) -> None:
        await page.evaluate("new Promise(requestAnimationFrame)")
        wrong.extend(f"{name}, {how}: {each}" for each in await page.evaluate(script, *given))

    for size, viewport in (("wide", WIDE), ("narrow", NARROW)):
        await page.set_viewport_size(viewport)
        shown = page.get_by_role("navigation", name="Parts of the page").get_by_role("button")
        tabs = await shown.all() if panes and size == "narrow" else []
        for tab in tabs or [None]:
            if tab is not None:
                await tab.click()
            for light, rules in RULES.items():
                await page.emulate_media(color_scheme=light)
                await note(f"{size}, {light}", FOUND, rules)
    await page.set_viewport_size(NARROWEST)
    await note("scrolls sideways", SCROLLS_SIDEWAYS)
    return wrong


async def sign_in(page: Page) -> None:
    await page.get_by_label("E-mail").fill("admin@first.example")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("button", name="Account of Ada Moreau")).to_be_visible()


async def test_nothing_is_wrong_with_any_page(windows: Windows, demo: Demo) -> None:
    page = await windows.open(reduced_motion="reduce")
    await page.context.add_init_script(path=AXE)
    await page.reload()
    wrong = await look(page, "sign-in", panes=False)
    await sign_in(page)
    for name, path, opening in stops(demo):
        await page.set_viewport_size(WIDE)
        await page.goto(path)
        await settled(page)
        await opening(page)
        await settled(page)
        wrong += await look(page, name, panes=name == "conversation")
    assert wrong == [], "\n".join(wrong)
