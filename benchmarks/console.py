"""The console's page of a session of 1,000 branches, in a real chromium: `python -m benchmarks.console`.

How long the tree takes from its request to its first paint is told in what a bare fetch of the same bytes
in the same page takes. The rest is counted: the requests for the tree, those for a branch whose messages
are there already, and the tasks over 50 ms while all rows are scrolled through.
"""

import asyncio
import json
import re
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Page, Request, expect

from benchmarks.report import finish, table
from services.demo.thousand import SIZE
from tests.browser.windows import chromium, windows_at
from tests.client import Client
from tests.faults.installation import Process, running

ROUNDS = 9
PASSWORD = "flowpilot-demo"  # noqa: S105 - public
EMAIL = "engineer@third.example"
WITH_MESSAGES = re.compile(", (active|solved|dead end)")
MUST = {"first_paint": 3.0, "tree_requests": 1, "look_requests": 0, "long_tasks": 0}

WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: "longtask", buffered: true });
window.painted = new Promise((tell) => {
  const watcher = new MutationObserver(() => {
    if (!document.querySelector("[role=treeitem]")) return;
    watcher.disconnect();
    // The frame that draws it is over when the task after it begins.
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => tell(performance.now());
      after.port2.postMessage(null);
    });
  });
  watcher.observe(document, { childList: true, subtree: true });
});
"""
TREE = """async () => {
  const painted = await window.painted;
  const asked = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/graphql"));
  asked.sort((a, b) => b.decodedBodySize - a.decodedBodySize);
  return painted - asked[0].startTime;
}"""
BARE = """async (body) => {
  const { credential } = JSON.parse(localStorage["flowpilot.credential"]);
  const headers = {
    "Content-Type": "application/json", Accept: "application/graphql-response+json",
    Authorization: `Bearer ${credential.tokens.accessToken}`,
  };
  const began = performance.now();
  await (await fetch("/graphql", { method: "POST", headers, body })).arrayBuffer();
  return performance.now() - began;
}"""
SCROLL = """async () => {
  longTasks.length = 0;
  const rows = document.querySelector("[role=tree]").parentElement;
  while (rows.scrollTop + rows.clientHeight < rows.scrollHeight - 1) {
    rows.scrollTop += 0.5 * rows.clientHeight;
    await new Promise(requestAnimationFrame);
  }
  await new Promise((tell) => requestIdleCallback(tell));
  return longTasks;
}"""


async def run() -> int:
    async with opened() as (page, session):
        asked: list[dict[str, Any]] = []
        page.on("request", lambda request: note(asked, request))
        paints, bare, counts = [], [], []
        for _ in range(ROUNDS):
            asked.clear()
            await page.goto(f"/sessions/{session}")
            paints.append(await page.evaluate(TREE))
            await page.wait_for_load_state("networkidle")
            trees = [each for each in asked if "branches(" in each["query"]]
            counts.append(len(trees))
            bare.append(await page.evaluate(BARE, json.dumps(trees[0])))
        looks = await look(page, asked)
        tasks = await page.evaluate(SCROLL)
        await expect(page.locator("[role=treeitem]").last).to_be_visible()
    painted, fetched = statistics.median(paints), statistics.median(bare)
    table(
        f"The page of {SIZE:,} branches, milliseconds, medians of {ROUNDS} rounds",
        ["to first paint", "bare fetch", "x", "requests for the tree"],
        [[painted, fetched, painted / fetched, max(counts)]],
    )
    table(
        "Then, in the last of them",
        ["requests for a loaded branch", "long tasks while scrolling", "the longest, ms"],
        [[looks, len(tasks), max(tasks, default=0.0)]],
    )
    ratios = {
        "first_paint": painted / fetched,
        "tree_requests": max(counts),
        "look_requests": looks,
        "long_tasks": len(tasks),
    }
    return finish("console", ratios, MUST)


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Page, str]]:
    """A window of somebody who is signed in, and the id of the session."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = Process(home, "server", "serve", data_dir=home / "home", demo_password=PASSWORD)
        async with (
            running(server),
            chromium() as browser,
            windows_at(browser, server.host) as windows,
        ):
            page = await windows.open()
            await page.context.add_init_script(WATCH)
            await page.get_by_label("E-mail").fill(EMAIL)
            await page.get_by_label("Password").fill(PASSWORD)
            await page.get_by_role("button", name="Sign in", exact=True).click()
            await expect(page.get_by_role("link", name="FlowPilot")).to_be_visible()
            yield page, await largest(server.host)


async def largest(host: str) -> str:
    async with Client(host) as client:
        signed_in = await client.mutate(
            "signIn", "tokens { accessToken }", email=EMAIL, password=PASSWORD
        )
        engineer = client.with_token(signed_in["tokens"]["accessToken"])
        found = await engineer.run("{ sessions(first: 20) { edges { node { id branchCount } } } }")
    sizes = {edge["node"]["id"]: edge["node"]["branchCount"] for edge in found["sessions"]["edges"]}
    assert max(sizes.values()) == SIZE
    return str(max(sizes, key=sizes.__getitem__))


def note(asked: list[dict[str, Any]], request: Request) -> None:
    body = request.post_data_json if request.url.endswith("/graphql") else None
    if body and body["query"].startswith("query"):
        asked.append(body)


async def look(page: Page, asked: list[dict[str, Any]]) -> int:
    """At another branch that was in sight, and so is loaded; the queries for what was said there."""
    await page.wait_for_load_state("networkidle")
    row = page.get_by_role("treeitem", selected=False, name=WITH_MESSAGES).first
    label = (await row.get_attribute("aria-label") or "").split(", ")[0]
    asked.clear()
    await row.click()
    await expect(page.get_by_role("heading", name=label)).to_be_visible()
    await expect(page.get_by_role("article").last).to_be_visible()
    await page.wait_for_load_state("networkidle")
    return len([each for each in asked if "messages(" in each["query"]])


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
