"""What the offline provider does besides the conversation: bookkeeping over what was recorded.

Nothing here understands a sentence. Findings are answers to a card's checks and the engineers' own
notes; a contradiction is two sentences about the same words with opposite polarity.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from models.branch import BranchStatus
from models.finding import Bearing, FindingKind
from models.handoff import Confidence
from models.message import MessageRole
from services.ai import playbook_documents
from services.ai.cards import Card, CardHypothesis, Check, Verdict
from services.ai.contradiction import contradicts
from services.ai.document_tasks import DocumentTask
from services.ai.port import Conversation, Hypothesis, R, Segment, Task, Turn
from services.ai.retrieval import CardIndex
from services.ai.tasks import (
    AnalyseBranch,
    Analysis,
    DescribeFile,
    Description,
    FindingBearing,
    FoundContradiction,
    FoundFinding,
    GiveSecondOpinion,
    HandoffDraft,
    HypothesisFacts,
    HypothesisRank,
    Opinion,
    PrepareHandoff,
)
from services.ai.walk import Walk, claim_of, verdict_of, yes_or_no

CODE = re.compile(
    r"\b(?:0x[0-9a-f]{4,8}|AADSTS\d{4,7}|[45]\.\d{1,3}\.\d{1,3}(?!\.\d)|event(?: id)? \d{1,5}"
    r"|(?:\d{1,3}\.){3}\d{1,3})\b",
    re.IGNORECASE,
)

NOT_RECORDED = "Not recorded."

_OPEN = (BranchStatus.UNTRIED, BranchStatus.ACTIVE, BranchStatus.REVIVED)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")
_MOST_SENTENCES = 50

_CONFIRMED_ODDS = 20.0
"""By how much the odds of a hypothesis grow when a check confirms it, and shrink when one refutes it.
A rule of thumb that puts an even chance at 0.95 or 0.05; nobody has measured it.
"""

_SURE, _FAIR = 0.9, 0.5  # likelihoods from which confidence is high and medium

_KIND: dict[Verdict | None, tuple[FindingKind, Bearing]] = {
    "confirmed": (FindingKind.CONFIRMED, Bearing.EXPLAINS),
    "refuted": (FindingKind.RULED_OUT, Bearing.CONTRADICTS),
    None: (FindingKind.OBSERVED, Bearing.NEUTRAL),
}


def perform(task: Task[R], index: CardIndex) -> R:
    """Raises TypeError for a task that it does not know."""
    work: Task[Any] = task
    match work:
        case AnalyseBranch():
            result: object = _analysis(work, index)
        case PrepareHandoff():
            result = _handoff(work, index)
        case GiveSecondOpinion():
            result = _opinion(work, index)
        case DocumentTask():
            result = playbook_documents.write(work)
        case DescribeFile():
            result = _description(work)
        case _:
            raise TypeError(f"No rules for {type(task).__name__}")
    return cast("R", result)


# ------------------------------------------------------------------ findings


@dataclass(frozen=True, slots=True)
class _Walked:
    card: Card
    hypothesis: CardHypothesis
    walk: Walk


def _analysis(task: AnalyseBranch, index: CardIndex) -> Analysis:
    own = task.conversation.lineage[-1]
    walked = _walked(task.conversation, index)
    findings = [
        *(_checked(walked, task) if walked else ()),
        *_noted(own, task.since),
        *_read(own, task.since),
    ]
    findings, contradictions = _watch(task, own, findings)
    known = {claim.casefold() for claim in task.known}
    if not contradictions:
        findings = [finding for finding in findings if finding.claim.casefold() not in known]
    return Analysis(
        tried=_tried(walked) if walked else [],
        concluded=_concluded(walked) if walked else None,
        artifacts=_artifacts(own),
        findings=findings,
        contradictions=contradictions,
        ranking=_ranking(walked, task, index) if walked else [],
    )


def _walked(conversation: Conversation, index: CardIndex) -> _Walked | None:
    own = conversation.lineage[-1]
    found = index.hypothesis_for(own.hypothesis) if own.hypothesis else None
    if found is None:
        return None
    card, hypothesis = found
    return _Walked(card, hypothesis, Walk.along(hypothesis.checks, own.turns))


def _checked(walked: _Walked, task: AnalyseBranch) -> Iterator[FoundFinding]:
    for number, result in walked.walk.results.items():
        position = walked.walk.answered[number]
        if position <= task.since:
            continue
        check = walked.hypothesis.checks[number]
        kind, bearing = _KIND[verdict_of(check, result)]
        bearings = [FindingBearing(hypothesis=task.own, bearing=bearing)] if task.own else []
        yield FoundFinding(
            kind=kind,
            claim=claim_of(check, result),
            subject=walked.card.title,
            evidence=[position],
            bearings=[*bearings, *_same_check(check, result, walked.card, task)],
        )


def _same_check(
    check: Check, result: bool, card: Card, task: AnalyseBranch
) -> Iterator[FindingBearing]:
    """What the answer says about the card's other hypotheses, where they ask the same thing."""
    by_label = {facts.label.casefold(): facts.ref for facts in task.hypotheses}
    for hypothesis in card.hypotheses:
        ref = by_label.get(hypothesis.label.casefold())
        if ref is None or ref == task.own:
            continue
        same = next((other for other in hypothesis.checks if other.expect == check.expect), None)
        if same is not None:
            yield FindingBearing(hypothesis=ref, bearing=_KIND[verdict_of(same, result)][1])


def _noted(own: Segment, since: int) -> Iterator[FoundFinding]:
    """What engineers noted on purpose. Notes in brackets are the product's own."""
    for turn in own.turns:
        if turn.role is MessageRole.NOTE and turn.position > since and turn.text[:1] != "[":
            yield _observed(turn, turn.text)


def _read(own: Segment, since: int) -> Iterator[FoundFinding]:
    """What digests tell of logs."""
    for turn in own.turns:
        for file in turn.attachments:
            if turn.position > since and file.summary and file.description:
                yield FoundFinding(
                    kind=FindingKind.OBSERVED,
                    claim=f"{file.filename}: {file.description}",
                    subject="File",
                    evidence=[turn.position],
                )


def _observed(turn: Turn, sentence: str) -> FoundFinding:
    return FoundFinding(
        kind=FindingKind.OBSERVED,
        claim=" ".join(sentence.split()),
        subject="Note" if turn.role is MessageRole.NOTE else "Told by the engineer",
        evidence=[turn.position],
    )


def _watch(
    task: AnalyseBranch, own: Segment, findings: list[FoundFinding]
) -> tuple[list[FoundFinding], list[FoundContradiction]]:
    """The findings, with those added that speak against the reason of a dead end."""
    dead = [
        facts
        for facts in task.hypotheses
        if facts.status is BranchStatus.DEAD_END and facts.reason and facts.ref != task.own
    ]
    told = [
        _observed(turn, sentence)
        for turn in own.turns
        if turn.role is MessageRole.USER and turn.position > task.since
        for sentence in _sentences(turn.text)
        if any(contradicts(sentence, facts.reason or "") for facts in dead)
    ]
    findings = [*findings, *told]
    return findings, [
        FoundContradiction(
            hypothesis=facts.ref,
            finding=place,
            why=f"It was given up because: {facts.reason}",
        )
        for facts in dead
        for place, finding in enumerate(findings)
        if contradicts(finding.claim, facts.reason or "")
    ]


def _sentences(text: str) -> Iterator[str]:
    found = (match.group().strip() for match in _SENTENCE.finditer(text))
    return islice((sentence for sentence in found if sentence), _MOST_SENTENCES)


# ------------------------------------------------------------------ the branch's summary


def _tried(walked: _Walked) -> list[str]:
    return [
        f"{walked.hypothesis.checks[number].do} Expected: {walked.hypothesis.checks[number].expect} "
        f"Answered: {yes_or_no(result)}"
        for number, result in walked.walk.results.items()
    ]


def _concluded(walked: _Walked) -> str | None:
    if walked.walk.verdict is None:
        return None
    number, meaning = walked.walk.verdict
    says = "supports" if meaning == "confirmed" else "speaks against"
    check, result = walked.hypothesis.checks[number], walked.walk.results[number]
    return f"Check {number + 1} {says} “{walked.hypothesis.label}”. {claim_of(check, result)}"


def _artifacts(own: Segment) -> list[str]:
    said = "\n".join(turn.text for turn in own.turns if turn.role is not MessageRole.ASSISTANT)
    files = (file.filename for turn in own.turns for file in turn.attachments)
    codes = (match.group() for match in CODE.finditer(said))
    return list(dict.fromkeys((*files, *codes)))


# ------------------------------------------------------------------ ranking


def _ranking(walked: _Walked, task: AnalyseBranch, index: CardIndex) -> list[HypothesisRank]:
    """Anew when a check has just settled the branch's hypothesis, by Bayes' rule with fixed odds.

    What the hypotheses leave to 1 belongs to causes that nobody has thought of.
    """
    verdict = walked.walk.verdict
    if verdict is None or walked.walk.answered[verdict[0]] <= task.since:
        return []
    number, meaning = verdict
    factor = _CONFIRMED_ODDS if meaning == "confirmed" else 1 / _CONFIRMED_ODDS
    check, result = walked.hypothesis.checks[number], walked.walk.results[number]
    if claim_of(check, not result).casefold() in {claim.casefold() for claim in task.known}:
        factor *= factor  # the opposite answer was weighed before and taken back
    rated = [facts for facts in task.hypotheses if facts.status in _OPEN]
    priors = {facts.ref: _prior(facts, index) for facts in rated}
    known = {ref: prior for ref, prior in priors.items() if prior is not None}
    if task.own not in known:
        return []
    unknown_cause = max(0.0, 1 - sum(known.values()))
    weights = {ref: prior * (factor if ref == task.own else 1.0) for ref, prior in known.items()}
    total = sum(weights.values()) + unknown_cause
    says = "supports" if meaning == "confirmed" else "speaks against"
    return [
        HypothesisRank(
            hypothesis=facts.ref,
            likelihood=round(weights[facts.ref] / total, 3),
            why=f"Check {number + 1} {says} “{walked.hypothesis.label}”.",
            next_check=_next_check(walked if facts.ref == task.own else None, facts, index),
        )
        for facts in rated
        if facts.ref in weights
    ]


def _prior(facts: HypothesisFacts, index: CardIndex) -> float | None:
    if facts.likelihood is not None:
        return facts.likelihood
    found = index.hypothesis_for(Hypothesis(facts.label, facts.description))
    return found[1].likelihood if found else None


def _next_check(walked: _Walked | None, facts: HypothesisFacts, index: CardIndex) -> str | None:
    if walked is not None:
        open_check = None if walked.walk.verdict else walked.walk.next_check
        return None if open_check is None else walked.hypothesis.checks[open_check].do
    found = index.hypothesis_for(Hypothesis(facts.label, facts.description))
    return found[1].checks[0].do if found else None


# ------------------------------------------------------------------ handoffs


def _handoff(task: PrepareHandoff, index: CardIndex) -> HandoffDraft:
    problem = task.conversation.session.intake
    leader = _leader(task.hypotheses)
    walked = _walked(task.conversation, index)
    next_check = _next_check(
        walked if leader and walked and _is(leader, walked) else None, leader, index
    ) if leader else None  # fmt: skip
    likely = leader.label if leader else NOT_RECORDED
    ruled_out = [facts for facts in task.hypotheses if facts.status is BranchStatus.DEAD_END]
    found = [claim for facts in task.hypotheses for claim in facts.findings]
    lines = [
        f"Problem: {problem}",
        f"Likeliest so far: {likely}",
        *(f"Found: {claim}" for claim in found),
        *(f"Ruled out: {facts.label}. {facts.reason or NOT_RECORDED}" for facts in ruled_out),
        *([f"Notes: {task.engineer_notes}"] if task.engineer_notes else ()),
        "Put together from the record by the offline playbook, without AI.",
    ]
    return HandoffDraft(
        text=(
            f"From the record alone, without AI: {len(task.hypotheses)} hypotheses, "
            f"{len(ruled_out)} of them ruled out, {len(found)} findings. Likeliest so far: {likely}"
        ),
        likely_cause=likely,
        suggested_steps=[
            next_check or "Read the conversation of the active branch and go on by hand."
        ],
        confidence=_confidence(leader),
        briefing="\n".join(lines),
        next_step=next_check,
    )


def _leader(hypotheses: Sequence[HypothesisFacts]) -> HypothesisFacts | None:
    solved = [facts for facts in hypotheses if facts.status is BranchStatus.SOLVED]
    rated = [
        facts for facts in hypotheses if facts.status in _OPEN and facts.likelihood is not None
    ]
    best = sorted(rated, key=lambda facts: -(facts.likelihood or 0))
    return next(iter((*solved, *best)), None)


def _is(facts: HypothesisFacts, walked: _Walked) -> bool:
    return facts.label.casefold() == walked.hypothesis.label.casefold()


def _confidence(leader: HypothesisFacts | None) -> Confidence:
    if leader is None:
        return Confidence.LOW
    if leader.status is BranchStatus.SOLVED or (leader.likelihood or 0) >= _SURE:
        return Confidence.HIGH
    return Confidence.MEDIUM if (leader.likelihood or 0) >= _FAIR else Confidence.LOW


def _opinion(task: GiveSecondOpinion, index: CardIndex) -> Opinion:
    match = index.card_for("\n".join([task.session.intake, *task.observations]))
    if match is None:
        return Opinion(
            likely_cause="No matching playbook.",
            reasoning="The offline playbook, which is no AI, knows no card for these observations.",
            suggested_steps=["Ask somebody who knows the product."],
            confidence=Confidence.LOW,
        )
    first, *others = (rated.hypothesis for rated in match.rated)
    return Opinion(
        likely_cause=first.label,
        reasoning=(
            f"The words {', '.join(match.words)} match the card “{match.card.title}”; its likeliest "
            f"cause is: {first.description} The offline playbook matches words, it is no AI."
        ),
        alternatives=[known.label for known in others],
        suggested_steps=[known.checks[0].do for known in (first, *others)],
        confidence=Confidence.LOW,
    )


# ------------------------------------------------------------------ files


def _description(task: DescribeFile) -> Description:
    file = task.attachment
    return Description(
        description=f"{file.filename}, {file.content_type}; its content was not looked at."
        if file.image
        else f"{file.filename}, {file.content_type}.",
        summary=file.summary or file.text or None,
    )
