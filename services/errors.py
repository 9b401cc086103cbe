"""Expected refusals. One class a refusal; each carries exactly the data its answer needs.

    DomainError
    ├── InvalidInput          fields beyond their stated limits
    ├── NotFound              no such object, or none this actor may see
    ├── PermissionDenied      seen, but not to be done by this actor
    ├── StaleVersion          changed since the caller looked
    ├── InvalidTransition     not from this state
    ├── BranchLimit           the plan holds no more hypotheses
    ├── HandoffTaken          somebody was faster
    ├── ServiceUnavailable    a system outside did not do its part
    ├── BudgetExceeded        no model tokens left
    ├── RateLimited           too much or too often; no member of a result
    └── Unauthenticated       nobody is calling; no member of a result

A refusal raised inside a unit of work rolls it back: nothing changed and nothing was published.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.account import Plan


class DomainError(Exception):
    """`message` is written for the person who reads the answer and tells nothing of the inside."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class FieldProblem:
    path: tuple[str, ...]
    message: str


class InvalidInput(DomainError):
    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(" ".join(f"{'.'.join(p.path)}: {p.message}" for p in problems))
        self.problems = tuple(problems)


class NotFound(DomainError):
    def __init__(self, node_id: str) -> None:
        super().__init__("There is no such object, or you may not see it.")
        self.node_id = node_id


class PermissionDenied(DomainError):
    pass


class StaleVersion(DomainError):
    def __init__(self, current_version: int) -> None:
        super().__init__("This was changed since you loaded it. Load it again and repeat.")
        self.current_version = current_version


class InvalidTransition(DomainError):
    def __init__(self, message: str, *, source: str, target: str, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.source = source
        self.target = target
        self.allowed = tuple(allowed)


class BranchLimit(DomainError):
    def __init__(self, *, plan: Plan, limit: int, current: int, requested: int) -> None:
        super().__init__(
            f"Branch limit reached ({limit} for {plan.name} plan). "
            f"Current: {current}, requested: {requested}"
        )
        self.plan = plan
        self.limit = limit
        self.current = current
        self.requested = requested


class HandoffTaken(DomainError):
    def __init__(self, handoff_id: UUID) -> None:
        super().__init__("Somebody else has claimed this handoff.")
        self.handoff_id = handoff_id


class ServiceUnavailable(DomainError):
    def __init__(self, message: str, *, service: str, retryable: bool) -> None:
        super().__init__(message)
        self.service = service
        self.retryable = retryable


class BudgetExceeded(DomainError):
    """In weighted tokens, see services.usage; `resets_at` is in UTC."""

    def __init__(self, *, budget: int, used: int, resets_at: datetime) -> None:
        super().__init__(
            f"This month's budget of {budget:,} model tokens is used up: {used:,} were used, weighted "
            f"by their price. It renews on {resets_at:%Y-%m-%d} at {resets_at:%H:%M} UTC."
        )
        self.budget = budget
        self.used = used
        self.resets_at = resets_at


class RateLimited(DomainError):
    def __init__(self, message: str, *, retry_after: int) -> None:
        """`retry_after` in whole seconds."""
        super().__init__(message)
        self.retry_after = retry_after


class Unauthenticated(DomainError):
    def __init__(self, message: str = "Sign in, or send an API key.") -> None:
        super().__init__(message)
