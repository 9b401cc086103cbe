"""Statements that are built once, and whose rows cost little more than the driver's records.

For what reads a thousand rows to answer one request, and for what every change begins and ends with.
SQLAlchemy makes an object of each row that looks its columns up by name, which takes longer than all the
rest of reading it, and a statement that is put together anew for every request takes longer than reading a
small tree.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar, cast

import asyncpg
from sqlalchemy import ColumnElement, Enum, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.database import ROW_CLASS

T = TypeVar("T")


class Reading(Generic[T]):
    """Its rows are typed as the mapped class because they read like it, as those of `fetch`."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        # A statement of the same text, run otherwise, would share the driver's prepared one and its rows.
        self._statement = statement.prefix_with("/* reading */")
        self._row_class = _row_class(statement)

    async def fetch(self, db: AsyncConnection, **parameters: object) -> Sequence[T]:
        asked = ROW_CLASS.set(self._row_class)
        try:
            result = await db.execute(self._statement, parameters)
        finally:
            ROW_CLASS.reset(asked)
        rows = cast("Any", result).cursor.fetchall()  # asyncpg's, before SQLAlchemy's
        result.close()
        return cast("Sequence[T]", rows)

    async def fetch_one(self, db: AsyncConnection, **parameters: object) -> T | None:
        rows = await self.fetch(db, **parameters)
        return rows[0] if rows else None


def _row_class(statement: Select[*tuple[Any, ...]]) -> type[asyncpg.Record]:
    """The driver's record, with its columns as attributes."""
    columns = enumerate(statement.selected_columns)
    attributes = {column.name: _attribute(index, column) for index, column in columns}
    return type("Row", (asyncpg.Record,), {"__slots__": (), **attributes})


def _attribute(index: int, column: ColumnElement[Any]) -> property:
    """Of an enum the driver gives the value, and the attribute its member."""
    if not isinstance(column.type, Enum):
        return property(itemgetter(index))
    enum: Any = column.type.python_type
    members = {None: None, **{member.value: member for member in enum}}
    return property(lambda row: members[row[index]])
