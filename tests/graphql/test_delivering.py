"""A try that nobody recorded: its worker was killed, or is slow, or has been overtaken."""

import asyncio
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services import enqueue
from services.delivering import CUT_SHORT as NOBODY_KNOWS
from services.delivering import deliver
from services.ids import Kind, uuid_of
from services.runtime import Runtime
from tests.fakes.far_ends.behaviour import Held
from tests.tables import as_owner
from tests.talk import SOON
from tests.tickets import TicketDesk

CUT_SHORT = text(
    """
    UPDATE deliveries SET state = 'sending', reference = NULL, delivered_at = NULL, is_ambiguous = false,
                          tried_at = now() - make_interval(secs => :ago)
     WHERE id = :id
    """
)


async def cut_short(desk: TicketDesk, runtime: Runtime, id: str, *, ago: float) -> None:
    """As if a worker had been killed before it recorded the try; another one takes the job up."""
    key = uuid_of(Kind.DELIVERY, id)
    async with as_owner(desk.url) as db:
        await db.execute(CUT_SHORT, {"id": key, "ago": ago})
        attempts = text("DELETE FROM delivery_attempts WHERE delivery_id = :id")
        await db.execute(attempts, {"id": key})
    async with runtime.assistant_work(desk.people.account_id) as work:
        work.enqueue(enqueue.deliver(desk.people.account_id, key))


async def test_what_had_arrived_is_found_and_not_sent_again(
    any_desk: TicketDesk, runtime: Runtime
) -> None:
    id = await any_desk.push()
    before = await any_desk.done(id)
    await cut_short(any_desk, runtime, id, ago=31)
    after = await any_desk.done(id)
    assert (after["state"], after["reference"]) == ("DELIVERED", before["reference"])
    assert [each["detail"] for each in after["attempts"]] == [
        NOBODY_KNOWS.sentence,
        "It had arrived by an earlier try.",
    ]
    assert len(any_desk.far_end.told(any_desk.ticket)) == 1


async def test_what_had_not_arrived_is_sent(any_desk: TicketDesk, runtime: Runtime) -> None:
    id = await any_desk.push()
    await any_desk.done(id)
    any_desk.far_end.notes[any_desk.ticket].clear()
    await cut_short(any_desk, runtime, id, ago=31)
    after = await any_desk.done(id)
    assert after["state"] == "DELIVERED"
    assert [each["detail"] for each in after["attempts"]] == [NOBODY_KNOWS.sentence, None]
    (note,) = any_desk.far_end.told(any_desk.ticket)
    assert after["reference"] == str(note["id"])


async def test_a_try_that_may_be_under_way_is_waited_for(
    desk: TicketDesk, runtime: Runtime
) -> None:
    id = await desk.push()
    await desk.done(id)
    asked = len(desk.far_end.asked)
    await cut_short(desk, runtime, id, ago=27)
    key = uuid_of(Kind.DELIVERY, id)
    scheduled = text(
        "SELECT scheduled_at - now() > interval '1 second' FROM procrastinate_jobs "
        "WHERE args->>'delivery_id' = :id AND scheduled_at IS NOT NULL"
    )
    async with asyncio.timeout(SOON), as_owner(desk.url) as db:
        while (await db.execute(scheduled, {"id": str(key)})).scalar_one_or_none() is None:
            pass  # asking lets the worker go on
    assert len(desk.far_end.asked) == asked, "nothing was looked for yet"
    assert (await desk.done(id))["state"] == "DELIVERED"
    assert len(desk.far_end.told(desk.ticket)) == 1


async def test_whoever_was_overtaken_records_nothing(desk: TicketDesk, runtime: Runtime) -> None:
    held = Held()
    desk.far_end.script.add(desk.ticket, held)
    id = await desk.push()
    async with asyncio.timeout(SOON):
        await held.stored.wait()
    async with as_owner(desk.url) as db:
        slow = text("UPDATE deliveries SET tried_at = tried_at - interval '31 s' WHERE id = :id")
        await db.execute(slow, {"id": uuid_of(Kind.DELIVERY, id)})
    await deliver(runtime, desk.people.account_id, uuid_of(Kind.DELIVERY, id), last_try=False)
    assert (await desk.delivery(id))["state"] == "DELIVERED"
    held.goes_on.set()
    after = await desk.done(id)
    assert [each["detail"] for each in after["attempts"]] == [
        NOBODY_KNOWS.sentence,
        "It had arrived by an earlier try.",
    ]
    assert len(desk.far_end.told(desk.ticket)) == 1
    assert await desk.told() == ["QUEUED", "SENDING", "DELIVERED"]


async def test_a_job_that_comes_late_or_for_nothing_does_nothing(
    desk: TicketDesk, runtime: Runtime
) -> None:
    id = await desk.push()
    before = await desk.done(id)
    for key in (uuid_of(Kind.DELIVERY, id), UUID(int=7)):
        await deliver(runtime, desk.people.account_id, key, last_try=False)
    assert await desk.delivery(id) == before
    assert len(desk.far_end.told(desk.ticket)) == 1
    assert await desk.told() == ["QUEUED", "SENDING", "DELIVERED"]


async def test_nothing_goes_to_a_far_end_that_is_left_alone(desk: TicketDesk) -> None:
    pause = text(
        "UPDATE integrations SET paused_until = now() + interval '1 hour' WHERE id = :id "
        "RETURNING paused_until"
    )
    async with as_owner(desk.url) as db:
        key = uuid_of(Kind.INTEGRATION, desk.integration)
        until: datetime = (await db.execute(pause, {"id": key})).scalar_one()
    asked = len(desk.far_end.asked)
    id = await desk.push()
    async with asyncio.timeout(SOON):
        while (await desk.delivery(id))["nextTryAt"] is None:
            pass  # asking lets the worker go on
    waiting = await desk.delivery(id)
    assert (waiting["state"], waiting["attempts"]) == ("QUEUED", [])
    assert datetime.fromisoformat(waiting["nextTryAt"]) >= until
    assert len(desk.far_end.asked) == asked
    assert await desk.told() == ["QUEUED"]
