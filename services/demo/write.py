"""Turns a story, as the YAML files tell it, into the rows that the verbs would have made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import Account
from models.branch import Branch, BranchStatus, ForkPoint, Revival, RevivalEvidence
from models.event import Event
from models.finding import Finding, FindingEvidence, FindingKind
from models.handoff import Handoff, HandoffIntent, HandoffPriority
from models.message import BranchMessage, MessageRole
from models.session import (
    AiSession,
    ConfidenceTier,
    IntakeType,
    SessionStatus,
    SessionType,
    Step,
    StepType,
)
from services.database import fetch
from services.demo.documents import write_documents
from services.events import (
    BranchForked,
    BranchStatusChanged,
    BranchSwitched,
    DomainEvent,
    HandoffCreated,
    MessageAdded,
    ResolutionOutputChanged,
    SessionStarted,
    SessionStatusChanged,
)
from services.handoffs import PUTS_DOWN_AS, Notes, snapshot
from services.ids import new_id

PACE = timedelta(minutes=3)
"""Between one message of a story and the next."""

DEAD_FOR = timedelta(hours=3)
"""How long a branch of a story had been given up when it came back."""

Rows = list[dict[str, Any]]
Told = Mapping[str, Any]


@dataclass(slots=True)
class Author:
    """Writes the sessions of one account, and remembers what happened for its event log."""

    db: AsyncConnection
    account_id: UUID
    team_id: UUID
    people: Mapping[str, UUID]
    happened: list[tuple[datetime, UUID | None, DomainEvent]] = field(default_factory=list)

    async def write_events(self) -> None:
        """The log of all sessions, in the order of time, numbered from 1."""
        ordered = sorted(self.happened, key=lambda one: one[0])
        rows = [
            {
                "account_id": self.account_id,
                "seq": seq,
                "session_id": event.session_id,
                "type": type(event).__name__,
                "actor_id": actor,
                "occurred_at": at,
                "payload": event.payload(),
            }
            for seq, (at, actor, event) in enumerate(ordered, start=1)
        ]
        await self.db.execute(insert(Event), rows)
        await self.db.execute(
            update(Account).where(Account.id == self.account_id).values(event_seq=len(rows))
        )


@dataclass(slots=True)
class Pages:
    """The rows of one session as they come together."""

    author: Author
    session_id: UUID
    clock: datetime
    branches: Rows = field(default_factory=list)
    messages: Rows = field(default_factory=list)
    points: Rows = field(default_factory=list)
    steps: Rows = field(default_factory=list)
    findings: Rows = field(default_factory=list)
    evidence: Rows = field(default_factory=list)
    revivals: list[tuple[Told, UUID]] = field(default_factory=list)
    labels: dict[str, UUID] = field(default_factory=dict)
    said: dict[UUID, list[UUID]] = field(default_factory=dict)
    """The branch's own messages, in order."""

    @property
    def common(self) -> dict[str, UUID]:
        return {"account_id": self.author.account_id, "session_id": self.session_id}

    def note(self, event: DomainEvent, actor: UUID | None) -> None:
        self.author.happened.append((self.clock, actor, event))


async def write_session(author: Author, story: Told) -> None:
    pages = Pages(author, new_id(), datetime.now(UTC) - timedelta(hours=story["hours_ago"]))
    opener = author.people[story["opened_by"]]
    began = pages.clock
    pages.note(
        SessionStarted(pages.session_id, SessionStatus.ACTIVE, opener, author.team_id), opener
    )
    trunk_id = _branch(pages, {"label": "Trunk", "status": "active", **story["trunk"]}, opener)
    await _insert(pages, story, opener, trunk_id, began)
    await _revive(pages, opener)
    if "active" in story:
        active_id = pages.labels[story["active"]]
        pages.note(BranchSwitched(pages.session_id, trunk_id, active_id), opener)
    if "handoff" in story:
        await _hand_off(pages, story["handoff"], opener)
    elif story.get("status") == "resolved":
        await _resolve(pages, story, opener)


def _branch(
    pages: Pages,
    told: Told,
    opener: UUID,
    parent: Told | None = None,
    point: Told | None = None,
) -> UUID:
    branch_id = new_id()
    start = point["position"] if point else 0
    status = BranchStatus(told.get("status", "untried"))
    row = {
        **pages.common,
        "id": branch_id,
        "parent_branch_id": parent["id"] if parent else None,
        "fork_point_id": point["id"] if point else None,
        "fork_position": start,
        "last_position": start,
        "depth": parent["depth"] + 1 if parent else 0,
        "branch_order": 1,
        "last_child_order": 0,
        "label": told["label"],
        "description": told.get("description"),
        "status": status,
        "status_reason": told.get("reason"),
        "status_changed_at": None,
        "status_changed_by": None,
        "likelihood": told.get("likelihood"),
        "context_summary": _summary(told, pages.clock),
        "step_count": 0,
        "created_at": pages.clock,
        "input_tokens": 0,
        "output_tokens": 0,
    }
    if parent is not None:
        parent["last_child_order"] += 1  # type: ignore[index] # a row of ours
        row["branch_order"] = parent["last_child_order"]
    pages.branches.append(row)
    pages.labels[told["label"]] = branch_id
    pages.said[branch_id] = []
    if parent is None:
        row.update(status_changed_at=pages.clock, status_changed_by=opener)
    elif status is not BranchStatus.UNTRIED:
        _change_status(pages, row, BranchStatus.UNTRIED, BranchStatus.ACTIVE, None, opener)
    for message in told.get("messages", ()):
        _message(pages, row, message, opener)
    for finding in told.get("findings", ()):
        _finding(pages, row, finding)
    if "revived" in told:
        pages.revivals.append((told["revived"], branch_id))
    if status not in {BranchStatus.UNTRIED, BranchStatus.ACTIVE}:
        _change_status(pages, row, BranchStatus.ACTIVE, status, told.get("reason"), opener)
    for fork in told.get("forks", ()):
        _fork(pages, row, fork, opener)
    return branch_id


def _change_status(
    pages: Pages,
    row: dict[str, Any],
    before: BranchStatus,
    after: BranchStatus,
    reason: str | None,
    opener: UUID,
) -> None:
    row.update(status_changed_at=pages.clock, status_changed_by=opener)
    changed = BranchStatusChanged(pages.session_id, row["id"], before, after, reason)
    pages.note(changed, opener)


def _summary(told: Told, at: datetime) -> dict[str, Any] | None:
    if "summary" not in told:
        return None
    summary = told["summary"]
    return {
        "tried": summary.get("tried", []),
        "concluded": summary.get("concluded"),
        "artifacts": summary.get("artifacts", []),
        "updated_at": at.isoformat(),
    }


def _message(pages: Pages, branch: dict[str, Any], told: Told, opener: UUID) -> None:
    """`me`, another person's name, `assistant` or `note`: who says what."""
    who, body = next(iter(told.items()))
    pages.clock += PACE
    branch["last_position"] += 1
    from_assistant = who == "assistant"
    author = None if from_assistant else pages.author.people.get(who, opener)
    row = {
        **pages.common,
        "id": new_id(),
        "branch_id": branch["id"],
        "position": branch["last_position"],
        "role": (
            MessageRole.ASSISTANT
            if from_assistant
            else MessageRole.NOTE if who == "note" else MessageRole.USER
        ),
        "body": body.strip(),
        "author_id": author,
        "attempt": int(from_assistant),
        "model": "playbook" if from_assistant else None,
        "created_at": pages.clock,
        "finished_at": pages.clock if from_assistant else None,
    }  # fmt: skip
    pages.messages.append(row)
    pages.said[branch["id"]].append(row["id"])
    pages.note(MessageAdded(pages.session_id, branch["id"], row["id"]), author)
    if "step" in told:
        content = dict(told["step"])
        _step(pages, branch, StepType(content.pop("kind")), content, message_id=row["id"])


def _step(
    pages: Pages,
    branch: dict[str, Any],
    kind: StepType,
    content: Told,
    *,
    message_id: UUID | None = None,
    fork_point_id: UUID | None = None,
) -> None:
    branch["step_count"] += 1
    pages.steps.append(
        {
            **pages.common,
            "id": new_id(),
            "branch_id": branch["id"],
            "message_id": message_id,
            "fork_point_id": fork_point_id,
            "step_order": len(pages.steps) + 1,
            "step_type": kind,
            "content": content,
            "created_at": pages.clock,
        }
    )


def _finding(pages: Pages, branch: Told, told: Told) -> None:
    """`evidence` counts the branch's own messages from 1."""
    finding_id = new_id()
    pages.findings.append(
        {
            **pages.common,
            "id": finding_id,
            "branch_id": branch["id"],
            "kind": FindingKind(told["kind"]),
            "claim": told["claim"],
            "position": branch["fork_position"] + max(told["evidence"]),
            "created_at": pages.clock,
        }
    )
    said = pages.said[branch["id"]]
    pages.evidence += [
        {
            **pages.common,
            "finding_id": finding_id,
            "ordinal": ordinal,
            "message_id": said[number - 1],
        }
        for ordinal, number in enumerate(told["evidence"], start=1)
    ]


def _fork(pages: Pages, parent: dict[str, Any], told: Told, opener: UUID) -> None:
    """`after` counts the parent's own messages from 1."""
    pages.clock += PACE
    point = {
        **pages.common,
        "id": new_id(),
        "parent_branch_id": parent["id"],
        "after_message_id": pages.said[parent["id"]][told["after"] - 1] if told["after"] else None,
        "position": parent["fork_position"] + told["after"],
        "fork_reason": told["reason"],
        "created_by": opener,
        "created_at": pages.clock,
    }
    pages.points.append(point)
    _step(pages, parent, StepType.FORK, {}, fork_point_id=point["id"])
    at, place = pages.clock, len(pages.author.happened)
    made = [_branch(pages, option, opener, parent, point) for option in told["branches"]]
    forked = BranchForked(
        pages.session_id,
        point["id"],
        tuple(made),
        tuple(option["label"] for option in told["branches"]),
        tuple(option.get("likelihood") for option in told["branches"]),
    )
    pages.author.happened.insert(place, (at, opener, forked))


async def _insert(pages: Pages, story: Told, opener: UUID, trunk_id: UUID, began: datetime) -> None:
    db = pages.author.db
    await db.execute(
        insert(AiSession).values(
            account_id=pages.author.account_id,
            id=pages.session_id,
            session_type=SessionType.GUIDED,
            intake_type=IntakeType(story.get("intake_type", "free_text")),
            intake_content=pages.messages[0]["body"],
            intake_reference=story.get("reference"),
            psa_ticket_id=story.get("reference"),
            problem_summary=story["summary"],
            problem_domain=story["domain"],
            confidence_tier=ConfidenceTier(story.get("tier", "guided")),
            opened_by=opener,
            assignee_id=opener,
            team_id=pages.author.team_id,
            is_branching=len(pages.branches) > 1,
            active_branch_id=pages.labels[story["active"]] if "active" in story else trunk_id,
            branch_count=len(pages.branches),
            hypothesis_count=len(pages.branches) - 1,
            step_count=len(pages.steps),
            created_at=began,
            status_changed_at=began,
        )
    )
    for table, rows in (
        (Branch, pages.branches),
        (BranchMessage, pages.messages),
        (ForkPoint, pages.points),
        (Step, pages.steps),
        (Finding, pages.findings),
        (FindingEvidence, pages.evidence),
    ):
        if rows:
            await db.execute(insert(table), rows)


async def _revive(pages: Pages, opener: UUID) -> None:
    for told, branch_id in pages.revivals:
        revival_id, source = new_id(), pages.labels[told["from"]]
        await pages.author.db.execute(
            insert(Revival).values(
                **pages.common,
                id=revival_id,
                branch_id=branch_id,
                evidence_from_branch_id=source,
                evidence_description=told["description"],
                dead_end_reason=told["dead_end"],
                dead_end_at=pages.clock - DEAD_FOR,
                revived_by=opener,
                created_at=pages.clock,
            )
        )
        said: Sequence[UUID] = pages.said[source]
        await pages.author.db.execute(
            insert(RevivalEvidence),
            [
                {
                    **pages.common,
                    "revival_id": revival_id,
                    "ordinal": ordinal,
                    "message_id": said[number - 1],
                }
                for ordinal, number in enumerate(told["evidence"], start=1)
            ],
        )


async def _hand_off(pages: Pages, told: Told, opener: UUID) -> None:
    db = pages.author.db
    found = select(AiSession).where(AiSession.id == pages.session_id)
    session = (await fetch(db, found))[0]
    intent, priority = (
        HandoffIntent(told["intent"]),
        HandoffPriority(told.get("priority", "normal")),
    )
    notes = Notes(
        told["notes"], told.get("next_step"), told.get("waiting_on"), told.get("watch_out", [])
    )
    pages.clock += PACE
    handoff_id, status = new_id(), PUTS_DOWN_AS[intent]
    await db.execute(
        insert(Handoff).values(
            **pages.common,
            id=handoff_id,
            intent=intent,
            priority=priority,
            handed_off_by=opener,
            source_branch_id=session.active_branch_id,
            engineer_notes=notes.engineer_notes,
            snapshot=await snapshot(db, session, notes),
            created_at=pages.clock,
            waiting_since=pages.clock,
        )
    )
    created = HandoffCreated(
        pages.session_id,
        handoff_id,
        intent,
        priority,
        session.team_id,
        session.problem_domain,
        sla_state=None,
        is_due=False,
    )
    pages.note(created, opener)
    await _set_status(pages, status, opener, handoff_count=1)


async def _resolve(pages: Pages, story: Told, opener: UUID) -> None:
    pages.clock += PACE
    await _set_status(
        pages,
        SessionStatus.RESOLVED,
        opener,
        resolution_summary=story["resolution"],
        resolved_at=pages.clock,
    )
    author = pages.author
    for output_id in await write_documents(author.db, author.account_id, pages.session_id):
        pages.note(ResolutionOutputChanged(pages.session_id, output_id), None)


async def _set_status(pages: Pages, status: SessionStatus, opener: UUID, **more: object) -> None:
    began = (
        await pages.author.db.execute(
            select(AiSession.created_at).where(AiSession.id == pages.session_id)
        )
    ).scalar_one()
    await pages.author.db.execute(
        update(AiSession)
        .where(AiSession.id == pages.session_id)
        .values(
            status=status,
            status_changed_at=pages.clock,
            active_seconds=int((pages.clock - began).total_seconds()),
            **more,
        )
    )
    changed = SessionStatusChanged(
        pages.session_id, SessionStatus.ACTIVE, status, opener, pages.author.team_id
    )
    pages.note(changed, opener)
