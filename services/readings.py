"""Statements that are compiled once, and whose rows are the driver's records.

For what reads a thousand rows to answer one request, and for what every request begins with. To put a
statement together anew, to look up what it was compiled to, and to make an object of each row that finds
its columns by name takes SQLAlchemy longer than reading a small tree.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar, cast

import asyncpg
from sqlalchemy import ColumnElement, Connection, Enum, Select, TextualSelect
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import await_, greenlet_spawn

T = TypeVar("T")

DIALECT = dialect()  # type: ignore[no-untyped-call]


class Reading(Generic[T]):
    """Its rows are typed as the mapped class because they read like it, as those of `fetch`.

    Its parameters are such as the driver takes as they are.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]] | TextualSelect) -> None:
        compiled: Any = statement.compile(dialect=DIALECT)
        self._sql: str = compiled.string
        self._names: Sequence[str] = compiled.positiontup
        self._row_class = _row_class(statement)

    async def fetch(self, db: AsyncConnection, **parameters: object) -> Sequence[T]:
        return await db.run_sync(self._fetch, parameters)

    async def fetch_one(self, db: AsyncConnection, **parameters: object) -> T | None:
        rows = await self.fetch(db, **parameters)
        return rows[0] if rows else None

    async def alone(self, engine: AsyncEngine, **parameters: object) -> Sequence[T]:
        """In one round trip, as a transaction of its own, in which no account is named beforehand."""

        def fetch() -> Sequence[T]:
            with engine.sync_engine.connect() as connection:
                return self._fetch(connection, parameters)

        return cast("Sequence[T]", await greenlet_spawn(fetch))

    async def ask(self, engine: AsyncEngine, **parameters: object) -> T | None:
        """The first row of those."""
        rows = await self.alone(engine, **parameters)
        return rows[0] if rows else None

    def _fetch(self, connection: Connection, parameters: dict[str, object]) -> Sequence[T]:
        given = tuple(parameters[name] for name in self._names)
        cursor = _Cursor(connection, self._row_class)
        # With which SQLAlchemy runs strings of its own: listeners hear of it, and errors are as elsewhere.
        connection._cursor_execute(cast("Any", cursor), self._sql, given)  # noqa: SLF001
        return cast("Sequence[T]", cursor.rows)


class _Cursor:
    """For one statement. Its prepared form is kept by the driver, which knows about rows' classes."""

    rows: Sequence[asyncpg.Record] = ()

    def __init__(self, connection: Connection, row_class: type[asyncpg.Record]) -> None:
        self._adapted: Any = connection.connection.dbapi_connection
        self._in_transaction = connection.in_transaction()
        self._row_class = row_class

    def execute(self, sql: str, parameters: Sequence[object]) -> None:
        self.rows = await_(self._fetch(sql, parameters))

    async def _fetch(self, sql: str, parameters: Sequence[object]) -> Sequence[asyncpg.Record]:
        adapted = self._adapted
        async with adapted._execute_mutex:  # noqa: SLF001
            if self._in_transaction and adapted._transaction is None:  # noqa: SLF001
                await adapted._start_transaction()  # noqa: SLF001
            try:
                rows: Sequence[asyncpg.Record] = await adapted.driver_connection.fetch(
                    sql, *parameters, record_class=self._row_class
                )
            except Exception as error:
                adapted._handle_exception(error)  # noqa: SLF001
            return rows

    def close(self) -> None:
        """SQLAlchemy's, after an error."""


def _row_class(statement: Select[*tuple[Any, ...]] | TextualSelect) -> type[asyncpg.Record]:
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
