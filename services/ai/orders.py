"""What the last message of a task asks for. No database, no network."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.ai.delimiting import delimited, one_line
from services.ai.document_tasks import (
    Case,
    DocumentTask,
    WriteArticle,
    WriteClientSummary,
    WriteTicketNotes,
)
from services.ai.port import Attachment, Turn
from services.ai.tasks import (
    AnalyseBranch,
    DescribeFile,
    GiveSecondOpinion,
    HypothesisFacts,
    PrepareHandoff,
)

_GIST = 80  # characters by which a message is recognised in a list
_MOST_LISTED = 200


def analysis_order(task: AnalyseBranch) -> str:
    messages = "\n".join(
        f"{turn.position} ({turn.role.value}): {_gist(turn)}"
        for turn in task.conversation.lineage[-1].turns[-_MOST_LISTED:]
    )
    new = (
        f"Those after {task.since} are new."
        if task.since
        else "None of them has been analysed yet."
    )
    known = delimited("known findings", "\n".join(f"- {claim}" for claim in task.known) or "none")
    own = f" This branch is {task.own}." if task.own else " This is the trunk."
    return (
        f"Call `{task.name}` now and write nothing else.\n"
        "Sum up this branch: what was tried on it, what is concluded so far, and the artifacts that "
        "matter. Then give the findings that the new messages establish: each a claim of its own, with "
        "the numbers of the messages that carry it, what it is about, and what it says about each "
        "hypothesis that it bears on. A proposal, a question or a guess is no finding. Leave out what is "
        "known. If a new finding speaks against the reason why a branch was given up, name it as a "
        "contradiction. Last, rank the hypotheses that are neither dead ends nor solved: how likely each "
        "is now, why, the next check that would tell the most, and the minutes it takes.\n"
        f"The messages of this branch, by number. {new}\n{delimited('messages', messages)}\n"
        f"Known findings:\n{known}\nHypotheses.{own}\n{_hypotheses(task.hypotheses)}"
    )


def handoff_order(task: PrepareHandoff) -> str:
    notes = delimited("engineer's notes", task.engineer_notes or "none")
    what = (
        "escalated to somebody who knows more"
        if task.intent.value == "escalate"
        else "parked until it can go on"
    )
    return (
        f"Call `{task.name}` now and write nothing else.\n"
        f"The session is being {what}. Assess it from what was recorded, on all branches: the most likely "
        "cause, the next steps in order, how sure you are. Write a briefing for a colleague who knows "
        "nothing of it: the problem, what was found, what was ruled out and why, where it stands. Give the "
        "next step, what is being waited on and what to watch out for, each only where it was recorded.\n"
        f"The engineer's notes:\n{notes}\nHypotheses:\n{_hypotheses(task.hypotheses)}"
    )


def opinion_order(task: GiveSecondOpinion) -> str:
    observed = "\n".join(f"- {one_line(line)}" for line in task.observations) or "none"
    return (
        f"Call `{task.name}` now and write nothing else.\n"
        "Give a second opinion. You are shown the problem and what was observed, not what anybody thinks "
        "about it. Say what you hold to be the likely cause and why, what else it could be, and what you "
        f"would do next.\nThe problem:\n{delimited('intake', task.session.intake)}\n"
        f"Observations:\n{delimited('observations', observed)}"
    )


def description_order(file: Attachment) -> str:
    what = "this image" if file.image is not None else "this file"
    return (
        f"Call `{DescribeFile.name}` now and write nothing else.\n"
        f"Describe {what} for a support engineer in one sentence, and sum up in two or three what matters "
        "for finding a fault: error texts and codes, program names, times. Only what is there."
    )


_ORDERS: Mapping[type[DocumentTask[Any]], str] = {
    WriteTicketNotes: (
        "Write the notes of the ticket, for colleagues: the problem, the diagnostic steps in order, the "
        "resolution, and what was recommended."
    ),
    WriteArticle: (
        "Write an article for the library, for whoever meets this problem next: how it shows, its root "
        "cause, the steps that resolve it, and what to rule out first. Every hypothesis that is a dead end "
        "is to be ruled out first, with the reason recorded for it, and nothing else is. Name no client, "
        "no person and no host."
    ),
    WriteClientSummary: (
        "Write a summary for the client, who is no technician, in two or three sentences for each part: "
        "what happened, what was done, what comes next. No jargon, no blame."
    ),
}


def document_order(task: DocumentTask[Any]) -> str:
    case = task.case
    solved = f"{case.solved_by} was marked as the solution." if case.solved_by else ""
    findings = "\n".join(
        f"{found.ref} ({one_line(found.branch)}, {found.kind.value}): {one_line(found.claim)}"
        for found in case.findings
    )
    return (
        f"Call `{task.name}` now and write nothing else.\n"
        f"The session is resolved. {solved} {_ORDERS[type(task)]}\n"
        "Sentence by sentence, each in plain text with its sources: M and the number of a message of this "
        "conversation, F and the number of a finding, H and the number of a hypothesis whose status and "
        "reason it tells, R for the resolution. A sentence claims only what its sources say; write none "
        "that would have no source, and leave a part empty where nothing was recorded.\n"
        f"R, the resolution:\n{delimited('resolution', case.resolution)}\n"
        f"The messages, by number:\n{delimited('messages', _listed(case))}\n"
        f"Findings of all branches:\n{delimited('findings', findings or 'none')}\n"
        f"Hypotheses:\n{_hypotheses(case.hypotheses)}"
    )


def _listed(case: Case) -> str:
    turns = list(case.conversation.turns)[-_MOST_LISTED:]
    return "\n".join(f"M{turn.position} ({turn.role.value}): {_gist(turn)}" for turn in turns)


def _gist(turn: Turn) -> str:
    return one_line(turn.text)[:_GIST]


def _hypotheses(hypotheses: Iterable[HypothesisFacts]) -> str:
    return delimited(
        "hypotheses", "\n".join(_hypothesis(facts) for facts in hypotheses) or "none yet"
    )


def _hypothesis(facts: HypothesisFacts) -> str:
    likelihood = "" if facts.likelihood is None else f", likelihood {facts.likelihood:.2f}"
    lines = [
        f"{facts.ref}: {one_line(facts.label)} [{facts.status.value}{likelihood}]",
        f"  {one_line(facts.description)}" if facts.description else "",
        f"  Reason: {one_line(facts.reason)}" if facts.reason else "",
        f"  Tried: {'; '.join(one_line(item) for item in facts.tried)}" if facts.tried else "",
        f"  Concluded: {one_line(facts.concluded)}" if facts.concluded else "",
        *(f"  Found: {one_line(claim)}" for claim in facts.findings),
    ]
    return "\n".join(line for line in lines if line)
