"""The people of an account: who they are, what they may do, and when they leave."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import ApiKey, Role, Team, User
from models.audit import AuditAction
from services import api_keys
from services.access import Actor, require_admin
from services.accounts import (
    MAX_LISTED,
    email_address,
    new_password,
    people,
    taken_address,
)
from services.audit import Change
from services.authentication import end_sign_ins, hash_password
from services.database import fetch, fetch_one
from services.errors import FieldProblem, InvalidInput, NotFound, PermissionDenied, StaleVersion
from services.ids import Kind, new_id, node_id
from services.runtime import Runtime
from services.validation import Validation

LAST_ADMIN = "An account needs an active admin, and this is the last one."


@dataclass(frozen=True, slots=True)
class TeamChoice:
    team_id: UUID | None
    """None: in no team."""


@dataclass(frozen=True, slots=True)
class Deactivated:
    member: User
    api_keys: Sequence[ApiKey]
    """That the member made and that still work."""


@dataclass(frozen=True, slots=True)
class MemberDetails:
    """What is None stays as it is; a new member needs all but the team."""

    email: str | None = None
    display_name: str | None = None
    role: Role | None = None
    password: str | None = None
    team: TeamChoice | None = None


async def list_members(runtime: Runtime, actor: Actor) -> Sequence[User]:
    """People, deactivated ones too, by display name; at most 500."""
    async with runtime.read(actor) as db:
        return await fetch(db, people(actor).limit(MAX_LISTED))


async def save_member(
    runtime: Runtime,
    actor: Actor,
    details: MemberDetails,
    *,
    key: UUID | None,
    user_id: UUID | None,
    expected_version: int | None,
) -> User:
    """A new member without `user_id`, a change of one with it. A new password ends sign-ins.

    A member who is deactivated may be changed, which lets nobody in.

    Raises InvalidInput (also for an address in use), NotFound (member, team), StaleVersion and
    PermissionDenied (also where it would leave no active admin).
    """
    require_admin(actor)
    try:
        if user_id is None:
            return await _add(runtime, actor, details, key)
        if key is not None:
            raise InvalidInput([FieldProblem(("idempotencyKey",), "Is for a new member.")])
        return await _edit(runtime, actor, details, user_id, expected_version)
    except IntegrityError as error:
        raise taken_address(error, ("email",)) from None


async def _add(runtime: Runtime, actor: Actor, details: MemberDetails, key: UUID | None) -> User:
    check = Validation()
    for name, value in (
        ("email", details.email),
        ("displayName", details.display_name),
        ("role", details.role),
        ("password", details.password),
    ):
        if value is None:
            check.add((name,), "A new member needs it.")
    values = await _values(check, details)
    user_id = new_id()
    async with runtime.work(actor) as work:
        if key is not None:
            content = _content(runtime, details, values)
            made = await work.once("saveMember", key, content, {"member": str(user_id)})
            if made is not None:
                return await _member(work.db, actor, UUID(made["member"]))
        await _require_team(work.db, actor, details.team)
        await work.db.execute(
            insert(User).values(account_id=actor.account_id, id=user_id, **values)
        )
        work.audit(AuditAction.MEMBER_ADDED, Kind.USER, user_id, *_changes({}, values))
        return await _member(work.db, actor, user_id)


def _content(
    runtime: Runtime, details: MemberDetails, values: Mapping[str, Any]
) -> dict[str, object]:
    """What a repeat must have alike; of the password only what nobody can try guesses on."""
    password = hmac.digest(runtime.secret, (details.password or "").encode(), "sha256")
    return {
        **{name: value for name, value in values.items() if name != "password_hash"},
        "team_id": details.team and details.team.team_id and str(details.team.team_id),
        "password": password.hex(),
    }


async def _edit(
    runtime: Runtime,
    actor: Actor,
    details: MemberDetails,
    user_id: UUID,
    expected_version: int | None,
) -> User:
    check = Validation()
    if expected_version is None:
        check.add(("expectedVersion",), "A change needs it.")
    values = await _values(check, details)
    async with runtime.work(actor) as work:
        admins = await _lock_admins(work.db, actor)
        member = await _lock_member(work.db, actor, user_id)
        await _require_team(work.db, actor, details.team)
        if member.version != expected_version:
            raise StaleVersion(member.version)
        if values.get("role", Role.ADMIN) is not Role.ADMIN and admins == [user_id]:
            raise PermissionDenied(LAST_ADMIN)
        await _change(work.db, member, **values)
        before = {name: getattr(member, name) for name in values}
        work.audit(AuditAction.MEMBER_CHANGED, Kind.USER, user_id, *_changes(before, values))
        if details.password is not None:
            await end_sign_ins(work.db, actor.account_id, user_id)
        return await _member(work.db, actor, user_id)


async def deactivate_member(
    runtime: Runtime, actor: Actor, user_id: UUID, *, revoke_api_keys: bool
) -> Deactivated:
    """Ends the member's sign-ins; what they did keeps their name. Repeating changes nothing.

    Keys that the member made go on working unless they are revoked along: they are the account's.
    Raises NotFound, and PermissionDenied (also for oneself and for the last active admin).
    """
    require_admin(actor)
    async with runtime.work(actor) as work:
        admins = await _lock_admins(work.db, actor)
        member = await _lock_member(work.db, actor, user_id)
        if user_id == actor.user_id:
            raise PermissionDenied("You cannot deactivate yourself; another admin can.")
        if admins == [user_id]:
            raise PermissionDenied(LAST_ADMIN)
        if member.deactivated_at is None:
            await _change(work.db, member, deactivated_at=func.now())
            await end_sign_ins(work.db, actor.account_id, user_id)
            work.audit(AuditAction.MEMBER_DEACTIVATED, Kind.USER, user_id)
        if revoke_api_keys:
            await api_keys.revoke_made_by(work, user_id)
        member = await _member(work.db, actor, user_id)
        return Deactivated(member, await api_keys.made_by(work.db, actor, user_id))


async def reactivate_member(runtime: Runtime, actor: Actor, user_id: UUID) -> User:
    """May come in again, with role and password as before. Repeating changes nothing.

    Raises NotFound and PermissionDenied.
    """
    require_admin(actor)
    async with runtime.work(actor) as work:
        member = await _lock_member(work.db, actor, user_id)
        if member.deactivated_at is not None:
            await _change(work.db, member, deactivated_at=None)
            work.audit(AuditAction.MEMBER_REACTIVATED, Kind.USER, user_id)
        return await _member(work.db, actor, user_id)


SHOWN_AS = {
    "email": "email",
    "display_name": "displayName",
    "role": "role",
    "team_id": "team",
    "password_hash": "password",
}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """That a password is another one is told, but nothing of either."""
    return [
        Change(SHOWN_AS[name], _shown(name, before.get(name)), _shown(name, value))
        for name, value in after.items()
        if before.get(name) != value
    ]


def _shown(column: str, value: Any) -> str | None:  # noqa: ANN401 - of any column
    if value is None or column == "password_hash":
        return None
    if isinstance(value, Role):
        return value.name
    return node_id(Kind.TEAM, value) if column == "team_id" else str(value)


async def _values(check: Validation, details: MemberDetails) -> dict[str, Any]:
    """The columns to write. Raises InvalidInput."""
    values: dict[str, Any] = {}
    if details.email is not None:
        values["email"] = email_address(check, ("email",), details.email)
    if details.display_name is not None:
        values["display_name"] = check.text(("displayName",), details.display_name, 1, 200)
    if details.role is not None:
        values["role"] = details.role
    if details.team is not None:
        values["team_id"] = details.team.team_id
    if details.password is not None:
        new_password(check, ("password",), details.password)
    check.done()
    if details.password is not None:
        values["password_hash"] = await hash_password(details.password)
    return values


async def _lock_admins(db: AsyncConnection, actor: Actor) -> list[UUID]:
    """The active ones, held until the work ends: of two who demote each other, one is refused."""
    statement = (
        select(User.id)
        .where(
            User.account_id == actor.account_id,
            User.role == Role.ADMIN,
            User.deactivated_at.is_(None),
            User.is_service.is_(False),
        )
        .order_by(User.id)
        .with_for_update(key_share=True)
    )
    return list((await db.execute(statement)).scalars())


async def _lock_member(db: AsyncConnection, actor: Actor, user_id: UUID) -> User:
    statement = people(actor).where(User.id == user_id).with_for_update(key_share=True)
    member = await fetch_one(db, statement)
    if member is None:
        raise NotFound(node_id(Kind.USER, user_id))
    return member


async def _require_team(db: AsyncConnection, actor: Actor, team: TeamChoice | None) -> None:
    if team is None or team.team_id is None:
        return
    known = select(Team.id).where(Team.account_id == actor.account_id, Team.id == team.team_id)
    if (await db.execute(known)).first() is None:
        raise NotFound(node_id(Kind.TEAM, team.team_id))


async def _change(db: AsyncConnection, member: User, **values: Any) -> None:  # noqa: ANN401
    await db.execute(
        update(User)
        .where(User.account_id == member.account_id, User.id == member.id)
        .values(**values, version=User.version + 1, updated_at=func.now())
    )


async def _member(db: AsyncConnection, actor: Actor, user_id: UUID) -> User:
    return (await fetch(db, people(actor).where(User.id == user_id)))[0]
