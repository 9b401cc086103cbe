"""Reading the audit. For admins only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, literal, select, tuple_

from models.account import ApiKey
from models.audit import AuditAction, AuditEntry
from services.access import Actor, require_admin
from services.database import fetch
from services.ids import Kind
from services.pages import Page, page_size, read_cursor
from services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What is None does not filter."""

    action: Sequence[AuditAction] | None = None
    actor: tuple[Kind, UUID] | None = None
    """A user or an API key."""
    target: tuple[Kind, UUID] | None = None
    """For a session also what was done to all that is within it."""
    since: datetime | None = None
    until: datetime | None = None
    """The first instant that is too late."""


async def list_entries(
    runtime: Runtime, actor: Actor, wanted: AuditFilter, *, first: int, after: str | None
) -> Page[AuditEntry]:
    """Newest first. Raises PermissionDenied and InvalidInput (first, after)."""
    require_admin(actor)
    size = page_size("first", first)
    statement = (
        select(AuditEntry)
        .where(AuditEntry.account_id == actor.account_id, *_conditions(actor, wanted))
        .order_by(AuditEntry.occurred_at.desc(), AuditEntry.id.desc())
        .limit(size + 1)
    )
    if after is not None:
        key = read_cursor("after", after, datetime, UUID)
        statement = statement.where(
            tuple_(AuditEntry.occurred_at, AuditEntry.id) < tuple_(*map(literal, key))
        )
    async with runtime.read(actor) as db:
        rows = list(await fetch(db, statement))
    return Page(rows[:size], len(rows) > size, after is not None)


def _conditions(actor: Actor, wanted: AuditFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.action is not None:
        found.append(AuditEntry.action.in_(wanted.action))
    if wanted.actor is not None:
        found.append(_done_by(actor, *wanted.actor))
    if wanted.target is not None:
        kind, key = wanted.target
        column = AuditEntry.session_id if kind is Kind.SESSION else AuditEntry.target_id
        found.append(column == key)
    if wanted.since is not None:
        found.append(AuditEntry.occurred_at >= wanted.since)
    if wanted.until is not None:
        found.append(AuditEntry.occurred_at < wanted.until)
    return found


def _done_by(actor: Actor, kind: Kind, key: UUID) -> ColumnElement[bool]:
    if kind is Kind.USER:
        return AuditEntry.actor_id == key
    acts_as = select(ApiKey.user_id).where(ApiKey.account_id == actor.account_id, ApiKey.id == key)
    return AuditEntry.actor_id == acts_as.scalar_subquery()
