"""A session as it was at an event, put together from the events up to there.

Nothing is read from what changes: branches give only what they were made with (parent, order, place of
the fork), everything else is what the newest event about it said. What one statement per kind tells does
not grow with the number of events: of each fact only the newest event comes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from models.branch import Branch, BranchStatus
from models.event import Event
from models.handoff import HandoffIntent, HandoffPriority
from models.session import SessionStatus
from services.access import Actor
from services.database import fetch
from services.errors import FieldProblem, InvalidInput
from services.feed import StoredEvent, decode_cursor
from services.pages import Page, page_size
from services.runtime import Runtime
from services.sessions import TRUNK_LABEL
from services.tree import Tree, branch_rows

Place = tuple[UUID, int]
"""A session, and the sequence of the last event that is to count."""

_ASKED = """
    WITH asked AS (
        SELECT * FROM unnest(CAST(:session_ids AS uuid[]), CAST(:seqs AS bigint[]))
                      WITH ORDINALITY AS asked(session_id, seq, place))
"""

_FACTS = text(
    f"""{_ASKED}
    SELECT DISTINCT ON (asked.place, told.fact)
           asked.place, told.fact, e.seq, e.session_id, e.type, e.actor_id, e.occurred_at, e.payload
      FROM asked
      JOIN events e ON e.account_id = :account_id AND e.session_id = asked.session_id
                   AND e.seq <= asked.seq
     CROSS JOIN LATERAL (SELECT CASE
           WHEN e.type IN ('SessionStarted', 'SessionUpdated') THEN 'assignee'
           WHEN e.type = 'SessionStatusChanged' THEN 'status'
           WHEN e.type = 'BranchSwitched' THEN 'active'
           WHEN e.type = 'BranchForked' THEN 'forked ' || e.seq
           WHEN e.type = 'BranchStatusChanged' THEN 'status ' || (e.payload->>'branch_id')
           WHEN e.type = 'BranchUpdated' THEN (CASE
                WHEN e.payload->>'label' IS NOT NULL THEN 'label '
                WHEN e.payload->>'archived' IS NOT NULL THEN 'archived '
                WHEN e.payload->>'likelihood' IS NOT NULL THEN 'likelihood '
                END) || (e.payload->>'branch_id')
           WHEN e.type IN ('HandoffCreated', 'HandoffClaimed', 'HandoffCancelled')
                THEN e.type || ' ' || (e.payload->>'handoff_id') END AS fact) told
     WHERE told.fact IS NOT NULL
     ORDER BY asked.place, told.fact, e.seq DESC
    """  # noqa: S608 - our own words
)

_COUNTS = text(
    f"""{_ASKED}
    SELECT asked.place, CAST(e.payload->>'branch_id' AS uuid) AS branch_id, count(*) AS said
      FROM asked
      JOIN events e ON e.account_id = :account_id AND e.session_id = asked.session_id
                   AND e.seq <= asked.seq AND e.type = 'MessageAdded'
     GROUP BY asked.place, e.payload->>'branch_id'
    """  # noqa: S608 - our own words
)

_ENDS = text(
    f"""{_ASKED}
    SELECT asked.place, e.seq, e.session_id, e.type, e.actor_id, e.occurred_at, e.payload
      FROM asked
     CROSS JOIN LATERAL (
            (SELECT * FROM events
              WHERE account_id = :account_id AND session_id = asked.session_id
                AND seq <= asked.seq ORDER BY seq LIMIT 1)
             UNION ALL
            (SELECT * FROM events
              WHERE account_id = :account_id AND session_id = asked.session_id
                AND seq <= asked.seq ORDER BY seq DESC LIMIT 1)) e
     ORDER BY asked.place, e.seq
    """  # noqa: S608 - our own words
)
"""The session's first event and its newest one, up to there."""


@dataclass(slots=True)
class BranchThen:
    """`row` is the branch as it is now; only what it was made with may be taken from it."""

    row: Branch
    label: str
    status: BranchStatus
    reason: str | None = None
    changed_at: datetime | None = None
    changed_by: UUID | None = None
    likelihood: float | None = None
    archived_at: datetime | None = None
    said: int = 0
    """Messages of its own."""


@dataclass(frozen=True, slots=True)
class HandoffThen:
    """One that was waiting."""

    handoff_id: UUID
    intent: HandoffIntent
    priority: HandoffPriority
    since: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """`newest` is the last event that counts, and `tree` links the rows of the branches there were."""

    newest: StoredEvent
    status: SessionStatus
    assignee_id: UUID
    active_branch_id: UUID
    tree: Tree
    branches: Mapping[UUID, BranchThen]
    """Parents before children."""
    open_handoff: HandoffThen | None


def place_of(actor: Actor, session_id: UUID, cursor: str, newest: int) -> Place:
    """Raises InvalidInput for what is no cursor of the account, or one from after its newest event."""
    seq = decode_cursor(actor.account_id, cursor)
    if seq is None:
        raise InvalidInput([FieldProblem(("cursor",), "Is no event cursor of this account.")])
    if seq > newest:
        raise InvalidInput([FieldProblem(("cursor",), "Is ahead of all that has happened.")])
    return session_id, seq


async def by_place(runtime: Runtime, actor: Actor, places: Sequence[Place]) -> dict[Place, Moment]:
    """Without those where the log does not hold the session's beginning up to there."""
    given = {
        "account_id": actor.account_id,
        "session_ids": [session_id for session_id, _ in places],
        "seqs": [seq for _, seq in places],
    }
    branches = branch_rows(actor.account_id).where(
        Branch.session_id.in_({session_id for session_id, _ in places})
    )
    async with runtime.read(actor) as db:
        ends = _by_place((await db.execute(_ENDS, given)).all())
        facts = _by_place((await db.execute(_FACTS, given)).all())
        counts = _by_place((await db.execute(_COUNTS, given)).all())
        rows = await fetch(db, branches)
    of_session: defaultdict[UUID, list[Branch]] = defaultdict(list)
    for row in rows:
        of_session[row.session_id].append(row)
    return {
        place: _moment(of_session[place[0]], ends[number], facts[number], counts[number])
        for number, place in enumerate(places, start=1)
        if ends[number] and ends[number][0].type == "SessionStarted"
    }


def _by_place(rows: Iterable[Row[Any]]) -> defaultdict[int, list[Row[Any]]]:
    found: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.place].append(row)
    return found


def _moment(
    rows: Sequence[Branch],
    ends: Sequence[Row[Any]],
    facts: Sequence[Row[Any]],
    counts: Sequence[Row[Any]],
) -> Moment:
    told = {fact.fact: fact for fact in facts}
    made = {row.id: row for row in rows}
    root = next(row for row in rows if row.parent_branch_id is None)
    branches = {root.id: BranchThen(root, TRUNK_LABEL, BranchStatus.ACTIVE)}
    branches[root.id].changed_at = ends[0].occurred_at
    branches[root.id].changed_by = ends[0].actor_id
    forks = sorted((fact for fact in facts if fact.type == "BranchForked"), key=lambda f: f.seq)
    for fork in forks:
        asked = (fork.payload[name] for name in ("branch_ids", "labels", "likelihoods"))
        for key, label, likelihood in zip(*asked, strict=True):
            row = made[UUID(key)]
            branches[row.id] = BranchThen(row, label, BranchStatus.UNTRIED, likelihood=likelihood)
    for branch in branches.values():
        _apply(branch, told)
    for count in counts:
        branches[count.branch_id].said = count.said
    tree = Tree(branch.row for branch in branches.values())
    active = told.get("active")
    return Moment(
        newest=_stored(ends[-1]),
        status=SessionStatus((told.get("status") or ends[0]).payload["status"]),
        assignee_id=UUID(told["assignee"].payload["assignee_id"]),
        active_branch_id=UUID(active.payload["branch_id"]) if active else root.id,
        tree=tree,
        branches={row.id: branches[row.id] for row in tree.subtree(root.id)},
        open_handoff=_open_handoff(facts),
    )


def _apply(branch: BranchThen, told: Mapping[str, Row[Any]]) -> None:
    """What happened to a branch since it was made."""
    key = branch.row.id
    if fact := told.get(f"status {key}"):
        branch.status = BranchStatus(fact.payload["status"])
        branch.reason = fact.payload["reason"]
        branch.changed_at, branch.changed_by = fact.occurred_at, fact.actor_id
    if fact := told.get(f"label {key}"):
        branch.label = fact.payload["label"]
    if fact := told.get(f"likelihood {key}"):
        branch.likelihood = fact.payload["likelihood"]
    if (fact := told.get(f"archived {key}")) and fact.payload["archived"]:
        branch.archived_at = fact.occurred_at


def _open_handoff(facts: Sequence[Row[Any]]) -> HandoffThen | None:
    """There is at most one at any time; what was claimed or cancelled never opens again."""
    closed = {
        fact.payload["handoff_id"]
        for fact in facts
        if fact.type in {"HandoffClaimed", "HandoffCancelled"}
    }
    for fact in facts:
        if fact.type == "HandoffCreated" and fact.payload["handoff_id"] not in closed:
            return HandoffThen(
                UUID(fact.payload["handoff_id"]),
                HandoffIntent(fact.payload["intent"]),
                HandoffPriority(fact.payload["priority"]),
                fact.occurred_at,
            )
    return None


def _stored(row: Row[Any]) -> StoredEvent:
    return StoredEvent(
        row.seq, row.session_id, row.type, row.actor_id, row.occurred_at, row.payload
    )


# ------------------------------------------------------------------ the events themselves


@dataclass(frozen=True, slots=True)
class Timeline:
    page: Page[StoredEvent]
    is_complete: bool
    """Whether the log still holds the session's beginning."""


async def timeline(
    runtime: Runtime,
    actor: Actor,
    session_id: UUID,
    kinds: Iterable[str],
    *,
    first: int,
    after: str | None,
) -> Timeline:
    """Events of these kinds, oldest first. Raises InvalidInput (first, after)."""
    size = page_size("first", first)
    of_session = (
        select(Event)
        .where(Event.account_id == actor.account_id, Event.session_id == session_id)
        .order_by(Event.seq)
    )
    wanted = of_session.where(Event.type.in_(list(kinds))).limit(size + 1)
    if after is not None:
        seq = decode_cursor(actor.account_id, after)
        if seq is None:
            raise InvalidInput([FieldProblem(("after",), "Is no event cursor of this account.")])
        wanted = wanted.where(Event.seq > seq)
    async with runtime.read(actor) as db:
        oldest = await fetch(db, of_session.limit(1))
        rows: Sequence[Any] = await fetch(db, wanted)
    return Timeline(
        Page([_stored(row) for row in rows[:size]], len(rows) > size, after is not None),
        is_complete=bool(oldest) and oldest[0].type == "SessionStarted",
    )
