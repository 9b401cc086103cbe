"""The queue, and within how many minutes what is in it should be claimed."""

import strawberry

from models.handoff import HandoffPriority
from schema.context import Info
from schema.lookahead import selects
from schema.queue import QueueConnection, QueueFilter
from schema.sla import SaveSlaTargetsInput, SaveSlaTargetsResult, SaveSlaTargetsSuccess, SlaTargets
from services import slas
from services.feed import encode_cursor
from services.queue import list_queue


@strawberry.type
class QueueQueries:
    @strawberry.field(description="Open handoffs: elevated first, then the longest waiting.")
    async def queue(
        self,
        info: Info,
        filter: QueueFilter | None = None,
        first: int = 50,
        after: str | None = None,
    ) -> QueueConnection:
        runtime, actor = info.context.runtime, info.context.actor
        wanted = (filter or QueueFilter()).decoded()
        counted = selects(info, {"totalCount"})
        queue = await list_queue(runtime, actor, wanted, first=first, after=after, counted=counted)
        return QueueConnection.of(queue, encode_cursor(actor.account_id, queue.seq))


@strawberry.type
class QueueMutations:
    @strawberry.mutation(description="For what is handed off or due from now on. For admins.")
    async def save_sla_targets(
        self, info: Info, input: SaveSlaTargetsInput
    ) -> SaveSlaTargetsResult:
        saved = await slas.save_sla_targets(
            info.context.runtime,
            info.context.actor,
            minutes={
                HandoffPriority.NORMAL: input.normal_minutes,
                HandoffPriority.ELEVATED: input.elevated_minutes,
            },
            expected_version=input.expected_version,
        )
        return SaveSlaTargetsSuccess(sla_targets=SlaTargets.of(saved))
