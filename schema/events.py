"""What happened, as clients see it. Objects show their state when it is told, scalars that of the event."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

import strawberry

from models.branch import BranchStatus
from models.delivery import DeliveryState
from models.handoff import ClaimEnd
from models.session import SessionStatus
from models.sla import SlaState
from schema import account as accounts
from schema import branch as branches
from schema import delivery as deliveries
from schema import finding as findings
from schema import fork_point as fork_points
from schema import handoff as handoffs
from schema import hypothesis as hypotheses
from schema import message as messages
from schema import output as outputs
from schema import second_opinion as second_opinions
from schema import session as sessions
from schema import upload as uploads
from schema.context import Info
from services.feed import StoredEvent, encode_cursor

if TYPE_CHECKING:
    from schema.account import User
    from schema.branch import Branch
    from schema.delivery import Delivery
    from schema.finding import Finding
    from schema.fork_point import ForkPoint
    from schema.handoff import Handoff
    from schema.hypothesis import FindingMerge, RevivalProposal
    from schema.message import BranchMessage
    from schema.output import ResolutionOutput
    from schema.second_opinion import SecondOpinion
    from schema.session import AiSession
    from schema.upload import FileUpload

BranchRef = Annotated["Branch", strawberry.lazy("schema.branch")]
DeliveryRef = Annotated["Delivery", strawberry.lazy("schema.delivery")]
FindingRef = Annotated["Finding", strawberry.lazy("schema.finding")]
ForkPointRef = Annotated["ForkPoint", strawberry.lazy("schema.fork_point")]
HandoffRef = Annotated["Handoff", strawberry.lazy("schema.handoff")]
MergeRef = Annotated["FindingMerge", strawberry.lazy("schema.hypothesis")]
MessageRef = Annotated["BranchMessage", strawberry.lazy("schema.message")]
OpinionRef = Annotated["SecondOpinion", strawberry.lazy("schema.second_opinion")]
OutputRef = Annotated["ResolutionOutput", strawberry.lazy("schema.output")]
ProposalRef = Annotated["RevivalProposal", strawberry.lazy("schema.hypothesis")]
SessionRef = Annotated["AiSession", strawberry.lazy("schema.session")]
UploadRef = Annotated["FileUpload", strawberry.lazy("schema.upload")]
UserRef = Annotated["User", strawberry.lazy("schema.account")]


@strawberry.interface(
    description="Replayable: reconnect with the last `cursor` you applied, and every later event "
    "comes once, in order."
)
class Event:
    actor_key: strawberry.Private[UUID | None]
    payload: strawberry.Private[dict[str, Any]]
    session_key: strawberry.Private[UUID]
    cursor: str
    occurred_at: datetime

    @strawberry.field(
        description="Null for the assistant, for deliveries under way, and where a time has come."
    )
    async def actor(self, info: Info) -> UserRef | None:
        return None if self.actor_key is None else await accounts.load_user(info, self.actor_key)

    @classmethod
    def of(cls, account_id: UUID, stored: StoredEvent) -> Self:
        return cls(
            actor_key=stored.actor_id,
            payload=stored.payload,
            session_key=stored.session_id,
            cursor=encode_cursor(account_id, stored.seq),
            occurred_at=stored.occurred_at,
        )

    def key(self, name: str) -> UUID:
        return UUID(self.payload[name])


@strawberry.type
class BranchForked(Event):
    @strawberry.field
    async def fork_point(self, info: Info) -> ForkPointRef:
        return await fork_points.load(info, self.key("fork_point_id"))

    @strawberry.field(description="By order.")
    async def branches(self, info: Info) -> list[BranchRef]:
        keys = [UUID(text) for text in self.payload["branch_ids"]]
        rows = await info.context.loaders.branches.load_many(keys)
        return [branches.Branch.of(row) for row in rows if row]


@strawberry.type
class BranchSwitched(Event):
    @strawberry.field
    async def previous_branch(self, info: Info) -> BranchRef:
        return await branches.load(info, self.key("previous_branch_id"))

    @strawberry.field
    async def branch(self, info: Info) -> BranchRef:
        return await branches.load(info, self.key("branch_id"))


@strawberry.type
class BranchStatusChanged(Event):
    @strawberry.field
    async def branch(self, info: Info) -> BranchRef:
        return await branches.load(info, self.key("branch_id"))

    @strawberry.field
    def previous_status(self) -> BranchStatus:
        return BranchStatus(self.payload["previous_status"])

    @strawberry.field
    def status(self) -> BranchStatus:
        return BranchStatus(self.payload["status"])

    @strawberry.field
    def reason(self) -> str | None:
        reason: str | None = self.payload["reason"]
        return reason


@strawberry.type(description="Renamed, archived, restored, summarised, ranked.")
class BranchUpdated(Event):
    @strawberry.field
    async def branch(self, info: Info) -> BranchRef:
        return await branches.load(info, self.key("branch_id"))


@strawberry.type
class MessageAdded(Event):
    @strawberry.field
    async def message(self, info: Info) -> MessageRef:
        return await messages.load(info, self.key("message_id"))


@strawberry.type(description="Pending again, after a retry.")
class MessageRestarted(Event):
    @strawberry.field
    async def message(self, info: Info) -> MessageRef:
        return await messages.load(info, self.key("message_id"))


@strawberry.type(description="Complete, failed or cancelled.")
class MessageFinished(Event):
    @strawberry.field
    async def message(self, info: Info) -> MessageRef:
        return await messages.load(info, self.key("message_id"))


async def _session(event: Event, info: Info) -> "AiSession":
    return await sessions.load(info, event.session_key)


@strawberry.type
class SessionStatusChanged(Event):
    @strawberry.field
    async def session(self, info: Info) -> SessionRef:
        return await _session(self, info)

    @strawberry.field
    def previous_session_status(self) -> SessionStatus:
        return SessionStatus(self.payload["previous_status"])

    @strawberry.field
    def session_status(self) -> SessionStatus:
        return SessionStatus(self.payload["status"])


@strawberry.type
class SessionStarted(Event):
    @strawberry.field
    async def session(self, info: Info) -> SessionRef:
        return await _session(self, info)


@strawberry.type(description="Summary, domain, confidence, assignee or ticket.")
class SessionUpdated(Event):
    @strawberry.field
    async def session(self, info: Info) -> SessionRef:
        return await _session(self, info)


@strawberry.type(
    description="Made on the branch, or withdrawn; `findings` are the new ones, then the withdrawn ones."
)
class FindingsChanged(Event):
    @strawberry.field
    async def branch(self, info: Info) -> BranchRef:
        return await branches.load(info, self.key("branch_id"))

    @strawberry.field
    async def findings(self, info: Info) -> list[FindingRef]:
        keys = [UUID(text) for text in self.payload["finding_ids"]]
        rows = await info.context.loaders.findings.load_many(keys)
        return [findings.Finding.of(row) for row in rows if row]


@strawberry.type(description="Findings were brought into a branch, or taken back.")
class FindingMergeChanged(Event):
    @strawberry.field
    async def merge(self, info: Info) -> MergeRef:
        return await hypotheses.load_merge(info, self.key("merge_id"))


@strawberry.type(description="A dead end was put in doubt, or that was decided.")
class RevivalProposalChanged(Event):
    @strawberry.field
    async def proposal(self, info: Info) -> ProposalRef:
        return await hypotheses.load_proposal(info, self.key("proposal_id"))


@strawberry.type(description="Asked for, given or failed.")
class SecondOpinionChanged(Event):
    @strawberry.field
    async def second_opinion(self, info: Info) -> OpinionRef:
        return await second_opinions.load(info, self.key("opinion_id"))


@strawberry.type(
    description="Brought in, taken over from its uploader, or nearer to being described."
)
class UploadChanged(Event):
    @strawberry.field
    async def upload(self, info: Info) -> UploadRef:
        return await uploads.load(info, self.key("upload_id"))


@strawberry.type(description="Asked for, written or failed, edited, approved, rejected.")
class ResolutionOutputChanged(Event):
    @strawberry.field
    async def output(self, info: Info) -> OutputRef:
        return await outputs.load(info, self.key("output_id"))


@strawberry.type(description="Queued, tried, delivered or given up.")
class DeliveryChanged(Event):
    @strawberry.field
    async def delivery(self, info: Info) -> DeliveryRef:
        return await deliveries.load(info, self.key("delivery_id"))

    @strawberry.field(
        description="After this; SENDING again where a try failed and another follows."
    )
    def delivery_state(self) -> DeliveryState:
        return DeliveryState(self.payload["state"])


@strawberry.type
class HandoffCreated(Event):
    @strawberry.field
    async def handoff(self, info: Info) -> HandoffRef:
        return await handoffs.load(info, self.key("handoff_id"))


@strawberry.type
class HandoffUpdated(Event):
    @strawberry.field
    async def handoff(self, info: Info) -> HandoffRef:
        return await handoffs.load(info, self.key("handoff_id"))


@strawberry.type
class HandoffClaimed(Event):
    @strawberry.field
    async def handoff(self, info: Info) -> HandoffRef:
        return await handoffs.load(info, self.key("handoff_id"))


@strawberry.type
class HandoffCancelled(Event):
    @strawberry.field
    async def handoff(self, info: Info) -> HandoffRef:
        return await handoffs.load(info, self.key("handoff_id"))


@strawberry.type(
    description="The claim has ended and the session waits again: the `HandoffCreated` that follows is "
    "of the handoff that continues this one."
)
class HandoffReturned(Event):
    @strawberry.field(description="The one that was claimed.")
    async def handoff(self, info: Info) -> HandoffRef:
        return await handoffs.load(info, self.key("handoff_id"))

    @strawberry.field(description="EXPIRED or RELEASED.")
    def claim_end(self) -> ClaimEnd:
        return ClaimEnd(self.payload["claim_end"])


@strawberry.type(
    description="What was parked wakes up: a reminder for `handoff.handedOffBy`, and for the queue."
)
class HandoffDue(Event):
    @strawberry.field
    async def handoff(self, info: Info) -> HandoffRef:
        return await handoffs.load(info, self.key("handoff_id"))


@strawberry.type(
    description="It was not claimed in three quarters of its time (AT_RISK), or in time (BREACHED)."
)
class HandoffSlaChanged(Event):
    @strawberry.field
    async def handoff(self, info: Info) -> HandoffRef:
        return await handoffs.load(info, self.key("handoff_id"))

    @strawberry.field
    def previous_sla_state(self) -> SlaState:
        return SlaState(self.payload["previous_sla_state"])

    @strawberry.field
    def sla_state(self) -> SlaState:
        return SlaState(self.payload["sla_state"])


@strawberry.type(
    description="This client fell too far behind, or `after` is no cursor of this account: query "
    "again and resume from the new cursor. The subscription ends after it."
)
class FeedReset(Event):
    @classmethod
    def at(cls, account_id: UUID, seq: int) -> Self:
        return cls(
            actor_key=None,
            payload={},
            session_key=account_id,  # it is about no session, and has no field that asks
            cursor=encode_cursor(account_id, seq),
            occurred_at=datetime.now(UTC),
        )


BranchEvent = Annotated[
    BranchForked | BranchSwitched | BranchStatusChanged | BranchUpdated | FeedReset,
    strawberry.union("BranchEvent"),
]
SessionEvent = Annotated[
    BranchForked
    | BranchSwitched
    | BranchStatusChanged
    | BranchUpdated
    | MessageAdded
    | MessageRestarted
    | MessageFinished
    | FindingsChanged
    | FindingMergeChanged
    | RevivalProposalChanged
    | SecondOpinionChanged
    | SessionUpdated
    | SessionStatusChanged
    | HandoffCreated
    | HandoffUpdated
    | HandoffClaimed
    | HandoffCancelled
    | HandoffReturned
    | HandoffDue
    | HandoffSlaChanged
    | UploadChanged
    | ResolutionOutputChanged
    | DeliveryChanged
    | FeedReset,
    strawberry.union("SessionEvent"),
]
SessionListEvent = Annotated[
    SessionStarted | SessionUpdated | SessionStatusChanged | FeedReset,
    strawberry.union("SessionListEvent", description="What a list of sessions needs."),
]
QueueEvent = Annotated[
    HandoffCreated
    | HandoffUpdated
    | HandoffClaimed
    | HandoffCancelled
    | HandoffReturned
    | HandoffDue
    | HandoffSlaChanged
    | FeedReset,
    strawberry.union("QueueEvent"),
]

BRANCH_EVENTS: Mapping[str, type[Event]] = {
    kind.__name__: kind
    for kind in (BranchForked, BranchSwitched, BranchStatusChanged, BranchUpdated)
}
SESSION_LIST_EVENTS: Mapping[str, type[Event]] = {
    kind.__name__: kind for kind in (SessionStarted, SessionUpdated, SessionStatusChanged)
}
QUEUE_EVENTS: Mapping[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        HandoffCreated,
        HandoffUpdated,
        HandoffClaimed,
        HandoffCancelled,
        HandoffReturned,
        HandoffDue,
        HandoffSlaChanged,
    )
}
SESSION_EVENTS: Mapping[str, type[Event]] = {
    **BRANCH_EVENTS,
    **QUEUE_EVENTS,
    **{
        kind.__name__: kind
        for kind in (
            MessageAdded,
            MessageRestarted,
            MessageFinished,
            FindingsChanged,
            FindingMergeChanged,
            RevivalProposalChanged,
            SecondOpinionChanged,
            SessionUpdated,
            SessionStatusChanged,
            UploadChanged,
            ResolutionOutputChanged,
            DeliveryChanged,
        )
    },
}


@strawberry.type(
    description="First on every (re)connect: the text so far. Deltas continue at `offset`."
)
class MessageSnapshot:
    message_key: strawberry.Private[UUID]
    text: str
    offset: int = strawberry.field(description="In characters.")

    @strawberry.field
    async def message(self, info: Info) -> MessageRef:
        return await messages.load(info, self.message_key)


@strawberry.type
class MessageDelta:
    text: str
    offset: int = strawberry.field(description="Where `text` begins, in characters.")


@strawberry.type(description="The stored message is the truth.")
class MessageEnded:
    message_key: strawberry.Private[UUID]

    @strawberry.field
    async def message(self, info: Info) -> MessageRef:
        return await messages.load(info, self.message_key)


MessageStreamEvent = Annotated[
    MessageSnapshot | MessageDelta | MessageEnded, strawberry.union("MessageStreamEvent")
]
