"""Sending what a session leaves behind, and a look at it before."""

import strawberry

from models.delivery import Destination
from schema.context import Info
from schema.delivery import (
    Delivery,
    DeliveryPreview,
    PushHandoffInput,
    PushHandoffResult,
    PushHandoffSuccess,
    PushResolutionOutputInput,
    PushResolutionOutputResult,
    PushResolutionOutputSuccess,
    RetryDeliveryInput,
    RetryDeliveryResult,
    RetryDeliverySuccess,
    address_of,
)
from schema.handoff import Handoff
from schema.output import ResolutionOutput
from services import deliveries, handoff_notes
from services.ids import Kind, uuid_of
from services.outputs import pushing


@strawberry.type
class DeliveryQueries:
    @strawberry.field(
        description="What `pushHandoff` would send, to the letter. It may ask the far end which values "
        "its lists have."
    )
    async def delivery_preview(
        self, info: Info, handoff_id: strawberry.ID, client_visible: bool = False
    ) -> DeliveryPreview:
        plan = await handoff_notes.plan_handoff_note(
            info.context.runtime,
            info.context.actor,
            handoff_id=uuid_of(Kind.HANDOFF, handoff_id),
            is_client_visible=client_visible,
        )
        return DeliveryPreview.of(plan)

    @strawberry.field(
        description="What `pushResolutionOutput` would send, to the letter; also of a draft."
    )
    async def output_delivery_preview(
        self,
        info: Info,
        output_id: strawberry.ID,
        destination: Destination,
        integration_id: strawberry.ID | None = None,
        to: list[str] = [],  # noqa: B006 - nobody changes it
        client_visible: bool = False,
    ) -> DeliveryPreview:
        plan = await pushing.plan_push(
            info.context.runtime,
            info.context.actor,
            output_id=uuid_of(Kind.OUTPUT, output_id),
            address=address_of(destination, integration_id, to, client_visible),
        )
        return DeliveryPreview.of(plan)


@strawberry.type
class DeliveryMutations:
    @strawberry.mutation(
        description="Puts a note of the handoff on the ticket that its session is linked to."
    )
    async def push_handoff(self, info: Info, input: PushHandoffInput) -> PushHandoffResult:
        pushed = await handoff_notes.push_handoff(
            info.context.runtime,
            info.context.actor,
            key=input.idempotency_key,
            handoff_id=uuid_of(Kind.HANDOFF, input.handoff_id),
            is_client_visible=input.client_visible,
        )
        return PushHandoffSuccess(
            handoff=Handoff.of(pushed.handoff), delivery=Delivery.of(pushed.delivery)
        )

    @strawberry.mutation(
        description="Sends what is approved to one place. It is PUSHED when it has arrived there."
    )
    async def push_resolution_output(
        self, info: Info, input: PushResolutionOutputInput
    ) -> PushResolutionOutputResult:
        pushed = await pushing.push_output(
            info.context.runtime,
            info.context.actor,
            key=input.idempotency_key,
            output_id=uuid_of(Kind.OUTPUT, input.output_id),
            address=input.address(),
            expected_version=input.expected_version,
        )
        return PushResolutionOutputSuccess(
            output=ResolutionOutput.of(pushed.output), delivery=Delivery.of(pushed.delivery)
        )

    @strawberry.mutation(description="Queues one that FAILED again, with what it held.")
    async def retry_delivery(self, info: Info, input: RetryDeliveryInput) -> RetryDeliveryResult:
        row = await deliveries.retry_delivery(
            info.context.runtime,
            info.context.actor,
            uuid_of(Kind.DELIVERY, input.delivery_id),
        )
        return RetryDeliverySuccess(delivery=Delivery.of(row))
