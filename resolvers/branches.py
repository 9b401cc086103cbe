"""The verbs of the tree."""

import strawberry

from schema.branch import Branch
from schema.branch_changes import (
    ArchiveBranchInput,
    ArchiveBranchResult,
    ArchiveBranchSuccess,
    MarkBranchStatusInput,
    MarkBranchStatusResult,
    MarkBranchStatusSuccess,
    RenameBranchInput,
    RenameBranchResult,
    RenameBranchSuccess,
    RestoreBranchInput,
    RestoreBranchResult,
    RestoreBranchSuccess,
    ReviveBranchInput,
    ReviveBranchResult,
    ReviveBranchSuccess,
    SwitchBranchInput,
    SwitchBranchResult,
    SwitchBranchSuccess,
)
from schema.context import Info
from schema.fork_point import ForkBranchInput, ForkBranchResult, ForkBranchSuccess, ForkPoint
from schema.session import AiSession
from services import archive, branches, forks, revivals
from services.errors import NotFound
from services.ids import Kind, optional_uuid_of, uuid_of


@strawberry.type
class BranchQueries:
    @strawberry.field
    async def branch(self, info: Info, id: strawberry.ID) -> Branch | None:
        loaders = info.context.loaders
        try:
            row = await loaders.branches.load(uuid_of(Kind.BRANCH, id))
        except NotFound:
            return None
        return Branch.of(row) if row else None


@strawberry.type
class BranchMutations:
    @strawberry.mutation
    async def fork_branch(self, info: Info, input: ForkBranchInput) -> ForkBranchResult:
        forked = await forks.fork_branch(
            info.context.runtime,
            info.context.actor,
            key=input.idempotency_key,
            session_id=uuid_of(Kind.SESSION, input.session_id),
            parent_branch_id=optional_uuid_of(Kind.BRANCH, input.parent_branch_id),
            fork_point_id=optional_uuid_of(Kind.FORK_POINT, input.fork_point_id),
            after_message_id=optional_uuid_of(Kind.MESSAGE, input.after_message_id),
            reason=input.reason,
            options=[forks.ForkOption(o.label, o.description, o.likelihood) for o in input.options],
        )
        return ForkBranchSuccess(
            session=AiSession.of(forked.session),
            fork_point=ForkPoint.of(forked.fork_point),
            branches=[Branch.of(row) for row in forked.branches],
        )

    @strawberry.mutation
    async def switch_branch(self, info: Info, input: SwitchBranchInput) -> SwitchBranchResult:
        changed = await branches.switch_branch(
            info.context.runtime,
            info.context.actor,
            branch_id=uuid_of(Kind.BRANCH, input.branch_id),
        )
        session, branch = AiSession.of(changed.session), Branch.of(changed.branch)
        return SwitchBranchSuccess(session=session, branch=branch)

    @strawberry.mutation
    async def mark_branch_status(
        self, info: Info, input: MarkBranchStatusInput
    ) -> MarkBranchStatusResult:
        changed = await branches.mark_branch_status(
            info.context.runtime,
            info.context.actor,
            branch_id=uuid_of(Kind.BRANCH, input.branch_id),
            status=input.status,
            reason=input.reason,
            expected_version=input.expected_version,
        )
        session, branch = AiSession.of(changed.session), Branch.of(changed.branch)
        return MarkBranchStatusSuccess(branch=branch, session=session)

    @strawberry.mutation
    async def revive_branch(self, info: Info, input: ReviveBranchInput) -> ReviveBranchResult:
        changed = await revivals.revive_branch(
            info.context.runtime,
            info.context.actor,
            branch_id=uuid_of(Kind.BRANCH, input.branch_id),
            evidence_from_branch_id=uuid_of(Kind.BRANCH, input.evidence_from_branch_id),
            evidence_message_ids=[uuid_of(Kind.MESSAGE, id) for id in input.evidence_message_ids],
            description=input.description,
        )
        session, branch = AiSession.of(changed.session), Branch.of(changed.branch)
        return ReviveBranchSuccess(branch=branch, session=session)

    @strawberry.mutation
    async def rename_branch(self, info: Info, input: RenameBranchInput) -> RenameBranchResult:
        changed = await branches.rename_branch(
            info.context.runtime,
            info.context.actor,
            branch_id=uuid_of(Kind.BRANCH, input.branch_id),
            label=input.label,
            description=input.description,
            expected_version=input.expected_version,
        )
        return RenameBranchSuccess(branch=Branch.of(changed.branch))

    @strawberry.mutation(
        description="Puts a branch and everything below it out of sight; they no longer count "
        "against the plan."
    )
    async def archive_branch(self, info: Info, input: ArchiveBranchInput) -> ArchiveBranchResult:
        changed = await archive.archive_branch(
            info.context.runtime,
            info.context.actor,
            branch_id=uuid_of(Kind.BRANCH, input.branch_id),
            expected_version=input.expected_version,
        )
        session, branch = AiSession.of(changed.session), Branch.of(changed.branch)
        return ArchiveBranchSuccess(branch=branch, session=session)

    @strawberry.mutation(
        description="Brings back a branch and what was archived along with it; the plan's limit is "
        "checked again."
    )
    async def restore_branch(self, info: Info, input: RestoreBranchInput) -> RestoreBranchResult:
        changed = await archive.restore_branch(
            info.context.runtime,
            info.context.actor,
            branch_id=uuid_of(Kind.BRANCH, input.branch_id),
            expected_version=input.expected_version,
        )
        session, branch = AiSession.of(changed.session), Branch.of(changed.branch)
        return RestoreBranchSuccess(branch=branch, session=session)
