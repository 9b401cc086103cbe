"""Who is calling, and who may do what.

Inside an account everybody reads everything; teams filter, they do not hide. Writing in a session is
for its assignee, leads and admins; any engineer claims; leads and admins give sessions to
others; admins manage people, keys and integrations.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BindParameter, Select, select

from models.account import Role, Scope
from models.session import AiSession
from services.errors import PermissionDenied


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or a partner's key acting as its service user.

    A key has the rights of a lead with WRITE and of an admin with ADMIN, but it is nobody's
    colleague: it can neither claim nor be assignee. What it starts is assigned to `stands_for`,
    the person who made the key.
    """

    account_id: UUID
    user_id: UUID
    role: Role
    scopes: frozenset[Scope]
    stands_for: UUID
    expires_at: datetime | None
    """When the token that was shown ends; a connection that rests on it ends then too."""

    @property
    def is_key(self) -> bool:
        return self.stands_for != self.user_id


SCOPES_OF = {
    Role.ENGINEER: frozenset({Scope.READ, Scope.WRITE}),
    Role.LEAD: frozenset({Scope.READ, Scope.WRITE}),
    Role.ADMIN: frozenset({Scope.READ, Scope.WRITE, Scope.ADMIN}),
}


def visible_sessions(account_id: UUID | BindParameter[UUID]) -> Select[AiSession]:
    """Whoever is let into an account sees all of its sessions."""
    return select(AiSession).where(AiSession.account_id == account_id)


def require_write(actor: Actor) -> None:
    """For what any person may do: start a session, claim a handoff."""
    if Scope.WRITE not in actor.scopes:
        raise PermissionDenied("This API key lacks the scope WRITE.")


def require_write_in(actor: Actor, session: AiSession) -> None:
    require_write(actor)
    if not _leads(actor) and session.assignee_id != actor.user_id:
        raise PermissionDenied(
            "Only the session's assignee, a lead or an admin may do this. "
            "A handoff that is open can be claimed."
        )


def require_lead(actor: Actor) -> None:
    require_write(actor)
    if not _leads(actor):
        raise PermissionDenied("Only leads and admins may do this.")


def _leads(actor: Actor) -> bool:
    return actor.is_key or actor.role in {Role.LEAD, Role.ADMIN}


def require_admin(actor: Actor) -> None:
    if Scope.ADMIN not in actor.scopes:
        raise PermissionDenied("Only admins may do this.")


def require_person(actor: Actor) -> None:
    if actor.is_key:
        raise PermissionDenied("An API key cannot claim a session; a person must.")
