"""What a page that shows a session says of its viewer."""

import strawberry

from schema.context import Info
from schema.presence import (
    LeaveSessionInput,
    LeaveSessionResult,
    LeaveSessionSuccess,
    LookAtBranchInput,
    LookAtBranchResult,
    LookAtBranchSuccess,
)
from services import presence
from services.ids import Kind, uuid_of


@strawberry.type
class PresenceMutations:
    @strawberry.mutation(
        description="For an open page, at every change of branch, when an answer there ends, and every 30 "
        "seconds: keeps the viewer's place, shows it to others for a minute, and takes what was said on "
        "the branch as read. Records no event."
    )
    async def look_at_branch(self, info: Info, input: LookAtBranchInput) -> LookAtBranchResult:
        branch_id = uuid_of(Kind.BRANCH, input.branch_id)
        session_id = await presence.look_at_branch(
            info.context.runtime,
            info.context.actor,
            branch_id=branch_id,
            is_asking=input.is_asking,
        )
        return LookAtBranchSuccess(branch_key=branch_id, session_key=session_id)

    @strawberry.mutation(
        description="The viewer's page is closed: others see them there no more. Their place is kept. A "
        "repeat changes nothing."
    )
    async def leave_session(self, info: Info, input: LeaveSessionInput) -> LeaveSessionResult:
        session_id = uuid_of(Kind.SESSION, input.session_id)
        await presence.leave_session(
            info.context.runtime, info.context.actor, session_id=session_id
        )
        return LeaveSessionSuccess(session_key=session_id)
