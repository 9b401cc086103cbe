"""Systems outside that an account is connected to, and the verbs that connect them."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models import integration as models
from models.integration import IntegrationProvider
from schema.context import Info
from schema.errors import (
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    ServiceUnavailableError,
    StaleVersionError,
)
from schema.node import Node
from services.errors import NotFound
from services.ids import Kind, node_id
from services.integrations import IntegrationDetails

if TYPE_CHECKING:
    from schema.session import AiSession


@strawberry.type(
    description="A system outside: tickets, articles, mail, webhooks. Secrets go in and never come "
    "out."
)
class Integration(Node):
    provider: IntegrationProvider
    name: str
    base_url: str
    is_enabled: bool = strawberry.field(description="Nothing is sent through one that is not.")
    last_success_at: datetime | None = strawberry.field(
        description="To a minute; null: nothing has arrived there yet."
    )
    last_failure: str | None = strawberry.field(
        description="Why the last try failed; null when the last one succeeded."
    )
    paused_until: datetime | None = strawberry.field(
        description="It has failed five times in a row or more, and is not tried before; null: it is."
    )
    version: int = strawberry.field(
        description="Grows with every change; `saveIntegration` takes it as `expectedVersion`."
    )
    created_at: datetime

    @classmethod
    def of(cls, row: models.Integration) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.INTEGRATION, row.id)),
            provider=row.provider,
            name=row.name,
            base_url=row.base_url,
            is_enabled=row.is_enabled,
            last_success_at=row.last_success_at,
            last_failure=row.last_failure,
            paused_until=row.paused_until,
            version=row.version,
            created_at=row.created_at,
        )


async def load(info: Info, key: UUID) -> Integration:
    """Raises NotFound."""
    found = await find(info, key)
    if found is None:
        raise NotFound(node_id(Kind.INTEGRATION, key))
    return found


async def find(info: Info, key: UUID | None) -> Integration | None:
    """None for one that was removed."""
    row = None if key is None else await info.context.loaders.integrations.load(key)
    return None if row is None else Integration.of(row)


# ---------------------------------------------------------------- inputs and results

TEXTS = (
    "At most 1,000 characters each, of ASCII; a new integration needs all that may not be left out. "
    "Blank leaves one out again."
)


@strawberry.input(description="Of an API member. " + TEXTS)
class ConnectwiseInput:
    company_id: str | None = strawberry.field(
        default=None, description="The company that is entered to sign in."
    )
    client_id: str | None = strawberry.field(
        default=None, description="The GUID that the vendor's developer network gives."
    )
    public_key: str | None = None
    private_key: str | None = None


@strawberry.input(description="Of an API application with client credentials. " + TEXTS)
class HalopsaInput:
    client_id: str | None = None
    client_secret: str | None = None
    tenant: str | None = strawberry.field(default=None, description="Where Halo hosts it.")
    internal_outcome: str | None = strawberry.field(
        default=None, description='Of a note for agents; without it "Internal note".'
    )
    visible_outcome: str | None = strawberry.field(
        default=None, description='Of a note that the client sees; without it "Public note".'
    )


@strawberry.input(description="Of an API user. " + TEXTS)
class AutotaskInput:
    user_name: str | None = None
    secret: str | None = None
    integration_code: str | None = strawberry.field(
        default=None, description="The tracking identifier."
    )


@strawberry.input(description=TEXTS)
class HuduInput:
    api_key: str | None = None
    company_id: str | None = strawberry.field(
        default=None, description="Whose articles they become; without it, everybody's."
    )
    folder_id: str | None = None


@strawberry.input(description=TEXTS)
class ItGlueInput:
    api_key: str | None = None
    organization_id: str | None = strawberry.field(
        default=None, description="Whose documents they become."
    )


@strawberry.input(
    description="`baseUrl` is smtps://host:465, or smtp://host:587, which is encrypted before "
    "anything is said. " + TEXTS
)
class SmtpInput:
    sender: str | None = strawberry.field(default=None, description="The address it comes from.")
    sender_name: str | None = None
    username: str | None = None
    password: str | None = None


@strawberry.input(description=TEXTS)
class WebhookInput:
    secret: str | None = strawberry.field(
        default=None,
        description="`whsec_` and the base64 of 24 to 64 bytes. When it is changed the one before signs "
        "along for a day.",
    )


@strawberry.input(
    one_of=True,
    description="What the provider wants to know; what is left out of it stays as it is.",
)
class IntegrationConnectionInput:
    connectwise: strawberry.Maybe[ConnectwiseInput]
    halopsa: strawberry.Maybe[HalopsaInput]
    autotask: strawberry.Maybe[AutotaskInput]
    hudu: strawberry.Maybe[HuduInput]
    it_glue: strawberry.Maybe[ItGlueInput]
    smtp: strawberry.Maybe[SmtpInput]
    webhook: strawberry.Maybe[WebhookInput]

    def decoded(self) -> tuple[IntegrationProvider, dict[str, str | None]]:
        """The one that was given."""
        for name in IntegrationProvider:
            given = getattr(self, name.value, None)
            if given is not None:
                return name, asdict(given.value)
        raise AssertionError("none was given")


@strawberry.input
class SaveIntegrationInput:
    idempotency_key: UUID | None = strawberry.field(
        default=None, description="For a new integration, which needs it."
    )
    integration_id: strawberry.ID | None = strawberry.field(
        default=None, description="Null: a new one."
    )
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    base_url: str | None = strawberry.field(
        default=None,
        description="As https://api-na.myconnectwise.net, without the path of the API. What leads "
        "into a private network is refused. With another host the secrets must be entered again.",
    )
    is_enabled: bool | None = strawberry.field(default=None, description="A new one is.")
    connection: IntegrationConnectionInput | None = None
    expected_version: int | None = strawberry.field(default=None, description="A change needs it.")

    def decoded(self) -> IntegrationDetails:
        provider, entries = self.connection.decoded() if self.connection else (None, {})
        return IntegrationDetails(self.name, self.base_url, self.is_enabled, provider, entries)


@strawberry.type
class SaveIntegrationSuccess:
    integration: Integration


SaveIntegrationResult = Annotated[
    SaveIntegrationSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | StaleVersionError,
    strawberry.union("SaveIntegrationResult"),
]


@strawberry.input
class TestIntegrationInput:
    integration_id: strawberry.ID


@strawberry.type
class TestIntegrationSuccess:
    integration: Integration


TestIntegrationResult = Annotated[
    TestIntegrationSuccess | NotFoundError | PermissionDeniedError | ServiceUnavailableError,
    strawberry.union("TestIntegrationResult"),
]


@strawberry.input
class RemoveIntegrationInput:
    integration_id: strawberry.ID


@strawberry.type
class RemoveIntegrationSuccess:
    integration: Integration = strawberry.field(description="As it was; it is found no more.")


RemoveIntegrationResult = Annotated[
    RemoveIntegrationSuccess | NotFoundError | PermissionDeniedError,
    strawberry.union("RemoveIntegrationResult"),
]


@strawberry.input
class LinkTicketInput:
    session_id: strawberry.ID
    integration_id: strawberry.ID
    psa_ticket_id: str = strawberry.field(
        description="1 to 100 characters. The ticket is looked up there."
    )
    expected_version: int = strawberry.field(description="The session's.")


@strawberry.type
class LinkTicketSuccess:
    session: Annotated["AiSession", strawberry.lazy("schema.session")]


LinkTicketResult = Annotated[
    LinkTicketSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | StaleVersionError
    | ServiceUnavailableError,
    strawberry.union("LinkTicketResult"),
]
