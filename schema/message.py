"""What is said on a branch, and the verbs that say it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

import strawberry

from models import message as models
from models.message import MessageRole, MessageState
from schema import account as accounts
from schema import branch as branches
from schema import knowledge
from schema import step as steps
from schema import upload as uploads
from schema.context import Info
from schema.errors import (
    BudgetExceededError,
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
    StaleVersionError,
)
from schema.node import Node, PageInfo
from schema.usage import TokenUsage
from services.errors import NotFound
from services.ids import Kind, node_id
from services.knowledge.outcomes import Option
from services.pages import Page, write_cursor

if TYPE_CHECKING:
    from schema.account import User
    from schema.branch import Branch
    from schema.knowledge import KbArticle, SimilarOutcome
    from schema.session import AiSession
    from schema.step import Step
    from schema.upload import FileUpload


@strawberry.type
class ForkSuggestionOption:
    session_key: strawberry.Private[UUID]
    label: str
    description: str
    likelihood: float | None = strawberry.field(description="0 to 1, if the assistant gave one.")

    @strawberry.field(
        description="What became of the same hypothesis in resolved sessions that are like this one, best "
        "first, at most 5."
    )
    async def similar_outcomes(
        self, info: Info
    ) -> list[Annotated["SimilarOutcome", strawberry.lazy("schema.knowledge")]]:
        option = Option(self.session_key, self.label, self.description)
        return await knowledge.similar_outcomes(info, option)


@strawberry.type
class ForkSuggestion:
    reason: str
    options: list[ForkSuggestionOption]

    @classmethod
    def of(cls, stored: dict[str, Any], session_key: UUID) -> Self:
        options = [
            ForkSuggestionOption(session_key=session_key, **option) for option in stored["options"]
        ]
        return cls(reason=stored["reason"], options=options)


@strawberry.type(description="An earlier text of an answer that was written anew.")
class MessageAlternative:
    number: int = strawberry.field(
        description="Names it among those of its message, for good; later texts have higher ones."
    )
    body: str
    model: str | None = strawberry.field(description="What wrote it; null where that is not known.")
    created_at: datetime = strawberry.field(description="When it was complete.")


@strawberry.type
class BranchMessage(Node):
    key: strawberry.Private[UUID]
    branch_key: strawberry.Private[UUID]
    author_key: strawberry.Private[UUID | None]
    row: strawberry.Private[models.BranchMessage]
    position: int = strawberry.field(description="Place in the branch's lineage, from 1.")
    role: MessageRole
    state: MessageState
    body: str = strawberry.field(
        description="Empty while an answer is pending or streamed; see `messageStreamed`."
    )
    model: str | None = strawberry.field(description="Null for what people wrote.")
    failure: str | None = strawberry.field(description="Why an answer FAILED, in a sentence.")
    suggested_fork: ForkSuggestion | None = strawberry.field(
        description="Hypotheses the assistant would explore apart, no more than the plan had room "
        "for, the likeliest first where some were left out; `forkBranch` takes them as they are."
    )
    created_at: datetime

    @strawberry.field
    async def branch(self, info: Info) -> Annotated["Branch", strawberry.lazy("schema.branch")]:
        return await branches.load(info, self.branch_key)

    @strawberry.field(description="Null for the assistant.")
    async def author(
        self, info: Info
    ) -> Annotated["User", strawberry.lazy("schema.account")] | None:
        key = self.author_key
        return None if key is None else await accounts.load_user(info, key)

    @strawberry.field(description="In the order given; at most 10.")
    async def attachments(
        self, info: Info
    ) -> list[Annotated["FileUpload", strawberry.lazy("schema.upload")]]:
        if self.role is not MessageRole.USER:
            return []
        rows = await info.context.loaders.attachments_of_message.load(self.key)
        return [uploads.FileUpload.of(row) for row in rows]

    @strawberry.field(
        description="Texts that `regenerateMessage` has replaced, newest first; at most 20. "
        "`chooseAlternative` brings one back."
    )
    async def alternatives(self, info: Info) -> list[MessageAlternative]:
        if self.role is not MessageRole.ASSISTANT:
            return []
        rows = await info.context.loaders.alternatives_of_message.load(self.key)
        return [
            MessageAlternative(
                number=row.number, body=row.body, model=row.model, created_at=row.finished_at
            )
            for row in rows
        ]

    @strawberry.field(description="The move of the diagnosis that this answer makes.")
    async def step(self, info: Info) -> Annotated["Step", strawberry.lazy("schema.step")] | None:
        if self.role is not MessageRole.ASSISTANT:
            return None
        row = await info.context.loaders.step_of_message.load(self.key)
        return None if row is None else steps.Step.of(row)

    @strawberry.field(
        description="Of the account's library, best first, at most 8; none for what people wrote."
    )
    async def suggested_articles(
        self, info: Info
    ) -> list[Annotated["KbArticle", strawberry.lazy("schema.knowledge")]]:
        if self.role is not MessageRole.ASSISTANT:
            return []
        rows = await info.context.loaders.articles_of_message.load(self.key)
        return [knowledge.KbArticle.of(row) for row in rows]

    @strawberry.field(
        description="Of all attempts, failed ones too, as far as it is known. Null for what people wrote, "
        "and until an answer is complete or has used something."
    )
    def usage(self) -> TokenUsage | None:
        used = self.row.input_tokens or self.row.output_tokens
        return TokenUsage.of(self.row) if self.row.model or used else None

    @classmethod
    def of(cls, row: models.BranchMessage) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.MESSAGE, row.id)),
            key=row.id,
            branch_key=row.branch_id,
            author_key=row.author_id,
            row=row,
            position=row.position,
            role=row.role,
            state=row.state,
            body=row.body,
            model=row.model,
            failure=row.failure,
            suggested_fork=(
                ForkSuggestion.of(row.suggested_fork, row.session_id)
                if row.suggested_fork
                else None
            ),
            created_at=row.created_at,
        )


async def load(info: Info, key: UUID) -> BranchMessage:
    """Raises NotFound."""
    row = await info.context.loaders.messages.load(key)
    if row is None:
        raise NotFound(node_id(Kind.MESSAGE, key))
    return BranchMessage.of(row)


@strawberry.type
class BranchMessageEdge:
    cursor: str
    node: BranchMessage


@strawberry.type
class BranchMessageConnection:
    edges: list[BranchMessageEdge]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[models.BranchMessage]) -> Self:
        edges = [
            BranchMessageEdge(cursor=write_cursor(row.position), node=BranchMessage.of(row))
            for row in page.items
        ]
        return cls(edges=edges, page_info=PageInfo.of(page, edges))


# ---------------------------------------------------------------- inputs and results


UPLOAD_IDS = (
    "At most 10: files of the session that were not sent yet, or your own that have no session."
)


@strawberry.input
class SendBranchMessageInput:
    idempotency_key: UUID
    branch_id: strawberry.ID
    body: str = strawberry.field(description="1 to 8,000 characters.")
    upload_ids: list[strawberry.ID] = strawberry.field(default_factory=list, description=UPLOAD_IDS)
    await_reply: bool = False


@strawberry.input
class SendMessageInput:
    idempotency_key: UUID
    session_id: strawberry.ID
    expected_branch_id: strawberry.ID = strawberry.field(
        description="The active branch as you know it. When the team works on another one by now, "
        "this is an InvalidInputError and nothing is sent."
    )
    body: str = strawberry.field(description="1 to 8,000 characters.")
    upload_ids: list[strawberry.ID] = strawberry.field(default_factory=list, description=UPLOAD_IDS)
    await_reply: bool = False


@strawberry.type
class SendBranchMessageSuccess:
    sent_message: BranchMessage
    reply: BranchMessage
    session: Annotated["AiSession", strawberry.lazy("schema.session")]


SendBranchMessageResult = Annotated[
    SendBranchMessageSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError
    | BudgetExceededError,
    strawberry.union("SendBranchMessageResult"),
]


@strawberry.input
class RetryMessageInput:
    message_id: strawberry.ID


@strawberry.type
class RetryMessageSuccess:
    reply: BranchMessage


RetryMessageResult = Annotated[
    RetryMessageSuccess
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | BudgetExceededError,
    strawberry.union("RetryMessageResult"),
]


@strawberry.input
class RegenerateMessageInput:
    idempotency_key: UUID
    message_id: strawberry.ID = strawberry.field(
        description="A complete answer that is the last message of its branch, and that no branch was "
        "forked from."
    )


@strawberry.type
class RegenerateMessageSuccess:
    reply: BranchMessage


RegenerateMessageResult = Annotated[
    RegenerateMessageSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | BudgetExceededError,
    strawberry.union("RegenerateMessageResult"),
]


@strawberry.input
class ChooseAlternativeInput:
    message_id: strawberry.ID
    number: int = strawberry.field(description="Of one of the message's `alternatives`.")


@strawberry.type
class ChooseAlternativeSuccess:
    reply: BranchMessage


ChooseAlternativeResult = Annotated[
    ChooseAlternativeSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError,
    strawberry.union("ChooseAlternativeResult"),
]


@strawberry.input
class CancelMessageInput:
    message_id: strawberry.ID


@strawberry.type
class CancelMessageSuccess:
    cancelled_message: BranchMessage


CancelMessageResult = Annotated[
    CancelMessageSuccess | NotFoundError | PermissionDeniedError | InvalidTransitionError,
    strawberry.union("CancelMessageResult"),
]
