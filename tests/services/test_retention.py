"""What is old and over goes, exactly that, and what follows a log is told so."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import text

from cli import migrate
from services import retention
from services.feed import Reset
from services.ids import new_id
from services.retention import Periods, RetentionUnclear, count_old, retain
from tests.services.test_feed import Desk, next_event, open_desk, take
from tests.tables import as_owner, snapshot


@pytest.fixture
def url(make_database: Callable[[str], str]) -> str:
    fresh = make_database("retention")
    migrate(fresh)
    return fresh


async def run(url: str, *statements: str, **values: object) -> None:
    async with as_owner(url) as db:
        for statement in statements:
            bound = text(statement)
            await db.execute(bound, {name: values[name] for name in bound.compile().params})


async def age_events(desk: Desk, up_to: int, days: int) -> None:
    await run(
        desk.url,
        "UPDATE events SET occurred_at = now() - make_interval(days => :days) "
        "WHERE account_id = :account_id AND seq <= :up_to",
        days=days,
        account_id=desk.account_id,
        up_to=up_to,
    )


async def end_session(desk: Desk, session_id: UUID, status: str, days: int) -> None:
    await run(
        desk.url,
        "UPDATE ai_sessions SET status = :status, updated_at = now() - make_interval(days => :days),"
        " status_changed_at = now() - make_interval(days => :days) WHERE id = :id",
        status=status,
        days=days,
        id=session_id,
    )


async def count(url: str, table: str) -> int:
    async with as_owner(url) as db:
        return int((await db.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def refused(desk: Desk, after: int, session_id: UUID | None = None) -> int:
    with pytest.raises(Reset) as refusal:
        await take(desk, after, 1, session_id)
    return refusal.value.seq


async def test_old_events_go_from_the_oldest_on_and_older_cursors_are_told(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 2)
    async with open_desk(url) as desk, open_desk(url) as other:
        await desk.write(5)
        await desk.write(3, session=1)
        await other.write(2)
        await age_events(desk, 5, days=91)
        await age_events(other, 2, days=89)
        kept = (await desk.stored())[5:]
        before = await other.stored()
        assert await count_old(url, Periods(events=90)) == {"events": 5}
        assert len(await desk.stored()) == 8
        assert await retain(url, Periods(events=90)) == {"events": 5}
        assert await desk.stored() == kept
        assert await other.stored() == before

        for after in range(5):
            assert await refused(desk, after) == 8
            assert await refused(desk, after, desk.sessions[1]) == 8
        assert [event.seq for event in await take(desk, 5, 3)] == [6, 7, 8]
        assert [event.seq for event in await take(other, 0, 2)] == [1, 2]


async def test_a_log_that_is_all_old_begins_at_its_end(url: str) -> None:
    async with open_desk(url) as desk:
        await desk.write(4)
        await age_events(desk, 4, days=2)
        assert await retain(url, Periods(events=1)) == {"events": 4}
        assert await refused(desk, 3) == 4
        follower = desk.feed.follow(desk.account_id, 4)
        await desk.write()
        assert (await next_event(follower)).seq == 5
        await follower.aclose()


async def test_an_old_event_behind_a_new_one_waits_so_that_the_log_has_no_hole(url: str) -> None:
    async with open_desk(url) as desk:
        await desk.write(3)
        await run(url, "UPDATE events SET occurred_at = now() - interval '9 days' WHERE seq <> 2")
        assert await retain(url, Periods(events=5)) == {"events": 1}
        assert [seq for seq, _, _ in await desk.stored()] == [2, 3]


async def test_who_reads_pages_while_the_log_is_cut_is_told(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.feed.PAGE", 2)
    async with open_desk(url) as desk:
        await desk.write(8)
        slow = desk.feed.follow(desk.account_id, 0, desk.sessions[0])
        assert [(await next_event(slow)).seq for _ in range(2)] == [1, 2]
        await age_events(desk, 5, days=2)
        await retain(url, Periods(events=1))
        with pytest.raises(Reset):
            await next_event(slow)


async def test_sessions_go_when_they_are_over_old_and_out_of_the_log(
    url: str,
) -> None:
    async with open_desk(url) as desk, open_desk(url) as other:
        first, second = desk.sessions
        for each in desk.sessions:
            await end_session(desk, each, "resolved", days=31)
        await end_session(other, other.sessions[0], "abandoned", days=29)
        await end_session(other, other.sessions[1], "active", days=400)
        await desk.write(2)
        await desk.write(2, session=1)
        await age_events(desk, 2, days=31)
        periods = Periods(events=30, sessions=30)
        async with as_owner(url) as db:
            before = await snapshot(db, other.account_id)
        assert await count_old(url, periods) == {"events": 2, "sessions": 1}
        assert await retain(url, periods) == {"events": 2, "sessions": 1}
        async with as_owner(url) as db:
            left = (await db.execute(text("SELECT session_id FROM session_branches"))).scalars()
            assert set(left) == {second, *other.sessions}
            assert await snapshot(db, other.account_id) == before
        assert first not in {session for _, session, _ in await desk.stored()}
        assert await retain(url, periods) == {"events": 0, "sessions": 0}


async def test_tokens_keys_and_jobs_go_when_they_are_over(url: str) -> None:
    async with open_desk(url) as desk:
        who = {"account_id": desk.account_id, "user_id": desk.user_id}
        for days in (8, 6, -20):
            await run(
                url,
                "INSERT INTO refresh_tokens "
                "(account_id, id, user_id, family_id, token_hash, expires_at, used_at) VALUES "
                "(:account_id, :id, :user_id, :id, CAST(gen_random_uuid()::text AS bytea), "
                " now() - make_interval(days => :days), now() - interval '90 days')",
                id=new_id(),
                days=days,
                **who,
            )
            await run(
                url,
                "INSERT INTO idempotency_keys "
                "(account_id, actor_id, mutation, key, input_hash, made, created_at) VALUES "
                "(:account_id, :user_id, 'startSession', :key, '', '{}', "
                " now() - make_interval(days => :days))",
                key=new_id(),
                days=days,
                **who,
            )
            for status in ("todo", "doing", "failed", "cancelled"):
                await run(
                    url,
                    "INSERT INTO procrastinate_jobs (task_name, queue_name) "
                    f"VALUES ('t{days} {status}', 'none')",
                    f"UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 't{days} {status}'",
                    f"UPDATE procrastinate_jobs SET status = '{status}' "
                    f"WHERE task_name = 't{days} {status}'",
                )
        await run(
            url,
            "UPDATE procrastinate_events e SET at = now() - interval '8 days' "
            "FROM procrastinate_jobs j WHERE j.id = e.job_id AND starts_with(j.task_name, 't8')",
        )
        periods = Periods(tokens=7, idempotency_keys=7, jobs=7)
        expected = {"tokens": 1, "idempotency_keys": 1, "jobs": 2}
        assert await count_old(url, periods) == expected
        assert await count(url, "refresh_tokens") == 3
        assert await retain(url, periods) == expected
        assert await count(url, "refresh_tokens") == 2
        assert await count(url, "idempotency_keys") == 2
        assert await count(url, "procrastinate_jobs") == 10
        assert await retain(url, periods) == dict.fromkeys(expected, 0)


def test_periods_that_make_no_sense_are_refused() -> None:
    with pytest.raises(RetentionUnclear, match="Say what to delete"):
        Periods()
    for events in (None, 31):
        with pytest.raises(RetentionUnclear, match="Sessions go only after their events"):
            Periods(events=events, sessions=30)
