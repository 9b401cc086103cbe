"""One output or note on its way to one place, with every attempt, and the verbs that send it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models import delivery as models
from models.delivery import DeliveryFailure, DeliveryGuarantee, DeliveryState, Destination
from schema import account as accounts
from schema import handoff as handoffs
from schema import integration as integrations
from schema import output as outputs
from schema import session as sessions
from schema.context import Info
from schema.errors import (
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
    ServiceUnavailableError,
    StaleVersionError,
)
from schema.node import Node
from services.deliveries import GUARANTEES
from services.destinations import port
from services.errors import NotFound
from services.ids import Kind, node_id, optional_uuid_of
from services.outputs.pushing import Address

if TYPE_CHECKING:
    from schema.account import User
    from schema.handoff import Handoff
    from schema.integration import Integration
    from schema.output import ResolutionOutput
    from schema.session import AiSession


@strawberry.type
class DeliveryAttempt:
    at: datetime
    succeeded: bool
    failure: DeliveryFailure | None = strawberry.field(description="Null where it succeeded.")
    detail: str | None = strawberry.field(
        description="Why it failed, in a sentence, or how else it succeeded than by being sent."
    )

    @classmethod
    def of(cls, row: models.DeliveryAttempt) -> Self:
        return cls(
            at=row.attempted_at, succeeded=row.succeeded, failure=row.failure, detail=row.detail
        )


@strawberry.type(description="As it is sent, but for credentials.")
class DeliveryRequest:
    method: str
    url: str = strawberry.field(
        description="`{name}` in it stands for what the answer to an earlier request tells."
    )
    body: str


@strawberry.type(description="What would be sent now. Nothing has been.")
class DeliveryPreview:
    requests: list[DeliveryRequest] = strawberry.field(
        description="In order, at most 10. The delivery's own id takes the place of the zeros."
    )
    visible_to: str = strawberry.field(
        description="Who would see it at the far end, in a sentence."
    )

    @classmethod
    def of(cls, plan: port.Plan) -> Self:
        return cls(
            requests=[
                DeliveryRequest(method=each.method, url=each.url, body=each.body)
                for each in plan.requests
            ],
            visible_to=plan.visible_to,
        )


@strawberry.type(
    description="One output or note on its way to one place; every attempt is kept. It is SENDING "
    "until it has arrived or was given up, however often it is tried."
)
class Delivery(Node):
    row: strawberry.Private[models.Delivery]
    destination: Destination
    state: DeliveryState
    guarantee: DeliveryGuarantee = strawberry.field(
        description="EXACTLY_ONCE: before another try the far end is searched for what an earlier one "
        "left. AT_LEAST_ONCE: after a lost answer it may come twice, with the same id. NONE: nobody knows "
        "where it went from the clipboard."
    )
    is_client_visible: bool = strawberry.field(description="Whether the client may see it there.")
    psa_ticket_id: str | None = strawberry.field(description="For PSA.")
    recipients: list[str] = strawberry.field(description="For EMAIL; at most 20.")
    title: str
    content: str = strawberry.field(description="Markdown; as it was when it was pushed.")
    reference: str | None = strawberry.field(
        description="The id or address at the far end; null until it was delivered."
    )
    next_try_at: datetime | None = strawberry.field(description="Null: none is waited for.")
    created_at: datetime
    delivered_at: datetime | None

    @strawberry.field
    async def session(
        self, info: Info
    ) -> Annotated["AiSession", strawberry.lazy("schema.session")]:
        return await sessions.load(info, self.row.session_id)

    @strawberry.field(description="What it tells of; null for an output.")
    async def handoff(
        self, info: Info
    ) -> Annotated["Handoff", strawberry.lazy("schema.handoff")] | None:
        key = self.row.handoff_id
        return None if key is None else await handoffs.load(info, key)

    @strawberry.field(description="The document that was pushed; null for a handoff's note.")
    async def output(
        self, info: Info
    ) -> Annotated["ResolutionOutput", strawberry.lazy("schema.output")] | None:
        key = self.row.output_id
        return None if key is None else await outputs.load(info, key)

    @strawberry.field(description="Null: it went through none, or that was removed.")
    async def integration(
        self, info: Info
    ) -> Annotated["Integration", strawberry.lazy("schema.integration")] | None:
        return await integrations.find(info, self.row.integration_id)

    @strawberry.field(
        description="What the last try sent, in order, at most 10; empty before, and where an earlier "
        "try had arrived."
    )
    def requests(self) -> list[DeliveryRequest]:
        return [DeliveryRequest(**stored) for stored in self.row.requests]

    @strawberry.field(description="Oldest first, the latest 100.")
    async def attempts(self, info: Info) -> list[DeliveryAttempt]:
        rows = await info.context.loaders.attempts_of_delivery.load(self.row.id)
        return [DeliveryAttempt.of(row) for row in rows]

    @strawberry.field
    async def created_by(
        self, info: Info
    ) -> Annotated["User", strawberry.lazy("schema.account")] | None:
        return await accounts.load_user(info, self.row.created_by)

    @classmethod
    def of(cls, row: models.Delivery) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.DELIVERY, row.id)),
            row=row,
            destination=row.destination,
            state=row.state,
            guarantee=GUARANTEES[row.destination],
            is_client_visible=row.is_client_visible,
            psa_ticket_id=row.ticket_id,
            recipients=row.recipients,
            title=row.document.get("title", ""),
            content=row.document.get("markdown", ""),
            reference=row.reference,
            next_try_at=row.next_try_at,
            created_at=row.created_at,
            delivered_at=row.delivered_at,
        )


async def load(info: Info, key: UUID) -> Delivery:
    """Raises NotFound."""
    row = await info.context.loaders.deliveries.load(key)
    if row is None:
        raise NotFound(node_id(Kind.DELIVERY, key))
    return Delivery.of(row)


# ---------------------------------------------------------------- inputs and results


@strawberry.input
class PushHandoffInput:
    idempotency_key: UUID
    handoff_id: strawberry.ID
    client_visible: bool = strawberry.field(
        default=False, description="True shows it to the client; false keeps it internal."
    )


@strawberry.type
class PushHandoffSuccess:
    handoff: Annotated["Handoff", strawberry.lazy("schema.handoff")]
    delivery: Delivery = strawberry.field(
        description="QUEUED. What becomes of it is told by DeliveryChanged."
    )


PushHandoffResult = Annotated[
    PushHandoffSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError,
    strawberry.union("PushHandoffResult"),
]


@strawberry.input
class PushResolutionOutputInput:
    idempotency_key: UUID
    output_id: strawberry.ID
    destination: Destination = strawberry.field(
        description="KB_LIBRARY, HUDU and IT_GLUE take articles only. PSA is the session's ticket. "
        "CLIPBOARD takes down who has taken the text, in any status."
    )
    integration_id: strawberry.ID | None = strawberry.field(
        default=None, description="Which integration, where the account has several."
    )
    to: list[str] = strawberry.field(default_factory=list, description="EMAIL: 1 to 20 recipients.")
    client_visible: bool = strawberry.field(
        default=False, description="PSA: true shows it to the client; false keeps it internal."
    )
    expected_version: int

    def address(self) -> Address:
        return address_of(self.destination, self.integration_id, self.to, self.client_visible)


def address_of(
    destination: Destination,
    integration_id: strawberry.ID | None,
    to: list[str],
    client_visible: bool,
) -> Address:
    integration = optional_uuid_of(Kind.INTEGRATION, integration_id)
    return Address(destination, integration, to, client_visible)


@strawberry.type
class PushResolutionOutputSuccess:
    output: Annotated["ResolutionOutput", strawberry.lazy("schema.output")]
    delivery: Delivery = strawberry.field(
        description="QUEUED, and what becomes of it is told by DeliveryChanged; DELIVERED at once for "
        "KB_LIBRARY, TAKEN for CLIPBOARD."
    )


PushResolutionOutputResult = Annotated[
    PushResolutionOutputSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | InvalidTransitionError
    | StaleVersionError
    | ServiceUnavailableError,
    strawberry.union("PushResolutionOutputResult"),
]


@strawberry.input
class RetryDeliveryInput:
    delivery_id: strawberry.ID


@strawberry.type
class RetryDeliverySuccess:
    delivery: Delivery


RetryDeliveryResult = Annotated[
    RetryDeliverySuccess | NotFoundError | PermissionDeniedError | InvalidTransitionError,
    strawberry.union("RetryDeliveryResult"),
]
