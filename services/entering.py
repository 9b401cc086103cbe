"""Reading as somebody in one round trip: the statement that reads looks at who calls.

So what it finds and the right to see it are of one moment, where asking beforehand would be of two.
"""

from typing import Any

from sqlalchemy import Select, Subquery, bindparam, column, func, select, true

from models.account import Role, User
from services.access import Actor
from services.errors import Unauthenticated

CALLER = (
    func.flowpilot_enter(bindparam("account_id"), bindparam("user_id"))
    .table_valued(column("role", User.role.type))
    .render_derived()
    .alias("caller")
)
"""One row. The account of the transaction is this one from then on, so row-level security lets its rows
be seen; without an active person of that id in it the role is null.
"""


def entering(found: Subquery) -> Select[Any]:
    """Its rows, which name the account themselves, with `caller_role` in each; that alone in one where it
    has none.

    The join is an outer one without a condition, which PostgreSQL can only do by going to the caller
    first. Were it otherwise, no row could be seen.
    """
    joined = CALLER.outerjoin(found, true())
    return select(*found.c, CALLER.c.role.label("caller_role")).select_from(joined)


def require_active(actor: Actor, role: Role | None) -> None:
    """Raises Unauthenticated. A key's rights were looked up, and the user it acts as is no person."""
    if role is None and not actor.is_key:
        raise Unauthenticated
