"""What the product asks of a model, whoever answers.

A request carries its layout, from the most stable part to the most volatile: session facts,
ancestors, hypothesis, tail, then the volatile blocks and the question. Where cache markers go is
the provider's business; that the same bytes come first is the layout's.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import ClassVar, Literal, Protocol

from models.message import MessageRole
from models.session import ConfidenceTier, StepType

Purpose = Literal["intake", "reply"]

REASON_LENGTH = range(5, 2_001)
OPTION_COUNT = range(2, 11)
LABEL_LENGTH = range(1, 201)
DESCRIPTION_LENGTH = range(1, 501)


# ------------------------------------------------------------------ the request


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What is frozen at intake and the same for every branch of a session."""

    intake: str
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a branch tests."""

    label: str
    description: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One complete message. A note is an engineer's remark that asks for no answer."""

    role: MessageRole
    text: str
    author: str | None = None


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One answer to be given.

    `ancestors` ends at the fork point and is shared by all siblings; `tail` is what was said on
    the branch itself; both oldest first and without the question. `volatile` holds delimited
    blocks that may differ at every call. On the trunk `hypothesis` is None and `ancestors` empty.
    For an intake `question` is the intake text.
    """

    session: SessionFacts
    question: str
    purpose: Purpose = "reply"
    hypothesis: Hypothesis | None = None
    ancestors: tuple[Turn, ...] = ()
    tail: tuple[Turn, ...] = ()
    volatile: tuple[str, ...] = ()


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

    def to_json(self) -> dict[str, object]:
        """As a message's suggested fork is stored."""
        return {"reason": self.reason, "options": [asdict(option) for option in self.options]}


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
    """Tokens. `input` is what was neither read from nor written to the prompt cache."""

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


class ProviderError(Exception):
    """The answer could not be finished. `message` is written for clients to read."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = retryable


class Provider(Protocol):
    @property
    def name(self) -> str: ...

    def stream_turn(self, request: TurnRequest) -> AsyncGenerator[TextDelta | Done, None]:
        """The answer's text in pieces, then `Done` exactly once, last.

        Raises ProviderError, at any point. Closing the generator abandons the answer.
        """
        ...
