"""Builds requests to the model from plain facts. No database, no network."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from models.branch import BranchStatus
from models.message import MessageRole
from services.ai.port import Hypothesis, SessionFacts, Turn, TurnRequest

# Most useful to a sibling first: what is known to work, then what is under way.
_USEFULNESS = (
    BranchStatus.SOLVED,
    BranchStatus.ACTIVE,
    BranchStatus.REVIVED,
    BranchStatus.UNTRIED,
    BranchStatus.DEAD_END,
)

_OPEN = '<untrusted source="{source}">'
_CLOSE = "</untrusted>"


@dataclass(frozen=True, slots=True)
class LineageMessage:
    """A complete message; `position` is its place in the branch's lineage, from 1."""

    position: int
    role: MessageRole
    text: str
    author: str | None = None


@dataclass(frozen=True, slots=True)
class BranchFacts:
    """What another branch of the session has established."""

    label: str
    status: BranchStatus
    tried: tuple[str, ...] = ()
    concluded: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RevivalFacts:
    """Why this branch came back; `evidence_from` is the label of the branch that showed it."""

    evidence_from: str
    description: str


def intake_request(session: SessionFacts) -> TurnRequest:
    return TurnRequest(session=session, question=session.intake, purpose="intake")


def reply_request(
    session: SessionFacts,
    *,
    lineage: Iterable[LineageMessage],
    question_position: int,
    fork_position: int = 0,
    hypothesis: Hypothesis | None = None,
    others: Iterable[BranchFacts] = (),
    revivals: Iterable[RevivalFacts] = (),
) -> TurnRequest:
    """Asks for an answer to the message at `question_position`.

    Messages after it are left out, however many the engineer has already sent. What stands at or
    before `fork_position` was inherited. `others` come in tree order and `revivals` newest first.
    Raises ValueError if the question is not in the lineage.
    """
    messages = sorted(lineage, key=lambda message: message.position)
    question = next((m.text for m in messages if m.position == question_position), None)
    if question is None:
        raise ValueError(f"No message at position {question_position}")
    history = [message for message in messages if message.position < question_position]
    blocks = (revival_context(revivals), cross_branch_context(others))
    return TurnRequest(
        session=session,
        question=question,
        hypothesis=hypothesis,
        ancestors=tuple(_turn(m) for m in history if m.position <= fork_position),
        tail=tuple(_turn(m) for m in history if m.position > fork_position),
        volatile=tuple(block for block in blocks if block),
    )


def cross_branch_context(others: Iterable[BranchFacts]) -> str:
    """A line for every other branch, the most useful first; empty for a branch that is alone."""
    ordered = sorted(others, key=lambda branch: _USEFULNESS.index(branch.status))
    if not ordered:
        return ""
    lines = "\n".join(_branch_line(branch) for branch in ordered)
    return f"## Cross-Branch Context\n{delimited('branches', lines)}"


def revival_context(revivals: Iterable[RevivalFacts]) -> str:
    """The evidence that brought this branch back; empty if it never was a dead end."""
    lines = "\n".join(
        f"- **{_label(revival.evidence_from)}**: {_one_line(revival.description)}"
        for revival in revivals
    )
    return f"## Branch Revival\n{delimited('evidence', lines)}" if lines else ""


def delimited(source: str, text: str) -> str:
    """Marks `text` as material that gives no orders.

    `&` and `<` are written as entities, so that nothing inside can end the block.
    """
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return f"{_OPEN.format(source=source)}\n{escaped}\n{_CLOSE}"


def _turn(message: LineageMessage) -> Turn:
    return Turn(message.role, message.text, message.author)


def _branch_line(branch: BranchFacts) -> str:
    return f"- **{_label(branch.label)}** [{branch.status.value}]: {_summary(branch)}"


def _summary(branch: BranchFacts) -> str:
    tried = ", ".join(_one_line(item) for item in branch.tried)
    parts = [f"Tried: {tried}."] if tried else []
    if branch.concluded:
        parts.append(_one_line(branch.concluded))
    if not parts and branch.reason:
        parts.append(_one_line(branch.reason))
    return " ".join(parts) or "No summary yet."


def _label(text: str) -> str:
    # A label must not end its own bold face, or it could name itself another status.
    return re.sub(r"([\\*])", r"\\\1", _one_line(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())
