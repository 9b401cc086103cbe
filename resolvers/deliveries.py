"""Sending what a session leaves behind, and a look at it before."""

import strawberry

from schema.context import Info
from schema.delivery import (
    Delivery,
    DeliveryPreview,
    PushHandoffInput,
    PushHandoffResult,
    PushHandoffSuccess,
    RetryDeliveryInput,
    RetryDeliveryResult,
    RetryDeliverySuccess,
)
from schema.handoff import Handoff
from services import deliveries, handoff_notes
from services.ids import Kind, uuid_of


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

    @strawberry.mutation(description="Queues one that FAILED again, with what it held.")
    async def retry_delivery(self, info: Info, input: RetryDeliveryInput) -> RetryDeliveryResult:
        row = await deliveries.retry_delivery(
            info.context.runtime,
            info.context.actor,
            uuid_of(Kind.DELIVERY, input.delivery_id),
        )
        return RetryDeliverySuccess(delivery=Delivery.of(row))
