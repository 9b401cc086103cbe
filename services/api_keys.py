"""Keys for partners' programs. A secret is shown when its key is made; only its hash is kept."""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import ApiKey, Scope, User
from models.audit import AuditAction
from services.access import Actor, require_admin
from services.accounts import MAX_LISTED
from services.audit import Change
from services.authentication import KEY_START, digest, role_of
from services.database import fetch
from services.errors import FieldProblem, InvalidInput, NotFound
from services.ids import Kind, new_id, node_id
from services.runtime import Runtime
from services.unit_of_work import UnitOfWork
from services.validation import Validation

SHOWN_AGAIN = timedelta(minutes=10)
"""How long a repeat of a create shows the secret again: for an answer that was lost on its way."""


@dataclass(frozen=True, slots=True)
class CreatedKey:
    key: ApiKey
    secret: str
    """The whole of what a client sends as its bearer token."""


async def list_keys(runtime: Runtime, actor: Actor) -> Sequence[ApiKey]:
    """Newest first, revoked ones too; at most 500. Raises PermissionDenied."""
    require_admin(actor)
    statement = _keys(actor).order_by(ApiKey.created_at.desc(), ApiKey.id.desc()).limit(MAX_LISTED)
    async with runtime.read(actor) as db:
        return await fetch(db, statement)


async def by_id(runtime: Runtime, actor: Actor, key_ids: Sequence[UUID]) -> dict[UUID, ApiKey]:
    """None for those who are no admins."""
    if Scope.ADMIN not in actor.scopes:
        return {}
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, _keys(actor).where(ApiKey.id.in_(key_ids)))}


async def by_user(runtime: Runtime, actor: Actor, user_ids: Sequence[UUID]) -> dict[UUID, ApiKey]:
    """By the service user that a key acts as. None for those who are no admins."""
    if Scope.ADMIN not in actor.scopes:
        return {}
    async with runtime.read(actor) as db:
        rows = await fetch(db, _keys(actor).where(ApiKey.user_id.in_(user_ids)))
    return {row.user_id: row for row in rows}


async def create_key(
    runtime: Runtime,
    actor: Actor,
    *,
    key: UUID,
    name: str,
    scopes: Sequence[Scope],
    expires_at: datetime | None,
) -> CreatedKey:
    """A key, and the service user that its doings are recorded under.

    Raises InvalidInput and PermissionDenied.
    """
    require_admin(actor)
    check = Validation()
    title = check.text(("name",), name, 1, 200)
    granted = frozenset(scopes)
    if not scopes or len(granted) != len(scopes):
        check.add(("scopes",), "Must have 1 to 3 entries, no two alike.")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        check.add(("expiresAt",), "Must be in the future.")
    check.done()
    key_id, user_id = new_id(), new_id()
    content = {
        "name": title,
        "scopes": sorted(granted),
        "expiresAt": expires_at and expires_at.astimezone(UTC).isoformat(),
    }
    async with runtime.work(actor) as work:
        made = await work.once("createApiKey", key, content, {"apiKey": str(key_id)})
        if made is not None:
            created = await _created(runtime, work.db, actor, UUID(made["apiKey"]))
            _require_recent(created.key)
            return created
        await work.db.execute(
            insert(User).values(
                account_id=actor.account_id,
                id=user_id,
                email=f"key-{key_id.hex}@service.invalid",
                display_name=title,
                role=role_of(granted),
                is_service=True,
            )
        )
        await work.db.execute(
            insert(ApiKey).values(
                account_id=actor.account_id,
                id=key_id,
                user_id=user_id,
                created_by=actor.stands_for,
                name=title,
                prefix=_prefix(key_id),
                secret_hash=digest(_secret(runtime, key_id)),
                scopes=sorted(granted),
                expires_at=expires_at,
            )
        )
        work.audit(
            AuditAction.API_KEY_CREATED,
            Kind.API_KEY,
            key_id,
            Change("name", after=title),
            Change("scopes", after=" ".join(scope.name for scope in Scope if scope in granted)),
        )
        return await _created(runtime, work.db, actor, key_id)


async def revoke_key(runtime: Runtime, actor: Actor, key_id: UUID) -> ApiKey:
    """At once and for ever. Repeating changes nothing. Raises NotFound and PermissionDenied."""
    require_admin(actor)
    async with runtime.work(actor) as work:
        revoked = (
            update(ApiKey)
            .where(
                ApiKey.account_id == actor.account_id,
                ApiKey.id == key_id,
                ApiKey.revoked_at.is_(None),
            )
            .values(revoked_at=func.now())
            .returning(ApiKey.id)
        )
        if (await work.db.execute(revoked)).first() is not None:
            work.audit(AuditAction.API_KEY_REVOKED, Kind.API_KEY, key_id)
        rows = await fetch(work.db, _keys(actor).where(ApiKey.id == key_id))
    if not rows:
        raise NotFound(node_id(Kind.API_KEY, key_id))
    return rows[0]


async def made_by(db: AsyncConnection, actor: Actor, user_id: UUID) -> Sequence[ApiKey]:
    """Those that still work, newest first, at most 500. `actor` is an admin."""
    statement = (
        _keys(actor)
        .where(
            ApiKey.created_by == user_id,
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now()),
        )
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
        .limit(MAX_LISTED)
    )
    return await fetch(db, statement)


async def revoke_made_by(work: UnitOfWork, user_id: UUID) -> None:
    revoked = (
        update(ApiKey)
        .where(
            ApiKey.account_id == work.account_id,
            ApiKey.created_by == user_id,
            ApiKey.revoked_at.is_(None),
        )
        .values(revoked_at=func.now())
        .returning(ApiKey.id)
    )
    for key_id in (await work.db.execute(revoked)).scalars():
        work.audit(AuditAction.API_KEY_REVOKED, Kind.API_KEY, key_id)


def _require_recent(key: ApiKey) -> None:
    if datetime.now(UTC) - key.created_at > SHOWN_AGAIN:
        raise InvalidInput(
            [
                FieldProblem(
                    ("idempotencyKey",),
                    "Has made an API key before, whose secret is shown no more. Revoke that one "
                    "and make another.",
                )
            ]
        )


def _keys(actor: Actor) -> Select[ApiKey]:
    return select(ApiKey).where(ApiKey.account_id == actor.account_id)


async def _created(runtime: Runtime, db: AsyncConnection, actor: Actor, key_id: UUID) -> CreatedKey:
    row = (await fetch(db, _keys(actor).where(ApiKey.id == key_id)))[0]
    return CreatedKey(row, _secret(runtime, key_id))


def _prefix(key_id: UUID) -> str:
    """The end of the id: its beginning is the time, which neighbours share."""
    return key_id.hex[-8:]


def _secret(runtime: Runtime, key_id: UUID) -> str:
    """Derived, so that a repeat of a create can show it again though it is not kept."""
    proof = hmac.digest(runtime.secret, b"api-key:" + key_id.bytes, "sha256")
    return f"{KEY_START}{_prefix(key_id)}_{base64.urlsafe_b64encode(proof).decode().rstrip('=')}"
