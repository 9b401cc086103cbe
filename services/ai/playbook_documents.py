"""Documents from recorded facts alone: templates, filled with what was said, found and marked.

Nothing is concluded and nothing is worded anew, so every sentence has its source.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from models.branch import BranchStatus
from models.finding import FindingKind
from models.message import MessageRole
from services.ai.document_tasks import (
    ArticleDraft,
    Case,
    ClientSummary,
    DocumentTask,
    Sentence,
    TicketNotes,
    WriteArticle,
    WriteClientSummary,
    WriteTicketNotes,
    ruled_out,
)
from services.ai.port import HypothesisFacts

_TITLE = 80  # characters of an intake that nobody has summed up
_TOLD = 5  # words from which a message tells something, and does not only answer


def write(task: DocumentTask[Any]) -> BaseModel:
    """Raises TypeError for a document that it does not know."""
    case = task.case
    resolution = [Sentence(text=case.resolution, sources=["R"])]
    match task:
        case WriteTicketNotes():
            return TicketNotes(
                problem=[_intake(case)],
                diagnostic_steps=[*_reported(case), *_found(case), *_given_up(case)],
                resolution=[*resolution, *_solution(case)],
            )
        case WriteArticle():
            return ArticleDraft(
                title=case.problem or _first_line(case),
                symptoms=[_intake(case), *_noticed(case)],
                root_cause=[*_solution(case)],
                steps=resolution,
                rule_out_first=[ruled_out(facts) for facts in _dead_ends(case)],
                tags=[case.conversation.session.domain] if case.conversation.session.domain else [],
            )
        case WriteClientSummary():
            return ClientSummary(what_happened=[_intake(case)], what_was_done=resolution)
    raise TypeError(f"No template for {type(task).__name__}")


def _intake(case: Case) -> Sentence:
    return Sentence(text=case.conversation.session.intake, sources=["M1"])


def _first_line(case: Case) -> str:
    line = case.conversation.session.intake.strip().splitlines()[0]
    return line if len(line) <= _TITLE else f"{line[:_TITLE].rstrip()}…"


def _found(case: Case) -> Iterator[Sentence]:
    """Those made on a hypothesis say which one it was."""
    labels = {facts.label for facts in case.hypotheses}
    for found in case.findings:
        on = f"{found.branch}: " if found.branch in labels else ""
        yield Sentence(text=f"{on}{found.claim}", sources=[found.ref])


def _noticed(case: Case) -> Iterator[Sentence]:
    """Before anybody had a hypothesis; the outcome of a check is no symptom."""
    labels = {facts.label for facts in case.hypotheses}
    for found in case.findings:
        if found.kind is FindingKind.OBSERVED and found.branch not in labels:
            yield Sentence(text=found.claim, sources=[found.ref])


def _reported(case: Case) -> Iterator[Sentence]:
    """What engineers wrote in words of their own, unless a finding says it, too."""
    claims = {found.claim.casefold() for found in case.findings}
    for turn in case.conversation.turns:
        text = " ".join(turn.text.split())
        is_own = turn.role is MessageRole.USER and turn.position > 1 and len(text.split()) >= _TOLD
        if is_own and text.casefold() not in claims:
            yield Sentence(text=text, sources=[f"M{turn.position}"])


def _dead_ends(case: Case) -> Iterator[HypothesisFacts]:
    return (facts for facts in case.hypotheses if facts.status is BranchStatus.DEAD_END)


def _given_up(case: Case) -> Iterator[Sentence]:
    for facts in _dead_ends(case):
        yield Sentence(text=f"Given up: {ruled_out(facts).text}", sources=[facts.ref])


def _solution(case: Case) -> Iterator[Sentence]:
    """In the words of whoever marked it: what a hypothesis supposes is not what was found."""
    for facts in case.hypotheses:
        if facts.ref == case.solved_by:
            said = facts.reason if facts.reason != case.resolution else None
            yield Sentence(
                text=f"{facts.label}: {said}" if said else facts.label, sources=[facts.ref]
            )
