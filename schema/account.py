"""Accounts, teams, people and API keys; who is calling, and how they come in."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models import account as rows
from models.account import Plan, Role, Scope
from schema import audit
from schema.context import Info
from schema.errors import InvalidInputError, NotFoundError, PermissionDeniedError, StaleVersionError
from schema.node import Node
from schema.sla import SlaTargets
from schema.usage import MAX_MONTHS, MonthlyUsage, TokenBudget, TokenUsage
from services import authentication
from services.access import Actor
from services.accounts import PLAN_BRANCH_LIMITS
from services.api_keys import CreatedKey
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


@strawberry.type(
    description="Its secret is shown at creation; later it is known only by prefix. "
    "Only admins see keys."
)
class ApiKey(Node):
    name: str
    prefix: str = strawberry.field(description="The part of the secret between its first two `_`.")
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None = strawberry.field(
        description="To about a minute. Null: never used."
    )
    expires_at: datetime | None = strawberry.field(description="Null: never.")
    revoked_at: datetime | None = strawberry.field(description="Null: not revoked.")
    maker_key: strawberry.Private[UUID]

    @strawberry.field(
        description="Whom what the key starts is assigned to. The key works on when they are "
        "deactivated: revoke it, or let `deactivateMember` do it."
    )
    async def created_by(self, info: Info) -> User:
        return await load_user(info, self.maker_key)

    @classmethod
    def of(cls, row: rows.ApiKey) -> Self:
        return cls(
            maker_key=row.created_by,
            id=strawberry.ID(node_id(Kind.API_KEY, row.id)),
            name=row.name,
            prefix=row.prefix,
            scopes=[scope for scope in Scope if scope in row.scopes],
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )


@strawberry.type
class Tokens:
    access_token: str = strawberry.field(description="Send it as `Authorization: Bearer ...`.")
    refresh_token: str = strawberry.field(
        description="For `refreshTokens`, once: used a second time it ends the whole sign-in."
    )
    expires_at: datetime = strawberry.field(description="When the access token ends.")

    @classmethod
    def of(cls, tokens: authentication.Tokens) -> Self:
        return cls(
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            expires_at=tokens.expires_at,
        )


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


async def load_api_key(info: Info, key: UUID) -> ApiKey:
    """Raises NotFound, also for whoever is no admin."""
    row = await info.context.loaders.api_keys.load(key)
    if row is None:
        raise NotFound(node_id(Kind.API_KEY, key))
    return ApiKey.of(row)


# ------------------------------------------------------------------ coming and going


@strawberry.input
class SignInInput:
    email: str
    password: str


@strawberry.type
class SignInSuccess:
    tokens: Tokens
    viewer: Viewer


SignInResult = Annotated[
    SignInSuccess | InvalidInputError | PermissionDeniedError, strawberry.union("SignInResult")
]


@strawberry.input
class RefreshTokensInput:
    refresh_token: str


@strawberry.type
class RefreshTokensSuccess:
    tokens: Tokens


RefreshTokensResult = Annotated[
    RefreshTokensSuccess | InvalidInputError | PermissionDeniedError,
    strawberry.union("RefreshTokensResult"),
]


@strawberry.input
class SignOutInput:
    refresh_token: str = strawberry.field(description="Of the sign-in that is to end.")


@strawberry.type(description="Also for a token that is not the viewer's, which is left alone.")
class SignOutSuccess:
    signed_out_at: datetime


SignOutResult = Annotated[SignOutSuccess | InvalidInputError, strawberry.union("SignOutResult")]


@strawberry.input
class ChangePasswordInput:
    current_password: str
    new_password: str = strawberry.field(description="12 to 200 characters.")


@strawberry.type
class ChangePasswordSuccess:
    tokens: Tokens = strawberry.field(
        description="Of a new sign-in. All others of the viewer are ended: they can be refreshed no "
        "more, and their access tokens run out."
    )


ChangePasswordResult = Annotated[
    ChangePasswordSuccess | InvalidInputError | PermissionDeniedError,
    strawberry.union("ChangePasswordResult"),
]


# ------------------------------------------------------------------ people


@strawberry.input(
    description="Without `userId`: a new member, who needs all but `teamId`. With it: a change, "
    "which needs `expectedVersion`; what is left out or null stays as it is. A deactivated member "
    "may be changed, too, for instance to take a name away; that lets nobody in."
)
class SaveMemberInput:
    idempotency_key: UUID | None = strawberry.field(
        default=None,
        description="For a new member: a repeat with the same key gives the same member again. "
        "Without one a repeat is refused, because the address is taken.",
    )
    user_id: strawberry.ID | None = None
    email: str | None = strawberry.field(
        default=None, description="Unique, whatever the case. At most 320 characters."
    )
    display_name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    role: Role | None = None
    team_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        description="Null: in no team. Left out: as it is."
    )
    password: str | None = strawberry.field(
        default=None,
        description="12 to 200 characters. A new one ends the member's sign-ins.",
    )
    expected_version: int | None = None


@strawberry.type
class SaveMemberSuccess:
    member: User


SaveMemberResult = Annotated[
    SaveMemberSuccess
    | InvalidInputError
    | NotFoundError
    | PermissionDeniedError
    | StaleVersionError,
    strawberry.union("SaveMemberResult"),
]


@strawberry.input
class DeactivateMemberInput:
    user_id: strawberry.ID
    revoke_api_keys: bool = strawberry.field(
        default=False,
        description="Whether the keys that the member made end, too. They are the account's and "
        "what it has integrated may rest on them, but the member has seen their secrets.",
    )


@strawberry.type
class DeactivateMemberSuccess:
    member: User
    api_keys: list[ApiKey] = strawberry.field(
        description="That the member made and that still work; newest first, at most 500."
    )


DeactivateMemberResult = Annotated[
    DeactivateMemberSuccess | NotFoundError | PermissionDeniedError,
    strawberry.union("DeactivateMemberResult"),
]


@strawberry.input
class ReactivateMemberInput:
    user_id: strawberry.ID


@strawberry.type
class ReactivateMemberSuccess:
    member: User


ReactivateMemberResult = Annotated[
    ReactivateMemberSuccess | NotFoundError | PermissionDeniedError,
    strawberry.union("ReactivateMemberResult"),
]


# ------------------------------------------------------------------ API keys


@strawberry.input
class CreateApiKeyInput:
    idempotency_key: UUID
    name: str = strawberry.field(description="1 to 200 characters.")
    scopes: list[Scope] = strawberry.field(
        description="1 to 3, no two alike. Every key reads, whatever its scopes; WRITE lets it work "
        "in sessions, ADMIN manage people and keys, and neither implies the other."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="In the future. Null: never."
    )


@strawberry.type
class CreateApiKeySuccess:
    api_key: ApiKey
    secret: str = strawberry.field(
        description="Send it as `Authorization: Bearer ...`. It is not shown again, but for ten "
        "minutes to a repeat with the same idempotency key, whose first answer may be lost."
    )

    @classmethod
    def of(cls, created: CreatedKey) -> Self:
        return cls(api_key=ApiKey.of(created.key), secret=created.secret)


CreateApiKeyResult = Annotated[
    CreateApiKeySuccess | InvalidInputError | PermissionDeniedError,
    strawberry.union("CreateApiKeyResult"),
]


@strawberry.input
class RevokeApiKeyInput:
    api_key_id: strawberry.ID


@strawberry.type
class RevokeApiKeySuccess:
    api_key: ApiKey


RevokeApiKeyResult = Annotated[
    RevokeApiKeySuccess | NotFoundError | PermissionDeniedError,
    strawberry.union("RevokeApiKeyResult"),
]
