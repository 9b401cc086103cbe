"""How people come in and go: passwords, tokens."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from schema.account import Viewer
from schema.errors import InvalidInputError, PermissionDeniedError
from services import authentication


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
