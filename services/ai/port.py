"""What the product asks of a model, whoever answers.

A request carries its layout, from the most stable part to the most volatile: session facts, the
lineage with its hypotheses, then the volatile blocks and the question. Where cache markers go is the
provider's business; that the same bytes come first is the layout's (services.ai.prompts).
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import ClassVar, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from models.branch import BranchStatus
from models.message import MessageRole
from models.session import ConfidenceTier, StepType

Purpose = Literal["intake", "reply"]

REASON_LENGTH = range(5, 2_001)
OPTION_COUNT = range(2, 11)
LABEL_LENGTH = range(1, 201)
DESCRIPTION_LENGTH = range(1, 501)


# ------------------------------------------------------------------ the conversation


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What is frozen at intake and the same for every branch of a session.

    `domain` is the exception: it is known only after the first answer, so that no prompt begins
    with it.
    """

    intake: str
    domain: str | None = None
    reference: str | None = None
    """The ticket or alert that the session came from."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a branch tests."""

    label: str
    description: str


@dataclass(frozen=True, slots=True)
class Image:
    """Of a kind that models take: image/jpeg, image/png, image/gif or image/webp."""

    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message: a sentence about it, of a log its digest, and an excerpt."""

    filename: str
    content_type: str
    description: str | None = None
    summary: str | None = None
    text: str | None = None
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One complete message; `position` is its place in the branch's lineage, from 1.

    A note is an engineer's remark that asks for no answer.
    """

    position: int
    role: MessageRole
    text: str
    author: str | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """What was said on one branch of a lineage; on the trunk `hypothesis` is None.

    `digest` stands for turns before the first one that were left out to keep within the budget.
    """

    turns: tuple[Turn, ...] = ()
    hypothesis: Hypothesis | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a branch has heard: the trunk's segment first, its own last; each cut at the fork.

    `median_gap` is the seconds between two questions of this session, None while that is unknown.
    """

    session: SessionFacts
    lineage: tuple[Segment, ...] = (Segment(),)
    median_gap: float | None = None

    @property
    def hypothesis(self) -> Hypothesis | None:
        return self.lineage[-1].hypothesis

    @property
    def turns(self) -> Iterator[Turn]:
        return (turn for segment in self.lineage for turn in segment.turns)


# ------------------------------------------------------------------ what is told beside it


@dataclass(frozen=True, slots=True)
class HypothesisFacts:
    """A branch as the assistant sees it from another one. `ref` names it within one request: H1, H2 ..."""

    ref: str
    label: str
    description: str
    status: BranchStatus
    reason: str | None = None
    """Why it has this status; for a dead end always given."""
    likelihood: float | None = None
    tried: tuple[str, ...] = ()
    concluded: str | None = None
    findings: tuple[str, ...] = ()
    prior: float | None = None
    """The likelihood that the fork gave it, before anything was found."""


@dataclass(frozen=True, slots=True)
class RevivalFacts:
    """Why this branch came back; `evidence_from` is the label of the branch that showed it."""

    evidence_from: str
    description: str


@dataclass(frozen=True, slots=True)
class MergedFinding:
    """A finding that an engineer brought into this branch, with the label of where it was made."""

    found_on: str
    claim: str


@dataclass(frozen=True, slots=True)
class Volatile:
    """What may be another at every call: as it was written by people and models, with nothing taken
    out and nothing cut. `others` are the most useful first; `more` were left out of them.
    """

    revivals: tuple[RevivalFacts, ...] = ()
    merged: tuple[MergedFinding, ...] = ()
    others: tuple[HypothesisFacts, ...] = ()
    more: int = 0


NOTHING_TOLD = Volatile()


@dataclass(frozen=True, slots=True)
class Article:
    """Of the account's own library; `body` is Markdown."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class SolvedSession:
    """An earlier session of the account that was like this one, and the branch that solved it."""

    problem: str
    solved_by: str | None
    how: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the account knows already that shares words with the question, best first."""

    articles: tuple[Article, ...] = ()
    sessions: tuple[SolvedSession, ...] = ()


NOTHING_KNOWN = Known()


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One answer to be given to `question`, which the conversation does not hold yet.

    What is `volatile` or `known` stands before the question and is not stored with it. For an intake the
    question is the intake and the conversation is empty.
    """

    conversation: Conversation
    question: Turn
    purpose: Purpose = "reply"
    fork_room: int | None = None
    """Hypotheses that the session may still get by its plan; None: any number."""
    volatile: Volatile = NOTHING_TOLD
    known: Known = NOTHING_KNOWN


# ------------------------------------------------------------------ the prompt

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Part:
    """Either text or an image."""

    text: str = ""
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class PromptMessage:
    role: Role
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """`messages[:shared]` is said to every sibling, `messages[:settled]` begins every later prompt of
    the branch; what follows is said once.
    """

    system: tuple[str, ...]
    messages: tuple[PromptMessage, ...]
    shared: int = 0
    settled: int = 0


# ------------------------------------------------------------------ steps


@dataclass(frozen=True, slots=True)
class IntakeAnalysisStep:
    kind: ClassVar[StepType] = StepType.INTAKE_ANALYSIS
    summary: str
    domain: str
    signals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionStep:
    kind: ClassVar[StepType] = StepType.QUESTION
    question: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionStep:
    kind: ClassVar[StepType] = StepType.ACTION
    instruction: str
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class VerificationStep:
    kind: ClassVar[StepType] = StepType.VERIFICATION
    check: str
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class InfoRequestStep:
    kind: ClassVar[StepType] = StepType.INFO_REQUEST
    request: str


@dataclass(frozen=True, slots=True)
class ScriptStep:
    kind: ClassVar[StepType] = StepType.SCRIPT_GENERATION
    language: str
    code: str
    purpose: str
    risk: str | None = None


@dataclass(frozen=True, slots=True)
class NoteStep:
    kind: ClassVar[StepType] = StepType.NOTE
    text: str


StepDraft = (
    IntakeAnalysisStep
    | QuestionStep
    | ActionStep
    | VerificationStep
    | InfoRequestStep
    | ScriptStep
    | NoteStep
)

_STEPS: dict[StepType, type[StepDraft]] = {
    step.kind: step
    for step in (
        IntakeAnalysisStep,
        QuestionStep,
        ActionStep,
        VerificationStep,
        InfoRequestStep,
        ScriptStep,
        NoteStep,
    )
}


def step_to_json(step: StepDraft) -> dict[str, object]:
    """The step's fields in JSON types; its `kind` is stored beside them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(step).items()
    }


def step_from_json(kind: StepType, content: Mapping[str, object]) -> StepDraft:
    """The reverse of `step_to_json`. Raises ValueError where `content` is no step of that kind."""
    step = _STEPS.get(kind)
    if step is None:
        raise ValueError(f"Not written by a provider: {kind}")
    values = {
        field.name: _stored_value(field.name, field.type, content[field.name])
        for field in fields(step)
        if field.name in content
    }
    try:
        return step(**values)  # type: ignore[arg-type]
    except TypeError as error:
        raise ValueError(f"Incomplete {kind} step: {error}") from error


def _stored_value(name: str, annotation: object, value: object) -> str | tuple[str, ...] | None:
    if annotation == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif isinstance(value, str) or (value is None and annotation == str | None):
        return value
    raise ValueError(f"Not a valid value of {name}: {value!r}")


# ------------------------------------------------------------------ forks and intake


@dataclass(frozen=True, slots=True)
class ForkOption:
    """`likelihood` is 0 to 1, None if the provider gave none."""

    label: str
    description: str
    likelihood: float | None = None

    def __post_init__(self) -> None:
        _demand_length("An option's label", self.label, LABEL_LENGTH)
        _demand_length("An option's description", self.description, DESCRIPTION_LENGTH)
        if self.likelihood is not None and not 0 <= self.likelihood <= 1:
            raise ValueError(f"A likelihood lies between 0 and 1: {self.likelihood}")


@dataclass(frozen=True, slots=True)
class ForkDraft:
    """A proposal that `forkBranch` takes unchanged. Raises ValueError where it would not."""

    reason: str
    options: tuple[ForkOption, ...]

    def __post_init__(self) -> None:
        _demand_length("A fork's reason", self.reason, REASON_LENGTH)
        if len(self.options) not in OPTION_COUNT:
            raise ValueError(f"A fork has 2 to 10 options: {len(self.options)}")
        labels = {option.label.strip().casefold() for option in self.options}
        if len(labels) < len(self.options):
            raise ValueError("A fork's labels differ in more than case")

    def within(self, room: int | None) -> "ForkDraft | None":
        """The likeliest, as many as there is room for; None if those are fewer than two."""
        if room is None or len(self.options) <= room:
            return self
        if room < OPTION_COUNT[0]:
            return None
        likeliest = sorted(self.options, key=lambda option: -(option.likelihood or 0))
        return replace(self, options=tuple(likeliest[:room]))

    def to_json(self) -> dict[str, object]:
        """As a message's suggested fork is stored."""
        return {"reason": self.reason, "options": [asdict(option) for option in self.options]}


def no_fork_within(room: int) -> str:
    """Why no fork is proposed where causes would be tested apart."""
    left = "no more hypothesis" if room < 1 else "one more hypothesis only"
    return (
        f"No fork is proposed: your plan leaves room for {left} in this session. "
        "Archive a branch or take a larger plan to test causes apart."
    )


def _demand_length(what: str, text: str, allowed: range) -> None:
    if len(text) not in allowed or len(text.strip()) not in allowed:
        raise ValueError(f"{what} has {allowed[0]} to {allowed[-1]:,} characters: {len(text)}")


@dataclass(frozen=True, slots=True)
class IntakeAnalysis:
    """What the session takes over from the answer to its intake."""

    summary: str
    domain: str
    signals: tuple[str, ...] = ()
    confidence_tier: ConfidenceTier = ConfidenceTier.DISCOVERY


# ------------------------------------------------------------------ the answer


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens. `input` is what was neither read from nor written to the prompt cache.

    In a stream: what the answer has used so far, so that what is not finished is counted, too.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer. `model` is what was called; `confidence` is 0 to 1."""

    model: str
    usage: Usage
    step: StepDraft | None = None
    confidence: float | None = None
    fork: ForkDraft | None = None
    intake: IntakeAnalysis | None = None


FailureKind = Literal[
    "unavailable", "overloaded", "timeout", "broke_off", "truncated", "refused", "misfit",
    "rejected", "too_large", "configuration",
]  # fmt: skip
"""Unavailable: no connection, or the other side is at fault. Overloaded: too many requests. Broke off:
the answer ended in the middle. Truncated: it was longer than allowed. Misfit: it does not have the form
that was asked for. Rejected and too large: the request was not accepted. Configuration: key or model name
are wrong."""


class ProviderError(Exception):
    """The answer could not be finished. `message` is written for clients to read.

    `retry_after` is the seconds that the other side asked for, if it did; `usage` what a task had used,
    as far as it is known. A turn has told that before, in its stream.
    """

    def __init__(
        self,
        message: str,
        *,
        retryable: bool,
        kind: FailureKind = "unavailable",
        retry_after: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = retryable
        self.kind = kind
        self.retry_after = retry_after
        self.usage = usage or Usage()


R = TypeVar("R", bound=BaseModel)


class Task(Generic[R]):
    """Structured work besides the conversation, see services.ai.tasks."""

    name: ClassVar[str]
    result: ClassVar[type[BaseModel]]
    """What it is answered with: R, which a class variable cannot name."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    result: R
    model: str
    usage: Usage


class Provider(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def is_offline(self) -> bool:
        """Whether it answers from rules alone: no AI."""
        ...

    def stream_turn(
        self, request: TurnRequest
    ) -> AsyncGenerator[Prompt | TextDelta | Usage | Done, None]:
        """The answer's text in pieces, then `Done` exactly once, last.

        What asks a model tells the `Prompt` first, before it is sent.

        `Usage` may come between, whenever it is known or has grown; the last one counts. `Done` has
        it for the whole answer.
        Raises ProviderError, at any point. Closing the generator abandons the answer.
        """
        ...

    async def perform(self, task: Task[R]) -> Outcome[R]:
        """Raises ProviderError."""
        ...
