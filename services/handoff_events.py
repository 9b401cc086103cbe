"""What followers of a session and of a queue are told of a handoff."""

from collections.abc import Callable
from typing import TypeVar

from models.handoff import Handoff
from models.session import AiSession
from services.events import HandoffEvent

E = TypeVar("E", bound=HandoffEvent)


def event_of(kind: Callable[..., E], session: AiSession, handoff: Handoff, **more: str) -> E:
    """With what a queue filters by, as it is now."""
    return kind(
        session_id=session.id,
        handoff_id=handoff.id,
        intent=handoff.intent,
        priority=handoff.priority,
        team_id=session.team_id,
        domain=session.problem_domain,
        sla_state=handoff.sla_state,
        is_due=handoff.woken_at is not None,
        **more,
    )
