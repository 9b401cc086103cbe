"""The verbs across branches: what is learnt on one and bears on another."""

import strawberry

from schema.branch import Branch
from schema.context import Info
from schema.hypothesis import (
    AcceptRevivalProposalInput,
    AcceptRevivalProposalResult,
    AcceptRevivalProposalSuccess,
    DismissRevivalProposalInput,
    DismissRevivalProposalResult,
    DismissRevivalProposalSuccess,
    FindingMerge,
    MergeFindingsInput,
    MergeFindingsResult,
    MergeFindingsSuccess,
    RevivalProposal,
    UndoFindingMergeInput,
    UndoFindingMergeResult,
    UndoFindingMergeSuccess,
)
from schema.second_opinion import (
    RequestSecondOpinionInput,
    RequestSecondOpinionResult,
    RequestSecondOpinionSuccess,
    SecondOpinion,
)
from schema.session import AiSession
from services import finding_merges, revival_proposals, second_opinions
from services.ids import Kind, uuid_of


@strawberry.type
class HypothesisMutations:
    @strawberry.mutation(description="Revives the dead end, with the finding as evidence.")
    async def accept_revival_proposal(
        self, info: Info, input: AcceptRevivalProposalInput
    ) -> AcceptRevivalProposalResult:
        decided = await revival_proposals.accept_revival_proposal(
            info.context.runtime,
            info.context.actor,
            proposal_id=uuid_of(Kind.REVIVAL_PROPOSAL, input.proposal_id),
        )
        return AcceptRevivalProposalSuccess(
            proposal=RevivalProposal.of(decided.proposal),
            branch=Branch.of(decided.changed.branch),
            session=AiSession.of(decided.changed.session),
        )

    @strawberry.mutation(description="The branch stays a dead end.")
    async def dismiss_revival_proposal(
        self, info: Info, input: DismissRevivalProposalInput
    ) -> DismissRevivalProposalResult:
        proposal = await revival_proposals.dismiss_revival_proposal(
            info.context.runtime,
            info.context.actor,
            proposal_id=uuid_of(Kind.REVIVAL_PROPOSAL, input.proposal_id),
        )
        return DismissRevivalProposalSuccess(proposal=RevivalProposal.of(proposal))

    @strawberry.mutation(
        description="Brings findings of other branches into one: from then on the assistant takes them "
        "there for known. No message is copied."
    )
    async def merge_findings(self, info: Info, input: MergeFindingsInput) -> MergeFindingsResult:
        merged = await finding_merges.merge_findings(
            info.context.runtime,
            info.context.actor,
            key=input.idempotency_key,
            branch_id=uuid_of(Kind.BRANCH, input.branch_id),
            finding_ids=[uuid_of(Kind.FINDING, id) for id in input.finding_ids],
        )
        merge, branch = FindingMerge.of(merged.merge), Branch.of(merged.branch)
        return MergeFindingsSuccess(merge=merge, branch=branch)

    @strawberry.mutation(description="Takes merged findings back; the record of the merge stays.")
    async def undo_finding_merge(
        self, info: Info, input: UndoFindingMergeInput
    ) -> UndoFindingMergeResult:
        merged = await finding_merges.undo_finding_merge(
            info.context.runtime,
            info.context.actor,
            merge_id=uuid_of(Kind.FINDING_MERGE, input.merge_id),
        )
        merge, branch = FindingMerge.of(merged.merge), Branch.of(merged.branch)
        return UndoFindingMergeSuccess(merge=merge, branch=branch)

    @strawberry.mutation(
        description="One at a time; follow `SecondOpinionChanged` to hear when it is given."
    )
    async def request_second_opinion(
        self, info: Info, input: RequestSecondOpinionInput
    ) -> RequestSecondOpinionResult:
        opinion = await second_opinions.request_second_opinion(
            info.context.runtime,
            info.context.actor,
            key=input.idempotency_key,
            session_id=uuid_of(Kind.SESSION, input.session_id),
        )
        return RequestSecondOpinionSuccess(second_opinion=SecondOpinion.of(opinion))
