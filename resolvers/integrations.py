"""Systems outside: connecting them, and linking sessions to their tickets."""

import strawberry

from schema.context import Info
from schema.integration import (
    Integration,
    LinkTicketInput,
    LinkTicketResult,
    LinkTicketSuccess,
    RemoveIntegrationInput,
    RemoveIntegrationResult,
    RemoveIntegrationSuccess,
    SaveIntegrationInput,
    SaveIntegrationResult,
    SaveIntegrationSuccess,
    TestIntegrationInput,
    TestIntegrationResult,
    TestIntegrationSuccess,
)
from schema.session import AiSession
from services import integrations, ticket_links
from services.ids import Kind, optional_uuid_of, uuid_of


@strawberry.type
class IntegrationQueries:
    @strawberry.field(description="By name, at most 100; without those that were removed.")
    async def integrations(self, info: Info) -> list[Integration]:
        context = info.context
        rows = await integrations.list_integrations(context.runtime, context.actor)
        return [Integration.of(row) for row in rows]


@strawberry.type
class IntegrationMutations:
    @strawberry.mutation(description="Adds an integration or changes one. For admins.")
    async def save_integration(
        self, info: Info, input: SaveIntegrationInput
    ) -> SaveIntegrationResult:
        row = await integrations.save_integration(
            info.context.runtime,
            info.context.actor,
            input.decoded(),
            key=input.idempotency_key,
            integration_id=optional_uuid_of(Kind.INTEGRATION, input.integration_id),
            expected_version=input.expected_version,
        )
        return SaveIntegrationSuccess(integration=Integration.of(row))

    @strawberry.mutation(
        description="Calls the system outside to see whether address and credentials are right. For "
        "admins."
    )
    async def test_integration(
        self, info: Info, input: TestIntegrationInput
    ) -> TestIntegrationResult:
        row = await integrations.test_integration(
            info.context.runtime,
            info.context.actor,
            uuid_of(Kind.INTEGRATION, input.integration_id),
        )
        return TestIntegrationSuccess(integration=Integration.of(row))

    @strawberry.mutation(
        description="Forgets it and its secrets for ever. What is on its way there fails; the ledger "
        "stays. For admins."
    )
    async def remove_integration(
        self, info: Info, input: RemoveIntegrationInput
    ) -> RemoveIntegrationResult:
        row = await integrations.remove_integration(
            info.context.runtime,
            info.context.actor,
            uuid_of(Kind.INTEGRATION, input.integration_id),
        )
        return RemoveIntegrationSuccess(integration=Integration.of(row))

    @strawberry.mutation(
        description="Says which ticket a session is about, also when it is over. It takes the place "
        "of the one before."
    )
    async def link_ticket(self, info: Info, input: LinkTicketInput) -> LinkTicketResult:
        linked = await ticket_links.link_ticket(
            info.context.runtime,
            info.context.actor,
            session_id=uuid_of(Kind.SESSION, input.session_id),
            integration_id=uuid_of(Kind.INTEGRATION, input.integration_id),
            psa_ticket_id=input.psa_ticket_id,
            expected_version=input.expected_version,
        )
        return LinkTicketSuccess(session=AiSession.of(linked))
