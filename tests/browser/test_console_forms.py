"""What is typed and attached stays until it is sent, and what is refused says so where it belongs."""

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.browser.console import branch, branches, composer
from tests.browser.windows import Windows
from tests.factories import Colleagues
from tests.talk import Conversation, new_question

pytestmark = pytest.mark.browser


@pytest.fixture
async def page(windows: Windows, colleagues: Colleagues, talk: Conversation) -> Page:
    """The engineer's, at the trunk of a session that has a fork into DNS and Quota."""
    await talk.fork()
    page = await windows.open(f"/sessions/{talk.id}/{talk.trunk}", who="engineer", of=colleagues)
    await expect(branches(page)).to_have_count(3)
    return page


async def test_a_hand_off_is_kept_until_it_is_made_or_cancelled(page: Page) -> None:
    dialog = page.get_by_role("dialog", name="Hand off")
    notes = dialog.get_by_label("What are you waiting on?")
    hand_off = page.get_by_role("button", name="Hand off")
    await hand_off.click()
    await notes.fill("The provider looks at it.")
    await dialog.get_by_label("Waiting on (one line, shown in the queue)").fill("The provider")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await page.reload()
    await hand_off.click()
    await expect(notes).to_have_value("The provider looks at it.")
    await dialog.get_by_role("button", name="Cancel").click()
    await hand_off.click()
    await expect(notes).to_have_value("")

    await notes.fill("The provider looks at it.")
    await page.keyboard.press("Control+Enter")
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("region", name="Handoff")).to_contain_text("Parked by you")
    await page.get_by_role("button", name="Take back").click()
    await hand_off.click()
    await expect(notes).to_have_value("")


async def test_a_dead_end_keeps_its_reason_for_its_branch(page: Page) -> None:
    await branch(page, "DNS").click()
    await page.get_by_role("button", name="Dead end").click()
    reason = page.get_by_label("Why is “DNS” a dead end?")
    await reason.fill("It answers right")
    await branch(page, "Quota").click()
    await page.get_by_role("button", name="Dead end").click()
    await expect(page.get_by_label("Why is “Quota” a dead end?")).to_have_value("")
    await page.reload()
    await branch(page, "DNS").click()
    await page.get_by_role("button", name="Dead end").click()
    await expect(reason).to_have_value("It answers right")
    await reason.press("Control+Enter")
    await expect(branch(page, "DNS, It answers right, dead end")).to_be_visible()


async def test_a_solved_branch_can_be_taken_up_again(page: Page) -> None:
    await page.get_by_role("button", name="Solved").click()
    await page.get_by_label("What solved it on “Trunk”?").press("Control+Enter")
    await page.get_by_role("dialog", name="Resolve").get_by_role("button", name="Cancel").click()
    await expect(branch(page, "Trunk, solved")).to_be_visible()
    await expect(composer(page, "Trunk")).to_be_hidden()
    await page.get_by_role("button", name="Not solved after all").click()
    await expect(branch(page, "Trunk, active")).to_be_visible()
    await expect(composer(page, "Trunk")).to_be_visible()


async def test_a_fork_says_where_it_leaves_and_what_is_wrong_at_its_fields(
    page: Page, talk: Conversation
) -> None:
    await talk.ask(new_question())
    await expect(page.get_by_role("article", name="Assistant, message 4")).to_be_visible()
    await page.get_by_role("article", name="Assistant, message 2").hover()
    await page.get_by_role("button", name="More for message 2").click()
    await page.get_by_role("menuitem", name="Fork from here").click()
    dialog = page.get_by_role("dialog", name="Fork Trunk after message 2")
    await dialog.get_by_label("Why several causes are possible").fill("Hm")
    await dialog.get_by_role("button", name="Fork into 2").click()
    await expect(dialog.get_by_role("alert")).to_have_text("Look at the marked fields.")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Fork F").click()
    last = page.get_by_role("dialog", name="Fork Trunk", exact=True)
    await expect(last.get_by_label("Why several causes are possible")).to_have_value("")


async def test_files_stay_with_their_branch(page: Page) -> None:
    async def attach(*files: tuple[str, bytes]) -> None:
        async with page.expect_file_chooser() as chosen:
            await page.get_by_role("button", name="Attach").click()
        payloads = [
            FilePayload(name=name, mimeType="text/plain", buffer=body) for name, body in files
        ]
        await (await chosen.value).set_files(payloads)

    files = page.get_by_role("list", name="Files").get_by_role("listitem")
    await attach(("empty.txt", b""), ("mail.log", b"refused by the provider"))
    await expect(files.filter(has_text="empty.txt")).to_contain_text("Must not be empty.")
    await expect(page.get_by_role("button", name="Try empty.txt again")).to_have_count(0)
    await expect(files.filter(has_text="mail.log")).not_to_contain_text("Uploading")
    await branch(page, "DNS").click()
    await expect(composer(page, "DNS")).to_be_visible()
    await expect(files).to_have_count(0)
    await page.reload()
    await branch(page, "Trunk").click()
    await expect(files).to_have_count(1)
    await expect(files).to_contain_text("mail.log")

    await attach(*((f"{place}.log", b"x") for place in range(11)))
    await expect(
        page.get_by_role("alert").filter(has_text="Left out: 9.log, 10.log")
    ).to_be_visible()
    await expect(files).to_have_count(10)
