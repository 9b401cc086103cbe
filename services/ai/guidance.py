"""What an answer says about itself beside its text, by calling the tool `guide`."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    OnErrorOmit,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from models.session import ConfidenceTier, StepType
from services.ai.port import (
    DESCRIPTION_LENGTH,
    LABEL_LENGTH,
    OPTION_COUNT,
    REASON_LENGTH,
    ForkDraft,
    ForkOption,
    IntakeAnalysis,
    StepDraft,
    step_from_json,
)
from services.ai.tasks import Line, Paragraph, Share, at_most, clipped


def _or_none(value: Any, read: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401 - a model's
    try:
        return read(value)
    except ValidationError:
        return None


_IF_IT_FITS = WrapValidator(_or_none)
_Lines = Annotated[list[OnErrorOmit[Line]], at_most(12)]
_Share = Annotated[Share | None, Field(allow_inf_nan=False), _IF_IT_FITS]
_Expected = Annotated[Line | None, Field(description="What is seen if it works."), _IF_IT_FITS]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


# ------------------------------------------------------------------ kinds of step


class _IntakeAnalysis(_Part):
    kind: Literal[StepType.INTAKE_ANALYSIS]
    summary: Paragraph
    domain: Line
    signals: _Lines = []


class _Question(_Part):
    kind: Literal[StepType.QUESTION]
    question: Paragraph
    choices: Annotated[_Lines, Field(description="Likely replies, to pick from.")] = []


class _Action(_Part):
    kind: Literal[StepType.ACTION]
    instruction: Paragraph
    expected: _Expected = None


class _Verification(_Part):
    kind: Literal[StepType.VERIFICATION]
    check: Paragraph
    expected: _Expected = None


class _InfoRequest(_Part):
    kind: Literal[StepType.INFO_REQUEST]
    request: Annotated[Paragraph, Field(description="The file, log or output that is needed.")]


class _Script(_Part):
    kind: Literal[StepType.SCRIPT_GENERATION]
    language: Line
    code: Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")]
    """Never clipped: half a script does harm."""
    purpose: Line
    risk: Annotated[Line | None, Field(description="What it may break."), _IF_IT_FITS] = None


class _Note(_Part):
    kind: Literal[StepType.NOTE]
    text: Annotated[Paragraph, Field(description="A conclusion, or what else is no move.")]


_Step = _IntakeAnalysis | _Question | _Action | _Verification | _InfoRequest | _Script | _Note


# ------------------------------------------------------------------ the whole


class _Option(_Part):
    label: Annotated[str, clipped(LABEL_LENGTH[-1]), Field(min_length=LABEL_LENGTH[0])]
    description: Annotated[
        str, clipped(DESCRIPTION_LENGTH[-1]), Field(min_length=DESCRIPTION_LENGTH[0])
    ]
    likelihood: _Share = None


class _Fork(_Part):
    reason: Annotated[str, clipped(REASON_LENGTH[-1]), Field(min_length=REASON_LENGTH[0])]
    options: Annotated[list[OnErrorOmit[_Option]], Field(description="Two to five.")]


class _Intake(_Part):
    summary: Line
    domain: Annotated[str, clipped(100), Field(min_length=1, description="One or two words.")]
    signals: _Lines = []
    tier: Annotated[ConfidenceTier | None, _IF_IT_FITS] = None


class Guide(_Part):
    """The kind of move that the answer makes, and how sure it is of the way."""

    step: Annotated[_Step | None, _IF_IT_FITS] = None
    confidence: _Share = None
    fork: Annotated[
        _Fork | None, Field(description="Only where causes would be tested apart."), _IF_IT_FITS
    ] = None
    intake: Annotated[
        _Intake | None, Field(description="Only in the answer to an intake."), _IF_IT_FITS
    ] = None


@dataclass(frozen=True, slots=True)
class Guidance:
    step: StepDraft | None = None
    confidence: float | None = None
    fork: ForkDraft | None = None
    intake: IntakeAnalysis | None = None


def read_guide(given: object) -> Guidance:
    """Whatever of a guide can be used.

    A text that is too long is clipped, and each part that does not fit is dropped alone: a broken guide
    never costs the answer's text. A step that does not fit is None, not a note, since the text says it
    already. Of options with the same label the first is kept; a fork left with fewer than two is dropped.
    """
    try:
        guide = Guide.model_validate(given)
    except ValidationError:
        return Guidance()
    return Guidance(
        None if guide.step is None else _step(guide.step),
        guide.confidence,
        None if guide.fork is None else _fork(guide.fork),
        None if guide.intake is None else _intake(guide.intake),
    )


def _step(step: _Step) -> StepDraft:
    return step_from_json(step.kind, step.model_dump(mode="json", exclude={"kind"}))


def _intake(intake: _Intake) -> IntakeAnalysis:
    return IntakeAnalysis(
        intake.summary,
        intake.domain,
        tuple(intake.signals),
        intake.tier or ConfidenceTier.DISCOVERY,
    )


def _fork(fork: _Fork) -> ForkDraft | None:
    options: dict[str, ForkOption] = {}
    for option in fork.options:
        options.setdefault(
            option.label.casefold(),
            ForkOption(option.label, option.description, option.likelihood),
        )
    if len(options) < OPTION_COUNT[0]:
        return None
    return ForkDraft(fork.reason, tuple(options.values())[: OPTION_COUNT[-1]])
