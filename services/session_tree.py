"""A session with its whole tree, and whether its reader still may: one round trip to the database."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Enum, Uuid, bindparam, case, literal_column, select

from models.account import Role
from models.branch import Branch
from models.session import AiSession
from services.access import Actor
from services.entering import entering, require_active
from services.readings import Reading
from services.runtime import Runtime
from services.sessions import SessionView, newest_event
from services.tree import Tree, branch_rows

IS_TRUNK = Branch.parent_branch_id.is_(None)

TREE_OF_SESSION = (
    branch_rows(bindparam("account_id"))
    .add_columns(
        case((IS_TRUNK, literal_column("ai_sessions"))).label("session"),
        case((IS_TRUNK, newest_event(bindparam("account_id")))).label("event_seq"),
    )
    # In a query of its own the planner cannot see it, and plans once for all: with an id at hand it
    # believes to know better and plans each time anew, which takes longer than reading a small tree.
    .where(Branch.session_id == select(bindparam("session_id", type_=Uuid)).scalar_subquery())
    .subquery("found")
)
SESSION_AND_TREE: Reading[Any] = Reading(
    entering(TREE_OF_SESSION).order_by(TREE_OF_SESSION.c.depth, TREE_OF_SESSION.c.branch_order)
)


class Entered(NamedTuple):
    role: Role | None
    """That the person had at this moment; None for a key."""
    view: SessionView | None


async def with_tree(runtime: Runtime, actor: Actor, session_id: UUID) -> Entered:
    """A session and its whole tree in one statement; the trunk's row carries the session.

    Raises Unauthenticated where the person is not active any more.
    """
    rows = await SESSION_AND_TREE.alone(
        runtime.engine,
        account_id=actor.account_id,
        user_id=actor.user_id,
        session_id=session_id,
    )
    trunk = rows[0]
    require_active(actor, trunk.caller_role)
    if trunk.id is None:
        return Entered(trunk.caller_role, None)
    view = SessionView(_from_record(trunk.session), trunk.event_seq, Tree(rows))
    return Entered(trunk.caller_role, view)


def _from_record(record: Mapping[str, Any]) -> AiSession:
    """A record comes as the driver reads it; only the enums need their members."""
    values = dict(record.items())
    for name, enum in SESSION_ENUMS.items():
        values[name] = enum(values[name])
    return cast("AiSession", SimpleNamespace(**values))


SESSION_ENUMS = {
    column.name: column.type.python_type
    for column in AiSession.__table__.c
    if isinstance(column.type, Enum)
}
