"""What the console does with what goes wrong, and with what people and models write into it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import FilePayload, Locator, Page, Request, Route, expect

from models.account import Plan
from services.ai.scripted import ScriptedProvider
from services.runtime import Runtime
from tests.browser.conftest import PASSWORD
from tests.browser.console import branch, branches, composer, messages
from tests.browser.windows import Windows
from tests.client import Client
from tests.factories import Colleagues, make_account
from tests.talk import Conversation, new_question
from tests.tickets import TicketDesk

pytestmark = pytest.mark.browser

RIGHT_TO_LEFT = "خادم البريد"
EMOJI = "🔥 Firewall 👩🏽‍💻"
HOSTILE = """<script>window.hit = 1</script>
<img src="http://127.0.0.1:9/a.png" onerror="window.hit = 1">
<iframe srcdoc="<script>parent.hit = 1</script>"></iframe>

[click](javascript:window.hit=1) [data](data:text/html,1) [safe](https://vendor.example/)
![pixel](http://127.0.0.1:9/b.png) ![inline](data:image/svg+xml,a)

<b onclick="window.hit = 1">bold</b> The end."""


@pytest.fixture
async def page(windows: Windows, colleagues: Colleagues, talk: Conversation) -> Page:
    """The engineer's, at a session that has a fork into DNS and Quota, on DNS."""
    dns, _ = await talk.fork()
    page = await windows.open(f"/sessions/{talk.id}/{dns}", who="engineer", of=colleagues)
    await expect(composer(page, "DNS")).to_be_visible()
    return page


async def just_before(page: Page, operation: str, deed: Callable[[], Awaitable[Any]]) -> None:
    """Once, somebody else is faster with their `deed` than this page with its `operation`."""
    deeds = [deed]

    async def be_faster(route: Route, request: Request) -> None:
        if deeds and f"mutation {operation}" in (request.post_data or ""):
            await deeds.pop()()
        await route.continue_()

    await page.route("**/graphql", be_faster)


def alert(part: Page | Locator, text: str) -> Locator:
    return part.get_by_role("alert").filter(has_text=text)


async def test_a_sign_in_that_ended_keeps_what_was_typed(
    windows: Windows, email: str, talk: Conversation, client: Client
) -> None:
    windows.expected.append("status of 401")
    page = await windows.open(f"/sessions/{talk.id}/{talk.trunk}")
    await sign_in(page, email)
    field = composer(page, "Trunk")
    await field.fill("The queue is empty.")
    admin, engineer = client.as_(talk.people.admin), talk.people.engineer.id
    await admin.mutate("deactivateMember", "member { id }", userId=engineer)
    await field.press("Control+Enter")
    await expect(alert(page, "Your sign-in has ended. Sign in again.")).to_be_visible()
    await admin.mutate("reactivateMember", "member { id }", userId=engineer)

    await sign_in(page, email)
    await expect(page).to_have_url(re.compile(f"/sessions/{talk.id}/{talk.trunk}$"))
    await expect(field).to_have_value("The queue is empty.")
    await field.press("Control+Enter")
    await expect(field).to_have_value("")
    await expect(page.get_by_text("The queue is empty.", exact=True)).to_have_count(1)
    said = [message["body"] for message in await talk.messages()]
    assert said.count("The queue is empty.") == 1


async def sign_in(page: Page, email: str) -> None:
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def test_a_claim_by_somebody_faster(windows: Windows, desk: TicketDesk) -> None:
    page = await windows.open("/queue", who="engineer2", of=desk.people)
    row = page.get_by_role("region", name="Waiting").get_by_role("row").nth(1)
    lead = desk.client.as_(desk.people.lead)

    async def claim() -> None:
        await lead.mutate("claimHandoff", "handoff { id }", handoffId=desk.handoff)

    await just_before(page, "ClaimHandoff", claim)
    await row.get_by_role("button", name="Claim").click()
    await expect(alert(row, "Somebody else has claimed this handoff.")).to_be_visible()
    await expect(row).to_contain_text("Claimed by Lead")
    await expect(row.get_by_role("link")).to_be_focused()
    await expect(page).to_have_url(re.compile("/queue$"))
    await row.get_by_role("button", name="Dismiss").click()
    await expect(page.get_by_role("region", name="Waiting")).to_have_text(
        "Nothing waits. What is escalated or parked appears here by itself."
    )


async def test_a_change_by_somebody_faster(page: Page, talk: Conversation) -> None:
    id = page.url.rsplit("/", 1)[1]
    lead = talk.client.as_(talk.people.lead)

    async def rename() -> None:
        await lead.mutate(
            "renameBranch",
            "branch { id }",
            branchId=id,
            label="Name service",
            description="It answers wrongly",
            expectedVersion=1,
        )

    await page.get_by_role("button", name="More for DNS").click()
    await page.get_by_role("menuitem", name="Rename…").click()
    dialog = page.get_by_role("dialog", name="Rename the branch")
    await dialog.get_by_label("Name").fill("Resolver")
    await just_before(page, "RenameBranch", rename)
    await dialog.get_by_role("button", name="Rename").click()
    words = "This was changed since you loaded it. Load it again and repeat."
    await expect(alert(dialog, words)).to_be_visible()
    await expect(dialog.get_by_label("Name")).to_have_value("Resolver")
    await expect(page.locator(f"[id='map-{id}']")).to_have_attribute(
        "aria-label", re.compile("^Name service,")
    )
    await dialog.get_by_role("button", name="Rename").click()
    await expect(dialog).to_be_hidden()
    await expect(branch(page, "Resolver")).to_be_visible()


async def test_more_branches_than_the_plan_has(
    windows: Windows, client: Client, runtime: Runtime, database_url: str
) -> None:
    people = await make_account(runtime, database_url, Plan.FREE)
    engineer = client.as_(people.engineer)
    started = await engineer.mutate(
        "startSession", "session { id } reply { id }", intake={"text": "Mail stopped arriving."}
    )
    await engineer.answered(started["reply"]["id"])
    page = await windows.open(f"/sessions/{started['session']['id']}", who="engineer", of=people)
    await page.get_by_role("button", name="Fork", exact=False).first.click()
    dialog = page.get_by_role("dialog", name="Fork Trunk")
    await dialog.get_by_label("Why several causes are possible").fill("There are three")
    await dialog.get_by_role("button", name="Another hypothesis").click()
    for place, name in enumerate(("DNS", "Quota", "Spam filter")):
        await dialog.get_by_label(f"Hypothesis {place + 1}", exact=True).fill(name)
        await dialog.get_by_label("What it supposes").nth(place).fill(f"It is the {name}")
    await dialog.get_by_role("button", name="Fork into 3").click()
    words = "Branch limit reached (2 for FREE plan). Current: 0, requested: 3"
    await expect(alert(dialog, words)).to_be_visible()
    await dialog.get_by_role("button", name="Leave out hypothesis 3").click()
    await dialog.get_by_role("button", name="Fork into 2").click()
    await expect(dialog).to_be_hidden()
    await expect(branches(page)).to_have_count(3)


async def test_a_dead_end_needs_a_reason(page: Page, talk: Conversation) -> None:
    await page.get_by_role("button", name="Dead end").click()
    reason = page.get_by_label("Why is “DNS” a dead end?")
    marks = page.get_by_role("button", name="Mark as dead end")
    await expect(marks).to_be_disabled()
    await reason.fill("   ")
    await expect(marks).to_be_disabled()
    await reason.fill("No")
    await marks.click()
    await expect(reason).to_have_accessible_description("Must have 5 to 2,000 characters.")
    await expect(reason).to_have_value("No")
    await expect(branch(page, "DNS, untried")).to_be_visible()


async def test_there_is_nothing_of_another_account(
    windows: Windows, strangers: Colleagues, talk: Conversation
) -> None:
    page = await windows.open(f"/sessions/{talk.id}/{talk.trunk}", who="admin", of=strangers)
    words = "There is nothing here, or nothing that you may see."
    await expect(page.get_by_text(words)).to_be_visible()
    await expect(page.get_by_text("Mail stopped arriving")).to_have_count(0)
    await page.goto("/sessions/se_0198c0de00007000800000000000000f")
    await expect(page.get_by_text(words)).to_be_visible()


async def test_what_is_too_long_to_be_said_becomes_a_file(page: Page, talk: Conversation) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.evaluate("navigator.clipboard.writeText('09:14 ERROR 0x709 '.padEnd(20_000, 'x'))")
    field = composer(page, "DNS")
    await field.fill("All of the log: ")
    await field.press("Control+v")
    files = page.get_by_role("list", name="Files")
    await expect(files.get_by_role("listitem")).to_contain_text("pasted.txt")
    await expect(field).to_have_value("All of the log: ")
    await expect(page.get_by_role("button", name="Send")).to_be_enabled()
    await field.press("Control+Enter")
    await expect(field).to_have_value("")
    await expect(files).to_be_hidden()
    sent = messages(page, "Engineer").last
    await expect(sent.get_by_role("button", name=re.compile("^pasted.txt"))).to_be_visible()
    document = "query($id: ID!) { session(id: $id) { uploads { filename byteSize } } }"
    found = await talk.client.run(document, id=talk.id)
    assert found["session"]["uploads"] == [{"filename": "pasted.txt", "byteSize": 20_000}]


async def test_labels_of_any_script(page: Page) -> None:
    await page.keyboard.press("f")
    dialog = page.get_by_role("dialog", name="Fork DNS")
    await dialog.get_by_label("Why several causes are possible").fill("اختبار <b>x</b>")
    for place, name in enumerate((RIGHT_TO_LEFT, EMOJI)):
        await dialog.get_by_label(f"Hypothesis {place + 1}", exact=True).fill(name)
        await dialog.get_by_label("What it supposes").nth(place).fill("<script>alert(1)</script>")
    await dialog.get_by_role("button", name="Fork into 2").click()
    await expect(dialog).to_be_hidden()
    for name, direction in ((RIGHT_TO_LEFT, "rtl"), (EMOJI, "ltr")):
        row = branch(page, f"{name}, untried")
        await expect(row.get_by_text(name, exact=True)).to_have_css("direction", direction)
        await row.click()
        heading = page.get_by_role("heading", name=name, exact=True)
        await expect(heading).to_have_css("direction", direction)
        await expect(page.get_by_text("<script>alert(1)</script>", exact=True)).to_be_visible()
    await branch(page, "DNS").click()
    fork = page.get_by_role("region", name="Fork", exact=True)
    await expect(fork.get_by_role("heading")).to_contain_text("اختبار <b>x</b>")


async def test_hostile_markdown_does_and_loads_nothing(
    page: Page, windows: Windows, provider: ScriptedProvider
) -> None:
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    question = f"{HOSTILE} {new_question()}"
    provider.script(question, HOSTILE)
    await composer(page, "DNS").fill(question)
    await composer(page, "DNS").press("Control+Enter")
    for author in ("Engineer", "Assistant"):
        said = messages(page, author).last
        await expect(said).to_contain_text("The end.")
        await expect(said.get_by_role("button", name="Stop")).to_have_count(0)
        await expect(said.locator("script, iframe, img, b, [onclick], [onerror]")).to_have_count(0)
        await expect(said).to_contain_text("click data safe")
        await expect(said).to_contain_text("[pixel: http://127.0.0.1:9/b.png]")
        (link,) = await said.get_by_role("link").all()
        assert await link.get_attribute("href") == "https://vendor.example/"
        assert await link.get_attribute("rel") == "noreferrer noopener"
    assert await page.evaluate("window.hit") is None
    assert [url for url in asked if windows.host not in url] == []


async def test_hostile_names_of_files(page: Page, talk: Conversation) -> None:
    names = {
        "../../etc/passwd": "passwd",
        "<img src=x onerror=window.hit=1>.txt": "<img src=x onerror=window.hit=1>.txt",
        "invoice\u202efdp.exe": "invoicefdp.exe",
        "x" * 300 + ".log": "x" * 251 + ".log",
    }
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Attach").click()
    chosen: list[FilePayload] = [
        {"name": name, "mimeType": "text/html", "buffer": f"{place} <script>1</script>".encode()}
        for place, name in enumerate(names)
    ]
    await (await choosing.value).set_files(chosen)
    chips = page.get_by_role("list", name="Files").get_by_role("listitem")
    await expect(chips).to_have_count(4)
    await composer(page, "DNS").fill("These came with the mail.")
    await page.get_by_role("button", name="Send").click()
    await expect(composer(page, "DNS")).to_have_value("")
    sent = messages(page, "Engineer").last
    for place, kept in enumerate(names.values()):
        await expect(sent.get_by_role("listitem").nth(place).get_by_text(kept)).to_have_count(1)
    assert await page.evaluate("window.hit") is None
    await expect(page.locator("img[src]")).to_have_count(0)
    first = sent.get_by_role("button").filter(has_text="<img")
    async with page.expect_download() as downloading:
        await first.click()
    download = await downloading.value
    with await asyncio.to_thread(open, await download.path(), "rb") as file:
        assert file.read() == b"1 <script>1</script>"
