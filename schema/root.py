"""The schema as a whole: the only module here that sees the resolvers."""

from datetime import datetime
from typing import cast

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext
from strawberry.types.execution import PreExecutionError

import schema.enums  # noqa: F401 - registers them
from resolvers.accounts import AccountMutations, AccountQueries
from resolvers.branches import BranchMutations, BranchQueries
from resolvers.claims import ClaimMutations
from resolvers.deliveries import DeliveryMutations, DeliveryQueries
from resolvers.endings import EndingMutations
from resolvers.handoffs import HandoffMutations
from resolvers.hypotheses import HypothesisMutations
from resolvers.integrations import IntegrationMutations, IntegrationQueries
from resolvers.knowledge import KnowledgeQueries
from resolvers.messages import MessageMutations, MessageQueries
from resolvers.nodes import NodeQueries
from resolvers.outputs import OutputMutations
from resolvers.presence import PresenceMutations
from resolvers.queue import QueueMutations, QueueQueries
from resolvers.sessions import SessionMutations, SessionQueries
from resolvers.subscriptions import Subscriptions
from resolvers.uploads import UploadMutations
from schema.compiled.execution import CompiledExecution
from schema.errors import HANDLERS
from schema.handoff import HandoffTakenHandler
from schema.observation import Observation
from schema.scalars import DATE_TIME


@strawberry.type
class Query(
    AccountQueries,
    NodeQueries,
    SessionQueries,
    BranchQueries,
    MessageQueries,
    QueueQueries,
    KnowledgeQueries,
    IntegrationQueries,
    DeliveryQueries,
):
    pass


@strawberry.type
class Mutation(
    AccountMutations,
    SessionMutations,
    BranchMutations,
    HypothesisMutations,
    MessageMutations,
    HandoffMutations,
    ClaimMutations,
    QueueMutations,
    EndingMutations,
    OutputMutations,
    UploadMutations,
    IntegrationMutations,
    DeliveryMutations,
    PresenceMutations,
):
    pass


@strawberry.type
class Subscription(Subscriptions):
    pass


class Schema(strawberry.Schema):
    """Goes Strawberry's way, without asking at each step what its extensions have to do: there are none."""

    def create_extensions_runner(
        self, execution_context: ExecutionContext, extensions: list[SchemaExtension]
    ) -> SchemaExtensionsRunner:
        return cast("SchemaExtensionsRunner", Observation(execution_context))

    async def _prepare_operation_async(
        self, context: ExecutionContext, extensions_runner: SchemaExtensionsRunner
    ) -> PreExecutionError | None:
        """With a context of its own: a socket's operations share one, and would read what an earlier one
        has loaded.
        """
        context.context = context.context.renewed()
        errors = await cast("Observation", extensions_runner).admission.refusals()
        return PreExecutionError(data=None, errors=errors) if errors else None

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """ErrorPolicy logs what is our fault; what clients get wrong is theirs to know."""


graphql_schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    config=StrawberryConfig(scalar_map={datetime: DATE_TIME}),
    execution_context_class=CompiledExecution,
    exception_handlers=(*HANDLERS, HandoffTakenHandler()),
)
