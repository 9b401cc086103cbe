"""What a session that was resolved has recorded: as the assistant is told, and what it may rest on."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.finding import FindingEvidence
from models.output import ResolutionOutput
from services.ai.document_tasks import Case, CaseFinding, DocumentTask
from services.ai.port import Attachment, Turn
from services.ai.tasks import HypothesisFacts
from services.outputs.grounding import SentenceBasis, Source
from services.record import Record, conversation, hypothesis_facts, read_record

_SETTLED = text(
    """
    SELECT session.problem_summary, session.resolution_summary, session.active_branch_id,
           (SELECT branch.id FROM session_branches branch
             WHERE branch.account_id = session.account_id AND branch.session_id = session.id
               AND branch.status = 'solved' AND branch.archived_at IS NULL
             ORDER BY branch.status_changed_at DESC, branch.id LIMIT 1) AS solved_by
      FROM ai_sessions session
     WHERE session.account_id = :account_id AND session.id = :session_id
    """
)
"""The branch that was marked last is the one that solved it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """`branch_id` is whose conversation is told; `messages` are keys by position, of that lineage."""

    branch_id: UUID
    case: Case
    messages: Mapping[int, UUID]
    evidence: Mapping[str, tuple[UUID, ...]]
    """Messages that carry each finding, by its ref."""


async def read_case(db: AsyncConnection, output: ResolutionOutput) -> Recorded:
    """Four statements, whatever the session holds, and one more where pictures were sent."""
    given = {"account_id": output.account_id, "session_id": output.session_id}
    settled: Any = (await db.execute(_SETTLED, given)).one()
    branch_id: UUID = settled.solved_by or settled.active_branch_id
    record = await read_record(db, output.account_id, branch_id)
    carried = await _evidence(db, output)
    found = dict(_findings(record))
    names = {branch.id: ref for ref, branch in record.hypotheses.items()}
    case = Case(
        conversation(record, record.messages),
        settled.resolution_summary or "",
        settled.problem_summary,
        names.get(settled.solved_by),
        hypothesis_facts(record),
        tuple(found.values()),
    )
    return Recorded(
        branch_id,
        case,
        {said.turn.position: said.message_id for said in record.messages},
        {found[key].ref: tuple(carried[key]) for key in found},
    )


async def _evidence(db: AsyncConnection, output: ResolutionOutput) -> dict[UUID, list[UUID]]:
    statement = (
        select(FindingEvidence.finding_id, FindingEvidence.message_id)
        .where(
            FindingEvidence.account_id == output.account_id,
            FindingEvidence.session_id == output.session_id,
        )
        .order_by(FindingEvidence.finding_id, FindingEvidence.ordinal)
    )
    carried: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for row in (await db.execute(statement)).all():
        carried[row.finding_id].append(row.message_id)
    return carried


def _findings(record: Record) -> list[tuple[UUID, CaseFinding]]:
    """Of the branches in sight, in the order they were made."""
    labels = {branch.id: branch.label for branch in record.session.branches if not branch.archived}
    seen = [found for found in record.session.findings if found.branch_id in labels]
    return [
        (found.id, CaseFinding(f"F{number}", labels[found.branch_id], found.kind, found.claim))
        for number, found in enumerate(seen, start=1)
    ]


def sources(recorded: Recorded, task: DocumentTask[Any]) -> dict[str, Source]:
    """What a sentence may name, by the names that the task gave. The task is the one that was asked: what
    it left out or took out was not shown.
    """
    case = task.case
    return {
        **{f"M{turn.position}": _message(recorded, turn) for turn in case.conversation.turns},
        **{
            found.ref: Source(SentenceBasis.MESSAGES, found.claim, recorded.evidence[found.ref])
            for found in case.findings
        },
        **{facts.ref: _hypothesis(recorded, case, facts) for facts in case.hypotheses},
        "R": Source(SentenceBasis.RESOLUTION_SUMMARY, case.resolution),
    }


def _message(recorded: Recorded, turn: Turn) -> Source:
    said = "\n".join((turn.text, *map(_file, turn.attachments)))
    return Source(SentenceBasis.MESSAGES, said, (recorded.messages[turn.position],))


def _file(file: Attachment) -> str:
    texts = (file.filename, file.description, file.summary, file.text)
    return "\n".join(text for text in texts if text)


def _hypothesis(recorded: Recorded, case: Case, facts: HypothesisFacts) -> Source:
    """Its status is what was recorded; the messages are those that its branch's findings rest on."""
    of_branch = (found.ref for found in case.findings if found.branch == facts.label)
    carried = dict.fromkeys(key for ref in of_branch for key in recorded.evidence[ref])
    says = " ".join((facts.label, facts.description, facts.reason or ""))
    return Source(SentenceBasis.BRANCH_STATUS, says, tuple(carried), facts.status)
