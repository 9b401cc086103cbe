"""Who is calling, who else is there, and how both change."""

import strawberry

from schema.account import User, Viewer
from schema.api_key import (
    ApiKey,
    CreateApiKeyInput,
    CreateApiKeyResult,
    CreateApiKeySuccess,
    RevokeApiKeyInput,
    RevokeApiKeyResult,
    RevokeApiKeySuccess,
)
from schema.context import Info
from schema.member import (
    DeactivateMemberInput,
    DeactivateMemberResult,
    DeactivateMemberSuccess,
    ReactivateMemberInput,
    ReactivateMemberResult,
    ReactivateMemberSuccess,
    SaveMemberInput,
    SaveMemberResult,
    SaveMemberSuccess,
)
from schema.signing_in import (
    ChangePasswordInput,
    ChangePasswordResult,
    ChangePasswordSuccess,
    RefreshTokensInput,
    RefreshTokensResult,
    RefreshTokensSuccess,
    SignInInput,
    SignInResult,
    SignInSuccess,
    SignOutInput,
    SignOutResult,
    SignOutSuccess,
    Tokens,
)
from services import api_keys, authentication, members, passwords
from services.ids import Kind, uuid_of
from services.members import MemberDetails, TeamChoice


@strawberry.type
class AccountQueries:
    @strawberry.field
    def viewer(self, info: Info) -> Viewer:
        return Viewer.of(info.context.actor)

    @strawberry.field(description="People by display name, deactivated ones too; at most 500.")
    async def members(self, info: Info) -> list[User]:
        context = info.context
        return [User.of(row) for row in await members.list_members(context.runtime, context.actor)]

    @strawberry.field(
        description="Newest first, revoked ones too; at most 500. For admins; FORBIDDEN for others."
    )
    async def api_keys(self, info: Info) -> list[ApiKey]:
        context = info.context
        return [ApiKey.of(row) for row in await api_keys.list_keys(context.runtime, context.actor)]


@strawberry.type
class AccountMutations:
    @strawberry.mutation(description="Needs no token. Later fields of the operation are signed in.")
    async def sign_in(self, info: Info, input: SignInInput) -> SignInResult:
        context = info.context
        signed_in = await authentication.sign_in(
            context.runtime,
            email=input.email,
            password=input.password,
            address=context.address,
        )
        context.caller = signed_in.actor
        context.forget()
        return SignInSuccess(tokens=Tokens.of(signed_in.tokens), viewer=Viewer.of(signed_in.actor))

    @strawberry.mutation(description="Needs no token but the refresh token, which is used up.")
    async def refresh_tokens(self, info: Info, input: RefreshTokensInput) -> RefreshTokensResult:
        context = info.context
        renewed = await authentication.refresh_tokens(
            context.runtime, input.refresh_token, address=context.address
        )
        return RefreshTokensSuccess(tokens=Tokens.of(renewed))

    @strawberry.mutation(
        description="Ends one sign-in: it can be refreshed no more. Repeating changes nothing."
    )
    async def sign_out(self, info: Info, input: SignOutInput) -> SignOutResult:
        context = info.context
        return SignOutSuccess(
            signed_out_at=await authentication.sign_out(
                context.runtime, context.actor, input.refresh_token
            )
        )

    @strawberry.mutation(description="The viewer's own. Ends every sign-in; not for API keys.")
    async def change_password(self, info: Info, input: ChangePasswordInput) -> ChangePasswordResult:
        tokens = await passwords.change_password(
            info.context.runtime,
            info.context.actor,
            current=input.current_password,
            new=input.new_password,
        )
        return ChangePasswordSuccess(tokens=Tokens.of(tokens))

    @strawberry.mutation(description="Adds a member or changes one. For admins.")
    async def save_member(self, info: Info, input: SaveMemberInput) -> SaveMemberResult:
        row = await members.save_member(
            info.context.runtime,
            info.context.actor,
            _details(input),
            key=input.idempotency_key,
            user_id=uuid_of(Kind.USER, input.user_id) if input.user_id is not None else None,
            expected_version=input.expected_version,
        )
        return SaveMemberSuccess(member=User.of(row))

    @strawberry.mutation(
        description="Nobody is deleted: they may come in no more, and what they did keeps their "
        "name. For admins; not for oneself, and not for the last active admin."
    )
    async def deactivate_member(
        self, info: Info, input: DeactivateMemberInput
    ) -> DeactivateMemberResult:
        done = await members.deactivate_member(
            info.context.runtime,
            info.context.actor,
            uuid_of(Kind.USER, input.user_id),
            revoke_api_keys=input.revoke_api_keys,
        )
        return DeactivateMemberSuccess(
            member=User.of(done.member), api_keys=[ApiKey.of(row) for row in done.api_keys]
        )

    @strawberry.mutation(
        description="Lets somebody in again, with role and password as before. For admins. "
        "Repeating changes nothing."
    )
    async def reactivate_member(
        self, info: Info, input: ReactivateMemberInput
    ) -> ReactivateMemberResult:
        row = await members.reactivate_member(
            info.context.runtime, info.context.actor, uuid_of(Kind.USER, input.user_id)
        )
        return ReactivateMemberSuccess(member=User.of(row))

    @strawberry.mutation(description="For admins.")
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> CreateApiKeyResult:
        created = await api_keys.create_key(
            info.context.runtime,
            info.context.actor,
            key=input.idempotency_key,
            name=input.name,
            scopes=input.scopes,
            expires_at=input.expires_at,
        )
        return CreateApiKeySuccess.of(created)

    @strawberry.mutation(description="At once and for ever. For admins.")
    async def revoke_api_key(self, info: Info, input: RevokeApiKeyInput) -> RevokeApiKeyResult:
        row = await api_keys.revoke_key(
            info.context.runtime, info.context.actor, uuid_of(Kind.API_KEY, input.api_key_id)
        )
        return RevokeApiKeySuccess(api_key=ApiKey.of(row))


def _details(input: SaveMemberInput) -> MemberDetails:
    team = None
    if input.team_id is not None:
        chosen = input.team_id.value
        team = TeamChoice(None if chosen is None else uuid_of(Kind.TEAM, chosen))
    return MemberDetails(
        email=input.email,
        display_name=input.display_name,
        role=input.role,
        password=input.password,
        team=team,
    )
