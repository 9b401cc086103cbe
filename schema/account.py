"""Accounts, teams and people, and who is calling."""

from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models import account as rows
from models.account import Plan, Role, Scope
from schema import audit
from schema.context import Info
from schema.node import Node
from schema.sla import SlaTargets
from schema.usage import MAX_MONTHS, MonthlyUsage, TokenBudget, TokenUsage
from services.access import Actor
from services.accounts import PLAN_BRANCH_LIMITS
from services.audit_trail import list_entries
from services.errors import NotFound
from services.ids import Kind, node_id
from services.usage import Spending

if TYPE_CHECKING:
    from schema.audit import AuditEntryConnection, AuditFilter


@strawberry.type(description="A tenant: one managed service provider.")
class Account(Node):
    row: strawberry.Private[rows.Account]
    name: str
    plan: Plan
    branch_limit: int | None = strawberry.field(
        description="Hypotheses that a session may hold, archived ones not counted. "
        "Null: unlimited."
    )

    @classmethod
    def of(cls, row: rows.Account) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.ACCOUNT, row.id)),
            row=row,
            name=row.name,
            plan=row.plan,
            branch_limit=PLAN_BRANCH_LIMITS[row.plan],
        )

    @strawberry.field(description="By name, at most 500.")
    async def teams(self, info: Info) -> list["Team"]:
        found = await info.context.loaders.teams_of_account.load(self.row.id)
        return [Team.of(row) for row in found]

    @strawberry.field(description="The sum over all sessions, those that are deleted by now too.")
    async def usage(self, info: Info) -> TokenUsage:
        return TokenUsage.of((await self._spending(info)).total)

    @strawberry.field(
        description="Months in which something was used, newest first, at most 36. They sum up to "
        "`usage`."
    )
    async def usage_by_month(self, info: Info) -> list[MonthlyUsage]:
        months = (await self._spending(info)).months
        return [MonthlyUsage.of(month) for month in months[:MAX_MONTHS]]

    @strawberry.field(
        description="This month's. Once it is used up, questions are refused with a "
        "BudgetExceededError, and replies that wait fail; an answer under way is completed."
    )
    async def budget(self, info: Info) -> TokenBudget:
        return TokenBudget.of((await self._spending(info)).budget)

    async def _spending(self, info: Info) -> Spending:
        found = await info.context.loaders.spending_of_account.load(self.row.id)
        if found is None:
            raise NotFound(self.id)
        return found

    @strawberry.field
    async def sla_targets(self, info: Info) -> SlaTargets:
        found = await info.context.loaders.sla_targets_of_account.load(self.row.id)
        if found is None:
            raise NotFound(self.id)
        return SlaTargets.of(found)

    @strawberry.field(
        description="Who changed what, newest first. For admins; FORBIDDEN for others."
    )
    async def audit_entries(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002 - as the contract has it
            "AuditFilter", strawberry.lazy("schema.audit")
        ]
        | None = None,
        first: int = 50,
        after: str | None = None,
    ) -> Annotated["AuditEntryConnection", strawberry.lazy("schema.audit")]:
        context = info.context
        wanted = (filter or audit.AuditFilter()).decoded()
        page = await list_entries(context.runtime, context.actor, wanted, first=first, after=after)
        return audit.AuditEntryConnection.of(page)


@strawberry.type
class Team(Node):
    row: strawberry.Private[rows.Team]
    name: str

    @classmethod
    def of(cls, row: rows.Team) -> Self:
        return cls(id=strawberry.ID(node_id(Kind.TEAM, row.id)), row=row, name=row.name)

    @strawberry.field(description="By display name, deactivated ones too, at most 500.")
    async def members(self, info: Info) -> list["User"]:
        found = await info.context.loaders.members_of_team.load(self.row.id)
        return [User.of(row) for row in found]


@strawberry.type(description="A person, or what an API key acts as.")
class User(Node):
    row: strawberry.Private[rows.User]
    display_name: str
    email: str
    role: Role
    is_active: bool = strawberry.field(
        description="Whether this person may sign in. People who left are kept, for what they did."
    )
    version: int = strawberry.field(
        description="Grows with every change; `saveMember` takes it as `expectedVersion`."
    )

    @classmethod
    def of(cls, row: rows.User) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.USER, row.id)),
            row=row,
            display_name=row.display_name,
            email=row.email,
            role=row.role,
            is_active=row.deactivated_at is None,
            version=row.version,
        )

    @strawberry.field(description="Null: in no team.")
    async def team(self, info: Info) -> Team | None:
        key = self.row.team_id
        return None if key is None else await load_team(info, key)


@strawberry.type(description="Who is calling: a person, or a partner's key (then `user` is null).")
class Viewer:
    actor: strawberry.Private[Actor]
    scopes: list[Scope] = strawberry.field(description="What the viewer may do now.")

    @classmethod
    def of(cls, actor: Actor) -> Self:
        return cls(actor=actor, scopes=[scope for scope in Scope if scope in actor.scopes])

    @strawberry.field
    async def account(self, info: Info) -> Account:
        return await load_account(info, self.actor.account_id)

    @strawberry.field(description="Null for an API key.")
    async def user(self, info: Info) -> User | None:
        return None if self.actor.is_key else await load_user(info, self.actor.user_id)


async def load_account(info: Info, key: UUID) -> Account:
    """Raises NotFound."""
    row = await info.context.loaders.accounts.load(key)
    if row is None:
        raise NotFound(node_id(Kind.ACCOUNT, key))
    return Account.of(row)


async def load_team(info: Info, key: UUID) -> Team:
    """Raises NotFound."""
    row = await info.context.loaders.teams.load(key)
    if row is None:
        raise NotFound(node_id(Kind.TEAM, key))
    return Team.of(row)


async def load_user(info: Info, key: UUID) -> User:
    """Raises NotFound."""
    row = await info.context.loaders.users.load(key)
    if row is None:
        raise NotFound(node_id(Kind.USER, key))
    return User.of(row)
