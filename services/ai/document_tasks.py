"""The documents of a resolved session, as structured work of the assistant.

A document is asked for sentence by sentence, each with what it rests on, so that what rests on nothing
can be told from the rest (services.outputs.grounding).
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from models.finding import FindingKind
from services.ai.port import Conversation, R, Task
from services.ai.tasks import HypothesisFacts, Line, TaskResult, at_most, clipped


class Sentence(TaskResult):
    text: Annotated[str, clipped(500), Field(min_length=1)]
    sources: Annotated[list[str], at_most(10)] = Field(
        default_factory=list,
        description="What it rests on: M3 is message 3, F2 finding F2, H1 why hypothesis H1 has its "
        "status, R the resolution.",
    )


Sentences = Annotated[list[Sentence], at_most(30)]


class TicketNotes(TaskResult):
    """For colleagues, in the ticket."""

    problem: Sentences = Field(default_factory=list)
    diagnostic_steps: Sentences = Field(default_factory=list, description="In order.")
    resolution: Sentences = Field(default_factory=list)
    recommendations: Sentences = Field(
        default_factory=list, description="Only what somebody recommended."
    )


class ArticleDraft(TaskResult):
    """For whoever meets the same problem, without names of clients and people."""

    title: Line
    symptoms: Sentences = Field(default_factory=list)
    root_cause: Sentences = Field(default_factory=list)
    steps: Sentences = Field(default_factory=list, description="In order.")
    rule_out_first: Sentences = Field(
        default_factory=list, description="One for each dead end, naming its H."
    )
    tags: Annotated[list[Annotated[str, clipped(40), Field(min_length=1)]], at_most(10)] = Field(
        default_factory=list
    )


class ClientSummary(TaskResult):
    """For the client, in plain language, without jargon."""

    what_happened: Sentences = Field(default_factory=list)
    what_was_done: Sentences = Field(default_factory=list)
    what_comes_next: Sentences = Field(
        default_factory=list, description="Only what was agreed or recommended."
    )


@dataclass(frozen=True, slots=True)
class CaseFinding:
    """`ref` names it within one request: F1, F2 ..."""

    ref: str
    branch: str
    """The label of where it was made."""
    kind: FindingKind
    claim: str


@dataclass(frozen=True, slots=True)
class Case:
    """A session that was resolved: the conversation of the branch that solved it (else of the active one),
    all hypotheses, and the findings of the whole tree.
    """

    conversation: Conversation
    resolution: str
    """As the engineer put it."""
    problem: str | None = None
    """The intake in one sentence, by the assistant."""
    solved_by: str | None = None
    """The ref of the hypothesis that was marked as the solution."""
    hypotheses: tuple[HypothesisFacts, ...] = ()
    findings: tuple[CaseFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentTask(Task[R]):
    case: Case

    @property
    def conversation(self) -> Conversation:
        return self.case.conversation


class WriteTicketNotes(DocumentTask[TicketNotes]):
    name: ClassVar[str] = "write_ticket_notes"
    result: ClassVar[type[BaseModel]] = TicketNotes


class WriteArticle(DocumentTask[ArticleDraft]):
    name: ClassVar[str] = "write_article"
    result: ClassVar[type[BaseModel]] = ArticleDraft


class WriteClientSummary(DocumentTask[ClientSummary]):
    name: ClassVar[str] = "write_client_summary"
    result: ClassVar[type[BaseModel]] = ClientSummary


def ruled_out(facts: HypothesisFacts) -> Sentence:
    """A dead end as an article tells it, in the words of the record."""
    return Sentence(text=f"{facts.label}: {facts.reason or ''}".strip(" :"), sources=[facts.ref])
