"""API keys: what partners' programs come in with."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from models import account as rows
from models.account import Scope
from schema import account as accounts
from schema.context import Info
from schema.errors import InvalidInputError, NotFoundError, PermissionDeniedError
from schema.node import Node
from services.api_keys import CreatedKey
from services.errors import NotFound
from services.ids import Kind, node_id

if TYPE_CHECKING:
    from schema.account import User


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
    async def created_by(self, info: Info) -> Annotated["User", strawberry.lazy("schema.account")]:
        return await accounts.load_user(info, self.maker_key)

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


async def load(info: Info, key: UUID) -> ApiKey:
    """Raises NotFound, also for whoever is no admin."""
    row = await info.context.loaders.api_keys.load(key)
    if row is None:
        raise NotFound(node_id(Kind.API_KEY, key))
    return ApiKey.of(row)


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
