"""Structured work that the assistant does besides the conversation, and what each is answered with.

Answers are checked on the way in. A text that is too long is clipped and a list that is too long is
cut, since neither is worth losing an answer for; anything else that does not fit is refused.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from models.branch import BranchStatus
from models.finding import Bearing, FindingKind
from models.handoff import Confidence, HandoffIntent
from services.ai.port import Attachment, Conversation, SessionFacts, Task


def clipped(length: int) -> BeforeValidator:
    def clip(value: Any) -> Any:  # noqa: ANN401 - whatever a model wrote
        if not isinstance(value, str):
            return value
        text = value.replace("\x00", "").strip()
        return text if len(text) <= length else text[: length - 1].rstrip() + "…"

    return BeforeValidator(clip)


def at_most(count: int) -> BeforeValidator:
    return BeforeValidator(lambda value: value[:count] if isinstance(value, list) else value)


Line = Annotated[str, clipped(300), Field(min_length=1)]
Paragraph = Annotated[str, clipped(2_000), Field(min_length=1)]
Lines = Annotated[list[Line], at_most(12)]
Share = Annotated[float, Field(ge=0, le=1)]


class TaskResult(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# ------------------------------------------------------------------ findings


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


class FindingBearing(TaskResult):
    """What a finding says about a hypothesis."""

    hypothesis: str = Field(description="Its ref, as H2.")
    bearing: Bearing


class FoundFinding(TaskResult):
    kind: FindingKind
    claim: Line = Field(description="One sentence that stands by itself.")
    subject: Annotated[str, clipped(100)] = Field(description="What it is about, in a few words.")
    evidence: Annotated[list[int], at_most(10)] = Field(
        min_length=1, description="Numbers of the messages that carry it."
    )
    bearings: Annotated[list[FindingBearing], at_most(20)] = Field(default_factory=list)


class FoundContradiction(TaskResult):
    """A finding speaks against the reason why a branch was given up."""

    hypothesis: str = Field(description="The ref of the dead end.")
    finding: int = Field(ge=0, description="Place in `findings`, from 0.")
    why: Line


class HypothesisRank(TaskResult):
    hypothesis: str = Field(description="Its ref.")
    likelihood: Share
    why: Line
    next_check: Line | None = None
    minutes: Annotated[int, Field(ge=0, le=10_000)] | None = Field(
        default=None, description="What the check takes."
    )


class Analysis(TaskResult):
    """What the messages since the last analysis have established."""

    tried: Lines = Field(default_factory=list, description="On the whole branch, oldest first.")
    concluded: Annotated[str, clipped(1_000)] | None = None
    artifacts: Lines = Field(default_factory=list, description="Files, scripts, hosts, codes.")
    findings: Annotated[list[FoundFinding], at_most(10)] = Field(default_factory=list)
    contradictions: Annotated[list[FoundContradiction], at_most(5)] = Field(default_factory=list)
    ranking: Annotated[list[HypothesisRank], at_most(20)] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AnalyseBranch(Task[Analysis]):
    """Of the branch on which the conversation ends; messages after `since` are new.

    `own` is the ref of this branch among `hypotheses`, None on the trunk. `known` are the claims that
    it has established before and that need no repeating.
    """

    name: ClassVar[str] = "analyse_branch"
    result: ClassVar[type[BaseModel]] = Analysis

    conversation: Conversation
    since: int
    hypotheses: tuple[HypothesisFacts, ...] = ()
    own: str | None = None
    known: tuple[str, ...] = ()


# ------------------------------------------------------------------ handoffs


class HandoffDraft(TaskResult):
    text: Paragraph = Field(description="The assessment in two to four sentences.")
    likely_cause: Line
    suggested_steps: Annotated[list[Line], at_most(8)] = Field(min_length=1)
    confidence: Confidence
    briefing: Paragraph = Field(description="For whoever takes over, in plain language.")
    next_step: Line | None = None
    waiting_on: Line | None = None
    watch_out: Annotated[list[Line], at_most(8)] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PrepareHandoff(Task[HandoffDraft]):
    """The conversation is that of the active branch; `hypotheses` are all of the session."""

    name: ClassVar[str] = "prepare_handoff"
    result: ClassVar[type[BaseModel]] = HandoffDraft

    conversation: Conversation
    intent: HandoffIntent
    engineer_notes: str | None = None
    hypotheses: tuple[HypothesisFacts, ...] = ()


class Opinion(TaskResult):
    likely_cause: Line
    reasoning: Paragraph
    alternatives: Annotated[list[Line], at_most(5)] = Field(default_factory=list)
    suggested_steps: Annotated[list[Line], at_most(8)] = Field(min_length=1)
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class GiveSecondOpinion(Task[Opinion]):
    """Blind: only what was observed, none of the hypotheses that anybody had about it."""

    name: ClassVar[str] = "give_second_opinion"
    result: ClassVar[type[BaseModel]] = Opinion

    session: SessionFacts
    observations: tuple[str, ...]


# ------------------------------------------------------------------ files


class Description(TaskResult):
    description: Line = Field(description="One sentence.")
    summary: Paragraph | None = Field(default=None, description="Two or three sentences.")


@dataclass(frozen=True, slots=True)
class DescribeFile(Task[Description]):
    name: ClassVar[str] = "describe_file"
    result: ClassVar[type[BaseModel]] = Description

    attachment: Attachment
