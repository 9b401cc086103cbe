"""What the assistant is told of a session, as seen from one branch: two statements, whatever its size, and
one more where pictures were sent.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import User
from models.branch import BranchStatus
from models.finding import FindingKind
from models.message import BranchMessage, MessageRole, MessageState
from services.ai.context import MergedFinding, RevivalFacts
from services.ai.port import (
    Conversation,
    Hypothesis,
    Segment,
    SessionFacts,
    Turn,
)
from services.ai.tasks import HypothesisFacts
from services.files.sent import FILES, read_attachments
from services.messages import lineage

MOST_FINDINGS = 500
"""Of one session, the newest."""

_GAPS = 20
"""How many of the last questions tell the pace of a conversation."""

_RECORD = text(
    """
    SELECT json_build_object(
        'session_id', session.id,
        'intake', session.intake_content,
        'reference', session.intake_reference,
        'domain', session.problem_domain,
        'branches', (
            SELECT json_agg(json_build_object(
                'id', branch.id, 'parent_id', branch.parent_branch_id,
                'fork_position', branch.fork_position, 'last_position', branch.last_position,
                'analysed_position', branch.analysed_position,
                'label', branch.label, 'description', branch.description,
                'status', branch.status, 'reason', branch.status_reason,
                'likelihood', branch.likelihood, 'summary', branch.context_summary,
                'archived', branch.archived_at IS NOT NULL)
                ORDER BY branch.depth, branch.branch_order, branch.id)
            FROM session_branches branch
            WHERE branch.account_id = own.account_id AND branch.session_id = own.session_id),
        'findings', (
            SELECT coalesce(json_agg(json_build_object(
                'id', finding.id, 'branch_id', finding.branch_id,
                'kind', finding.kind, 'claim', finding.claim,
                'position', finding.position) ORDER BY finding.id), '[]')
            FROM (SELECT * FROM findings
                   WHERE account_id = own.account_id AND session_id = own.session_id
                   ORDER BY id DESC LIMIT :most_findings) finding),
        'revivals', (
            SELECT coalesce(json_agg(json_build_object(
                'branch_id', revival.evidence_from_branch_id,
                'description', revival.evidence_description) ORDER BY revival.id DESC), '[]')
            FROM branch_revivals revival
            WHERE revival.account_id = own.account_id AND revival.branch_id = own.id),
        'merged', (
            SELECT coalesce(json_agg(json_build_object(
                'branch_id', finding.branch_id, 'claim', finding.claim)
                ORDER BY merge.id, merged.ordinal), '[]')
            FROM finding_merges merge
            JOIN merged_findings merged
              ON merged.account_id = merge.account_id AND merged.merge_id = merge.id
            JOIN findings finding
              ON finding.account_id = merged.account_id AND finding.id = merged.finding_id
            WHERE merge.account_id = own.account_id AND merge.branch_id = own.id
              AND merge.undone_at IS NULL)
        )::text
      FROM session_branches own
      JOIN ai_sessions session
        ON session.account_id = own.account_id AND session.id = own.session_id
     WHERE own.account_id = :account_id AND own.id = :branch_id
    """
)


class BranchRecord(BaseModel):
    id: UUID
    parent_id: UUID | None
    fork_position: int
    last_position: int
    analysed_position: int
    label: str
    description: str | None
    status: BranchStatus
    reason: str | None
    likelihood: float | None
    summary: dict[str, Any] | None
    archived: bool


class FindingRecord(BaseModel):
    id: UUID
    branch_id: UUID
    kind: FindingKind
    claim: str
    position: int


class RevivalRecord(BaseModel):
    branch_id: UUID
    description: str


class MergedRecord(BaseModel):
    branch_id: UUID
    claim: str


class SessionRecord(BaseModel):
    """Branches in the order of the tree, findings in that of their making, revivals newest first."""

    session_id: UUID
    intake: str
    reference: str | None
    domain: str | None
    branches: list[BranchRecord]
    findings: list[FindingRecord]
    revivals: list[RevivalRecord]
    merged: list[MergedRecord]


@dataclass(frozen=True, slots=True)
class Said:
    """A complete message of the lineage."""

    branch_id: UUID
    message_id: UUID
    created_at: datetime
    turn: Turn


@dataclass(frozen=True, slots=True)
class Record:
    session: SessionRecord
    branch: BranchRecord
    messages: Sequence[Said]
    """Of the lineage, by position."""

    @property
    def line(self) -> list[BranchRecord]:
        """The trunk first, the branch last."""
        by_id = {branch.id: branch for branch in self.session.branches}
        line = [self.branch]
        while line[0].parent_id is not None:
            line.insert(0, by_id[line[0].parent_id])
        return line

    @property
    def hypotheses(self) -> dict[str, BranchRecord]:
        """Every branch in sight but the trunk, by the name that it has in one request: H1, H2 ..."""
        seen = (b for b in self.session.branches if b.parent_id is not None and not b.archived)
        return {f"H{number}": branch for number, branch in enumerate(seen, start=1)}

    def before(self, position: int) -> list[Said]:
        return [said for said in self.messages if said.turn.position < position]


async def read_record(db: AsyncConnection, account_id: UUID, branch_id: UUID) -> Record:
    """Raises NoResultFound where there is no such branch."""
    document, rows = await read_rows(db, account_id, branch_id)
    session = SessionRecord.model_validate_json(document)
    branch = next(branch for branch in session.branches if branch.id == branch_id)
    files = await read_attachments(db, account_id, {row.id: row.files for row in rows})
    messages = [
        Said(
            row.branch_id,
            row.id,
            row.created_at,
            Turn(row.position, row.role, row.body, row.display_name, files.get(row.id, ())),
        )
        for row in rows
    ]
    return Record(session, branch, messages)


async def read_rows(
    db: AsyncConnection, account_id: UUID, branch_id: UUID
) -> tuple[str, Sequence[Any]]:
    """The session as one JSON document, and the complete messages of the lineage by position, each with
    its files as JSON.
    """
    given = {"account_id": account_id, "branch_id": branch_id, "most_findings": MOST_FINDINGS}
    document = (await db.execute(_RECORD, given)).scalar_one()
    line = lineage(account_id, branch_id).subquery()
    statement = (
        select(
            BranchMessage.branch_id,
            BranchMessage.id,
            BranchMessage.created_at,
            BranchMessage.position,
            BranchMessage.role,
            BranchMessage.body,
            User.display_name,
            FILES,
        )
        .join(line, (BranchMessage.branch_id == line.c.id) & (BranchMessage.position <= line.c.cut))
        .outerjoin(
            User,
            (User.account_id == BranchMessage.account_id) & (User.id == BranchMessage.author_id),
        )
        .where(
            BranchMessage.account_id == account_id,
            BranchMessage.state == MessageState.COMPLETE,
        )
        .order_by(BranchMessage.position)
    )
    return document, (await db.execute(statement)).all()


# ------------------------------------------------------------------ as the assistant is told


def conversation(record: Record, messages: Iterable[Said]) -> Conversation:
    """The messages, which come by position, told apart by the branch on which they were said."""
    turns: defaultdict[UUID, list[Turn]] = defaultdict(list)
    asked = []
    for said in messages:
        turns[said.branch_id].append(said.turn)
        if said.turn.role is MessageRole.USER:
            asked.append(said.created_at)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(asked[-_GAPS:])]
    return Conversation(
        facts(record),
        tuple(Segment(tuple(turns[branch.id]), _hypothesis(branch)) for branch in record.line),
        median_gap=median(gaps) if gaps else None,
    )


def facts(record: Record) -> SessionFacts:
    session = record.session
    return SessionFacts(session.intake, session.domain, session.reference)


def _hypothesis(branch: BranchRecord) -> Hypothesis | None:
    if branch.parent_id is None:
        return None
    return Hypothesis(branch.label, branch.description or "")


def hypothesis_facts(record: Record) -> tuple[HypothesisFacts, ...]:
    """All that is in sight, this branch's own included."""
    claims = _claims(record.session.findings)
    return tuple(
        _facts_of(ref, branch, claims[branch.id]) for ref, branch in record.hypotheses.items()
    )


def other_branches(record: Record) -> tuple[HypothesisFacts, ...]:
    """What the branch did not hear itself: the other branches in sight, and what was found on its
    ancestors after it had left them.
    """
    line = record.line
    names = {branch.id: ref for ref, branch in record.hypotheses.items()}
    claims = _claims(
        finding for finding in record.session.findings if not _inherited(finding, line)
    )
    ancestors = {branch.id for branch in line[:-1]}
    return tuple(
        _facts_of(names.get(branch.id, ""), branch, claims[branch.id])
        for branch in record.session.branches
        if branch.id != record.branch.id
        and not branch.archived
        and (branch.id not in ancestors or claims[branch.id])
    )


def _inherited(finding: FindingRecord, line: Sequence[BranchRecord]) -> bool:
    cut = None
    for branch in reversed(line):
        if branch.id == finding.branch_id:
            return cut is None or finding.position <= cut
        cut = branch.fork_position if cut is None else min(cut, branch.fork_position)
    return False


def _claims(findings: Iterable[FindingRecord]) -> defaultdict[UUID, list[str]]:
    claims: defaultdict[UUID, list[str]] = defaultdict(list)
    for finding in findings:
        claims[finding.branch_id].append(finding.claim)
    return claims


def _facts_of(ref: str, branch: BranchRecord, claims: Sequence[str]) -> HypothesisFacts:
    summary = branch.summary or {}
    return HypothesisFacts(
        ref=ref,
        label=branch.label,
        description=branch.description or "",
        status=branch.status,
        reason=branch.reason,
        likelihood=branch.likelihood,
        tried=tuple(summary.get("tried", ())),
        concluded=summary.get("concluded"),
        findings=tuple(claims),
    )


def revivals(record: Record) -> Iterator[RevivalFacts]:
    """Newest first."""
    labels = _labels(record)
    for revival in record.session.revivals:
        yield RevivalFacts(labels[revival.branch_id], revival.description)


def merged_findings(record: Record) -> Iterator[MergedFinding]:
    labels = _labels(record)
    for merged in record.session.merged:
        yield MergedFinding(labels[merged.branch_id], merged.claim)


def _labels(record: Record) -> dict[UUID, str]:
    return {branch.id: branch.label for branch in record.session.branches}
