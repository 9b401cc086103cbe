"""Mail about handoffs: to whoever could claim, to whoever handed off, and to nobody without need."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.client import Client
from tests.factories import Colleagues
from tests.fakes.far_ends.mail import PASSWORD, USER, MailServer, serving_mail
from tests.passing import claim, pass_time, put_down, run_timer
from tests.tables import until_idle
from tests.talk import Conversation

SENT = """query($id: ID!) { node(id: $id) { ... on Handoff { notificationSent version } } }"""


@pytest.fixture
async def mail(client: Client, colleagues: Colleagues) -> AsyncIterator[MailServer]:
    """Connected to the account."""
    async with serving_mail(MailServer()) as server:
        saved = await client.as_(colleagues.admin).mutate(
            "saveIntegration",
            "integration { id }",
            idempotencyKey=str(uuid4()),
            name="Mail",
            baseUrl=server.url,
            connection={
                "smtp": {"sender": "desk@msp.example", "username": USER, "password": PASSWORD}
            },
        )
        assert saved["__typename"] == "SaveIntegrationSuccess"
        yield server


def address(people: Colleagues, name: str) -> str:
    return f"{name}@{people.account_id.hex}.example"


async def told(talk: Conversation, handoff: str) -> dict[str, Any]:
    found: dict[str, Any] = (await talk.client.run(SENT, id=handoff))["node"]
    return found


async def test_an_escalation_that_waits_is_mailed_once_to_the_others(
    talk: Conversation, mail: MailServer, database_url: str, strangers: Colleagues
) -> None:
    people = talk.people
    handoff = await put_down(talk, database_url, engineerNotes="My password: hunter2-secret")
    assert await told(talk, handoff) == {"notificationSent": False, "version": 1}
    assert dict(mail.kept) == {}

    await pass_time(database_url, people.account_id, 2)

    assert await told(talk, handoff) == {"notificationSent": True, "version": 1}
    assert sorted(mail.kept) == sorted(
        address(people, name) for name in ("admin", "engineer2", "lead")
    )
    (message,) = mail.kept[address(people, "lead")]
    body = message.get_body(("plain",))
    assert body is not None
    assert message["Subject"] == "Escalated by Engineer: Mail stopped arriving."
    assert f"Session: {talk.id}" in body.get_content()
    assert "My password: [PASSWORD-1]" in body.get_content()
    assert address(strangers, "lead") not in mail.kept

    await run_timer(database_url, people.account_id, "notify_of_handoff", handoff)
    await until_idle(database_url, people.account_id)
    assert len(mail.kept[address(people, "lead")]) == 1


async def test_what_is_claimed_first_is_mailed_to_whoever_handed_off_alone(
    talk: Conversation, mail: MailServer, database_url: str, client: Client
) -> None:
    people = talk.people
    handoff = await put_down(talk, database_url)
    await claim(client.as_(people.lead), handoff)
    await until_idle(database_url, people.account_id)
    await pass_time(database_url, people.account_id, 2)
    assert (await told(talk, handoff))["notificationSent"] is False
    (message,) = mail.kept.pop(address(people, "engineer"))
    assert message["Subject"] == ("Claimed by Lead: Escalated by Engineer: Mail stopped arriving.")
    assert dict(mail.kept) == {}


async def test_nobody_is_mailed_of_what_they_claimed_themselves(
    talk: Conversation, mail: MailServer, database_url: str
) -> None:
    handoff = await put_down(talk, database_url)
    await claim(talk.client, handoff)
    await pass_time(database_url, talk.people.account_id, 2)
    assert (await told(talk, handoff))["notificationSent"] is False
    assert dict(mail.kept) == {}


@pytest.mark.parametrize("given", [{"intent": "PARK"}, {"cancelled": True}])
async def test_nobody_is_mailed_of_what_nobody_need_claim(
    talk: Conversation, mail: MailServer, database_url: str, given: dict[str, Any]
) -> None:
    cancelled = given.pop("cancelled", False)
    handoff = await put_down(talk, database_url, **given)
    if cancelled:
        await talk.client.mutate("cancelHandoff", "handoff { id }", handoffId=handoff)
    await pass_time(database_url, talk.people.account_id, 2)
    assert (await told(talk, handoff))["notificationSent"] is False
    assert dict(mail.kept) == {}


async def test_a_mail_server_that_refuses_leaves_it_unsent(
    talk: Conversation, mail: MailServer, database_url: str
) -> None:
    people = talk.people
    mail.refused = {address(people, name): "550 Nobody" for name in ("admin", "engineer2", "lead")}
    handoff = await put_down(talk, database_url)
    await pass_time(database_url, people.account_id, 2)
    assert (await told(talk, handoff))["notificationSent"] is False


async def test_an_account_without_mail_sends_none(talk: Conversation, database_url: str) -> None:
    handoff = await put_down(talk, database_url)
    await pass_time(database_url, talk.people.account_id, 2)
    assert (await told(talk, handoff))["notificationSent"] is False
