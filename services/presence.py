"""Who has a session open and where, and what each person has not read yet.

State, not events: one row for a person and a branch, which the next look overwrites. Nothing is recorded
and no session is locked, so that a page can say every half a minute that it is still there.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on

from models.account import Account, User
from models.branch import Branch
from models.message import BranchMessage
from models.presence import BranchView
from models.session import AiSession
from services import lifecycle
from services.access import Actor, visible_sessions
from services.database import fetch
from services.errors import NotFound, PermissionDenied
from services.feed import Permit
from services.ids import Kind, node_id
from services.runtime import Runtime
from services.tree import branch_rows

PRESENT_FOR = timedelta(seconds=60)
"""After a look; pages look every 30 seconds, so one of them may be lost."""

MOST_SHOWN = 50

SAFETY_POLL = 4.0
"""Seconds after which a follower looks although no hint came: so long somebody who vanished may be shown
after their minute, and so long a caller who was shut out may still follow.
"""

# A person's place is read as it was before: what did not change is told to nobody.
LOOK = text(
    """
    WITH branch AS (
        SELECT b.account_id, b.session_id, b.id,
               coalesce((SELECT min(m.position) - 1 FROM branch_messages m
                          WHERE m.account_id = b.account_id AND m.session_id = b.session_id
                            AND m.branch_id = b.id AND m.state IN ('pending', 'streaming')),
                        b.last_position) AS read_position
          FROM session_branches b
         WHERE b.account_id = :account_id AND b.id = :branch_id
    ), place AS (
        SELECT v.branch_id, v.is_asking, v.has_left, v.seen_at
          FROM branch_views v JOIN branch b USING (account_id, session_id)
         WHERE v.user_id = :user_id
         ORDER BY v.seen_at DESC LIMIT 1
    )
    INSERT INTO branch_views AS view
           (account_id, user_id, branch_id, session_id, read_position, is_asking)
    SELECT account_id, :user_id, id, session_id, read_position, :is_asking FROM branch
        ON CONFLICT (account_id, user_id, branch_id) DO UPDATE
       SET read_position = greatest(view.read_position, excluded.read_position),
           is_asking = excluded.is_asking, has_left = false,
           seen_at = greatest(view.seen_at, excluded.seen_at)
    RETURNING session_id,
              EXISTS (SELECT FROM place
                       WHERE place.branch_id = view.branch_id AND NOT place.has_left
                         AND place.is_asking = view.is_asking
                         AND place.seen_at > now() - CAST(:present_for AS interval)) AS was_there
    """
)


# ---------------------------------------------------------------- verbs


async def look_at_branch(
    runtime: Runtime, actor: Actor, *, branch_id: UUID, is_asking: bool
) -> UUID:
    """Makes the branch the person's place in its session, which it tells, and all of it read.

    Others are told only of what changes for them. Raises NotFound and PermissionDenied.
    """
    _require_person(actor)
    given = {
        "account_id": actor.account_id,
        "user_id": actor.user_id,
        "branch_id": branch_id,
        "is_asking": is_asking,
        "present_for": PRESENT_FOR,
    }
    async with runtime.work(actor) as work:
        looked = (await work.db.execute(LOOK, given)).one_or_none()
    if looked is None:
        raise NotFound(node_id(Kind.BRANCH, branch_id))
    if not looked.was_there:
        runtime.bus.wake(presence_topic(looked.session_id))
    session_id: UUID = looked.session_id
    return session_id


async def leave_session(runtime: Runtime, actor: Actor, *, session_id: UUID) -> None:
    """The person is not there any more, and keeps their place. Raises NotFound and PermissionDenied."""
    _require_person(actor)
    left = (
        update(BranchView)
        .where(
            BranchView.account_id == actor.account_id,
            BranchView.session_id == session_id,
            BranchView.user_id == actor.user_id,
            BranchView.has_left.is_(False),
        )
        .values(has_left=True)
        .returning(BranchView.branch_id)
    )
    known = (
        visible_sessions(actor.account_id)
        .with_only_columns(AiSession.id)
        .where(AiSession.id == session_id)
    )
    async with runtime.work(actor) as work:
        was_there = (await work.db.execute(left)).first() is not None
        if not was_there and (await work.db.execute(known)).first() is None:
            raise NotFound(node_id(Kind.SESSION, session_id))
    if was_there:
        runtime.bus.wake(presence_topic(session_id))


def _require_person(actor: Actor) -> None:
    if actor.is_key:
        raise PermissionDenied("An API key looks at nothing; a person must.")


def presence_topic(session_id: UUID) -> str:
    """Who follows it looks again who is there."""
    return f"presence:{session_id.hex}"


# ---------------------------------------------------------------- who is there


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who has a session open."""

    user_id: UUID
    branch_id: UUID
    is_asking: bool
    seen_at: datetime


def others(present: Sequence[Present], actor: Actor) -> list[Present]:
    """Nobody is told of themselves."""
    return [one for one in present if one.user_id != actor.user_id][:MOST_SHOWN]


async def by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, list[Present]]:
    """By display name; the same for every viewer of the account, whom `others` takes out."""
    there = _there(actor, BranchView.session_id.in_(session_ids))
    async with runtime.read(actor) as db:
        rows = (await db.execute(select(there).order_by(*_by_name(there)))).all()
    found: defaultdict[UUID, list[Present]] = defaultdict(list)
    for row in rows:
        found[row.session_id].append(_present_of(row))
    return found


async def follow_presence(
    runtime: Runtime, actor: Actor, session_id: UUID, permit: Permit
) -> AsyncGenerator[list[Present], None]:
    """Who else is there: at once, and again whenever that differs. Never ends by itself.

    Raises NotFound, and what the permit raises, before its holder is told what they may not hear.
    """
    told: list[tuple[object, ...]] | None = None
    with runtime.bus.listen(presence_topic(session_id)) as hints:
        while True:
            access_version, present = await _look(runtime, actor, session_id)
            await permit.hold(access_version)
            shown = others(present, actor)
            seen: list[tuple[object, ...]] = [
                (one.user_id, one.branch_id, one.is_asking) for one in shown
            ]
            if seen != told:
                told = seen
                yield shown
            await hints.wait(SAFETY_POLL)


async def _look(runtime: Runtime, actor: Actor, session_id: UUID) -> tuple[int, list[Present]]:
    """Who is there, with the access version of the same moment."""
    there = _there(actor, BranchView.session_id == session_id)
    statement = (
        select(Account.access_version, there)
        .select_from(AiSession)
        .join(Account, Account.id == AiSession.account_id)
        .outerjoin(there, there.c.session_id == AiSession.id)
        .where(AiSession.account_id == actor.account_id, AiSession.id == session_id)
        .order_by(*_by_name(there))
    )
    async with runtime.read(actor) as db:
        rows = (await db.execute(statement)).all()
    if not rows:
        raise NotFound(node_id(Kind.SESSION, session_id))
    return rows[0].access_version, [_present_of(row) for row in rows if row.user_id is not None]


def _there(actor: Actor, wanted: ColumnElement[bool]) -> Subquery:
    """Of each person the newest view in a session, where that is of the last minute and they have not
    left since.
    """
    newest = (
        select(BranchView)
        .where(
            BranchView.account_id == actor.account_id,
            wanted,
            BranchView.seen_at > func.now() - PRESENT_FOR,
        )
        .ext(distinct_on(BranchView.session_id, BranchView.user_id))
        .order_by(BranchView.session_id, BranchView.user_id, BranchView.seen_at.desc())
        .subquery("newest")
    )
    return (
        select(newest, User.display_name)
        .join(User, and_(User.account_id == newest.c.account_id, User.id == newest.c.user_id))
        .where(newest.c.has_left.is_(False), User.deactivated_at.is_(None))
        .subquery("there")
    )


def _by_name(there: Subquery) -> tuple[ColumnElement[str], ColumnElement[UUID]]:
    return there.c.display_name, there.c.user_id


def _present_of(row: Any) -> Present:  # noqa: ANN401 - a row of `_there`
    return Present(row.user_id, row.branch_id, row.is_asking, row.seen_at)


# ---------------------------------------------------------------- the viewer's own


async def places_by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, Branch]:
    """The branch that the viewer looked at last."""
    statement = (
        branch_rows(actor.account_id)
        .join(
            BranchView,
            and_(
                BranchView.account_id == Branch.account_id,
                BranchView.branch_id == Branch.id,
                BranchView.user_id == actor.user_id,
            ),
        )
        .where(BranchView.session_id.in_(session_ids))
        .ext(distinct_on(BranchView.session_id))
        .order_by(BranchView.session_id, BranchView.seen_at.desc())
    )
    async with runtime.read(actor) as db:
        return {row.session_id: row for row in await fetch(db, statement)}


async def unread_by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, dict[UUID, int]]:
    """What others have said since the viewer looked, by branch; none of it is still being written.

    By session, so that a nested tree costs no statement a level. Messages are counted only where
    positions tell that some are new. An API key reads nothing.
    """
    if actor.is_key:
        return {}
    read_up_to = func.coalesce(BranchView.read_position, Branch.fork_position)
    unread = (
        select(func.count())
        .where(
            BranchMessage.account_id == Branch.account_id,
            BranchMessage.branch_id == Branch.id,
            BranchMessage.position > read_up_to,
            BranchMessage.state.not_in(lifecycle.UNFINISHED),
            or_(BranchMessage.author_id.is_(None), BranchMessage.author_id != actor.user_id),
        )
        .correlate(Branch, BranchView)
        .scalar_subquery()
    )
    statement = (
        select(Branch.session_id, Branch.id, unread.label("unread"))
        .outerjoin(
            BranchView,
            and_(
                BranchView.account_id == Branch.account_id,
                BranchView.branch_id == Branch.id,
                BranchView.user_id == actor.user_id,
            ),
        )
        .where(
            Branch.account_id == actor.account_id,
            Branch.session_id.in_(session_ids),
            Branch.last_position > read_up_to,
        )
    )
    async with runtime.read(actor) as db:
        rows = (await db.execute(statement)).all()
    found: defaultdict[UUID, dict[UUID, int]] = defaultdict(dict)
    for row in rows:
        found[row.session_id][row.id] = row.unread
    return found
