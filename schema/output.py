"""The documents of a resolved session, and what people do with them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models import output as models
from models.output import ResolutionOutputStatus, ResolutionOutputType
from schema import account as accounts
from schema import delivery as deliveries
from schema import knowledge
from schema import message as messages
from schema import session as sessions
from schema.context import Info
from schema.errors import (
    BudgetExceededError,
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
    StaleVersionError,
)
from schema.node import Node
from services.errors import NotFound
from services.ids import Kind, node_id
from services.outputs import reading
from services.outputs.grounding import Grounds, SentenceBasis
from services.outputs.reading import LineChange
from services.outputs.text import article_parts

if TYPE_CHECKING:
    from schema.account import User
    from schema.delivery import Delivery
    from schema.knowledge import KbArticleDraft
    from schema.message import BranchMessage
    from schema.session import AiSession


@strawberry.type
class OutputSentence:
    grounds: strawberry.Private[Grounds]
    text: str
    basis: SentenceBasis = strawberry.field(
        description="The kind of record it rests on. NONE: nothing recorded supports it, so look before "
        "you approve; so it is with every sentence that a person has written or changed."
    )

    @strawberry.field(description="Messages that carry it, at most 10.")
    async def sources(
        self, info: Info
    ) -> list[Annotated["BranchMessage", strawberry.lazy("schema.message")]]:
        rows = await info.context.loaders.messages.load_many(list(self.grounds.messages))
        return [messages.BranchMessage.of(row) for row in rows if row is not None]


@strawberry.type
class ResolutionRevision:
    row: strawberry.Private[models.ResolutionRevision]
    version: int = strawberry.field(description="Of the output, when it got this text.")
    content: str
    created_at: datetime

    @strawberry.field(description="Null for the assistant.")
    async def author(
        self, info: Info
    ) -> Annotated["User", strawberry.lazy("schema.account")] | None:
        key = self.row.author_id
        return None if key is None else await accounts.load_user(info, key)

    @classmethod
    def of(cls, row: models.ResolutionRevision) -> Self:
        return cls(row=row, version=row.version, content=row.content, created_at=row.created_at)


@strawberry.type
class DiffLine:
    change: LineChange
    text: str


@strawberry.type(
    description="One of the three documents of a session: a draft until somebody approves it."
)
class ResolutionOutput(Node):
    row: strawberry.Private[models.ResolutionOutput]
    type: ResolutionOutputType
    status: ResolutionOutputStatus
    generated_content: str | None = strawberry.field(
        description="Markdown; null until it was written once. While it is written anew, and if that "
        "fails, the one before."
    )
    edited_content: str | None
    content: str | None = strawberry.field(
        description="What would be pushed: the edit if there is one. Markdown."
    )
    failure: str | None = strawberry.field(description="Why it FAILED, in a sentence.")
    generated_by_model: str | None
    version: int
    created_at: datetime
    updated_at: datetime

    @strawberry.field
    async def session(
        self, info: Info
    ) -> Annotated["AiSession", strawberry.lazy("schema.session")]:
        return await sessions.load(info, self.row.session_id)

    @strawberry.field(
        description="For KNOWLEDGE_BASE: the parts of `content` by its headings. Null for the others, and "
        "while there is no text."
    )
    def article(
        self,
    ) -> Annotated["KbArticleDraft", strawberry.lazy("schema.knowledge")] | None:
        if self.content is None or self.type is not ResolutionOutputType.KNOWLEDGE_BASE:
            return None
        parts = article_parts(self.content)
        return knowledge.KbArticleDraft(
            symptoms=list(parts.symptoms),
            root_cause=parts.root_cause,
            steps=list(parts.steps),
            rule_out_first=list(parts.rule_out_first),
            tags=(self.row.structured_data or {}).get("tags", []),
        )

    @strawberry.field(description="What `content` says, sentence by sentence, at most 1,000.")
    def sentences(self) -> list[OutputSentence]:
        return [
            OutputSentence(grounds=grounds, text=text, basis=grounds.basis)
            for text, grounds in reading.grounded_sentences(self.row)
        ]

    @strawberry.field(description="Where it was pushed or taken, newest first, at most 100.")
    async def deliveries(
        self, info: Info
    ) -> list[Annotated["Delivery", strawberry.lazy("schema.delivery")]]:
        rows = await info.context.loaders.deliveries_of_output.load(self.row.id)
        return [deliveries.Delivery.of(row) for row in rows]

    @strawberry.field(description="Every text that it has had, newest first, at most 100.")
    async def revisions(self, info: Info) -> list[ResolutionRevision]:
        rows = await info.context.loaders.revisions_of_output.load(self.row.id)
        return [ResolutionRevision.of(row) for row in rows]

    @strawberry.field(
        description="From one revision to another, line by line; what was removed stands before what took "
        "its place."
    )
    async def diff(self, info: Info, from_version: int, to_version: int) -> list[DiffLine]:
        context = info.context
        lines = await reading.difference(
            context.runtime, context.actor, self.row.id, old=from_version, new=to_version
        )
        return [DiffLine(change=line.change, text=line.text) for line in lines]

    @classmethod
    def of(cls, row: models.ResolutionOutput) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.OUTPUT, row.id)),
            row=row,
            type=row.output_type,
            status=row.status,
            generated_content=row.generated_content,
            edited_content=row.edited_content,
            content=reading.content_of(row),
            failure=row.failure,
            generated_by_model=row.generated_by_model,
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


async def load(info: Info, key: UUID) -> ResolutionOutput:
    """Raises NotFound."""
    row = await info.context.loaders.outputs.load(key)
    if row is None:
        raise NotFound(node_id(Kind.OUTPUT, key))
    return ResolutionOutput.of(row)


async def of_session(info: Info, session_key: UUID) -> list[ResolutionOutput]:
    rows = await info.context.loaders.outputs_of_session.load(session_key)
    return [ResolutionOutput.of(row) for row in rows]


# ------------------------------------------------------------------ verbs


@strawberry.input
class RegenerateResolutionOutputInput:
    output_id: strawberry.ID
    expected_version: int


@strawberry.type
class RegenerateResolutionOutputSuccess:
    output: ResolutionOutput


RegenerateResolutionOutputResult = Annotated[
    RegenerateResolutionOutputSuccess
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError
    | BudgetExceededError,
    strawberry.union("RegenerateResolutionOutputResult"),
]


@strawberry.input
class EditResolutionOutputInput:
    output_id: strawberry.ID
    content: str = strawberry.field(
        description="Markdown, 1 to 20,000 characters in at most 1,000 lines."
    )
    expected_version: int


@strawberry.type
class EditResolutionOutputSuccess:
    output: ResolutionOutput


EditResolutionOutputResult = Annotated[
    EditResolutionOutputSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError,
    strawberry.union("EditResolutionOutputResult"),
]


@strawberry.input
class ApproveResolutionOutputInput:
    output_id: strawberry.ID
    expected_version: int


@strawberry.type
class ApproveResolutionOutputSuccess:
    output: ResolutionOutput


ApproveResolutionOutputResult = Annotated[
    ApproveResolutionOutputSuccess
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError,
    strawberry.union("ApproveResolutionOutputResult"),
]


@strawberry.input
class RejectResolutionOutputInput:
    output_id: strawberry.ID
    expected_version: int


@strawberry.type
class RejectResolutionOutputSuccess:
    output: ResolutionOutput


RejectResolutionOutputResult = Annotated[
    RejectResolutionOutputSuccess
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError,
    strawberry.union("RejectResolutionOutputResult"),
]
