"""Says what a test told it to say, and remembers what it was asked."""

import asyncio
import re
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import BaseModel

from models.message import MessageRole
from services.ai.document_tasks import (
    ArticleDraft,
    ClientSummary,
    DocumentTask,
    TicketNotes,
    WriteArticle,
    WriteClientSummary,
    WriteTicketNotes,
)
from services.ai.port import (
    Done,
    ForkDraft,
    IntakeAnalysis,
    Outcome,
    ProviderError,
    R,
    StepDraft,
    Task,
    TextDelta,
    TurnRequest,
    Usage,
)
from services.ai.tasks import (
    AnalyseBranch,
    Analysis,
    DescribeFile,
    Description,
    GiveSecondOpinion,
    PrepareHandoff,
)

_PIECES = 3
_SUMMARY_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` None is the default text, `usage` None the count of words."""

    text: str | None = None
    step: StepDraft | None = None
    fork: ForkDraft | None = None
    confidence: float | None = None
    intake: IntakeAnalysis | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Fail:
    """Fails before the first delta."""

    message: str = "The model is overloaded."
    retryable: bool = True
    usage: Usage | None = None
    """Told before it fails; None: untold."""


@dataclass(frozen=True, slots=True)
class FailAfter:
    """Says `text`, then fails."""

    text: str
    message: str = "The answer broke off."
    retryable: bool = True
    usage: Usage | None = None
    """Told before the first delta; None: untold."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Says the first piece of `then`, sets `reached`, and goes on once `event` is set.

    What fails before its first delta is held before it fails.
    """

    event: asyncio.Event
    then: str | Answer | Fail | FailAfter = Answer()
    reached: asyncio.Event = field(default_factory=asyncio.Event)


Behaviour = str | Answer | Fail | FailAfter | Hold


@dataclass(frozen=True, slots=True)
class HeldTask:
    """Sets `reached`, and gives `then` once `event` is set."""

    event: asyncio.Event
    then: BaseModel | Fail
    reached: asyncio.Event = field(default_factory=asyncio.Event)


TaskBehaviour = BaseModel | Fail | HeldTask


_NOTHING = Fail("Nothing was scripted.", retryable=False)
_UNSCRIPTED: Mapping[str, TaskBehaviour] = {
    AnalyseBranch.name: Analysis(),
    DescribeFile.name: Description(description="A file."),
    WriteTicketNotes.name: TicketNotes(),
    WriteArticle.name: ArticleDraft(title="An article"),
    WriteClientSummary.name: ClientSummary(),
}


class ScriptedProvider:
    """Unless told otherwise answers `Answer to: <question>`, finds nothing on branches, describes each file
    as `A file.`, leaves documents empty, and fails at other tasks."""

    name = "scripted"
    is_offline = False

    def __init__(self) -> None:
        self.requests: list[TurnRequest] = []
        self.tasks: list[Task[Any]] = []
        self.task_usage = Usage()
        self._scripts: defaultdict[str, deque[Behaviour]] = defaultdict(deque)
        self._results: defaultdict[tuple[str, str], deque[TaskBehaviour]] = defaultdict(deque)

    def script(self, question: str, *items: Behaviour) -> None:
        """One item for each attempt at exactly this question; then the default again."""
        self._scripts[question].extend(items)

    def script_task(self, kind: type[Task[Any]], about: str, *items: TaskBehaviour) -> None:
        """One item for each time that such a task is given about exactly this; then the default again.

        It is about the last thing that a person said, or a file's name.
        """
        self._results[kind.name, about].extend(items)

    async def perform(self, task: Task[R]) -> Outcome[R]:
        self.tasks.append(task)
        script = self._results[task.name, _about(task)]
        item = script.popleft() if script else _UNSCRIPTED.get(task.name, _NOTHING)
        if isinstance(item, HeldTask):
            item.reached.set()
            await item.event.wait()
            item = item.then
        if isinstance(item, Fail):
            raise ProviderError(item.message, retryable=item.retryable, usage=item.usage)
        return Outcome(cast("R", item), self.name, self.task_usage)

    async def stream_turn(
        self, request: TurnRequest
    ) -> AsyncGenerator[TextDelta | Usage | Done, None]:
        self.requests.append(request)
        script = self._scripts[request.question.text]
        item = script.popleft() if script else Answer()
        hold = item if isinstance(item, Hold) else None
        happenings = _happenings(item.then if isinstance(item, Hold) else item, request)
        first = 1 if isinstance(happenings[0], Usage) else 0
        held_at = min(first + 1, len(happenings) - 1)
        for index, happening in enumerate(happenings):
            if hold is not None and index == held_at:
                hold.reached.set()
                await hold.event.wait()
            if isinstance(happening, ProviderError):
                raise happening
            yield happening


def _about(task: Task[Any]) -> str:
    match task:
        case AnalyseBranch() | PrepareHandoff() | DocumentTask():
            said = [turn for turn in task.conversation.turns if turn.role is MessageRole.USER]
            return said[-1].text if said else task.conversation.session.intake
        case GiveSecondOpinion():
            return task.session.intake
        case DescribeFile():
            return task.attachment.filename
    raise TypeError(f"No script for {type(task).__name__}")


def _happenings(
    item: str | Answer | Fail | FailAfter, request: TurnRequest
) -> list[TextDelta | Usage | Done | ProviderError]:
    match item:
        case Fail(message, retryable, usage):
            return [*_told(usage), ProviderError(message, retryable=retryable)]
        case FailAfter(text, message, retryable, usage):
            return [*_told(usage), *_deltas(text), ProviderError(message, retryable=retryable)]
        case str(text):
            answer = Answer(text)
        case Answer():
            answer = item
    text = f"Answer to: {request.question.text}" if answer.text is None else answer.text
    return [*_deltas(text), _done(answer, text, request)]


def _told(usage: Usage | None) -> list[Usage]:
    return [] if usage is None else [usage]


def _done(answer: Answer, text: str, request: TurnRequest) -> Done:
    intake = answer.intake
    if intake is None and request.purpose == "intake":
        intake = IntakeAnalysis(
            request.conversation.session.intake[:_SUMMARY_LENGTH], domain="general"
        )
    return Done(
        model="scripted",
        usage=answer.usage or Usage(_words_asked(request), len(text.split())),
        step=answer.step,
        confidence=answer.confidence,
        fork=answer.fork,
        intake=intake,
    )


def _deltas(text: str) -> list[TextDelta]:
    words = re.findall(r"\S+\s*|\s+", text)
    size = max(1, -(-len(words) // _PIECES))
    return [TextDelta("".join(words[start : start + size])) for start in range(0, len(words), size)]


def _words_asked(request: TurnRequest) -> int:
    conversation = request.conversation
    hypothesis = conversation.hypothesis
    texts = (
        conversation.session.intake,
        *((hypothesis.label, hypothesis.description) if hypothesis else ()),
        *(turn.text for turn in conversation.turns),
        *request.volatile,
        request.question.text,
    )
    return sum(len(text.split()) for text in texts)
