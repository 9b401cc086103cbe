"""The queue, and the verbs that fill and empty it."""

import strawberry

from schema.context import Info
from schema.handoff import (
    CancelHandoffInput,
    CancelHandoffResult,
    CancelHandoffSuccess,
    ClaimHandoffInput,
    ClaimHandoffResult,
    ClaimHandoffSuccess,
    Handoff,
    HandOffSessionInput,
    HandOffSessionResult,
    HandOffSessionSuccess,
    QueueConnection,
    QueueFilter,
)
from schema.session import AiSession
from services import handoffs
from services.feed import encode_cursor
from services.ids import Kind, uuid_of


@strawberry.type
class HandoffQueries:
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
        queue = await handoffs.list_queue(runtime, actor, wanted, first=first, after=after)
        return QueueConnection.of(queue, encode_cursor(actor.account_id, queue.seq))


@strawberry.type
class HandoffMutations:
    @strawberry.mutation
    async def hand_off_session(
        self, info: Info, input: HandOffSessionInput
    ) -> HandOffSessionResult:
        done = await handoffs.hand_off_session(
            info.context.runtime,
            info.context.actor,
            key=input.idempotency_key,
            session_id=uuid_of(Kind.SESSION, input.session_id),
            intent=input.intent,
            priority=input.priority,
            notes=handoffs.Notes(
                input.engineer_notes, input.next_step, input.waiting_on, input.watch_out
            ),
        )
        session, handoff = AiSession.of(done.session), Handoff.of(done.handoff)
        return HandOffSessionSuccess(handoff=handoff, session=session)

    @strawberry.mutation
    async def claim_handoff(self, info: Info, input: ClaimHandoffInput) -> ClaimHandoffResult:
        done = await handoffs.claim_handoff(
            info.context.runtime,
            info.context.actor,
            handoff_id=uuid_of(Kind.HANDOFF, input.handoff_id),
        )
        session, handoff = AiSession.of(done.session), Handoff.of(done.handoff)
        return ClaimHandoffSuccess(handoff=handoff, session=session)

    @strawberry.mutation(
        description="Takes the session up again, by whoever handed it off, a lead or an admin."
    )
    async def cancel_handoff(self, info: Info, input: CancelHandoffInput) -> CancelHandoffResult:
        done = await handoffs.cancel_handoff(
            info.context.runtime,
            info.context.actor,
            handoff_id=uuid_of(Kind.HANDOFF, input.handoff_id),
        )
        session, handoff = AiSession.of(done.session), Handoff.of(done.handoff)
        return CancelHandoffSuccess(handoff=handoff, session=session)
