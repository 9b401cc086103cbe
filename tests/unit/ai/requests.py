"""Requests as a session would make them, without one."""

from collections.abc import Sequence

from models.message import MessageRole
from services.ai.port import (
    NOTHING_TOLD,
    Conversation,
    Hypothesis,
    MergedFinding,
    Segment,
    SessionFacts,
    Turn,
    TurnRequest,
    Volatile,
)


def intake_turn(session: SessionFacts) -> TurnRequest:
    return TurnRequest(
        Conversation(session), Turn(1, MessageRole.USER, session.intake), purpose="intake"
    )


def news(*claims: str) -> Volatile:
    """What another branch has found."""
    return Volatile(merged=tuple(MergedFinding("Elsewhere", claim) for claim in claims))


def reply_turn(
    session: SessionFacts,
    history: Sequence[Turn],
    question: str,
    *,
    hypothesis: Hypothesis | None = None,
    fork_position: int = 0,
    volatile: Volatile = NOTHING_TOLD,
) -> TurnRequest:
    """On the trunk, or on a branch of it that left it after `fork_position`."""
    inherited = tuple(turn for turn in history if turn.position <= fork_position)
    own = tuple(turn for turn in history if turn.position > fork_position)
    lineage = (
        (Segment(own),)
        if hypothesis is None
        else (Segment(inherited), Segment(own, hypothesis=hypothesis))
    )
    asked = Turn(len(history) + 1, MessageRole.USER, question)
    return TurnRequest(Conversation(session, lineage), asked, volatile=volatile)
