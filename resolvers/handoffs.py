"""The verbs that fill and empty the queue."""

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
)
from schema.session import AiSession
from services import handoffs
from services.ids import Kind, uuid_of


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
            wake_at=input.wake_at,
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
