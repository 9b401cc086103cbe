"""Letting people and programs in: passwords, access tokens, rotating refresh tokens, API keys.

A person's refresh tokens change only under the lock of the person's row, so that revoking them
misses none that is being made at the same moment.
"""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import column, delete, func, insert, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import ApiKey, RefreshToken, Role, Scope, User
from models.audit import AuditAction, AuditEntry
from services import audit
from services.access import SCOPES_OF, Actor
from services.audit import Entry
from services.database import fetch_one, transaction
from services.errors import PermissionDenied, Unauthenticated
from services.ids import Kind, new_id
from services.readings import Reading
from services.runtime import Runtime
from services.validation import Path, Validation, is_storable

KEY_START = "fp_"
ALGORITHM = "HS256"
CLAIMS = ["sub", "acc", "iat", "exp"]

USER_BY_EMAIL = text("SELECT * FROM flowpilot_user_by_email(:address)")
USER_BY_ID: Reading[Any] = Reading(
    text("SELECT role FROM flowpilot_user_by_id(:account_id, :id)").columns(
        column("role", User.role.type)
    )
)
REFRESH_TOKEN = text("SELECT * FROM flowpilot_refresh_token(:hash)")
KEY_COLUMNS = ("account_id", "id", "user_id", "created_by", "scopes", "expires_at", "is_stale")
API_KEY: Reading[Any] = Reading(
    text(
        """
        SELECT account_id, id, user_id, created_by, scopes, expires_at,
               last_used_at IS NULL OR last_used_at < now() - CAST(:grain AS interval) AS is_stale
          FROM flowpilot_api_key(:hash)
        """
    ).columns(*map(column, KEY_COLUMNS))
)

LONGEST_SECRET = 200

PRESUMED = 10_000
"""Access tokens whose holders are remembered."""

HASHER = PasswordHasher()
NOBODYS_HASH = HASHER.hash(secrets.token_urlsafe())
"""Checked where nobody has the address, so that the answer takes as long."""

LAST_USED_GRAIN = timedelta(minutes=1)

WRONG_TOKEN = "The token or key that was sent is not valid, or not any more."  # noqa: S105
WRONG_PASSWORD = "The e-mail address or the password is wrong."  # noqa: S105
WRONG_CURRENT_PASSWORD = "The current password is wrong."  # noqa: S105
WRONG_REFRESH_TOKEN = "This sign-in has ended. Sign in again."  # noqa: S105


@dataclass(frozen=True, slots=True)
class Tokens:
    access_token: str
    refresh_token: str
    """Good for one use."""
    expires_at: datetime
    """When the access token ends."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    tokens: Tokens
    actor: Actor


async def authenticate(runtime: Runtime, token: str) -> Actor:
    """Whose access token or API key this is, with the rights they have now.

    Raises Unauthenticated.
    """
    if token.startswith(KEY_START):
        return await _holder_of_key(runtime, token)
    return await _person(runtime, token)


def presume(runtime: Runtime, token: str) -> Actor | None:
    """Whom an access token named last time, if it has not ended: for whoever is told by the database
    whether that still holds, as they read and before they answer.
    """
    actor = runtime.presumed.get(token)
    if actor is None or actor.expires_at is None or actor.expires_at <= datetime.now(UTC):
        return None
    return actor


async def _person(runtime: Runtime, token: str) -> Actor:
    runtime.presumed.pop(token, None)
    try:
        claims = jwt.decode(
            token, runtime.secret, algorithms=[ALGORITHM], options={"require": CLAIMS}
        )
        account_id, user_id = UUID(str(claims["acc"])), UUID(str(claims["sub"]))
    except (jwt.InvalidTokenError, ValueError):
        raise Unauthenticated(WRONG_TOKEN) from None
    user = await USER_BY_ID.ask(runtime.engine, account_id=account_id, id=user_id)
    if user is None:
        raise Unauthenticated(WRONG_TOKEN)
    actor = _actor(account_id, user_id, user.role, datetime.fromtimestamp(claims["exp"], UTC))
    if len(runtime.presumed) >= PRESUMED:
        runtime.presumed.clear()
    runtime.presumed[token] = actor
    return actor


def _actor(account_id: UUID, user_id: UUID, role: Role, expires_at: datetime) -> Actor:
    return Actor(
        account_id=account_id,
        user_id=user_id,
        role=role,
        scopes=SCOPES_OF[role],
        stands_for=user_id,
        expires_at=expires_at,
    )


async def _holder_of_key(runtime: Runtime, token: str) -> Actor:
    key = await API_KEY.ask(runtime.engine, hash=digest(token), grain=LAST_USED_GRAIN)
    if key is None:
        raise Unauthenticated(WRONG_TOKEN)
    if key.is_stale:
        await _note_use(runtime, key.account_id, key.id)
    scopes = frozenset(Scope(scope) for scope in key.scopes)
    return Actor(
        account_id=key.account_id,
        user_id=key.user_id,
        role=role_of(scopes),
        scopes=scopes,
        stands_for=key.created_by,
        expires_at=key.expires_at,
    )


async def _note_use(runtime: Runtime, account_id: UUID, key_id: UUID) -> None:
    """Unless another request has done it meanwhile."""
    stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.now() - LAST_USED_GRAIN)
    async with transaction(runtime.engine, account_id) as db:
        await db.execute(
            update(ApiKey)
            .where(ApiKey.account_id == account_id, ApiKey.id == key_id, stale)
            .values(last_used_at=func.now())
        )


def role_of(scopes: frozenset[Scope]) -> Role:
    """What an API key's service user counts as."""
    if Scope.ADMIN in scopes:
        return Role.ADMIN
    return Role.LEAD if Scope.WRITE in scopes else Role.ENGINEER


async def sign_in(runtime: Runtime, *, email: str, password: str, address: str) -> SignedIn:
    """Raises InvalidInput, RateLimited, and PermissionDenied alike for whatever does not fit.

    `address` is where the caller calls from.
    """
    check = Validation()
    email = check.text(("email",), email, 1, 320)
    secret_text(check, ("password",), password)
    check.done()
    await runtime.throttle.admit_sign_in(runtime.limits, address, email)
    async with runtime.engine.connect() as db:
        known = (await db.execute(USER_BY_EMAIL, {"address": email})).one_or_none()
    stored = known.password_hash if known and known.password_hash else NOBODYS_HASH
    if not await asyncio.to_thread(_matches, stored, password) or known is None:
        await _note_refusal(
            runtime, *((new_id(), new_id()) if known is None else (known.account_id, known.id))
        )
        raise PermissionDenied(WRONG_PASSWORD)
    outdated = HASHER.check_needs_rehash(stored)
    kept = await hash_password(password) if outdated else stored
    async with transaction(runtime.engine, known.account_id) as db:
        user = await _lock_user(db, known.account_id, known.id)
        if user is None or user.password_hash != stored:
            raise PermissionDenied(WRONG_PASSWORD)
        if outdated:
            await db.execute(
                update(User)
                .where(User.account_id == user.account_id, User.id == user.id)
                .values(password_hash=kept)
            )
        await _note(db, AuditAction.SIGNED_IN, user.account_id, user.id)
        signed_in = await _issue(runtime, db, user, new_id())
    await runtime.throttle.note_sign_in(runtime.limits, address, email)
    return signed_in


async def _note(db: AsyncConnection, action: AuditAction, account_id: UUID, user_id: UUID) -> None:
    """What a person did to their own sign-ins."""
    await audit.append(db, account_id, user_id, [Entry(action, Kind.USER, user_id)])


async def _note_refusal(runtime: Runtime, account_id: UUID, user_id: UUID) -> None:
    """For an address that nobody has: the same work with no row, or its speed would tell."""
    row = audit.row_of(account_id, None, Entry(AuditAction.SIGN_IN_REFUSED, Kind.USER, user_id))
    columns = AuditEntry.__table__.c
    if_known = select(
        *(literal(value, columns[name].type).label(name) for name, value in row.items())
    ).where(select(User.id).where(User.account_id == account_id, User.id == user_id).exists())
    async with transaction(runtime.engine, account_id) as db:
        await db.execute(text("SET LOCAL synchronous_commit = off"))
        await db.execute(insert(AuditEntry).from_select(list(row), if_known))


def secret_text(check: Validation, path: Path, value: str) -> None:
    if not is_storable(value) or not 1 <= len(value) <= LONGEST_SECRET:
        check.add(path, f"Must have 1 to {LONGEST_SECRET} characters, none of them NUL.")


async def hash_password(password: str) -> str:
    """Slow on purpose, so never inside a transaction."""
    return await asyncio.to_thread(HASHER.hash, password)


def _matches(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


async def refresh_tokens(runtime: Runtime, refresh_token: str, *, address: str) -> Tokens:
    """New tokens for old. A token shown twice ends its whole sign-in: one of the two was stolen.

    Raises PermissionDenied, RateLimited, and InvalidInput for what cannot be a token.
    """
    check = Validation()
    secret_text(check, ("refreshToken",), refresh_token)
    check.done()
    await runtime.throttle.admit_refresh(runtime.limits, address)
    async with runtime.engine.connect() as db:
        known = (await db.execute(REFRESH_TOKEN, {"hash": digest(refresh_token)})).one_or_none()
    renewed = None
    if known is not None:
        async with transaction(runtime.engine, known.account_id) as db:
            # Revoking must commit, so the refusal is raised only after this.
            renewed = await _rotate(runtime, db, known.account_id, known.id)
    if renewed is None:
        raise PermissionDenied(WRONG_REFRESH_TOKEN)
    return renewed.tokens


async def _rotate(
    runtime: Runtime, db: AsyncConnection, account_id: UUID, token_id: UUID
) -> SignedIn | None:
    this = (RefreshToken.account_id == account_id, RefreshToken.id == token_id)
    owner = (await db.execute(select(RefreshToken.user_id).where(*this))).scalar_one_or_none()
    user = None if owner is None else await _lock_user(db, account_id, owner)
    if user is None:
        return None
    spend = (
        update(RefreshToken)
        .where(
            *this,
            RefreshToken.used_at.is_(None),
            RefreshToken.revoked_at.is_(None),
            RefreshToken.expires_at > func.now(),
        )
        .values(used_at=func.now())
        .returning(RefreshToken.family_id)
    )
    family_id = (await db.execute(spend)).scalar_one_or_none()
    if family_id is not None:
        await _note(db, AuditAction.TOKENS_REFRESHED, account_id, user.id)
        return await _issue(runtime, db, user, family_id)
    used = select(RefreshToken.family_id).where(*this, RefreshToken.used_at.is_not(None))
    revoked = (
        update(RefreshToken)
        .where(
            RefreshToken.account_id == account_id,
            RefreshToken.family_id.in_(used),
            RefreshToken.revoked_at.is_(None),
        )
        .values(revoked_at=func.now())
        .returning(RefreshToken.id)
    )
    if (await db.execute(revoked)).first() is not None:
        entry = Entry(AuditAction.REFRESH_TOKEN_REUSED, Kind.USER, user.id)
        await audit.append(db, account_id, None, [entry])
    return None


async def _lock_user(db: AsyncConnection, account_id: UUID, user_id: UUID) -> User | None:
    """None once the person is deactivated."""
    statement = (
        select(User)
        .where(User.account_id == account_id, User.id == user_id, User.deactivated_at.is_(None))
        .with_for_update(key_share=True)
    )
    return await fetch_one(db, statement)


async def _issue(runtime: Runtime, db: AsyncConnection, user: User, family_id: UUID) -> SignedIn:
    """Tokens for a person whose row is locked; those that ended on their own go."""
    now = datetime.now(UTC).replace(microsecond=0)  # a JWT counts whole seconds
    expires_at = now + runtime.token_lifetimes.access
    refresh_token = secrets.token_urlsafe(32)
    await db.execute(
        delete(RefreshToken).where(
            RefreshToken.account_id == user.account_id,
            RefreshToken.user_id == user.id,
            RefreshToken.expires_at < func.now(),
        )
    )
    await db.execute(
        insert(RefreshToken).values(
            account_id=user.account_id,
            id=new_id(),
            user_id=user.id,
            family_id=family_id,
            token_hash=digest(refresh_token),
            expires_at=now + runtime.token_lifetimes.refresh,
        )
    )
    claims = {"sub": user.id.hex, "acc": user.account_id.hex, "iat": now, "exp": expires_at}
    access_token = jwt.encode(claims, runtime.secret, algorithm=ALGORITHM)
    return SignedIn(
        Tokens(access_token, refresh_token, expires_at),
        _actor(user.account_id, user.id, user.role, expires_at),
    )


async def sign_out(runtime: Runtime, actor: Actor, refresh_token: str) -> datetime:
    """Ends the sign-in that the token belongs to, if it is the actor's; says when it ended.

    What belongs to nobody, or to somebody else, is left as it is. Raises InvalidInput.
    """
    check = Validation()
    secret_text(check, ("refreshToken",), refresh_token)
    check.done()
    family = select(RefreshToken.family_id).where(
        RefreshToken.account_id == actor.account_id,
        RefreshToken.user_id == actor.user_id,
        RefreshToken.token_hash == digest(refresh_token),
    )
    own = (RefreshToken.account_id == actor.account_id, RefreshToken.family_id.in_(family))
    async with transaction(runtime.engine, actor.account_id) as db:
        await _lock_user(db, actor.account_id, actor.user_id)
        revoked = (
            update(RefreshToken)
            .where(*own, RefreshToken.revoked_at.is_(None))
            .values(revoked_at=func.now())
            .returning(RefreshToken.id)
        )
        if (await db.execute(revoked)).first() is not None:
            await _note(db, AuditAction.SIGNED_OUT, actor.account_id, actor.user_id)
        ended = select(func.coalesce(func.max(RefreshToken.revoked_at), func.now())).where(*own)
        return cast("datetime", (await db.execute(ended)).scalar_one())


async def replace_password(runtime: Runtime, actor: Actor, *, current: str, new: str) -> Tokens:
    """Raises PermissionDenied where the current one is not what was said, or not any more."""
    known = select(User.password_hash).where(
        User.account_id == actor.account_id, User.id == actor.user_id
    )
    async with runtime.read(actor) as db:
        stored = (await db.execute(known)).scalar_one()
    if stored is None or not await asyncio.to_thread(_matches, stored, current):
        raise PermissionDenied(WRONG_CURRENT_PASSWORD)
    hashed = await hash_password(new)
    async with runtime.work(actor) as work:
        user = await _lock_user(work.db, actor.account_id, actor.user_id)
        if user is None or user.password_hash != stored:
            raise PermissionDenied(WRONG_CURRENT_PASSWORD)
        await work.db.execute(
            update(User)
            .where(User.account_id == user.account_id, User.id == user.id)
            .values(password_hash=hashed, version=User.version + 1, updated_at=func.now())
        )
        await end_sign_ins(work.db, user.account_id, user.id)
        work.audit(AuditAction.PASSWORD_CHANGED, Kind.USER, user.id)
        return (await _issue(runtime, work.db, user, new_id())).tokens


async def end_sign_ins(db: AsyncConnection, account_id: UUID, user_id: UUID) -> None:
    """All of a person's, whose row the caller has locked. Access tokens run out by themselves."""
    await db.execute(
        update(RefreshToken)
        .where(
            RefreshToken.account_id == account_id,
            RefreshToken.user_id == user_id,
            RefreshToken.revoked_at.is_(None),
        )
        .values(revoked_at=func.now())
    )


def digest(token: str) -> bytes:
    """What is kept of a token. Long random texts need no slow hash."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
