"""The verbs on the documents of a resolved session."""

import strawberry

from schema.context import Info
from schema.output import (
    ApproveResolutionOutputInput,
    ApproveResolutionOutputResult,
    ApproveResolutionOutputSuccess,
    EditResolutionOutputInput,
    EditResolutionOutputResult,
    EditResolutionOutputSuccess,
    RegenerateResolutionOutputInput,
    RegenerateResolutionOutputResult,
    RegenerateResolutionOutputSuccess,
    RejectResolutionOutputInput,
    RejectResolutionOutputResult,
    RejectResolutionOutputSuccess,
    ResolutionOutput,
)
from services.ids import Kind, uuid_of
from services.outputs import review


@strawberry.type
class OutputMutations:
    @strawberry.mutation(
        description="Has it written anew from the record as it is; earlier texts stay as revisions."
    )
    async def regenerate_resolution_output(
        self, info: Info, input: RegenerateResolutionOutputInput
    ) -> RegenerateResolutionOutputResult:
        output = await review.regenerate_output(
            info.context.runtime,
            info.context.actor,
            output_id=uuid_of(Kind.OUTPUT, input.output_id),
            expected_version=input.expected_version,
        )
        return RegenerateResolutionOutputSuccess(output=ResolutionOutput.of(output))

    @strawberry.mutation(description="Makes it a DRAFT again, also after a push.")
    async def edit_resolution_output(
        self, info: Info, input: EditResolutionOutputInput
    ) -> EditResolutionOutputResult:
        output = await review.edit_output(
            info.context.runtime,
            info.context.actor,
            output_id=uuid_of(Kind.OUTPUT, input.output_id),
            content=input.content,
            expected_version=input.expected_version,
        )
        return EditResolutionOutputSuccess(output=ResolutionOutput.of(output))

    @strawberry.mutation(description="Of a DRAFT. Only what is approved can be pushed.")
    async def approve_resolution_output(
        self, info: Info, input: ApproveResolutionOutputInput
    ) -> ApproveResolutionOutputResult:
        output = await review.approve_output(
            info.context.runtime,
            info.context.actor,
            output_id=uuid_of(Kind.OUTPUT, input.output_id),
            expected_version=input.expected_version,
        )
        return ApproveResolutionOutputSuccess(output=ResolutionOutput.of(output))

    @strawberry.mutation(description="Of a DRAFT. An edit or a new text makes it one again.")
    async def reject_resolution_output(
        self, info: Info, input: RejectResolutionOutputInput
    ) -> RejectResolutionOutputResult:
        output = await review.reject_output(
            info.context.runtime,
            info.context.actor,
            output_id=uuid_of(Kind.OUTPUT, input.output_id),
            expected_version=input.expected_version,
        )
        return RejectResolutionOutputSuccess(output=ResolutionOutput.of(output))
