"""Documents reach what they were pushed to, and a document is PUSHED only when one has arrived."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook

from services.ai.document_tasks import ArticleDraft, Sentence, WriteArticle
from services.ai.scripted import ScriptedProvider
from tests.client import Client
from tests.factories import Colleagues
from tests.fakes.far_ends.behaviour import HangUp, Held, Status
from tests.fakes.far_ends.connectwise import LOGIN
from tests.fakes.far_ends.hudu import KEY
from tests.fakes.far_ends.mail import PASSWORD, USER, MailServer, serving_mail
from tests.fakes.far_ends.serving import FarEnds
from tests.tables import as_owner, event_seq, snapshot, until_idle
from tests.talk import new_question

DELIVERY = """
  id destination state guarantee isClientVisible recipients reference title content
  requests { method url body } integration { id } output { id } handoff { id }
  attempts { succeeded failure detail }
"""
OUTPUT = f"id type status version content deliveries {{ {DELIVERY} }}"
OUTPUTS = f"query($id: ID!) {{ session(id: $id) {{ resolutionOutputs {{ {OUTPUT} }} }} }}"


def secret() -> str:
    return f"whsec_{b64encode(uuid4().bytes + uuid4().bytes).decode()}"


@dataclass
class Desk:
    """A resolved session whose three documents are approved, and whose ticket is at the fake."""

    client: Client
    admin: Client
    people: Colleagues
    far_ends: FarEnds
    url: str
    session: str
    ticket: str

    async def outputs(self) -> list[dict[str, Any]]:
        found = await self.client.run(OUTPUTS, id=self.session)
        return list(found["session"]["resolutionOutputs"])

    async def output(self, kind: str) -> dict[str, Any]:
        return next(output for output in await self.outputs() if output["type"] == kind)

    async def push(self, kind: str, destination: str, **given: Any) -> dict[str, Any]:
        output = await self.output(kind)
        return await self.client.mutate(
            "pushResolutionOutput",
            f"output {{ id status version }} delivery {{ {DELIVERY} }}",
            outputId=output["id"],
            destination=destination,
            **{"expectedVersion": output["version"], **given},
        )

    async def arrived(self, kind: str) -> tuple[str, dict[str, Any]]:
        """The output's status, and its newest delivery, when nothing is under way any more."""
        await until_idle(self.url, self.people.account_id)
        output = await self.output(kind)
        return output["status"], output["deliveries"][0]

    async def connect(self, provider: str, base_url: str, **entries: str) -> str:
        saved = await self.admin.mutate(
            "saveIntegration",
            "integration { id version }",
            idempotencyKey=str(uuid4()),
            name=provider,
            baseUrl=base_url,
            connection={provider: entries},
        )
        assert saved["__typename"] == "SaveIntegrationSuccess", saved
        return str(saved["integration"]["id"])


@pytest.fixture
async def desk(
    client: Client,
    colleagues: Colleagues,
    far_ends: FarEnds,
    provider: ScriptedProvider,
    database_url: str,
) -> Desk:
    engineer, admin = client.as_(colleagues.engineer), client.as_(colleagues.admin)
    ticket = far_ends.connectwise.new_ticket()
    desk = Desk(engineer, admin, colleagues, far_ends, database_url, "", ticket)
    integration = await desk.connect("connectwise", f"{far_ends.url}/connectwise", **LOGIN)
    asked = new_question()
    started = await engineer.mutate(
        "startSession",
        "session { id rootBranch { id } } reply { id }",
        intake={"text": asked},
        integrationId=integration,
        psaTicketId=ticket,
    )
    desk.session = started["session"]["id"]
    await engineer.answered(started["reply"]["id"])
    await until_idle(database_url, colleagues.account_id)
    last = new_question()
    sent = await engineer.mutate(
        "sendBranchMessage",
        "reply { id } session { version }",
        branchId=started["session"]["rootBranch"]["id"],
        body=last,
    )
    await engineer.answered(sent["reply"]["id"])
    provider.script_task(
        WriteArticle,
        last,
        ArticleDraft(
            title="Mail does not arrive",
            symptoms=[Sentence(text="No <b>mail</b>.", sources=["M1"])],
            steps=[Sentence(text="Set password: hunter2-secret again.", sources=["R"])],
            tags=["mail"],
        ),
    )
    await until_idle(database_url, colleagues.account_id)
    resolved = await engineer.mutate(
        "resolveSession",
        "outputs { id version }",
        sessionId=desk.session,
        summary="The record was set.",
        expectedVersion=sent["session"]["version"],
    )
    assert resolved["__typename"] == "ResolveSessionSuccess", resolved
    await until_idle(database_url, colleagues.account_id)
    for output in resolved["outputs"]:
        await engineer.mutate(
            "approveResolutionOutput",
            "output { id }",
            outputId=output["id"],
            expectedVersion=output["version"],
        )
    return desk


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with serving_mail(MailServer()) as server:
        yield server


NOTES, ARTICLE, SUMMARY = "PSA_TICKET_NOTES", "KNOWLEDGE_BASE", "CLIENT_SUMMARY"
BODY = (
    "## Symptoms\n\n- No <b>mail</b>.\n\n## Root cause\n\nThe root cause was not recorded.\n\n"
    "## Resolution steps\n\n1. Set password: [PASSWORD-1] again.\n\n## Things to rule out first\n\n"
    "No dead ends were recorded: nothing was ruled out first."
)
MARKDOWN = BODY.replace("<", r"\<")
PARTS = {
    "symptoms": ["No <b>mail</b>."],
    "rootCause": None,
    "steps": ["Set password: [PASSWORD-1] again."],
    "ruleOutFirst": [],
    "tags": ["mail"],
}


# ------------------------------------------------------------------ the ticket


async def test_ticket_notes_arrive_internally_and_then_the_document_is_pushed(desk: Desk) -> None:
    pushed = await desk.push(NOTES, "PSA")
    assert (pushed["delivery"]["state"], pushed["output"]["status"]) == ("QUEUED", "APPROVED")
    status, delivery = await desk.arrived(NOTES)
    assert (status, delivery["state"]) == ("PUSHED", "DELIVERED")
    (note,) = desk.far_ends.connectwise.told(desk.ticket)
    assert note["internalAnalysisFlag"] is True
    assert note["text"].startswith("## Problem\n\nThe problem was not recorded.")
    assert note["text"].endswith(f"[ref fp-{delivery['id'][3:]}]")
    assert delivery["reference"] == str(note["id"])
    assert delivery["guarantee"] == "EXACTLY_ONCE"
    assert (delivery["handoff"], delivery["title"]) == (None, "Resolution")


async def test_what_was_changed_on_the_way_is_no_pushed_document(
    desk: Desk, far_ends: FarEnds
) -> None:
    far_ends.connectwise.script.add(desk.ticket, HangUp(stores=True))
    pushed = await desk.push(NOTES, "PSA", clientVisible=True)
    edited = await desk.client.mutate(
        "editResolutionOutput",
        "output { status }",
        outputId=pushed["output"]["id"],
        content="Changed.",
        expectedVersion=pushed["output"]["version"],
    )
    assert edited["output"]["status"] == "DRAFT"
    status, delivery = await desk.arrived(NOTES)
    assert (status, delivery["state"]) == ("DRAFT", "DELIVERED")
    (note,) = far_ends.connectwise.told(desk.ticket)
    assert (note["detailDescriptionFlag"], "Changed." in note["text"]) == (True, False)


async def test_a_push_that_fails_leaves_the_document_approved(
    desk: Desk, far_ends: FarEnds
) -> None:
    far_ends.connectwise.script.add(desk.ticket, Status(404, {"code": "NotFound"}))
    await desk.push(NOTES, "PSA")
    status, delivery = await desk.arrived(NOTES)
    assert (status, delivery["state"]) == ("APPROVED", "FAILED")
    assert [a["failure"] for a in delivery["attempts"]] == ["NOT_FOUND"]
    assert far_ends.connectwise.told(desk.ticket) == []


async def test_a_double_click_is_one_delivery(desk: Desk) -> None:
    key = str(uuid4())
    answers = await asyncio.gather(*(desk.push(NOTES, "PSA", idempotencyKey=key) for _ in range(4)))
    assert len({answer["delivery"]["id"] for answer in answers}) == 1
    await desk.arrived(NOTES)
    assert len(desk.far_ends.connectwise.told(desk.ticket)) == 1


async def test_of_two_at_once_one_is_on_its_way(desk: Desk) -> None:
    held = Held()
    desk.far_ends.connectwise.script.add(desk.ticket, held)
    answers = await asyncio.gather(*(desk.push(NOTES, "PSA") for _ in range(4)))
    kinds = sorted(answer["__typename"] for answer in answers)
    held.goes_on.set()
    assert kinds == ["InvalidTransitionError"] * 3 + ["PushResolutionOutputSuccess"]
    await desk.arrived(NOTES)
    assert len(desk.far_ends.connectwise.told(desk.ticket)) == 1


# ------------------------------------------------------------------ articles


async def test_an_article_is_in_the_library_at_once_and_brought_up_to_date(desk: Desk) -> None:
    document = """query($search: String!) { kbArticles(search: $search) { edges { node {
      id title body content { symptoms rootCause steps ruleOutFirst tags } sourceSession { id }
    } } } }"""
    pushed = await desk.push(ARTICLE, "KB_LIBRARY")
    delivery = pushed["delivery"]
    assert (delivery["state"], pushed["output"]["status"]) == ("DELIVERED", "PUSHED")
    assert delivery["attempts"] == [{"succeeded": True, "failure": None, "detail": None}]
    found = await desk.client.run(document, search="mail arrive")
    (node,) = [edge["node"] for edge in found["kbArticles"]["edges"]]
    assert node == {
        "id": delivery["reference"],
        "title": "Mail does not arrive",
        "body": MARKDOWN,
        "content": PARTS,
        "sourceSession": {"id": desk.session},
    }
    version = pushed["output"]["version"]
    for verb, more in (
        ("edit", {"content": "# Mail again\n\n## Symptoms\n\n- None."}),
        ("approve", {}),
    ):
        await desk.client.mutate(
            f"{verb}ResolutionOutput",
            "output { id }",
            outputId=pushed["output"]["id"],
            expectedVersion=version,
            **more,
        )
        version += 1
    again = await desk.push(ARTICLE, "KB_LIBRARY")
    assert again["delivery"]["reference"] == delivery["reference"]
    found = await desk.client.run(document, search="mail again")
    (node,) = [edge["node"] for edge in found["kbArticles"]["edges"]]
    assert (node["title"], node["body"]) == ("Mail again", "## Symptoms\n\n- None.")


async def test_an_article_in_hudu_is_html_and_shows_markup_as_text(desk: Desk) -> None:
    company = str(int(uuid4().hex[:8], 16))
    await desk.connect("hudu", f"{desk.far_ends.url}/hudu", apiKey=KEY, companyId=company)
    await desk.push(ARTICLE, "HUDU")
    status, delivery = await desk.arrived(ARTICLE)
    (article,) = desk.far_ends.hudu.told(company)
    assert (status, delivery["state"]) == ("PUSHED", "DELIVERED")
    assert article["name"] == "Mail does not arrive"
    assert "<li>No &lt;b&gt;mail&lt;/b&gt;.</li>" in article["content"]
    assert "hunter2" not in article["content"]


# ------------------------------------------------------------------ the clipboard


async def test_the_clipboard_takes_down_who_took_what_and_claims_nothing(desk: Desk) -> None:
    summary = await desk.output(SUMMARY)
    pushed = await desk.push(SUMMARY, "CLIPBOARD")
    delivery = pushed["delivery"]
    assert (delivery["state"], delivery["guarantee"]) == ("TAKEN", "NONE")
    assert (delivery["content"], delivery["attempts"]) == (summary["content"], [])
    assert (pushed["output"]["status"], pushed["output"]["version"]) == ("APPROVED", 2)
    await desk.client.mutate(
        "editResolutionOutput",
        "output { id }",
        outputId=summary["id"],
        content="A draft.",
        expectedVersion=2,
    )
    taken = await desk.push(SUMMARY, "CLIPBOARD")
    assert (taken["delivery"]["content"], taken["output"]["status"]) == ("A draft.", "DRAFT")


# ------------------------------------------------------------------ mail


async def mailing(desk: Desk, mail: MailServer, **more: str) -> str:
    return await desk.connect(
        "smtp",
        mail.url,
        **{
            "sender": "desk@msp.example",
            "senderName": "Service Desk",
            "username": USER,
            "password": PASSWORD,
            **more,
        },
    )


def plain(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


async def test_a_mail_is_text_and_html_and_known_by_its_delivery(
    desk: Desk, mail: MailServer
) -> None:
    await mailing(desk, mail)
    to = ["client@customer.example", "boss@customer.example", "client@customer.example"]
    await desk.push(ARTICLE, "EMAIL", to=to)
    status, delivery = await desk.arrived(ARTICLE)
    assert (status, delivery["state"]) == ("PUSHED", "DELIVERED")
    assert delivery["recipients"] == to[:2]
    assert [len(mail.kept[each]) for each in to] == [1, 1, 1]
    (message,) = mail.kept[to[0]]
    assert message["From"] == "Service Desk <desk@msp.example>"
    assert message["To"] == ", ".join(to[:2])
    assert message["Subject"] == "Mail does not arrive"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<fp-{delivery['id'][3:]}@msp.example>"
    assert delivery["reference"] == message["Message-ID"]
    assert plain(message).replace("\r\n", "\n").strip() == BODY
    assert "<li>No &lt;b&gt;mail&lt;/b&gt;.</li>" in plain(message, "html")
    assert PASSWORD not in json.dumps(delivery)


async def test_a_recipient_who_is_refused_is_told_of(desk: Desk, mail: MailServer) -> None:
    await mailing(desk, mail)
    mail.refused = {"gone@customer.example": "550 No such mailbox"}
    await desk.push(SUMMARY, "EMAIL", to=["gone@customer.example", "here@customer.example"])
    status, delivery = await desk.arrived(SUMMARY)
    assert (status, delivery["state"]) == ("PUSHED", "DELIVERED")
    assert delivery["attempts"] == [
        {
            "succeeded": True,
            "failure": None,
            "detail": "Refused: gone@customer.example (550 No such mailbox)",
        }
    ]
    assert len(mail.kept["here@customer.example"]) == 1


@pytest.mark.parametrize(
    ("answer", "failures"),
    [
        ("452 Come back later", ["UNAVAILABLE", None]),
        ("550 No such mailbox", ["VALIDATION"]),
    ],
)
async def test_when_all_are_refused_it_depends_for_how_long(
    desk: Desk, mail: MailServer, answer: str, failures: list[str | None]
) -> None:
    await mailing(desk, mail)
    to = "one@customer.example"
    mail.refused = {to: answer}
    pushing = asyncio.create_task(desk.push(SUMMARY, "EMAIL", to=[to]))
    await pushing
    if failures[-1] is None:
        while not (await desk.output(SUMMARY))["deliveries"][0]["attempts"]:
            pass  # asking lets the worker go on
        mail.refused = {}
    _, delivery = await desk.arrived(SUMMARY)
    told = [attempt["failure"] for attempt in delivery["attempts"]]
    assert (set(told[:-1]) <= {failures[0]}, told[-1]) == (True, failures[-1])
    assert len(mail.kept[to]) == (failures[-1] is None)


async def test_a_mail_whose_answer_was_lost_may_come_twice_with_one_id(
    desk: Desk, mail: MailServer
) -> None:
    await mailing(desk, mail)
    mail.answers = ["hang up"]
    to = "client@customer.example"
    await desk.push(SUMMARY, "EMAIL", to=[to])
    status, delivery = await desk.arrived(SUMMARY)
    assert (status, delivery["state"], delivery["guarantee"]) == (
        "PUSHED",
        "DELIVERED",
        "AT_LEAST_ONCE",
    )
    assert [a["failure"] for a in delivery["attempts"]] == ["AMBIGUOUS", None]
    assert len({message["Message-ID"] for message in mail.kept[to]}) == 1
    assert len(mail.kept[to]) == 2


async def test_a_wrong_password_is_told_by_the_test_and_by_the_delivery(
    desk: Desk, mail: MailServer
) -> None:
    integration = await mailing(desk, mail, password="wrong-password")
    tested = await desk.admin.mutate(
        "testIntegration", "integration { id }", integrationId=integration
    )
    assert (tested["__typename"], tested["message"]) == (
        "ServiceUnavailableError",
        "E-mail: It did not accept the credentials.",
    )
    await desk.push(SUMMARY, "EMAIL", to=["client@customer.example"])
    status, delivery = await desk.arrived(SUMMARY)
    assert (status, [a["failure"] for a in delivery["attempts"]]) == ("APPROVED", ["AUTH"])
    assert "wrong-password" not in json.dumps(delivery)


# ------------------------------------------------------------------ webhooks


async def test_a_webhook_is_signed_as_the_specification_says(desk: Desk) -> None:
    name, key = uuid4().hex, secret()
    await desk.connect("webhook", f"{desk.far_ends.url}/webhook/{name}", secret=key)
    await desk.push(ARTICLE, "WEBHOOK")
    status, delivery = await desk.arrived(ARTICLE)
    assert (status, delivery["state"]) == ("PUSHED", "DELIVERED")
    (heard,) = desk.far_ends.webhook.heard[name]
    Webhook(key).verify(heard.body, dict(heard.headers))
    event = json.loads(heard.body)
    assert heard.headers["webhook-id"] == f"fp-{delivery['id'][3:]}"
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "type": "resolution.pushed",
        "data": {
            "deliveryId": f"fp-{delivery['id'][3:]}",
            "sessionId": desk.session,
            "outputId": delivery["output"]["id"],
            "kind": "ARTICLE",
            "title": "Mail does not arrive",
            "markdown": MARKDOWN,
            "article": PARTS,
        },
    }


async def test_a_webhook_comes_again_with_the_same_id_and_body(desk: Desk) -> None:
    name, key = uuid4().hex, secret()
    await desk.connect("webhook", f"{desk.far_ends.url}/webhook/{name}", secret=key)
    desk.far_ends.webhook.script.add(name, HangUp(stores=True), Status(503), Status(302))
    await desk.push(NOTES, "WEBHOOK")
    _, delivery = await desk.arrived(NOTES)
    heard = desk.far_ends.webhook.heard[name]
    told = [attempt["failure"] for attempt in delivery["attempts"]]
    assert told[:2] == ["AMBIGUOUS", "AMBIGUOUS"]
    assert len(heard) == len(told) >= 3
    assert len({(each.headers["webhook-id"], each.body) for each in heard}) == 1
    for each in heard:
        Webhook(key).verify(each.body, dict(each.headers))


async def test_after_a_change_both_secrets_sign_for_a_day(desk: Desk) -> None:
    name, old, new = uuid4().hex, secret(), secret()
    integration = await desk.connect("webhook", f"{desk.far_ends.url}/webhook/{name}", secret=old)
    saved = await desk.admin.mutate(
        "saveIntegration",
        "integration { version }",
        integrationId=integration,
        connection={"webhook": {"secret": new}},
        expectedVersion=1,
    )
    await desk.push(NOTES, "WEBHOOK")
    await desk.arrived(NOTES)
    (heard,) = desk.far_ends.webhook.heard[name]
    for key in (old, new):
        Webhook(key).verify(heard.body, dict(heard.headers))
    yesterday = (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="milliseconds")
    async with as_owner(desk.url) as db:
        await db.execute(
            text(
                "UPDATE integrations SET version = version + 1, settings = settings || "
                "jsonb_build_object('previous_secret_until', CAST(:until AS text)) "
                "WHERE account_id = :account_id AND provider = 'webhook'"
            ),
            {"until": yesterday, "account_id": desk.people.account_id},
        )
    assert saved["integration"]["version"] == 2
    await desk.push(SUMMARY, "WEBHOOK")
    await desk.arrived(SUMMARY)
    heard = desk.far_ends.webhook.heard[name][-1]
    Webhook(new).verify(heard.body, dict(heard.headers))
    assert len(heard.headers["webhook-signature"].split()) == 1


async def test_an_address_that_is_gone_is_switched_off(desk: Desk) -> None:
    name = uuid4().hex
    await desk.connect("webhook", f"{desk.far_ends.url}/webhook/{name}", secret=secret())
    desk.far_ends.webhook.script.add(name, Status(410))
    await desk.push(NOTES, "WEBHOOK")
    status, delivery = await desk.arrived(NOTES)
    assert (status, [a["failure"] for a in delivery["attempts"]]) == ("APPROVED", ["NOT_FOUND"])
    found = await desk.admin.run("{ integrations { provider isEnabled lastFailure } }")
    (webhook,) = [each for each in found["integrations"] if each["provider"] == "WEBHOOK"]
    assert webhook["isEnabled"] is False
    assert "gone for good" in webhook["lastFailure"]
    refused = await desk.push(NOTES, "WEBHOOK")
    assert refused["fields"] == [{"path": ["integrationId"], "message": "The account has none."}]


# ------------------------------------------------------------------ previews and refusals


PREVIEW = """query($id: ID!, $to: Destination!, $recipients: [String!]) {
  outputDeliveryPreview(outputId: $id, destination: $to, to: $recipients) {
    visibleTo requests { method url body } } }"""


async def test_a_preview_is_what_is_sent(desk: Desk, mail: MailServer) -> None:
    await mailing(desk, mail)
    name = uuid4().hex
    await desk.connect("webhook", f"{desk.far_ends.url}/webhook/{name}", secret=secret())
    article = await desk.output(ARTICLE)
    for destination, to in (("PSA", []), ("WEBHOOK", []), ("EMAIL", ["client@customer.example"])):
        found = await desk.client.run(PREVIEW, id=article["id"], to=destination, recipients=to)
        (previewed,) = found["outputDeliveryPreview"]["requests"]
        await desk.push(ARTICLE, destination, to=to)
        _, delivery = await desk.arrived(ARTICLE)
        (sent,) = delivery["requests"]
        zeros = previewed["body"].replace("0" * 32, delivery["id"][3:])
        if destination == "WEBHOOK":
            assert json.loads(zeros)["data"] == json.loads(sent["body"])["data"]
        else:
            assert zeros == sent["body"]
        assert (previewed["method"], previewed["url"]) == (sent["method"], sent["url"])
    found = await desk.client.run(PREVIEW, id=article["id"], to="KB_LIBRARY", recipients=[])
    assert found["outputDeliveryPreview"] == {
        "visibleTo": "Everybody of your account, in its library.",
        "requests": [],
    }


async def refused(desk: Desk, kind: str, destination: str, **given: Any) -> dict[str, Any]:
    """The refusal, which changes nothing and is told to nobody."""
    account = desk.people.account_id
    async with as_owner(desk.url) as db:
        before = (await snapshot(db, account), await event_seq(db, account))
    answer = await desk.push(kind, destination, **given)
    async with as_owner(desk.url) as db:
        assert (await snapshot(db, account), await event_seq(db, account)) == before
    return answer


@pytest.mark.parametrize(
    ("kind", "destination", "given", "path"),
    [
        (NOTES, "KB_LIBRARY", {}, ["destination"]),
        (SUMMARY, "HUDU", {}, ["destination"]),
        (ARTICLE, "HUDU", {}, ["integrationId"]),
        (ARTICLE, "KB_LIBRARY", {"clientVisible": True}, ["clientVisible"]),
        (NOTES, "PSA", {"to": ["a@b.example"]}, ["to"]),
        (NOTES, "EMAIL", {}, ["to"]),
        (NOTES, "EMAIL", {"to": ["nobody"]}, ["to", "0"]),
        (NOTES, "EMAIL", {"to": ["a@b.example\nBcc: c@d.example"]}, ["to", "0"]),
        (NOTES, "EMAIL", {"to": ["a,b@c.example"]}, ["to", "0"]),
        (NOTES, "EMAIL", {"to": [f"a{n}@b.example" for n in range(21)]}, ["to"]),
    ],
)
async def test_what_cannot_go_there_is_refused(
    desk: Desk, kind: str, destination: str, given: dict[str, Any], path: list[str]
) -> None:
    answer = await refused(desk, kind, destination, **given)
    assert answer["__typename"] == "InvalidInputError"
    assert [field["path"] for field in answer["fields"]] == [path]


async def test_only_what_is_approved_is_pushed(desk: Desk, strangers: Colleagues) -> None:
    notes = await desk.output(NOTES)
    edited = await desk.client.mutate(
        "editResolutionOutput",
        "output { version }",
        outputId=notes["id"],
        content="Shorter.",
        expectedVersion=notes["version"],
    )
    answer = await refused(desk, NOTES, "PSA")
    assert (answer["__typename"], answer["from"], answer["allowed"]) == (
        "InvalidTransitionError",
        "DRAFT",
        ["APPROVED", "PUSHED"],
    )
    await desk.client.mutate(
        "rejectResolutionOutput",
        "output { id }",
        outputId=notes["id"],
        expectedVersion=edited["output"]["version"],
    )
    assert (await refused(desk, NOTES, "PSA"))["from"] == "REJECTED"
    answer = await refused(desk, SUMMARY, "PSA", expectedVersion=1)
    assert (answer["__typename"], answer["currentVersion"]) == ("StaleVersionError", 2)
    own = desk.client
    desk.client = own.as_(desk.people.engineer2)
    assert (await refused(desk, SUMMARY, "PSA"))["__typename"] == "PermissionDeniedError"
    summary = await desk.output(SUMMARY)
    stranger = own.as_(strangers.admin)
    answer = await stranger.mutate(
        "pushResolutionOutput",
        "output { id }",
        outputId=summary["id"],
        destination="CLIPBOARD",
        expectedVersion=2,
    )
    assert (answer["__typename"], answer["id"]) == ("NotFoundError", summary["id"])


@pytest.mark.parametrize("given", ["whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
async def test_a_webhook_needs_a_long_secret(desk: Desk, given: str) -> None:
    answer = await desk.admin.mutate(
        "saveIntegration",
        "integration { id }",
        idempotencyKey=str(uuid4()),
        name="Hook",
        baseUrl=f"{desk.far_ends.url}/webhook/x",
        connection={"webhook": {"secret": given}},
    )
    assert answer["fields"] == [
        {
            "path": ["connection", "webhook", "secret"],
            "message": "Must be whsec_ and the base64 of 24 to 64 bytes.",
        }
    ]
