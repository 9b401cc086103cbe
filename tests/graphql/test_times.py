"""Active and parked seconds follow the changes of status, whoever and whatever makes them."""

from datetime import UTC, datetime, timedelta

from tests.client import Client
from tests.passing import claim, pass_time, put_down, session
from tests.talk import Conversation


async def clocks(talk: Conversation) -> tuple[str, int, int]:
    """In minutes; less than one passes while a test runs."""
    found = await session(talk)
    return found["status"], found["activeSeconds"] // 60, found["parkedSeconds"] // 60


async def test_each_stretch_counts_where_it_was_spent(
    talk: Conversation, database_url: str
) -> None:
    account_id = talk.people.account_id
    await pass_time(database_url, account_id, 10)
    assert await clocks(talk) == ("ACTIVE", 10, 0)
    handoff = await put_down(talk, database_url, intent="PARK")
    assert await clocks(talk) == ("PAUSED", 10, 0)
    await pass_time(database_url, account_id, 20)
    assert await clocks(talk) == ("PAUSED", 10, 20)
    await talk.client.mutate("cancelHandoff", "handoff { id }", handoffId=handoff)
    await pass_time(database_url, account_id, 5)
    assert await clocks(talk) == ("ACTIVE", 15, 20)


async def test_so_it_does_through_return_release_gift_and_wake(
    talk: Conversation, client: Client, database_url: str
) -> None:
    account_id, people = talk.people.account_id, talk.people
    second, lead = client.as_(people.engineer2), client.as_(people.lead)
    await claim(second, await put_down(talk, database_url))
    await pass_time(database_url, account_id, 40)  # comes back when it is noticed: now
    assert await clocks(talk) == ("ESCALATED", 40, 0)
    await pass_time(database_url, account_id, 7)
    waiting = (await session(talk))["openHandoff"]["id"]
    await claim(second, waiting)
    await pass_time(database_url, account_id, 3)
    await second.mutate("releaseHandoff", "session { id }", handoffId=waiting)
    await pass_time(database_url, account_id, 11)
    assert await clocks(talk) == ("ESCALATED", 43, 18)
    for assignee in (people.engineer2, people.engineer):
        given = await lead.mutate(
            "reassignSession",
            "session { id }",
            sessionId=talk.id,
            assigneeId=assignee.id,
            expectedVersion=(await session(talk))["version"],
        )
        assert given["__typename"] == "ReassignSessionSuccess"
        await pass_time(database_url, account_id, 50)
    assert await clocks(talk) == ("ACTIVE", 143, 18)
    wake_at = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
    await put_down(talk, database_url, intent="PARK", wakeAt=wake_at)
    await pass_time(database_url, account_id, 100)
    assert await clocks(talk) == ("PAUSED", 143, 118)
