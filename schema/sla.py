"""How soon what waits should be claimed, and how it stands with that."""

from datetime import UTC, datetime
from typing import Annotated, Self

import strawberry

from models.handoff import Handoff, HandoffPriority
from models.sla import SlaState
from schema.errors import InvalidInputError, PermissionDeniedError, StaleVersionError
from services import slas as service


@strawberry.type(
    description="The time in which a handoff should be claimed. It runs from when it is made, of what "
    "was parked from when it is due, and stands still while somebody holds it."
)
class HandoffSla:
    due_at: datetime
    state: SlaState = strawberry.field(
        description="AT_RISK once three quarters of the time are over. After a claim: as it was then."
    )
    remaining_seconds: int = strawberry.field(
        description="Until `dueAt`, negative after it; counted from now, or from when it was claimed or "
        "cancelled."
    )

    @classmethod
    def of(cls, row: Handoff) -> Self | None:
        if row.sla_state is None or row.sla_due_at is None:
            return None
        left = row.sla_due_at - (row.closed_at or datetime.now(UTC))
        return cls(
            due_at=row.sla_due_at, state=row.sla_state, remaining_seconds=int(left.total_seconds())
        )


@strawberry.type(description="Minutes in which what is handed off should be claimed.")
class SlaTargets:
    normal_minutes: int = strawberry.field(description="Also of what was parked, once it is due.")
    elevated_minutes: int
    version: int = strawberry.field(
        description="Grows with every change; `saveSlaTargets` takes it as `expectedVersion`. 0: these "
        "are the defaults."
    )

    @classmethod
    def of(cls, targets: service.SlaTargets) -> Self:
        return cls(
            normal_minutes=targets.minutes[HandoffPriority.NORMAL],
            elevated_minutes=targets.minutes[HandoffPriority.ELEVATED],
            version=targets.version,
        )


@strawberry.input
class SaveSlaTargetsInput:
    normal_minutes: int = strawberry.field(description="1 to 43,200, which are 30 days.")
    elevated_minutes: int = strawberry.field(description="1 to 43,200.")
    expected_version: int


@strawberry.type
class SaveSlaTargetsSuccess:
    sla_targets: SlaTargets


SaveSlaTargetsResult = Annotated[
    SaveSlaTargetsSuccess | InvalidInputError | PermissionDeniedError | StaleVersionError,
    strawberry.union("SaveSlaTargetsResult"),
]
