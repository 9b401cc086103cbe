"""Files that engineers bring in as evidence."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from urllib.parse import urlencode
from uuid import UUID

import strawberry
from strawberry.file_uploads import Upload

from models import upload as models
from models.upload import UploadState
from schema import account as accounts
from schema import branch as branches
from schema import objects
from schema.context import Info
from schema.errors import (
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
    ServiceUnavailableError,
)
from schema.node import Node
from services.errors import NotFound
from services.files.links import link_for, signature
from services.ids import Kind, node_id

if TYPE_CHECKING:
    from schema.account import User
    from schema.branch import Branch
    from schema.step import Step


@strawberry.type
class FileUpload(Node):
    row: strawberry.Private[models.FileUpload]
    filename: str = strawberry.field(description="As given, without folders and hidden characters.")
    content_type: str = strawberry.field(description="As sniffed, not as claimed.")
    byte_size: int
    sha256: str = strawberry.field(description="In hex.")
    state: UploadState
    description: str | None = strawberry.field(
        description="One sentence; null until the file was read."
    )
    summary: str | None = strawberry.field(
        description="What the model says of it, if there is one, in two or three sentences. Of a log "
        "then its digest: times, levels, hosts, codes and what repeats. At most 8,100 characters."
    )
    extracted_text: str | None = strawberry.field(
        description="At most some 10,000 characters, of a longer text its beginning and its end."
    )
    failure: str | None = strawberry.field(description="Why it FAILED, in a sentence.")
    created_at: datetime

    @strawberry.field(
        description="Path below the API's host; signed, good for 5 minutes, for this viewer."
    )
    def url(self, info: Info) -> str:
        link = link_for(info.context.actor, self.row)
        query = {
            "account": node_id(Kind.ACCOUNT, link.account_id),
            "viewer": node_id(Kind.USER, link.viewer_id),
            "expires": link.expires,
            "signature": signature(info.context.runtime, link),
        }
        return f"/uploads/{self.id}?{urlencode(query)}"

    @strawberry.field(description="Where it was brought in, or else first sent.")
    async def branch(
        self, info: Info
    ) -> Annotated["Branch", strawberry.lazy("schema.branch")] | None:
        key = self.row.uploaded_on_branch_id
        return None if key is None else await branches.load(info, key)

    @strawberry.field(description="The branch's latest when it was brought in.")
    async def step(self, info: Info) -> Annotated["Step", strawberry.lazy("schema.step")] | None:
        key = self.row.uploaded_at_step_id
        return None if key is None else await objects.load_step(info, key)

    @strawberry.field
    async def uploaded_by(
        self, info: Info
    ) -> Annotated["User", strawberry.lazy("schema.account")] | None:
        return await accounts.load_user(info, self.row.uploaded_by)

    @classmethod
    def of(cls, row: models.FileUpload) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.UPLOAD, row.id)),
            row=row,
            filename=row.filename,
            content_type=row.content_type,
            byte_size=row.byte_size,
            sha256=row.sha256,
            state=row.state,
            description=row.ai_description,
            summary=row.content_summary,
            extracted_text=row.extracted_content,
            failure=row.failure,
            created_at=row.created_at,
        )


async def load(info: Info, key: UUID) -> FileUpload:
    """Raises NotFound."""
    row = await info.context.loaders.uploads.load(key)
    if row is None:
        raise NotFound(node_id(Kind.UPLOAD, key))
    return FileUpload.of(row)


@strawberry.input
class UploadFileInput:
    idempotency_key: UUID
    file: Upload = strawberry.field(description="1 byte to 25 MB, if not set otherwise.")
    session_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Neither this nor a branch: for a session or message to come, by `uploadIds`.",
    )
    branch_id: strawberry.ID | None = None


@strawberry.type
class UploadFileSuccess:
    upload: FileUpload


UploadFileResult = Annotated[
    UploadFileSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | ServiceUnavailableError,
    strawberry.union("UploadFileResult"),
]


@strawberry.input
class RetryUploadInput:
    upload_id: strawberry.ID


@strawberry.type
class RetryUploadSuccess:
    upload: FileUpload


RetryUploadResult = Annotated[
    RetryUploadSuccess | NotFoundError | PermissionDeniedError | InvalidTransitionError,
    strawberry.union("RetryUploadResult"),
]
