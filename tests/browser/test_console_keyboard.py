"""The core of the work by keyboard alone."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import PASSWORD
from tests.browser.console import branch, branches, composer, messages
from tests.browser.windows import Windows
from tests.factories import Colleagues
from tests.talk import Conversation

pytestmark = pytest.mark.browser

FAR = 40
"""More presses of Tab than any page has stops before what is looked for."""


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def is_focused(part: Locator) -> bool:
    return bool(await part.evaluate("part => part.contains(document.activeElement)"))


async def tab_to(page: Page, part: Locator) -> None:
    for _ in range(FAR):
        await press(page, "Tab")
        if await is_focused(part):
            return
    raise AssertionError(f"Tab does not come to {part}")


@pytest.fixture
async def page(windows: Windows, colleagues: Colleagues, talk: Conversation) -> Page:
    """The engineer's, at a session that has a fork into three."""
    await talk.client.mutate(
        "forkBranch",
        "branches { id }",
        sessionId=talk.id,
        reason="Three causes are possible",
        options=[
            {"label": label, "description": f"It is the {label}"}
            for label in ("DNS", "Quota", "Filter")
        ],
    )
    page = await windows.open(f"/sessions/{talk.id}", who="engineer", of=colleagues)
    await expect(branches(page)).to_have_count(4)
    return page


async def test_sign_in_and_open_a_session(windows: Windows, email: str, talk: Conversation) -> None:
    page = await windows.open()
    await expect(page.get_by_label("E-mail")).to_be_focused()
    await page.keyboard.type(email)
    await press(page, "Tab")
    await page.keyboard.type(PASSWORD)
    await press(page, "Enter")
    row = page.get_by_role("link", name="Mail stopped arriving.")
    await expect(row).to_be_visible()
    await press(page, "j")
    await expect(row).to_be_focused()
    await press(page, "Enter")
    await expect(page).to_have_url(re.compile(f"/sessions/{talk.id}/{talk.trunk}$"))


async def test_the_map_is_walked_with_arrow_keys(page: Page) -> None:
    tree = page.get_by_role("tree", name="Branches")
    await tab_to(page, tree)
    await expect(tree).to_be_focused()
    await press(page, "ArrowDown", "ArrowDown")
    await at_row(page, "Quota")
    await press(page, "ArrowUp")
    await at_row(page, "DNS")
    await press(page, "Enter")
    await expect(page.get_by_role("heading", name="DNS")).to_be_visible()
    await expect(branch(page, "DNS")).to_have_attribute("aria-selected", "true")

    await press(page, "Home", "ArrowLeft")
    await expect(branches(page)).to_have_count(1)
    await expect(branch(page, "Trunk")).to_have_attribute("aria-expanded", "false")
    await press(page, "ArrowRight")
    await expect(branches(page)).to_have_count(4)
    await press(page, "End")
    await at_row(page, "Filter")

    for key, label in (
        ("]", "Quota"),
        ("]", "Filter"),
        ("]", "DNS"),
        ("[", "Filter"),
        ("[", "Quota"),
    ):
        await press(page, key)
        await expect(page.get_by_role("heading", name=label)).to_be_visible()
    await press(page, "g", "d")
    await expect(page.get_by_role("heading", name="DNS")).to_be_visible()


async def at_row(page: Page, label: str) -> None:
    """Where the tree says that the keyboard is."""
    id = await branch(page, label).get_attribute("id")
    await expect(page.get_by_role("tree")).to_have_attribute("aria-activedescendant", id or "")


async def test_a_fork_is_made_and_its_dialog_keeps_the_focus(page: Page) -> None:
    tree = page.get_by_role("tree", name="Branches")
    await tab_to(page, tree)
    await press(page, "ArrowDown", "Enter", "f")
    dialog = page.get_by_role("dialog", name="Fork DNS")
    reason = dialog.get_by_label("Why several causes are possible")
    await expect(reason).to_be_focused()
    stops = set()
    for _ in range(FAR):
        await press(page, "Tab")
        assert await is_focused(dialog)
        stops.add(await page.evaluate("document.activeElement.textContent"))
    assert {"Cancel", "Fork into 2", "Another hypothesis"} <= stops
    await press(page, "Escape")
    await expect(dialog).to_be_hidden()
    await expect(tree).to_be_focused()

    await press(page, "f")
    await expect(reason).to_be_focused()
    await page.keyboard.type("Two resolvers are asked")
    options = [("The old one", "It answers late"), ("The new one", "It lacks a zone")]
    for place, (label, description) in enumerate(options, start=1):
        await tab_to(page, dialog.get_by_label(f"Hypothesis {place}", exact=True))
        await page.keyboard.type(label)
        await press(page, "Tab")
        await page.keyboard.type(description)
    await tab_to(page, dialog.get_by_role("button", name="Fork into 2"))
    await press(page, "Enter")
    await expect(dialog).to_be_hidden()
    await expect(branch(page, "The old one, untried")).to_be_visible()
    await expect(branch(page, "The new one, untried")).to_be_visible()


async def test_a_message_is_sent_and_a_dead_end_is_marked(page: Page, talk: Conversation) -> None:
    await press(page, "g", "d")
    await expect(page.get_by_role("heading", name="DNS")).to_be_visible()
    await press(page, "m")
    field = composer(page, "DNS")
    await expect(field).to_be_focused()
    await page.keyboard.type("The record is right.")
    await press(page, "Enter")
    await page.keyboard.type("And it is fresh.")
    await expect(field).to_have_value("The record is right.\nAnd it is fresh.")
    await press(page, "Control+Enter")
    await expect(field).to_have_value("")
    await expect(messages(page, "Engineer").last).to_contain_text("And it is fresh.")
    await expect(messages(page, "Assistant").last).to_contain_text(
        "Answer to: The record is right."
    )
    await expect(field).to_be_focused()

    await press(page, "Escape", "x")
    await expect(page.get_by_label("Why is “DNS” a dead end?")).to_be_focused()
    await page.keyboard.type("It is right and fresh")
    await tab_to(page, page.get_by_role("button", name="Mark as dead end"))
    await press(page, "Enter")
    await expect(branch(page, "DNS, It is right and fresh, dead end")).to_be_visible()
    document = "query($id: ID!) { session(id: $id) { branches { label status statusReason } } }"
    found = (await talk.client.run(document, id=talk.id))["session"]["branches"]
    assert {"label": "DNS", "status": "DEAD_END", "statusReason": "It is right and fresh"} in found


async def test_a_session_goes_from_hand_to_hand_to_its_documents(
    page: Page, windows: Windows, colleagues: Colleagues
) -> None:
    queue = await windows.open("/queue", who="engineer2", of=colleagues)
    await press_button(page, page.get_by_role("button", name="Hand off"))
    dialog = page.get_by_role("dialog", name="Hand off")
    await expect(dialog).to_be_visible()
    await tab_to(page, dialog.get_by_role("radio", name="Park"))
    await press(page, "ArrowRight")
    await expect(dialog.get_by_role("radio", name="Escalate")).to_be_checked()
    await tab_to(page, dialog.get_by_label("Why does this need escalation?"))
    await page.keyboard.type("Nobody here may change the zone.")
    await press(page, "Control+Enter")
    await expect(dialog).to_be_hidden()

    row = queue.get_by_role("row").filter(has_text="Nobody here may change the zone.")
    await expect(row).to_be_visible()
    await press(queue, "j")
    await expect(row.get_by_role("link")).to_be_focused()
    await press(queue, "c")
    await expect(queue.get_by_role("region", name="Briefing")).to_contain_text("Nobody here")

    await press_button(queue, queue.get_by_role("button", name="Resolve"))
    dialog = queue.get_by_role("dialog", name="Resolve")
    await expect(dialog.get_by_label("What was it, and what solved it?")).to_be_focused()
    await queue.keyboard.type("The zone had lost its record; it was put back.")
    await press(queue, "Control+Enter")
    await expect(dialog).to_be_hidden()

    notes = queue.get_by_role("tabpanel", name="Ticket notes")
    await press_button(queue, notes.get_by_role("button", name="Edit"))
    field = notes.get_by_label("Text, in Markdown")
    await tab_to(queue, field)
    await press(queue, "Control+End")
    await queue.keyboard.type("\n\nIt was put back at noon.")
    await press(queue, "Control+Enter")
    await expect(field).to_be_hidden()
    await press(queue, "d")
    await expect(notes.get_by_label("What changed")).to_contain_text("It was put back at noon.")
    await press_button(queue, notes.get_by_role("button", name=re.compile("^Approve")))
    await expect(notes.get_by_text("Approved", exact=True)).to_be_visible()


async def press_button(page: Page, button: Locator) -> None:
    await expect(button).to_be_visible()
    await tab_to(page, button)
    await press(page, "Enter")
