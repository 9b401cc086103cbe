"""A session as it was at an event. Types of their own, so that nothing of it is taken for current."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models.branch import BranchStatus
from models.handoff import HandoffIntent, HandoffPriority
from models.session import SessionStatus
from schema import account as accounts
from schema import branch as branches
from schema import handoff as handoffs
from schema import message as messages
from schema.context import Info
from schema.events import Event
from schema.timeline import EVENTS
from services import replay
from services.messages import MessageScope, list_messages

if TYPE_CHECKING:
    from schema.account import User
    from schema.branch import Branch
    from schema.handoff import Handoff
    from schema.message import BranchMessageConnection


@strawberry.type(description="A branch as it was at that moment.")
class BranchMoment:
    moment: strawberry.Private[replay.Moment]
    then: strawberry.Private[replay.BranchThen]
    label: str
    status: BranchStatus
    status_reason: str | None
    status_changed_at: datetime | None
    is_active: bool = strawberry.field(description="Whether the team worked on it.")
    likelihood: float | None = strawberry.field(description="0 to 1; null until ranked.")
    archived_at: datetime | None

    @strawberry.field(description="The same branch as it is now.")
    async def branch(self) -> Annotated["Branch", strawberry.lazy("schema.branch")]:
        return branches.Branch.of(self.then.row)

    @strawberry.field
    async def status_changed_by(
        self, info: Info
    ) -> Annotated["User", strawberry.lazy("schema.account")] | None:
        key = self.then.changed_by
        return None if key is None else await accounts.load_user(info, key)

    @strawberry.field(description="By order, without those that were archived.")
    def children(self) -> list[Annotated["BranchMoment", strawberry.lazy("schema.moment")]]:
        below = self.moment.tree.children(self.then.row.id)
        found = (BranchMoment.of(self.moment, row.id) for row in below)
        return [branch for branch in found if branch.archived_at is None]

    @strawberry.field
    def message_count(self, scope: MessageScope = MessageScope.OWN) -> int:
        inherited = self.then.row.fork_position if scope is MessageScope.LINEAGE else 0
        return inherited + self.then.said

    @strawberry.field(
        description="What had been said, as it reads now: an answer that was under way then shows how "
        "it ended. By default the first 50; at most 100 a page."
    )
    async def messages(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        scope: MessageScope = MessageScope.OWN,
    ) -> Annotated["BranchMessageConnection", strawberry.lazy("schema.message")]:
        page = await list_messages(
            info.context.runtime,
            info.context.actor,
            self.then.row.id,
            scope,
            first=first,
            after=after,
            up_to=self.then.row.fork_position + self.then.said,
        )
        return messages.BranchMessageConnection.of(page)

    @classmethod
    def of(cls, moment: replay.Moment, key: UUID) -> Self:
        then = moment.branches[key]
        return cls(
            moment=moment,
            then=then,
            label=then.label,
            status=then.status,
            status_reason=then.reason,
            status_changed_at=then.changed_at,
            is_active=moment.active_branch_id == key,
            likelihood=then.likelihood,
            archived_at=then.archived_at,
        )


@strawberry.type(description="A handoff that was waiting in the queue at that moment.")
class HandoffMoment:
    then: strawberry.Private[replay.HandoffThen]
    intent: HandoffIntent
    priority: HandoffPriority
    waiting_since: datetime
    waiting_seconds: int = strawberry.field(description="Up to that moment.")

    @strawberry.field(description="The same handoff as it is now.")
    async def handoff(self, info: Info) -> Annotated["Handoff", strawberry.lazy("schema.handoff")]:
        return await handoffs.load(info, self.then.handoff_id)


@strawberry.type(
    description="The session as it was once an event had happened, rebuilt from the log of events."
)
class SessionMoment:
    moment: strawberry.Private[replay.Moment]
    cursor: str = strawberry.field(description="Of the event.")
    occurred_at: datetime
    status: SessionStatus
    branch_count: int = strawberry.field(description="The trunk and the archived ones included.")

    @strawberry.field(description="The newest event of the session up to there.")
    def event(self, info: Info) -> Event:
        newest = self.moment.newest
        return EVENTS[newest.type].of(info.context.actor.account_id, newest)

    @strawberry.field
    async def assignee(self, info: Info) -> Annotated["User", strawberry.lazy("schema.account")]:
        return await accounts.load_user(info, self.moment.assignee_id)

    @strawberry.field
    def root_branch(self) -> BranchMoment:
        return BranchMoment.of(self.moment, self.moment.tree.root.id)

    @strawberry.field
    def active_branch(self) -> BranchMoment:
        return BranchMoment.of(self.moment, self.moment.active_branch_id)

    @strawberry.field(
        description="Parents before children. At most 1,000; those archived then only if asked for."
    )
    def branches(self, include_archived: bool = False) -> list[BranchMoment]:
        found = (BranchMoment.of(self.moment, key) for key in self.moment.branches)
        return [branch for branch in found if include_archived or branch.archived_at is None]

    @strawberry.field(description="Null unless it waited in the queue.")
    def open_handoff(self) -> HandoffMoment | None:
        then = self.moment.open_handoff
        if then is None:
            return None
        waited = self.occurred_at - then.since
        return HandoffMoment(
            then=then,
            intent=then.intent,
            priority=then.priority,
            waiting_since=then.since,
            waiting_seconds=max(0, int(waited.total_seconds())),
        )

    @classmethod
    def of(cls, cursor: str, moment: replay.Moment) -> Self:
        return cls(
            moment=moment,
            cursor=cursor,
            occurred_at=moment.newest.occurred_at,
            status=moment.status,
            branch_count=len(moment.branches),
        )


async def at(info: Info, session_key: UUID, cursor: str, newest: int) -> SessionMoment | None:
    """`newest` is the last sequence that the caller may name. Raises InvalidInput."""
    place = replay.place_of(info.context.actor, session_key, cursor, newest)
    moment = await info.context.loaders.moments.load(place)
    return None if moment is None else SessionMoment.of(cursor, moment)
