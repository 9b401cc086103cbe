"""Statements that are built once, and whose rows cost little more than the driver's records.

For what reads a thousand rows to answer one request, and for what every change begins and ends with.
SQLAlchemy makes an object of each row that looks its columns up by name, which takes longer than all the
rest of reading it, and a statement that is put together anew for every request takes longer than reading a
small tree.
"""

from collections import namedtuple
from collections.abc import Sequence
from functools import partial
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Enum, Select
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")


class Reading(Generic[T]):
    """Its rows are typed as the mapped class because they read like it, as those of `fetch`."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self._statement = statement
        self._row = partial(tuple.__new__, _row_class(statement))

    async def fetch(self, db: AsyncConnection, **parameters: object) -> Sequence[T]:
        result = await db.execute(self._statement, parameters)
        records = cast("Any", result).cursor.fetchall()  # asyncpg's, before SQLAlchemy's rows
        result.close()
        return cast("Sequence[T]", list(map(self._row, records)))

    async def fetch_one(self, db: AsyncConnection, **parameters: object) -> T | None:
        rows = await self.fetch(db, **parameters)
        return rows[0] if rows else None


def _row_class(statement: Select[*tuple[Any, ...]]) -> Any:  # noqa: ANN401 - a class made at run time
    """A named tuple; of an enum the driver gives the value, and the attribute its member."""
    columns = list(statement.selected_columns)
    plain = namedtuple("Row", [column.name for column in columns])  # type: ignore[misc]
    enums = {
        column.name: _member(index, column.type.python_type)
        for index, column in enumerate(columns)
        if isinstance(column.type, Enum)
    }
    return type("Row", (plain,), {"__slots__": (), **enums})


def _member(index: int, enum: Any) -> property:  # noqa: ANN401 - a class of members
    members = {None: None, **{member.value: member for member in enum}}
    return property(lambda row: members[row[index]])
