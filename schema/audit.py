"""The audit as admins read it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from models.audit import AuditAction
from models.audit import AuditEntry as Row
from schema import account as accounts
from schema import api_key as api_keys
from schema import objects
from schema import session as sessions
from schema.context import Info
from schema.node import Node, PageInfo
from services import audit_trail as service
from services.errors import NotFound
from services.ids import Kind, parse_node_id
from services.pages import Page, write_cursor

if TYPE_CHECKING:
    from schema.account import User
    from schema.api_key import ApiKey
    from schema.session import AiSession


@strawberry.type(
    description="A short value before and after. Passwords, secrets and texts of messages are "
    "never shown."
)
class AuditChange:
    field: str = strawberry.field(description="As the API names it.")
    before: str | None = strawberry.field(description="Null: empty, new or not shown.")
    after: str | None = strawberry.field(description="Null: empty or not shown.")


@strawberry.type(description="One change; kept for as long as the account, and never altered.")
class AuditEntry:
    row: strawberry.Private[Row]
    action: AuditAction
    occurred_at: datetime
    changes: list[AuditChange] = strawberry.field(description="At most 10.")
    request_id: str | None = strawberry.field(
        description="As in the log and in the answer's header X-Request-Id; an operation on a socket "
        "has its own. Null: no request did it."
    )
    address: str | None = strawberry.field(
        description="Of the network, of whoever sent the request. Null: no request did it."
    )

    @strawberry.field(
        description="Who did it; for an API key what it acts as. Null: the assistant, a time that "
        "has come, for SIGN_IN_REFUSED and REFRESH_TOKEN_REUSED somebody who could not prove to be "
        "anybody, or for ACCOUNT_CREATED whoever runs the server."
    )
    async def actor(
        self, info: Info
    ) -> Annotated["User", strawberry.lazy("schema.account")] | None:
        key = self.row.actor_id
        return None if key is None else await accounts.load_user(info, key)

    @strawberry.field(description="By which it was done. Null: by none.")
    async def api_key(
        self, info: Info
    ) -> Annotated["ApiKey", strawberry.lazy("schema.api_key")] | None:
        key = self.row.actor_id
        row = None if key is None else await info.context.loaders.api_key_of_user.load(key)
        return None if row is None else api_keys.ApiKey.of(row)

    @strawberry.field(
        description="What it was done to: a fork point for forks, a person for sign-ins. Null: it "
        "is no more."
    )
    async def target(self, info: Info) -> Node | None:
        return await objects.find(info, Kind(self.row.target_kind), self.row.target_id)

    @strawberry.field(description="Within which it was done. Null: in none, or it is no more.")
    async def session(
        self, info: Info
    ) -> Annotated["AiSession", strawberry.lazy("schema.session")] | None:
        key = self.row.session_id
        view = None if key is None else await info.context.loaders.sessions.load(key)
        return None if view is None else sessions.AiSession.of(view)

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            row=row,
            action=row.action,
            occurred_at=row.occurred_at,
            changes=[AuditChange(**change) for change in row.changes],
            request_id=row.request_id,
            address=row.address,
        )


@strawberry.type
class AuditEntryEdge:
    cursor: str
    node: AuditEntry


@strawberry.type
class AuditEntryConnection:
    edges: list[AuditEntryEdge]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[Row]) -> Self:
        edges = [
            AuditEntryEdge(
                cursor=write_cursor(row.occurred_at.isoformat(), str(row.id)),
                node=AuditEntry.of(row),
            )
            for row in page.items
        ]
        return cls(edges=edges, page_info=PageInfo.of(page, edges))


@strawberry.input
class AuditFilter:
    action: Sequence[AuditAction] | None = None
    actor_id: strawberry.ID | None = strawberry.field(
        default=None, description="A user or an API key."
    )
    target_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Any object; for a session also what was done to all that is within it.",
    )
    since: datetime | None = strawberry.field(default=None, name="from")
    until: datetime | None = strawberry.field(
        default=None, name="to", description="The first instant that is too late."
    )

    def decoded(self) -> service.AuditFilter:
        """Raises NotFound for what is no id, and for an actor who is none."""
        actor = None if self.actor_id is None else parse_node_id(self.actor_id)
        if actor is not None and actor[0] not in {Kind.USER, Kind.API_KEY}:
            raise NotFound(str(self.actor_id))
        return service.AuditFilter(
            action=self.action,
            actor=actor,
            target=None if self.target_id is None else parse_node_id(self.target_id),
            since=self.since,
            until=self.until,
        )
