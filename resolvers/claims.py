"""The verbs of a claim: keeping it, giving it back; and giving a session to somebody."""

import strawberry

from schema.claim import (
    HeartbeatHandoffInput,
    HeartbeatHandoffResult,
    HeartbeatHandoffSuccess,
    ReassignSessionInput,
    ReassignSessionResult,
    ReassignSessionSuccess,
    ReleaseHandoffInput,
    ReleaseHandoffResult,
    ReleaseHandoffSuccess,
    RetryHandoffPreparationInput,
    RetryHandoffPreparationResult,
    RetryHandoffPreparationSuccess,
)
from schema.context import Info
from schema.handoff import Handoff
from schema.session import AiSession
from services import assignments, handoff_drafts, returns
from services.ids import Kind, uuid_of


@strawberry.type
class ClaimMutations:
    @strawberry.mutation(
        description="For the claimer's open page, every minute or so: renews the lease. Publishes nothing "
        "and may be repeated at will."
    )
    async def heartbeat_handoff(
        self, info: Info, input: HeartbeatHandoffInput
    ) -> HeartbeatHandoffResult:
        held = await returns.heartbeat_handoff(
            info.context.runtime,
            info.context.actor,
            handoff_id=uuid_of(Kind.HANDOFF, input.handoff_id),
        )
        return HeartbeatHandoffSuccess(handoff=Handoff.of(held))

    @strawberry.mutation(
        description="Gives the session back to the queue, where it has waited since it was first handed "
        "off; by the claimer, a lead or an admin. A repeat by the claimer publishes nothing."
    )
    async def release_handoff(self, info: Info, input: ReleaseHandoffInput) -> ReleaseHandoffResult:
        done = await returns.release_handoff(
            info.context.runtime,
            info.context.actor,
            handoff_id=uuid_of(Kind.HANDOFF, input.handoff_id),
            engineer_notes=input.engineer_notes,
        )
        session, handoff = AiSession.of(done.session), Handoff.of(done.handoff)
        return ReleaseHandoffSuccess(handoff=handoff, session=session)

    @strawberry.mutation(
        description="Gives a session to somebody, out of the queue, too: they hold it without a lease. For "
        "leads and admins."
    )
    async def reassign_session(
        self, info: Info, input: ReassignSessionInput
    ) -> ReassignSessionResult:
        given = await assignments.reassign_session(
            info.context.runtime,
            info.context.actor,
            session_id=uuid_of(Kind.SESSION, input.session_id),
            assignee_id=uuid_of(Kind.USER, input.assignee_id),
            note=input.note,
            expected_version=input.expected_version,
        )
        return ReassignSessionSuccess(session=AiSession.of(given))

    @strawberry.mutation(
        description="Asks for assessment, briefing and notes again, after the assistant has failed at them."
    )
    async def retry_handoff_preparation(
        self, info: Info, input: RetryHandoffPreparationInput
    ) -> RetryHandoffPreparationResult:
        handoff = await handoff_drafts.retry_handoff_preparation(
            info.context.runtime,
            info.context.actor,
            handoff_id=uuid_of(Kind.HANDOFF, input.handoff_id),
        )
        return RetryHandoffPreparationSuccess(handoff=Handoff.of(handoff))
