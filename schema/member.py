"""Admins change who works here."""

from typing import Annotated
from uuid import UUID

import strawberry

from models.account import Role
from schema.account import User
from schema.api_key import ApiKey
from schema.errors import InvalidInputError, NotFoundError, PermissionDeniedError, StaleVersionError


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
