"""What an export says: the shape of its JSON, which docs/exports.md describes, and how rows become it.

What people and models wrote is redacted as for a model; the same secret has the same name everywhere.
Fields are added without notice; VERSION grows when one goes or means something else.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from models.branch import Branch
from models.output import ResolutionOutput
from models.upload import FileUpload
from services.ai.redaction import Redactor
from services.exports.rows import Rows
from services.ids import Kind, node_id
from services.outputs.reading import content_of, grounded_sentences

FORMAT = "flowpilot.session"
VERSION = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Usage:
    input: int
    output: int
    cache_read: int
    cache_write: int


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    status: str
    type: str
    intake_type: str
    intake_text: str
    intake_reference: str | None
    ticket: str | None
    problem_summary: str | None
    problem_domain: str | None
    resolution_summary: str | None
    confidence: str
    opened_by: Person
    assignee: Person
    team: str | None
    active_branch: str
    created_at: datetime
    resolved_at: datetime | None
    usage: Usage


@dataclass(frozen=True, slots=True)
class Message:
    """`author` is None for the assistant, `model` for people."""

    id: str
    position: int
    role: str
    state: str
    author: Person | None
    model: str | None
    created_at: datetime
    body: str
    failure: str | None
    attachments: list[str]
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Finding:
    """`sources` are messages."""

    id: str
    kind: str
    subject: str
    claim: str
    sources: list[str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Ranking:
    at: datetime
    prior: float | None
    likelihood: float
    why: str
    next_check: str | None
    minutes: int | None


@dataclass(frozen=True, slots=True)
class Revival:
    """`evidence` are messages of the branch `evidence_from`."""

    at: datetime
    by: Person
    description: str
    evidence_from: str
    evidence: list[str]


@dataclass(frozen=True, slots=True)
class Summary:
    tried: list[str]
    concluded: str | None
    artifacts: list[str]


@dataclass(frozen=True, slots=True)
class ExportedBranch:
    """`inherited` messages of its ancestors come before its own; `merged` are findings brought in."""

    id: str
    parent: str | None
    order: int
    depth: int
    label: str
    description: str | None
    status: str
    reason: str | None
    status_changed_at: datetime | None
    status_changed_by: Person | None
    likelihood: float | None
    is_active: bool
    archived_at: datetime | None
    inherited: int
    summary: Summary | None
    messages: list[Message]
    findings: list[Finding]
    merged: list[str]
    rankings: list[Ranking]
    revivals: list[Revival]
    usage: Usage
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Fork:
    id: str
    parent: str
    position: int
    reason: str
    by: Person
    at: datetime
    branches: list[str]


@dataclass(frozen=True, slots=True)
class Step:
    order: int
    type: str
    branch: str
    message: str | None
    content: Mapping[str, Any]
    confidence: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Handoff:
    """`snapshot` is the session as it was; `assessment` and `briefing` are the assistant's."""

    id: str
    state: str
    intent: str
    priority: str
    by: Person
    at: datetime
    claimed_by: Person | None
    closed_at: datetime | None
    notes: str | None
    snapshot: Mapping[str, Any]
    assessment: Mapping[str, Any] | None
    briefing: str | None


@dataclass(frozen=True, slots=True)
class Sentence:
    """What it rests on; `sources` are messages, where it is those."""

    text: str
    basis: str
    sources: list[str]


@dataclass(frozen=True, slots=True)
class ExportedOutput:
    """`content` is the edit if there is one; None until it is written. `model` wrote the draft."""

    id: str
    type: str
    status: str
    content: str | None
    sentences: list[Sentence]
    model: str | None
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Attachment:
    """`file` is where it lies in the archive; None where it is not in one."""

    id: str
    filename: str
    content_type: str
    byte_size: int
    sha256: str
    description: str | None
    summary: str | None
    brought_by: Person
    at: datetime
    file: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """`left_out` says in sentences what is not here."""

    format: str
    version: int
    exported_at: datetime
    session: Session
    branches: list[ExportedBranch]
    forks: list[Fork]
    steps: list[Step]
    handoffs: list[Handoff]
    documents: list[ExportedOutput]
    attachments: list[Attachment]
    left_out: list[str]


def describe(rows: Rows, files: Mapping[UUID, str]) -> Document:
    """`files` tells where attachments lie.

    Said twice, because a secret may be recognised as one only after its first occurrence.
    """
    redactor = Redactor()
    _Writer(rows, files, redactor).document()
    return _Writer(rows, files, redactor).document()


class _Writer:
    def __init__(self, rows: Rows, files: Mapping[UUID, str], redactor: Redactor) -> None:
        self.rows = rows
        self.files = files
        self.said = redactor.redact

    def document(self) -> Document:
        rows = self.rows
        session = self.session()
        branches = self.branches()
        return Document(
            format=FORMAT,
            version=VERSION,
            exported_at=datetime.now(UTC),
            session=session,
            branches=branches,
            forks=self.forks(),
            steps=[
                Step(
                    step.step_order,
                    step.step_type.name,
                    node_id(Kind.BRANCH, step.branch_id),
                    _optional_id(Kind.MESSAGE, step.message_id),
                    self.tree(step.content),
                    step.confidence_at_step,
                    step.created_at,
                )
                for step in rows.steps
            ],
            handoffs=self.handoffs(),
            documents=[self.output(output) for output in rows.outputs],
            attachments=[self.attachment(upload) for upload in rows.uploads],
            left_out=rows.left_out,
        )

    def session(self) -> Session:
        row = self.rows.session
        return Session(
            id=node_id(Kind.SESSION, row.id),
            status=row.status.name,
            type=row.session_type.name,
            intake_type=row.intake_type.name,
            intake_text=self.said(row.intake_content),
            intake_reference=self.optional(row.intake_reference),
            ticket=row.psa_ticket_id,
            problem_summary=self.optional(row.problem_summary),
            problem_domain=self.optional(row.problem_domain),
            resolution_summary=self.optional(row.resolution_summary),
            confidence=row.confidence_tier.name,
            opened_by=self.person(row.opened_by),
            assignee=self.person(row.assignee_id),
            team=self.rows.team,
            active_branch=node_id(Kind.BRANCH, row.active_branch_id),
            created_at=row.created_at,
            resolved_at=row.resolved_at,
            usage=_usage(row),
        )

    def branches(self) -> list[ExportedBranch]:
        rows = self.rows
        messages = _by(rows.messages, lambda row: row.branch_id)
        findings = _by(rows.findings, lambda row: row.branch_id)
        rankings = _by(rows.rankings, lambda row: row.branch_id)
        revivals = _by(rows.revivals, lambda row: row.branch_id)
        merged = _by(rows.merges, lambda row: row.branch_id)
        return [
            ExportedBranch(
                id=node_id(Kind.BRANCH, row.id),
                parent=_optional_id(Kind.BRANCH, row.parent_branch_id),
                order=row.branch_order,
                depth=row.depth,
                label=self.said(row.label),
                description=self.optional(row.description),
                status=row.status.name,
                reason=self.optional(row.status_reason),
                status_changed_at=row.status_changed_at,
                status_changed_by=self.somebody(row.status_changed_by),
                likelihood=row.likelihood,
                is_active=row.id == rows.session.active_branch_id,
                archived_at=row.archived_at,
                inherited=row.fork_position,
                summary=self.summary(row),
                messages=[
                    Message(
                        node_id(Kind.MESSAGE, said.id),
                        said.position,
                        said.role.name,
                        said.state.name,
                        self.somebody(said.author_id),
                        said.model,
                        said.created_at,
                        self.said(said.body),
                        self.optional(said.failure),
                        [node_id(Kind.UPLOAD, key) for key in rows.attached.get(said.id, ())],
                        _usage(said) if said.model else None,
                    )
                    for said in sorted(messages[row.id], key=lambda said: said.position)
                ],
                findings=[
                    Finding(
                        node_id(Kind.FINDING, found.id),
                        found.kind.name,
                        self.said(found.subject),
                        self.said(found.claim),
                        _ids(Kind.MESSAGE, rows.evidence_of_finding.get(found.id, ())),
                        found.created_at,
                    )
                    for found in findings[row.id]
                ],
                merged=[
                    node_id(Kind.FINDING, key)
                    for merge in merged[row.id]
                    for key in rows.merged.get(merge.id, ())
                ],
                rankings=[
                    Ranking(
                        rank.created_at,
                        rank.prior,
                        rank.likelihood,
                        self.said(rank.why),
                        self.optional(rank.next_check),
                        rank.minutes,
                    )
                    for rank in rankings[row.id]
                ],
                revivals=[
                    Revival(
                        revival.created_at,
                        self.person(revival.revived_by),
                        self.said(revival.evidence_description),
                        node_id(Kind.BRANCH, revival.evidence_from_branch_id),
                        _ids(Kind.MESSAGE, rows.evidence_of_revival.get(revival.id, ())),
                    )
                    for revival in revivals[row.id]
                ],
                usage=_usage(row),
                created_at=row.created_at,
            )
            for row in rows.branches
        ]

    def forks(self) -> list[Fork]:
        options = _by(self.rows.branches, lambda row: row.fork_point_id)
        return [
            Fork(
                node_id(Kind.FORK_POINT, row.id),
                node_id(Kind.BRANCH, row.parent_branch_id),
                row.position,
                self.said(row.fork_reason),
                self.person(row.created_by),
                row.created_at,
                _ids(Kind.BRANCH, (branch.id for branch in options[row.id])),
            )
            for row in self.rows.fork_points
        ]

    def handoffs(self) -> list[Handoff]:
        return [
            Handoff(
                id=node_id(Kind.HANDOFF, row.id),
                state=row.state.name,
                intent=row.intent.name,
                priority=row.priority.name,
                by=self.person(row.handed_off_by),
                at=row.created_at,
                claimed_by=self.somebody(row.claimed_by),
                closed_at=row.closed_at,
                notes=self.optional(row.engineer_notes),
                snapshot=self.tree(row.snapshot),
                assessment=self.tree(row.assessment) if row.assessment else None,
                briefing=self.optional(row.briefing),
            )
            for row in self.rows.handoffs
        ]

    def output(self, row: ResolutionOutput) -> ExportedOutput:
        return ExportedOutput(
            id=node_id(Kind.OUTPUT, row.id),
            type=row.output_type.name,
            status=row.status.name,
            content=self.optional(content_of(row)),
            sentences=[
                Sentence(
                    self.said(sentence),
                    grounds.basis.name,
                    _ids(Kind.MESSAGE, grounds.messages),
                )
                for sentence, grounds in grounded_sentences(row)
            ],
            model=row.generated_by_model,
            version=row.version,
            updated_at=row.updated_at,
        )

    def attachment(self, row: FileUpload) -> Attachment:
        return Attachment(
            id=node_id(Kind.UPLOAD, row.id),
            filename=self.said(row.filename),
            content_type=row.content_type,
            byte_size=row.byte_size,
            sha256=row.sha256,
            description=self.optional(row.ai_description),
            summary=self.optional(row.content_summary),
            brought_by=self.person(row.uploaded_by),
            at=row.created_at,
            file=self.files.get(row.id),
        )

    def summary(self, row: Branch) -> Summary | None:
        stored = row.context_summary
        if not stored:
            return None
        return Summary(
            [self.said(text) for text in stored["tried"]],
            self.optional(stored["concluded"]),
            [self.said(text) for text in stored["artifacts"]],
        )

    def person(self, key: UUID) -> Person:
        return Person(node_id(Kind.USER, key), self.rows.people[key])

    def somebody(self, key: UUID | None) -> Person | None:
        return None if key is None else self.person(key)

    def optional(self, text: str | None) -> str | None:
        return None if text is None else self.said(text)

    def tree(self, value: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
        """Stored JSON, with its texts redacted and keys of branches as the API names them."""
        if isinstance(value, dict):
            return {
                name: node_id(Kind.BRANCH, UUID(item))
                if name in BRANCH_KEYS and item is not None
                else self.tree(item)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self.tree(item) for item in value]
        return self.said(value) if isinstance(value, str) else value


BRANCH_KEYS = {"id", "parent_branch_id", "active_branch_id"}
"""Of a handoff's snapshot; nothing else that is stored as JSON has names like these."""


def _usage(row: Any) -> Usage:  # noqa: ANN401 - any row that counts tokens
    return Usage(row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_write_tokens)


def _ids(kind: Kind, keys: Iterable[UUID]) -> list[str]:
    return [node_id(kind, key) for key in keys]


def _optional_id(kind: Kind, key: UUID | None) -> str | None:
    return None if key is None else node_id(kind, key)


def _by(rows: Sequence[T], key: Callable[[T], UUID | None]) -> defaultdict[UUID | None, list[T]]:
    found: defaultdict[UUID | None, list[T]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found
