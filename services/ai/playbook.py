"""The offline provider: walks through troubleshooting cards and says that it is no AI.

It keeps no state. Which card and which check come next is read from the transcript every time, so
the same request always gets the same answer.
"""

import asyncio
import re
import textwrap
from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from models.message import MessageRole
from models.session import ConfidenceTier
from services.ai.cards import Card, CardHypothesis, Check
from services.ai.playbook_tasks import CODE, perform
from services.ai.port import (
    ActionStep,
    Done,
    ForkDraft,
    ForkOption,
    Hypothesis,
    InfoRequestStep,
    IntakeAnalysis,
    IntakeAnalysisStep,
    NoteStep,
    Outcome,
    R,
    StepDraft,
    Task,
    TextDelta,
    TurnRequest,
    Usage,
    VerificationStep,
    no_fork_within,
)
from services.ai.retrieval import CardIndex, CardMatch
from services.ai.walk import Walk, claim_of, yes_or_no

MODEL = "playbook"

_OFFLINE = (
    "This is the offline playbook: fixed troubleshooting cards, no AI. "
    "It matches words; it does not understand your case."
)
_DECIDE = "That is a proposal; the decision is yours."
_UNKNOWN_DOMAIN = "general"
_SUMMARY_LENGTH = 200
_MOST_SIGNALS = 8
_QUESTIONS_AT_ONCE = 3
_MOST_TOLD = 20_000
"""Characters of what people said on the trunk that are looked through for a card."""

# The most telling first; each with what shows that it has been answered already.
_QUESTIONS = (
    (
        re.compile(r"\berror|\bcode\b|\bsays\b|\bmessage\b", re.IGNORECASE),
        "What exactly does the user see? Quote the error text or code, and name the program.",
    ),
    (
        re.compile(
            r"\b(?:every(?:one|body)|nobody|all users|only|one user|colleagues?|others?)\b",
            re.IGNORECASE,
        ),
        "Who is affected: one user, one device, one site or all? Does it work for a colleague?",
    ),
    (
        re.compile(r"\b(?:since|yesterday|after|began|started|\w+day morning)\b", re.IGNORECASE),
        "Since when, and what changed just before: an update, a password, a move, a device?",
    ),
    (
        re.compile(r"\b(?:always|sometimes|intermittent\w*|every time|at times)\b", re.IGNORECASE),
        "Is it always so or only at times, and which steps bring it about?",
    ),
    (
        re.compile(r"\b(?:tried|restarted|rebooted|reinstalled|replaced)\b", re.IGNORECASE),
        "What has been tried already, and what did each attempt change?",
    ),
)


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    step: StepDraft
    fork: ForkDraft | None = None
    intake: IntakeAnalysis | None = None


class PlaybookProvider:
    """Answers from cards alone. `Done.usage` is zero and `Done.confidence` None: nothing
    was computed that would deserve the name."""

    name = MODEL
    is_offline = True

    def __init__(self, cards: Sequence[Card]) -> None:
        self._index = CardIndex(cards)

    async def stream_turn(self, request: TurnRequest) -> AsyncGenerator[TextDelta | Done, None]:
        answer = await asyncio.to_thread(self._answer, request)
        for piece in re.findall(r"\S+\s*", answer.text):
            yield TextDelta(piece)
            await asyncio.sleep(0)  # a long answer lets others have the loop
        yield Done(MODEL, Usage(), step=answer.step, fork=answer.fork, intake=answer.intake)

    async def perform(self, task: Task[R]) -> Outcome[R]:
        return Outcome(await asyncio.to_thread(perform, task, self._index), MODEL, Usage())

    def _answer(self, request: TurnRequest) -> _Answer:
        if request.purpose == "intake":
            return self._intake(request)
        answer = self._reply(request)
        return replace(answer, text=f"{_files(request)}{answer.text}")

    def _reply(self, request: TurnRequest) -> _Answer:
        wanted = request.conversation.hypothesis
        if wanted is None:
            return self._trunk(request)
        told = f"{request.conversation.session.intake}\n{_told(request)}"
        found = self._index.hypothesis_for(wanted, told)
        if found is None:
            return _ask(request, _uncovered(wanted, self._index.nearest_to(wanted, told)))
        card, hypothesis = found
        return _walk(card, hypothesis, request)

    def _intake(self, request: TurnRequest) -> _Answer:
        match = self._index.card_for(request.conversation.session.intake)
        analysis = _analyse(request, match)
        if match is None:
            asked = _ask(request, "No matching playbook for this description.")
            text = f"{_OFFLINE}\n\n{_files(request)}{asked.text}"
            return _Answer(text, asked.step, intake=analysis)
        step = IntakeAnalysisStep(analysis.summary, analysis.domain, analysis.signals)
        fork = _fork(match).within(request.fork_room)
        presented = _presentation(match, fork, request.fork_room)
        text = f"{_OFFLINE}\n\n{_files(request)}{presented}{_known(request)}"
        return _Answer(text, step, fork, analysis)

    def _trunk(self, request: TurnRequest) -> _Answer:
        match = self._index.card_for(_told(request))
        if match is None:
            return _ask(request, "Still no matching playbook.")
        if any(_title(match.card) in text for text in _answers_given(request)):
            text = (
                f"The card {_title(match.card)} still fits best. Its hypotheses are named above: "
                "fork, or open the branch of one, to go through its checks."
            )
            return _Answer(text, NoteStep(text))
        analysis = _analyse(request, match)
        step = IntakeAnalysisStep(analysis.summary, analysis.domain, analysis.signals)
        fork = _fork(match).within(request.fork_room)
        presented = _presentation(match, fork, request.fork_room)
        return _Answer(f"{presented}{_known(request)}", step, fork)


# ------------------------------------------------------------------ intake and trunk


def _analyse(request: TurnRequest, match: CardMatch | None) -> IntakeAnalysis:
    read = (file.description or "" for file in request.question.attachments)
    codes = (found.group() for found in CODE.finditer("\n".join((_told(request), *read))))
    words = match.words if match else ()
    return IntakeAnalysis(
        summary=textwrap.shorten(
            request.conversation.session.intake, _SUMMARY_LENGTH, placeholder=" …"
        ),
        domain=match.card.domain
        if match
        else request.conversation.session.domain or _UNKNOWN_DOMAIN,
        signals=tuple(dict.fromkeys((*codes, *words)))[:_MOST_SIGNALS],
        confidence_tier=ConfidenceTier.GUIDED if match else ConfidenceTier.DISCOVERY,
    )


def _presentation(match: CardMatch, fork: ForkDraft | None, room: int | None) -> str:
    card = match.card
    known = (rated.hypothesis for rated in match.rated)
    causes = _bullets(f"**{h.label}**: {h.description}" for h in known)
    return (
        f"Your words match the card {_title(card)} ({', '.join(match.words)}).\n\n"
        f"Causes that it knows, the likelier first:\n{causes}\n\n"
        f"Rule out first:\n{_bullets(card.rule_out)}\n\n"
        f"{_move(match, fork, room)}"
    )


def _move(match: CardMatch, fork: ForkDraft | None, room: int | None) -> str:
    if fork is None:
        return no_fork_within(room or 0)
    into = (
        "these hypotheses"
        if len(fork.options) == len(match.rated)
        else f"the {len(fork.options)} likeliest, for which your plan has room"
    )
    return f"Fork into {into}; each branch then goes through its own checks."


def _fork(match: CardMatch) -> ForkDraft:
    options = tuple(
        ForkOption(rated.hypothesis.label, rated.hypothesis.description, rated.likelihood)
        for rated in match.rated
    )
    return ForkDraft(f"The card “{match.card.title}” knows {len(options)} causes of this.", options)


def _ask(request: TurnRequest, finding: str) -> _Answer:
    told, given = _told(request), "\n".join(_answers_given(request))
    open_questions = [
        question
        for answered, question in _QUESTIONS
        if question not in given and not answered.search(told)
    ][:_QUESTIONS_AT_ONCE]
    known = _known(request)
    if not open_questions:
        text = f"{finding} The offline playbook has no more questions; go on by hand or escalate."
        return _Answer(f"{text}{known}", NoteStep(text))
    questions = _bullets(open_questions)
    text = f"{finding} These answers would help most:\n{questions}{known}"
    return _Answer(text, InfoRequestStep(questions))


def _files(request: TurnRequest) -> str:
    """What rules found in the files that came with the question."""
    lines = [
        f"**{file.filename}**: {file.description}"
        for file in request.question.attachments
        if file.description
    ]
    return f"In your files:\n{_bullets(lines)}\n\n" if lines else ""


def _known(request: TurnRequest) -> str:
    """What the account itself has about it and was not named before; by shared words, as cards are."""
    given = "\n".join(_answers_given(request))
    lines = [
        f"**{article.title}**, an article of your library"
        for article in request.known.articles
        if article.title not in given
    ]
    for session in request.known.sessions:
        problem = textwrap.shorten(session.problem, _SUMMARY_LENGTH, placeholder=" …")
        if problem in given:
            continue
        by = f" by **{session.solved_by}**" if session.solved_by else ""
        how = f": {session.how}" if session.how else ""
        lines.append(f"“{problem}”, a session that was solved{by}{how}")
    return f"\n\nYour own records share words with this:\n{_bullets(lines)}" if lines else ""


def _told(request: TurnRequest) -> str:
    """What people said, a paragraph for each message: the first, and the newest within a bound."""
    turns = (*request.conversation.turns, request.question)
    first, *later = (turn.text for turn in turns if turn.role is not MessageRole.ASSISTANT)
    total = list(accumulate(map(len, reversed(later))))
    newest = bisect_right(total, _MOST_TOLD)
    return "\n".join((first, *later[len(later) - newest :]))


def _answers_given(request: TurnRequest) -> list[str]:
    turns = request.conversation.turns
    return [turn.text for turn in turns if turn.role is MessageRole.ASSISTANT]


def _title(card: Card) -> str:
    return f"**{card.title}**"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


# ------------------------------------------------------------------ the walk along a branch


def _uncovered(wanted: Hypothesis, near: tuple[Card, CardHypothesis] | None) -> str:
    text = (
        f"No card covers the hypothesis “{wanted.label}”, so there are no checks to walk through."
    )
    if near is None:
        return text
    card, known = near
    return (
        f"{text} The card {_title(card)} knows a check for something near it, “{known.label}”: "
        f"{known.checks[0].do} What that shows is yours to judge; it settles nothing here."
    )


def _walk(card: Card, hypothesis: CardHypothesis, request: TurnRequest) -> _Answer:
    walk = Walk.along(hypothesis.checks, request.conversation.lineage[-1].turns)
    begun = walk.asked is not None
    heard = walk.hear(request.question)
    if not begun:
        heard = (
            f"Offline playbook, no AI. Card {_title(card)}, "
            f"hypothesis **{hypothesis.label}**: {hypothesis.description}"
        )
    index = walk.next_check
    if walk.verdict or index is None:
        return _conclude(card, hypothesis, walk, heard)
    check = walk.checks[index]
    text = (
        f"{heard}\n\n**Check {index + 1} of {len(walk.checks)}**\n{check.do}\n\n"
        f"Expected: {check.expect}\n\n"
        "Answer yes if that is what you find and no if it is not; undo takes the last answer back."
    )
    return _Answer(text.strip(), _step(check))


def _step(check: Check) -> StepDraft:
    if check.kind == "action":
        return ActionStep(check.do, check.expect)
    return VerificationStep(check.do, check.expect)


def _conclude(card: Card, hypothesis: CardHypothesis, walk: Walk, heard: str) -> _Answer:
    results = _bullets(
        f"Check {index + 1}, “{walk.checks[index].expect}”: {yes_or_no(result)}"
        for index, result in sorted(walk.results.items())
    )
    conclusion, proposal = _outcome(card, hypothesis, walk)
    if not heard:
        return _done(conclusion, walk)
    parts = (
        heard,
        f"**Conclusion**\n{conclusion}\n{results}",
        f"**Proposal**\n{proposal} {_DECIDE}",
    )
    return _Answer("\n\n".join(parts), NoteStep(f"{conclusion} {proposal}"))


def _done(conclusion: str, walk: Walk) -> _Answer:
    """To whatever is said after the conclusion, which has been told already."""
    left = "mark this branch as a dead end and open that of another cause, or go on by hand here"
    if walk.verdict and walk.verdict[1] == "confirmed":
        left = "mark this branch as solved once the repair has held"
    text = (
        f"The checks of this card are done, and the playbook can say no more here. {conclusion} You can "
        f"{left}; undo takes the last answer back."
    )
    return _Answer(text, NoteStep(text))


def _outcome(card: Card, hypothesis: CardHypothesis, walk: Walk) -> tuple[str, str]:
    """What the checks say, and what to do about the branch."""
    if walk.verdict is None:
        conclusion = f"All {len(walk.checks)} checks are done; none settles “{hypothesis.label}”."
        proposal = (
            "Mark this branch as a dead end if you have no test of your own left; "
            "otherwise go on by hand here."
        )
        return conclusion, proposal
    index, meaning = walk.verdict
    if meaning == "confirmed":
        conclusion = f"Check {index + 1} supports “{hypothesis.label}”."
        proposal = f"Before you close: {card.resolution} If that holds, mark this branch as solved."
        return conclusion, proposal
    conclusion = f"Check {index + 1} speaks against “{hypothesis.label}”."
    proposal = (
        "Mark this branch as a dead end, with the reason: "
        f"“{claim_of(walk.checks[index], walk.results[index])}”"
    )
    return conclusion, proposal
