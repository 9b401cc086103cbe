"""Two engineers side by side in the console: from what a client reports to the note in the ticket, with the
server killed in between.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.console import branch, branches, composer, messages
from tests.browser.windows import Windows, windows_at
from tests.client import Client
from tests.fakes.far_ends.connectwise import ConnectWise
from tests.fakes.far_ends.serving import FarEnds, serving
from tests.fakes.model_server import KEY, Answer, Held, ModelServer, model_server
from tests.faults.installation import Process, running
from tests.tickets import LOGINS

pytestmark = pytest.mark.browser

PASSWORD = "flowpilot-demo"
INTAKE = "Outlook says disconnected for everybody at Contoso since this morning."
PROBLEM = "Outlook is disconnected for everybody at Contoso."
FORK = {
    "reason": "Both would look the same to Outlook",
    "options": [
        {"label": "DNS", "description": "The name leads to the old address", "likelihood": 0.6},
        {"label": "Certificate", "description": "It ran out last night", "likelihood": 0.4},
    ],
}
FIRST_ANSWER = Answer(
    "Disconnected for everybody: it is not their machines, but what they all reach.",
    tools={
        "guide": {"fork": FORK, "intake": {"summary": PROBLEM, "domain": "mail"}},
    },
)
SAID = """query($id: ID!) { session(id: $id) { status assignee { displayName }
  branches { label status statusReason isActive
    messages(first: 10) { edges { node { body author { displayName } } } } } } }"""
DOCUMENTS = """query($id: ID!) { session(id: $id) { resolutionOutputs {
  type status content deliveries { state reference } } } }"""


@dataclass(frozen=True)
class Site:
    """A server that is a process of its own, what it talks to, and what it says beside the console."""

    server: Process
    windows: Windows
    model: ModelServer
    tickets: ConnectWise
    api: Client

    async def signed_in(self, email: str, name: str) -> Page:
        page = await self.windows.open()
        await page.get_by_label("E-mail").fill(email)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.get_by_role("button", name=f"Account of {name}")).to_be_visible()
        return page

    async def session(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.api.run(SAID, id=id))["session"]
        return found


@pytest.fixture
async def site(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        far_ends = await stack.enter_async_context(serving(FarEnds()))
        model = await stack.enter_async_context(model_server())
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", model.url)
        server = Process(
            tmp_path,
            "server",
            "serve",
            data_dir=tmp_path / "home",
            demo_password=PASSWORD,
            outgoing_allowed="127.0.0.1",
        )
        await stack.enter_async_context(running(server))
        windows = await stack.enter_async_context(windows_at(browser, server.host))
        client = await stack.enter_async_context(Client(server.host))
        signed_in = await client.mutate(
            "signIn", "tokens { accessToken }", email="admin@first.example", password=PASSWORD
        )
        admin = client.with_token(signed_in["tokens"]["accessToken"])
        await admin.mutate(
            "saveIntegration",
            "integration { id }",
            idempotencyKey=str(uuid4()),
            name="Tickets",
            baseUrl=f"{far_ends.url}/connectwise",
            connection={"connectwise": LOGINS["connectwise"]},
        )
        yield Site(server, windows, model, far_ends.connectwise, admin)


async def test_from_a_report_to_the_note_in_the_ticket(site: Site) -> None:
    erin = await site.signed_in("engineer@first.example", "Erin Walsh")
    sam = await site.signed_in("engineer2@first.example", "Sam Okafor")
    id = await start(site, erin, sam)
    await fork(erin, sam)
    await work_on_a_branch(erin, sam)
    await give_up_and_bring_back(erin, sam)
    await hand_off(erin, sam)
    await survive_a_kill(site, erin, sam, id)
    ticket = site.tickets.new_ticket()
    await resolve(sam, ticket)
    text = await review(sam)
    await deliver(site, sam, ticket, text)
    documents = (await site.api.run(DOCUMENTS, id=id))["session"]["resolutionOutputs"]
    (notes,) = (each for each in documents if each["type"] == "PSA_TICKET_NOTES")
    (delivery,) = notes["deliveries"]
    (note,) = site.tickets.told(ticket)
    assert (notes["status"], notes["content"]) == ("PUSHED", text)
    assert delivery == {"state": "DELIVERED", "reference": str(note["id"])}
    assert text in note["text"]


async def start(site: Site, erin: Page, sam: Page) -> str:
    """From free text; the answer is there piece by piece, for both."""
    goes_on = asyncio.Event()
    site.model.script(Held(goes_on, FIRST_ANSWER))
    await erin.get_by_role("button", name="New session").click()
    dialog = erin.get_by_role("dialog", name="New session")
    await dialog.get_by_label("What does the client report?").fill(INTAKE)
    await dialog.get_by_role("button", name="Start session").click()
    await expect(dialog).to_be_hidden()
    await expect(erin.get_by_text("Disconnected", exact=True)).to_be_visible()
    await expect(erin.get_by_role("button", name="Stop")).to_be_visible()

    await sam.get_by_role("link", name=INTAKE).click()
    await expect(sam.get_by_text("Disconnected", exact=True)).to_be_visible()
    goes_on.set()
    for page in (erin, sam):
        await expect(page.get_by_text(FIRST_ANSWER.text, exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Stop")).to_be_hidden()
        await expect(page.get_by_role("heading", name=PROBLEM)).to_be_visible()
    found = re.search(r"/sessions/([^/]+)/", erin.url)
    assert found is not None
    return found[1]


async def fork(erin: Page, sam: Page) -> None:
    """Into what the assistant suggests; the other one sees it come."""
    await expect(branches(sam)).to_have_count(1)
    await erin.get_by_role("button", name="Fork into these").click()
    dialog = erin.get_by_role("dialog", name="Fork")
    await expect(dialog.get_by_label("Why several causes are possible")).to_have_value(
        str(FORK["reason"])
    )
    await dialog.get_by_role("button", name="Fork into 2").click()
    for page in (erin, sam):
        await expect(branches(page)).to_have_count(3)
        await expect(branch(page, "DNS, untried, 60 % likely")).to_be_visible()
        await expect(branch(page, "Certificate, untried, 40 % likely")).to_be_visible()
        await expect(page.get_by_role("button", name="Fork into these")).to_be_hidden()


async def work_on_a_branch(erin: Page, sam: Page) -> None:
    """It takes the team along, and leaves everybody where they look."""
    await option(erin, "Certificate").get_by_role("button", name="Work on this").click()
    await expect(erin.get_by_role("heading", name="Certificate")).to_be_visible()
    for page in (erin, sam):
        await expect(branch(page, "Certificate, active, the team works here")).to_be_visible()
    await expect(
        sam.get_by_role("status").filter(has_text="Erin Walsh switched to Certificate from ")
    ).to_be_visible()
    await say(erin, "Certificate", "It is valid until May, says the browser.")
    await expect(sam.get_by_role("heading", name="Certificate")).to_be_hidden()
    await sam.get_by_role("button", name="Go there").click()
    await expect(messages(sam, "Erin Walsh")).to_contain_text("It is valid until May")
    await expect(messages(sam, "Assistant")).to_contain_text(Answer().text)


async def give_up_and_bring_back(erin: Page, sam: Page) -> None:
    """A dead end with its reason, and what speaks for it after all."""
    await erin.get_by_role("button", name="Dead end", exact=False).click()
    reason = erin.get_by_label("Why is “Certificate” a dead end?")
    await expect(erin.get_by_role("button", name="Mark as dead end")).to_be_disabled()
    await reason.fill("Valid until May")
    await erin.get_by_role("button", name="Mark as dead end").click()
    for page in (erin, sam):
        await expect(branch(page, "Certificate, Valid until May, dead end")).to_be_visible()
    await expect(composer(erin, "Certificate")).to_be_hidden()

    await branch(erin, "DNS, untried").click()
    await erin.get_by_role("button", name="Work on this branch").click()
    await expect(branch(erin, "DNS, active, the team works here")).to_be_visible()
    await say(erin, "DNS", "The resolver answers with the right address.")
    await branch(erin, "Certificate, Valid until May").click()
    await erin.get_by_role("button", name="Bring it back…").click()
    dialog = erin.get_by_role("dialog", name="Bring back “Certificate”")
    await dialog.get_by_label("What speaks for it now").fill("DNS is right, and one node is old.")
    await dialog.get_by_label("Evidence from").select_option("DNS")
    await dialog.get_by_label("The resolver answers with the right address.").check()
    await dialog.get_by_role("button", name="Bring back").click()
    await expect(dialog).to_be_hidden()
    for page in (erin, sam):
        await expect(branch(page, "Certificate, revived")).to_be_visible()


async def hand_off(erin: Page, sam: Page) -> None:
    """Elevated: it comes live to the front of the queue, and who claims it there finds the briefing."""
    await sam.get_by_role("navigation", name="Pages").get_by_role("link", name="Queue").click()
    rows = sam.get_by_role("region", name="Waiting").get_by_role("row")
    await expect(rows.first).to_be_visible()
    await expect(rows.filter(has_text=PROBLEM)).to_have_count(0)

    await erin.get_by_role("button", name="Hand off").click()
    dialog = erin.get_by_role("dialog", name="Hand off")
    await dialog.get_by_label("Escalate").check()
    await dialog.get_by_label("Why does this need escalation?").fill("Two of us looked at it.")
    await dialog.get_by_label("Next step").fill("Ask the hoster about the old node")
    await dialog.get_by_label("Watch out for, 1").fill("Do not restart the store")
    await dialog.get_by_label("Elevated: before everything else in the queue").check()
    await dialog.get_by_role("button", name="Escalate").click()
    await expect(dialog).to_be_hidden()
    await expect(erin.get_by_role("region", name="Handoff")).to_contain_text(
        "Escalated by you just now, elevated."
    )

    second = rows.nth(2)
    await expect(second).to_contain_text(PROBLEM)
    await expect(second).to_contain_text("elevated")
    await second.get_by_role("button", name=f"Claim {PROBLEM}").click()
    await expect(sam.get_by_role("heading", name=PROBLEM)).to_be_visible()
    briefing = sam.get_by_role("region", name="Briefing")
    await expect(briefing).to_contain_text("Two of us looked at it.")
    await expect(briefing).to_contain_text("Ask the hoster about the old node")
    await expect(briefing).to_contain_text("Do not restart the store")
    await expect(sam.get_by_role("region", name="Handoff")).to_contain_text("You hold this until ")
    await expect(erin.get_by_role("region", name="Handoff")).to_contain_text(
        "Claimed by Sam Okafor just now."
    )
    await sam.get_by_role("button", name="Briefing").click()
    await expect(briefing).to_be_hidden()


async def survive_a_kill(site: Site, erin: Page, sam: Page, id: str) -> None:
    """What is typed while the server is away is said once it is back, once."""
    site.windows.expected += [
        "ERR_CONNECTION_REFUSED",
        "WebSocket connection",
        "ERR_EMPTY_RESPONSE",
    ]
    await branch(sam, "Certificate, revived").click()
    before = await site.session(id)
    field = composer(sam, "Certificate")
    await field.press_sequentially("The hoster has ")
    await site.server.kill()
    for page in (erin, sam):
        await expect(page.get_by_text("Reconnecting, nothing is lost")).to_be_visible()
    await field.press_sequentially("replaced the old node.")
    await field.press("Control+Enter")
    refusal = "The server could not be reached. Nothing you typed is lost; try again."
    await expect(sam.get_by_role("alert").filter(has_text=refusal)).to_be_visible()
    await expect(field).to_have_value("The hoster has replaced the old node.")

    await site.server.start()
    for page in (erin, sam):
        await expect(page.get_by_text("Reconnecting, nothing is lost")).to_be_hidden()
    await expect(field).to_have_value("The hoster has replaced the old node.")
    await field.press("Control+Enter")
    await expect(field).to_have_value("")
    await branch(erin, "Certificate, active").click()
    for page in (erin, sam):
        said = page.get_by_text("The hoster has replaced the old node.", exact=True)
        await expect(said).to_have_count(1)
        await expect(messages(page, "Assistant").last).to_contain_text(Answer().text)

    after = await site.session(id)
    was, now = (bodies(found, "Certificate") for found in (before, after))
    assert now == [*was, "The hoster has replaced the old node.", Answer().text]
    for page in (erin, sam):
        await expect(messages(page)).to_have_count(len(now))
    assert [each for each in after["branches"] if each["label"] != "Certificate"] == [
        each for each in before["branches"] if each["label"] != "Certificate"
    ]
    assert (after["status"], after["assignee"]["displayName"]) == ("ACTIVE", "Sam Okafor")


async def resolve(sam: Page, ticket: str) -> None:
    """Once it has a ticket, by the branch that solved it."""
    await sam.get_by_role("button", name="More", exact=True).click()
    await sam.get_by_role("menuitem", name="Link a ticket…").click()
    dialog = sam.get_by_role("dialog", name="Link a ticket")
    await dialog.get_by_label("Number of the ticket").fill(ticket)
    await dialog.get_by_role("button", name="Link").click()
    await expect(dialog).to_be_hidden()
    await sam.get_by_role("button", name="Resolve").click()
    dialog = sam.get_by_role("dialog", name="Resolve")
    await dialog.get_by_label("What was it, and what solved it?").fill(
        "One old node had a certificate that ran out; the hoster replaced it."
    )
    await dialog.get_by_label("Which branch solved it").select_option("Certificate (active)")
    await dialog.get_by_role("button", name="Resolve").click()
    await expect(dialog).to_be_hidden()
    await expect(branch(sam, "Certificate, solved")).to_be_visible()


async def review(sam: Page) -> str:
    """Edits the ticket's notes, looks at what has changed, and approves them."""
    notes = sam.get_by_role("tabpanel", name="Ticket notes")
    await expect(notes.get_by_text("Draft", exact=True)).to_be_visible()
    await notes.get_by_role("button", name="Edit").click()
    field = notes.get_by_label("Text, in Markdown")
    text = f"{await field.input_value()}\n\nThe hoster replaced the old node at 10:40."
    await field.fill(text)
    await notes.get_by_role("button", name="Save").click()
    await expect(field).to_be_hidden()
    await notes.get_by_role("button", name="Changes").click()
    changed = notes.get_by_label("What changed")
    await expect(changed).to_contain_text("The hoster replaced the old node at 10:40.")
    await notes.get_by_role("button", name="Approve").click()
    await expect(notes.get_by_text("Approved", exact=True)).to_be_visible()
    return text


async def deliver(site: Site, sam: Page, ticket: str, text: str) -> None:
    """Nothing goes out before it was shown to the letter."""
    notes = sam.get_by_role("tabpanel", name="Ticket notes")
    await notes.get_by_role("button", name="Deliver…").click()
    dialog = sam.get_by_role("dialog", name="Deliver: Ticket notes")
    await expect(dialog.get_by_label(f"Ticket {ticket}")).to_be_checked()
    await expect(dialog.get_by_label("Internal")).to_be_checked()
    await dialog.get_by_role("button", name="Preview").click()
    await expect(dialog.get_by_role("region", name="Preview")).to_contain_text(
        f"/service/tickets/{ticket}/notes"
    )
    assert site.tickets.told(ticket) == []
    await dialog.get_by_role("button", name=f"Send to Ticket {ticket}").click()
    await expect(dialog).to_be_hidden()
    ledger = notes.get_by_role("region", name="Deliveries")
    await expect(ledger.get_by_role("listitem")).to_have_count(1)
    await expect(ledger).to_contain_text("Delivered")
    await expect(ledger).to_contain_text(f"Ticket {ticket} in Tickets, internal")


def option(page: Page, label: str) -> Locator:
    """Of the fork in the conversation."""
    forked = page.get_by_role("region", name="Fork", exact=True)
    return forked.get_by_role("listitem").filter(has=page.get_by_role("button", name=label))


async def say(page: Page, label: str, text: str) -> None:
    """And waits for the answer."""
    await composer(page, label).fill(text)
    await page.get_by_role("button", name="Send").click()
    await expect(messages(page, "Assistant").last).to_contain_text(Answer().text)


def bodies(session: dict[str, Any], label: str) -> list[str]:
    (found,) = (each for each in session["branches"] if each["label"] == label)
    return [edge["node"]["body"] for edge in found["messages"]["edges"]]
