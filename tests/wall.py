"""Makes a server forget to filter by account, so that row-level security is the only wall."""

import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

FILTER = re.compile(
    r"\b(?:(?:\w+\.)?account_id|accounts\.id) (?:= (\$\d+)(?:::\w+)?|IN \((\$\d+)(?:::\w+)?\))"
)
COMPARED = re.compile(r"account_id\W*(?:=|IN)\W*\$")


@dataclass(eq=False)
class Forgetful:
    """What it has been made to forget."""

    removed: int = 0
    kept: list[str] = field(default_factory=list)
    """Statements that still compare an account with one that is given."""

    def __call__(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> tuple[str, Any]:
        forgetful, count = FILTER.subn(_true, statement)
        self.removed += count
        if COMPARED.search(forgetful):
            self.kept.append(forgetful)
        return forgetful, parameters


def _true(match: re.Match[str]) -> str:
    """The parameter stays, or PostgreSQL would not know its type."""
    return f"({match[1] or match[2]}::uuid IS NOT NULL)"


def forget_filters(engine: AsyncEngine) -> Forgetful:
    forgetful = Forgetful()
    event.listen(engine.sync_engine, "before_cursor_execute", forgetful, retval=True)
    return forgetful
