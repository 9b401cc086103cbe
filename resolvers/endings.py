"""The verbs by which a session ends and begins again."""

import strawberry

from schema.context import Info
from schema.ending import (
    AbandonSessionInput,
    AbandonSessionResult,
    AbandonSessionSuccess,
    ReopenSessionInput,
    ReopenSessionResult,
    ReopenSessionSuccess,
    ResolveSessionInput,
    ResolveSessionResult,
    ResolveSessionSuccess,
)
from schema.session import AiSession
from services import endings
from services.ids import Kind, uuid_of


@strawberry.type
class EndingMutations:
    @strawberry.mutation(
        description="Ends the open handoff and replies that are not finished, and has the three documents "
        "written. A failed document does not hinder it."
    )
    async def resolve_session(self, info: Info, input: ResolveSessionInput) -> ResolveSessionResult:
        solved = input.solved_branch_id
        ended = await endings.resolve_session(
            info.context.runtime,
            info.context.actor,
            session_id=uuid_of(Kind.SESSION, input.session_id),
            solved_branch_id=None if solved is None else uuid_of(Kind.BRANCH, solved),
            summary=input.summary,
            close_open_branches=input.close_open_branches,
            expected_version=input.expected_version,
        )
        return ResolveSessionSuccess(session=AiSession.of(ended))

    @strawberry.mutation(
        description="For what will not be pursued. Ends the open handoff and replies, too."
    )
    async def abandon_session(self, info: Info, input: AbandonSessionInput) -> AbandonSessionResult:
        ended = await endings.abandon_session(
            info.context.runtime,
            info.context.actor,
            session_id=uuid_of(Kind.SESSION, input.session_id),
            reason=input.reason,
            expected_version=input.expected_version,
        )
        return AbandonSessionSuccess(session=AiSession.of(ended))

    @strawberry.mutation(description="Makes a resolved or abandoned session ACTIVE again.")
    async def reopen_session(self, info: Info, input: ReopenSessionInput) -> ReopenSessionResult:
        reopened = await endings.reopen_session(
            info.context.runtime,
            info.context.actor,
            session_id=uuid_of(Kind.SESSION, input.session_id),
            expected_version=input.expected_version,
        )
        return ReopenSessionSuccess(session=AiSession.of(reopened))
