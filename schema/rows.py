"""Types whose objects are views of a row: they hold it, and plain fields are read from it when asked for.

An object that copies twenty fields is dearer to make than ten of them are to answer.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

from strawberry.types.base import get_object_definition

T = TypeVar("T")
Read = Callable[[Any], object]


class OfRow(property):
    """An attribute that is a column of the object's row, or made of it."""

    def __init__(self, source: str | Read) -> None:
        self.source = source
        if isinstance(source, str):
            super().__init__(attrgetter(f"row.{source}"))
        else:
            super().__init__(lambda shown: source(shown.row))


def of_row(**elsewhere: str | Read) -> Callable[[type[T]], type[T]]:
    """Above `strawberry.type`. A field is the column of its name unless told where else to read it."""

    def view(shown: type[T]) -> type[T]:
        for field in get_object_definition(shown, strict=True).fields:
            if field.is_basic_field:
                source = elsewhere.get(field.python_name, field.python_name)
                setattr(shown, field.python_name, OfRow(source))
        return shown

    return view
