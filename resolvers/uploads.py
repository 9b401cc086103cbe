"""The verbs of files."""

import strawberry
from starlette.datastructures import UploadFile

from schema.context import Info
from schema.upload import (
    FileUpload,
    RetryUploadInput,
    RetryUploadResult,
    RetryUploadSuccess,
    UploadFileInput,
    UploadFileResult,
    UploadFileSuccess,
)
from services.errors import FieldProblem, InvalidInput
from services.files import uploads
from services.ids import Kind, optional_uuid_of, uuid_of


@strawberry.type
class UploadMutations:
    @strawberry.mutation(
        description="By multipart/form-data, one file a request: "
        "https://github.com/jaydenseric/graphql-multipart-request-spec, with the header "
        "`GraphQL-Require-Preflight`. It is usable at once; what it says is found out afterwards."
    )
    async def upload_file(self, info: Info, input: UploadFileInput) -> UploadFileResult:
        actor = info.context.actor
        file: object = input.file
        if not isinstance(file, UploadFile):
            problem = "Must be a file of a multipart/form-data request."
            raise InvalidInput([FieldProblem(("file",), problem)])
        upload = await uploads.upload_file(
            info.context.runtime,
            actor,
            key=input.idempotency_key,
            filename=file.filename or "",
            content=await file.read(),
            place=uploads.Place(
                optional_uuid_of(Kind.SESSION, input.session_id),
                optional_uuid_of(Kind.BRANCH, input.branch_id),
            ),
        )
        return UploadFileSuccess(upload=FileUpload.of(upload))

    @strawberry.mutation(description="Reads a file again that could not be described.")
    async def retry_upload(self, info: Info, input: RetryUploadInput) -> RetryUploadResult:
        upload = await uploads.retry_upload(
            info.context.runtime,
            info.context.actor,
            upload_id=uuid_of(Kind.UPLOAD, input.upload_id),
        )
        return RetryUploadSuccess(upload=FileUpload.of(upload))
