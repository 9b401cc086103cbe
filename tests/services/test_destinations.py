"""Each destination against its far end, by the port alone: forms, traps, and what is made of failures."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from models.delivery import DeliveryFailure
from services.deliveries import GUARANTEES
from services.destinations.addresses import Allowed
from services.destinations.autotask import Autotask
from services.destinations.connectwise import ConnectWise
from services.destinations.halopsa import HaloPsa
from services.destinations.http import Outgoing
from services.destinations.hudu import Hudu
from services.destinations.it_glue import ItGlue
from services.destinations.port import (
    Connection,
    DeliveryFailed,
    Dispatch,
    Document,
    DocumentKind,
    Receipt,
)
from services.destinations.providers import PROVIDERS
from tests.fakes.far_ends import autotask, connectwise, halopsa, hudu, it_glue
from tests.fakes.far_ends.behaviour import Behaviour, Giant, HangUp, Page, Status, Stored
from tests.fakes.far_ends.serving import FarEnds

NOTE = Document(
    "Mail is back", "# Mail is back\n\nIt was <b>the quota</b>.", DocumentKind.TICKET_NOTES
)
HTML = "<h1>Mail is back</h1>\n<p>It was &lt;b&gt;the quota&lt;/b&gt;.</p>"


def note(ticket: str | None = None) -> Dispatch:
    """Another one each time."""
    return Dispatch(uuid4(), replace(NOTE, title=f"Mail is back {uuid4().hex}"), ticket_id=ticket)


@pytest.fixture
async def outgoing() -> AsyncIterator[Outgoing]:
    async with Outgoing(Allowed.of(("127.0.0.1",))) as calls:
        yield calls


@pytest.fixture
def halo(far_ends: FarEnds, outgoing: Outgoing) -> HaloPsa:
    login = {"client_id": halopsa.CLIENT, "client_secret": halopsa.SECRET}
    url = f"{far_ends.url}/halopsa"
    return HaloPsa(Connection(url, {"tenant": "first"}, login), outgoing)


@pytest.fixture
def task(far_ends: FarEnds, outgoing: Outgoing) -> Autotask:
    login = {"secret": autotask.SECRET, "integration_code": autotask.CODE}
    url = f"{far_ends.url}/autotask"
    return Autotask(Connection(url, {"user_name": autotask.USER}, login), outgoing)


@pytest.fixture
def manage(far_ends: FarEnds, outgoing: Outgoing) -> ConnectWise:
    login = {"public_key": connectwise.PUBLIC, "private_key": connectwise.PRIVATE}
    settings = {"company_id": connectwise.COMPANY, "client_id": connectwise.CLIENT}
    url = f"{far_ends.url}/connectwise"
    return ConnectWise(Connection(url, settings, login), outgoing)


def hudu_of(company: str | None, far_ends: FarEnds, outgoing: Outgoing) -> Hudu:
    settings = {} if company is None else {"company_id": company, "folder_id": "2"}
    return Hudu(Connection(f"{far_ends.url}/hudu", settings, {"api_key": hudu.KEY}), outgoing)


def it_glue_of(organization: str, far_ends: FarEnds, outgoing: Outgoing) -> ItGlue:
    settings = {"organization_id": organization}
    login = {"api_key": it_glue.KEY}
    return ItGlue(Connection(f"{far_ends.url}/it_glue", settings, login), outgoing)


def new_number() -> str:
    """Of a company or an organisation that nobody else uses."""
    return str(uuid4().int % 10**9 + 100)


# ------------------------------------------------------------------ HaloPSA


async def test_a_token_is_fetched_once_for_all_who_need_it(
    halo: HaloPsa, far_ends: FarEnds
) -> None:
    far_end = far_ends.halopsa
    issued = far_end.issued
    tickets = [far_end.new_ticket() for _ in range(5)]
    await asyncio.gather(*(halo.deliver(note(ticket)) for ticket in tickets))
    assert far_end.issued == issued + 1


async def test_a_token_that_is_refused_is_renewed_once(halo: HaloPsa, far_ends: FarEnds) -> None:
    far_end = far_ends.halopsa
    ticket = far_end.new_ticket()
    await halo.check()
    issued = far_end.issued
    far_end.tokens.clear()
    sent = note(ticket)
    receipt = await halo.deliver(sent)
    assert await halo.find(sent) == receipt
    assert far_end.issued == issued + 1
    assert len(far_end.told(ticket)) == 1


async def test_a_token_is_renewed_before_its_end(halo: HaloPsa, far_ends: FarEnds) -> None:
    far_end = far_ends.halopsa
    far_end.lasts = 120  # which is as early as it is renewed
    try:
        issued = far_end.issued
        await halo.check()
        await halo.check()
    finally:
        far_end.lasts = 3600
    assert far_end.issued == issued + 2


async def test_a_wait_in_the_body_counts_where_there_is_no_header(
    halo: HaloPsa, far_ends: FarEnds
) -> None:
    ticket = far_ends.halopsa.new_ticket()
    slow_down = {"error": "rate", "message": "Too many", "retry_after": 7}
    far_ends.halopsa.script.add(ticket, Status(429, slow_down))
    with pytest.raises(DeliveryFailed) as caught:
        await halo.deliver(note(ticket))
    assert (caught.value.kind, caught.value.retry_after) == (DeliveryFailure.RATE_LIMITED, 7.0)
    assert caught.value.sentence == "It asks for fewer requests. It says: Too many"


async def test_outcomes_are_the_tenants_own(far_ends: FarEnds, outgoing: Outgoing) -> None:
    login = {"client_id": halopsa.CLIENT, "client_secret": halopsa.SECRET}
    named = {"tenant": "first", "internal_outcome": "Notiz", "visible_outcome": "Antwort"}
    destination = HaloPsa(Connection(f"{far_ends.url}/halopsa", named, login), outgoing)
    sent = note("1")
    for visible, outcome in ((False, "Notiz"), (True, "Antwort")):
        plan = await destination.plan(replace(sent, is_client_visible=visible))
        (action,) = json.loads(plan.requests[0].body)
        assert (action["outcome"], action["hiddenfromuser"]) == (outcome, not visible)


# ------------------------------------------------------------------ Autotask


async def test_zone_and_lists_are_read_once(task: Autotask, far_ends: FarEnds) -> None:
    ticket = far_ends.autotask.new_ticket()
    asked = len(far_ends.autotask.asked)
    for _ in range(3):
        await task.deliver(note(ticket))
    paths = [path.rpartition("/")[2] for path in far_ends.autotask.asked[asked:]]
    assert paths == ["fields", "Notes", "Notes", "Notes"]


async def test_a_500_with_errors_is_no_reason_to_try_again(
    task: Autotask, far_ends: FarEnds
) -> None:
    ticket = far_ends.autotask.new_ticket()
    for body, fields in (
        ({"errors": ["Title exceeds maximum length of 250"]}, {}),
        (
            {"errors": [{"message": "Title exceeds maximum length of 250", "field": "title"}]},
            {"title": "Title exceeds maximum length of 250"},
        ),
    ):
        far_ends.autotask.script.add(ticket, Status(500, body))
        with pytest.raises(DeliveryFailed) as caught:
            await task.deliver(note(ticket))
        failure = caught.value
        assert (failure.kind, failure.fields) == (DeliveryFailure.VALIDATION, fields)
        assert failure.sentence == (
            "It did not accept what was sent. It says: Title exceeds maximum length of 250"
        )
    assert far_ends.autotask.told(ticket) == []


async def test_what_is_too_long_is_cut_and_keeps_its_mark(
    task: Autotask, far_ends: FarEnds
) -> None:
    ticket = far_ends.autotask.new_ticket()
    long = Document("t" * 300, "x" * 40_000, DocumentKind.TICKET_NOTES)
    sent = Dispatch(uuid4(), long, ticket_id=ticket)
    receipt = await task.deliver(sent)
    (kept,) = far_ends.autotask.told(ticket)
    assert kept["title"] == "t" * 249 + "…"
    assert len(kept["description"]) == 32_000
    assert kept["description"].endswith(f"x\n\n(shortened)\n\n[ref fp-{sent.delivery_id.hex}]")
    assert await task.find(sent) == receipt


async def test_no_value_of_a_list_is_guessed(
    task: Autotask, far_ends: FarEnds, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [{"value": "1", "label": "All Internal Users"}, {"value": "2", "label": "Everybody"}]
    fields = [autotask.FIELDS[1], {"name": "publish", "picklistValues": values}]
    monkeypatch.setattr(autotask, "FIELDS", fields)
    sent = note(far_ends.autotask.new_ticket())
    plan = await task.plan(sent)
    assert json.loads(plan.requests[0].body)["publish"] == 1
    assert plan.visible_to == "Published to: All Internal Users. Nobody is mailed by FlowPilot."
    with pytest.raises(DeliveryFailed) as caught:
        await task.deliver(replace(sent, is_client_visible=True))
    assert caught.value.kind is DeliveryFailure.VALIDATION


@pytest.mark.parametrize(
    "zone", ["https://elsewhere.example/rest", "http://127.0.0.2/", "ftp://127.0.0.1", ""]
)
async def test_a_zone_elsewhere_is_not_sent_the_credentials(
    task: Autotask, far_ends: FarEnds, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setattr(far_ends.autotask, "zone_url", zone or "nonsense")
    asked = len(far_ends.autotask.asked)
    with pytest.raises(DeliveryFailed) as caught:
        await task.check()
    assert caught.value.sentence == "It names a zone at an address that is not its own."
    assert len(far_ends.autotask.asked) == asked


# ------------------------------------------------------------------ ConnectWise


async def test_a_mark_is_looked_for_on_several_pages(
    manage: ConnectWise, far_ends: FarEnds
) -> None:
    far_end = far_ends.connectwise
    ticket = far_end.new_ticket()
    sent = note(ticket)
    receipt = await manage.deliver(sent)
    far_end.notes[ticket] += [{"id": 10**6 + n, "text": "talk"} for n in range(250)]
    assert await manage.find(sent) == receipt
    assert await manage.find(note(ticket)) is None


async def test_what_was_wrong_with_which_field_is_told(
    manage: ConnectWise, far_ends: FarEnds
) -> None:
    ticket = far_ends.connectwise.new_ticket()
    errors = [{"code": "MissingRequiredField", "message": "Text is required", "field": "text"}]
    body = {"code": "InvalidObject", "message": "serviceNote is invalid", "errors": errors}
    far_ends.connectwise.script.add(ticket, Status(400, body))
    with pytest.raises(DeliveryFailed) as caught:
        await manage.deliver(note(ticket))
    assert caught.value.fields == {"text": "Text is required"}


# ------------------------------------------------------------------ Hudu


@pytest.mark.parametrize("of_company", [True, False])
async def test_an_article_arrives_where_it_belongs(
    far_ends: FarEnds, outgoing: Outgoing, of_company: bool
) -> None:
    company = new_number() if of_company else None
    destination = hudu_of(company, far_ends, outgoing)
    sent = note()
    plan = await destination.plan(sent)
    assert plan.visible_to == (
        f"Everybody who reads the articles of {'one company' if of_company else 'all companies'} "
        "in Hudu."
    )
    receipt = await destination.deliver(sent)
    (article,) = [
        each for each in far_ends.hudu.told(company or "0") if each["name"] == sent.document.title
    ]
    place = {"company_id": int(company), "folder_id": 2} if company else {}
    assert article == {
        "id": article["id"],
        "url": receipt.reference,
        "slug": article["slug"],
        "name": sent.document.title,
        "content": f"{HTML}\n<p>{sent.marker}</p>",
        **place,
    }
    assert await destination.find(sent) == receipt
    assert await destination.find(replace(sent, delivery_id=UUID(int=1))) is None


HUDU: dict[str, tuple[Behaviour, DeliveryFailure, str]] = {
    "400": (
        Status(400, {"error": "Parameter missing", "details": "value is empty: company"}),
        DeliveryFailure.VALIDATION,
        "It did not accept what was sent. It says: Parameter missing value is empty: company",
    ),
    "422": (
        Status(422, {"errors": "Name is taken"}),
        DeliveryFailure.VALIDATION,
        "It refused with status 422. It says: Name is taken",
    ),
    "422 by field": (
        Status(422, {"errors": {"name": ["is taken", "is odd"]}}),
        DeliveryFailure.VALIDATION,
        "It refused with status 422. It says: name: is taken name: is odd",
    ),
    "429 as text": (
        Status(429, "Retry later"),
        DeliveryFailure.RATE_LIMITED,
        "It asks for fewer requests.",
    ),
    "html": (
        Page(),
        DeliveryFailure.AMBIGUOUS,
        "What answered is not the system that was meant: it spoke no JSON.",
    ),
    "giant": (Giant(), DeliveryFailure.AMBIGUOUS, "Its answer has more than 2,000,000 bytes."),
    "hung up": (HangUp(stores=True), DeliveryFailure.AMBIGUOUS, "The connection broke off."),
    "another form": (
        Stored(200, {"article": []}),
        DeliveryFailure.AMBIGUOUS,
        "It answered in a form that was not expected.",
    ),
}


@pytest.mark.parametrize("fault", HUDU)
async def test_what_hudu_says_is_told_apart(
    far_ends: FarEnds, outgoing: Outgoing, fault: str
) -> None:
    behaviour, kind, sentence = HUDU[fault]
    company = new_number()
    far_ends.hudu.script.add(company, behaviour)
    destination = hudu_of(company, far_ends, outgoing)
    sent = note()
    with pytest.raises(DeliveryFailed) as caught:
        await destination.deliver(sent)
    assert (caught.value.kind, caught.value.sentence) == (kind, sentence)
    stored = len(far_ends.hudu.told(company))
    assert (await destination.find(sent) is not None) is bool(stored)


# ------------------------------------------------------------------ IT Glue


async def test_a_document_is_made_written_and_published(
    far_ends: FarEnds, outgoing: Outgoing
) -> None:
    organization = new_number()
    destination = it_glue_of(organization, far_ends, outgoing)
    sent = note()
    requests = (await destination.plan(sent)).requests
    assert [
        (each.method, each.url.removeprefix(f"{far_ends.url}/it_glue")) for each in requests
    ] == [
        ("POST", f"/organizations/{organization}/relationships/documents"),
        ("POST", "/documents/{id}/relationships/sections"),
        ("PATCH", "/documents/{id}/publish"),
    ]
    receipt = await destination.deliver(sent)
    (document,) = far_ends.it_glue.told(organization)
    assert document == {
        "organization": organization,
        "name": sent.document.title,
        "sections": [f"{HTML}\n<p>{sent.marker}</p>"],
        "draft": False,
    }
    assert receipt.reference.startswith(f"https://first.itglue.example/{organization}/docs/")
    assert await destination.find(sent) == receipt


@pytest.mark.parametrize("step", [":publish", ":section", ""])
async def test_a_document_cut_short_is_finished_or_stays_a_draft(
    far_ends: FarEnds, outgoing: Outgoing, step: str
) -> None:
    organization = new_number()
    destination = it_glue_of(organization, far_ends, outgoing)
    far_ends.it_glue.script.add(f"{organization}{step}", HangUp(stores=step != ":publish"))
    sent = note()
    with pytest.raises(DeliveryFailed) as caught:
        await destination.deliver(sent)
    assert caught.value.kind is DeliveryFailure.AMBIGUOUS
    assert len(far_ends.it_glue.told(organization, drafts=True)) == 1
    receipt = await destination.find(sent)
    if step:
        assert isinstance(receipt, Receipt)
        assert len(far_ends.it_glue.told(organization)) == 1
    else:
        assert receipt is None, "an empty draft says nothing of whose it is"


async def test_an_organisation_without_documents_is_told(
    far_ends: FarEnds, outgoing: Outgoing
) -> None:
    destination = it_glue_of(it_glue.WITHOUT_DOCUMENTS, far_ends, outgoing)
    with pytest.raises(DeliveryFailed) as caught:
        await destination.deliver(note())
    assert (caught.value.kind, caught.value.sentence) == (
        DeliveryFailure.NOT_FOUND,
        "It has no documents for that organisation: its module is off, or the id is wrong.",
    )


def test_the_ledger_promises_what_the_destinations_do() -> None:
    for provider in PROVIDERS.values():
        assert provider.open.guarantee is GUARANTEES[provider.destination]  # type: ignore[attr-defined]


async def test_nothing_that_holds_credentials_shows_them(
    far_ends: FarEnds, outgoing: Outgoing
) -> None:
    connection: Any = Connection("https://x.example", {}, {"api_key": it_glue.KEY})
    assert it_glue.KEY not in repr(connection)
