"""What a resolved session leaves behind is reviewed in the console, by whom it may be."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.windows import Windows
from tests.factories import Colleagues
from tests.tables import until_idle
from tests.talk import Conversation

pytestmark = pytest.mark.browser

NOTES = """query($id: ID!) { session(id: $id) { version resolutionOutputs {
  id type status content version deliveries { id } } } }"""
DEEDS = ("Edit", "Write again…", "Deliver…", "Reject", "Approve")


@pytest.fixture
async def resolved(talk: Conversation, database_url: str) -> Conversation:
    version = (await talk.client.run(NOTES, id=talk.id))["session"]["version"]
    await talk.client.mutate(
        "resolveSession",
        "session { id }",
        sessionId=talk.id,
        summary="The MX record was set to the new server.",
        expectedVersion=version,
    )
    await until_idle(database_url, talk.people.account_id)
    return talk


async def open_notes(windows: Windows, talk: Conversation, who: str) -> tuple[Page, Locator]:
    page = await windows.open(
        f"/sessions/{talk.id}/{talk.trunk}?view=documents", who=who, of=talk.people
    )
    notes = page.get_by_role("tabpanel", name="Ticket notes")
    await expect(notes.get_by_text("Draft", exact=True)).to_be_visible()
    return page, notes


async def test_a_second_press_does_nothing_that_was_not_meant(
    windows: Windows, resolved: Conversation
) -> None:
    page, notes = await open_notes(windows, resolved, "engineer")
    await notes.get_by_role("button", name="Deliver…").click()
    dialog = page.get_by_role("dialog", name="Deliver: Ticket notes")
    await dialog.get_by_label("Clipboard").check()
    await dialog.get_by_role("button", name="Preview").dblclick(delay=50)
    await expect(dialog.get_by_role("region", name="Preview")).to_be_visible()
    await expect(dialog.get_by_role("button", name="Copy")).to_be_enabled()
    await dialog.get_by_role("button", name="Cancel").click()

    approve = notes.get_by_role("button", name="Approve")
    box = await approve.bounding_box()
    assert box is not None
    where = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.click(*where)
    await expect(notes.get_by_text("Approved", exact=True)).to_be_visible()
    await page.mouse.click(*where)
    await expect(page.get_by_role("dialog")).to_be_hidden()

    await notes.get_by_role("button", name="Write again…").click()
    asked = page.get_by_role("dialog", name="Write again?")
    await expect(asked).to_contain_text("The text so far stays as a revision.")
    await asked.get_by_role("button", name="Cancel").click()
    found = (await resolved.client.run(NOTES, id=resolved.id))["session"]["resolutionOutputs"]
    (after,) = (each for each in found if each["type"] == "PSA_TICKET_NOTES")
    assert (after["status"], after["deliveries"]) == ("APPROVED", [])

    await notes.get_by_role("button", name="Write again…").click()
    await asked.get_by_role("button", name="Write again").click()
    await expect(notes.get_by_text("Draft", exact=True)).to_be_visible()


async def test_what_rests_on_nothing_is_said_where_it_is_approved(
    windows: Windows, resolved: Conversation
) -> None:
    found = (await resolved.client.run(NOTES, id=resolved.id))["session"]["resolutionOutputs"]
    (notes,) = (each for each in found if each["type"] == "PSA_TICKET_NOTES")
    await resolved.client.mutate(
        "editResolutionOutput",
        "output { id }",
        outputId=notes["id"],
        content="## Resolution\n\nThe moon was full. Two cats were seen.",
        expectedVersion=notes["version"],
    )
    page, shown = await open_notes(windows, resolved, "engineer")
    await expect(
        shown.get_by_role("button", name="Approve with 2 unsupported sentences")
    ).to_be_visible()
    changes = shown.get_by_role("button", name="Changes")
    await page.keyboard.press("d")
    await expect(changes).to_have_attribute("aria-pressed", "true")
    await expect(shown.get_by_label("What changed")).to_contain_text("Two cats were seen.")
    await page.keyboard.press("d")
    await expect(changes).to_have_attribute("aria-pressed", "false")


async def test_who_may_not_write_is_told_who_may(windows: Windows, resolved: Conversation) -> None:
    _, notes = await open_notes(windows, resolved, "engineer2")
    await expect(
        notes.get_by_text("Only Engineer, leads and admins can edit, approve and deliver it.")
    ).to_be_visible()
    for deed in DEEDS:
        await expect(notes.get_by_role("button", name=deed)).to_have_count(0)
    _, notes = await open_notes(windows, resolved, "lead")
    for deed in DEEDS:
        await expect(notes.get_by_role("button", name=deed)).to_be_visible()


async def test_what_is_known_is_only_read_by_who_does_not_write(
    windows: Windows, talk: Conversation, colleagues: Colleagues
) -> None:
    await talk.fork()
    page = await windows.open(f"/sessions/{talk.id}", who="engineer2", of=colleagues)
    known = page.get_by_role("region", name="What we know")
    await expect(known.get_by_text("Only Engineer, leads and admins can ")).to_be_visible()
    await expect(known.get_by_role("button", name="Ask for one")).to_have_count(0)
    page = await windows.open(f"/sessions/{talk.id}", who="engineer", of=colleagues)
    await expect(page.get_by_role("button", name="Ask for one")).to_be_visible()
