"""Active and parked seconds follow the changes of status."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import make_url, update
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from models.session import AiSession
from tests.client import Client
from tests.factories import Colleagues

CLOCKS = "query($id: ID!) { session(id: $id) { status activeSeconds parkedSeconds } }"


async def test_each_stretch_counts_where_it_was_spent(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engine = create_async_engine(
        make_url(database_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool
    )
    engineer = client.as_(colleagues.engineer)
    started = await engineer.mutate("startSession", "session { id }", intake={"text": "It fails"})
    session_id = started["session"]["id"]

    async def pass_time(seconds: int) -> None:
        """As if the last change of status had been so much earlier."""
        earlier = update(AiSession).where(AiSession.id == UUID(session_id.removeprefix("se_")))
        async with engine.begin() as db:
            await db.execute(
                earlier.values(
                    status_changed_at=AiSession.status_changed_at - timedelta(seconds=seconds)
                )
            )

    async def clocks() -> tuple[str, int, int]:
        session = (await engineer.run(CLOCKS, id=session_id))["session"]
        # Less than half a minute passes while this runs, so minutes are exact.
        active, parked = (session[f"{kind}Seconds"] // 60 for kind in ("active", "parked"))
        return session["status"], active, parked

    await pass_time(600)
    assert await clocks() == ("ACTIVE", 10, 0)
    parked = await engineer.mutate(
        "handOffSession", "handoff { id }", sessionId=session_id, intent="PARK"
    )
    assert await clocks() == ("PAUSED", 10, 0)
    await pass_time(1200)
    assert await clocks() == ("PAUSED", 10, 20)
    await engineer.mutate("cancelHandoff", "handoff { id }", handoffId=parked["handoff"]["id"])
    await pass_time(300)
    assert await clocks() == ("ACTIVE", 15, 20)
    await engine.dispose()
