"""The moves of a guided diagnosis; each kind has a shape of its own."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

import strawberry

from models import session as models
from models.session import StepType
from schema import branch as branches
from schema import fork_point as fork_points
from schema import message as messages
from schema.context import Info
from schema.node import Node, PageInfo
from services.ids import Kind, node_id
from services.pages import Page, write_cursor

if TYPE_CHECKING:
    from schema.branch import Branch
    from schema.fork_point import ForkPoint
    from schema.message import BranchMessage


@strawberry.type
class IntakeAnalysisStep:
    summary: str
    domain: str
    signals: list[str]


@strawberry.type
class QuestionStep:
    question: str
    choices: list[str]


@strawberry.type
class ActionStep:
    instruction: str
    expected: str | None


@strawberry.type
class VerificationStep:
    check: str
    expected: str | None


@strawberry.type
class InfoRequestStep:
    request: str


@strawberry.type
class ScriptStep:
    language: str
    code: str
    purpose: str
    risk: str | None


@strawberry.type
class NoteStep:
    text: str


@strawberry.type
class ForkStep:
    fork_point_key: strawberry.Private[UUID]

    @strawberry.field
    async def fork_point(
        self, info: Info
    ) -> Annotated["ForkPoint", strawberry.lazy("schema.fork_point")]:
        return await fork_points.load(info, self.fork_point_key)


StepContent = Annotated[
    IntakeAnalysisStep
    | QuestionStep
    | ActionStep
    | VerificationStep
    | InfoRequestStep
    | ScriptStep
    | NoteStep
    | ForkStep,
    strawberry.union("StepContent"),
]

SHAPES: Mapping[StepType, Callable[..., Any]] = {
    StepType.INTAKE_ANALYSIS: IntakeAnalysisStep,
    StepType.QUESTION: QuestionStep,
    StepType.ACTION: ActionStep,
    StepType.VERIFICATION: VerificationStep,
    StepType.INFO_REQUEST: InfoRequestStep,
    StepType.SCRIPT_GENERATION: ScriptStep,
    StepType.NOTE: NoteStep,
}


@strawberry.type(description="One move of the guided diagnosis.")
class Step(Node):
    branch_key: strawberry.Private[UUID]
    message_key: strawberry.Private[UUID | None]
    fork_point_key: strawberry.Private[UUID | None]
    order: int = strawberry.field(description="From 1, over the whole session.")
    content: StepContent
    confidence: float | None = strawberry.field(description="0 to 1.")
    created_at: datetime

    @strawberry.field
    async def branch(self, info: Info) -> Annotated["Branch", strawberry.lazy("schema.branch")]:
        return await branches.load(info, self.branch_key)

    @strawberry.field(description="The answer that it is part of; null for forks.")
    async def message(
        self, info: Info
    ) -> Annotated["BranchMessage", strawberry.lazy("schema.message")] | None:
        return None if self.message_key is None else await messages.load(info, self.message_key)

    @strawberry.field(description="Where branches left, if this is the fork.")
    async def fork_point(
        self, info: Info
    ) -> Annotated["ForkPoint", strawberry.lazy("schema.fork_point")] | None:
        key = self.fork_point_key
        return None if key is None else await fork_points.load(info, key)

    @classmethod
    def of(cls, row: models.Step) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.STEP, row.id)),
            branch_key=row.branch_id,
            message_key=row.message_id,
            fork_point_key=row.fork_point_id,
            order=row.step_order,
            content=_content(row),
            confidence=row.confidence_at_step,
            created_at=row.created_at,
        )


def _content(row: models.Step) -> Any:  # noqa: ANN401 - a member of StepContent
    if row.step_type is StepType.FORK:
        return ForkStep(fork_point_key=row.fork_point_id)  # type: ignore[arg-type] # a CHECK's word
    return SHAPES[row.step_type](**row.content)


@strawberry.type
class StepEdge:
    cursor: str
    node: Step


@strawberry.type
class StepConnection:
    edges: list[StepEdge]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[models.Step]) -> Self:
        edges = [
            StepEdge(cursor=write_cursor(row.step_order), node=Step.of(row)) for row in page.items
        ]
        return cls(edges=edges, page_info=PageInfo.of(page, edges))
