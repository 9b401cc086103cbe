"""Parts of the console's pages, by what they are called."""

import re

from playwright.async_api import Locator, Page


def branches(page: Page) -> Locator:
    return page.get_by_role("tree", name="Branches").get_by_role("treeitem")


def branch(page: Page, beginning: str) -> Locator:
    """The row of the map whose name begins so."""
    return page.get_by_role("treeitem", name=re.compile(f"^{re.escape(beginning)}"))


def messages(page: Page, author: str = "") -> Locator:
    """Of the branch that is shown; those before it are folded."""
    return page.get_by_role("article", name=re.compile(f"^{author}.*, message"))


def composer(page: Page, label: str) -> Locator:
    return page.get_by_label(f"Message on {label}", exact=True)
