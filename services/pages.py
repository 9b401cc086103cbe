"""Keyset pages: a cursor is the sort key of a row, so a page costs the same however deep it lies."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import orjson

from services.errors import FieldProblem, InvalidInput

T_co = TypeVar("T_co", covariant=True)

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    items: Sequence[T_co]
    has_next: bool
    has_previous: bool


def page_size(argument: str, asked: int, most: int = MAX_PAGE) -> int:
    """Raises InvalidInput outside 1 to `most`."""
    if not 1 <= asked <= most:
        raise InvalidInput([FieldProblem((argument,), f"Must be between 1 and {most}.")])
    return asked


def write_cursor(*key: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def read_cursor(argument: str, cursor: str, *types: type) -> list[Any]:
    """The sort key; each part is parsed by its type. Raises InvalidInput for any other text."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [_parse(kind, part) for kind, part in zip(types, parts, strict=True)]
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error):
        raise InvalidInput(
            [FieldProblem((argument,), "Is no cursor of this connection.")]
        ) from None


def _parse(kind: type, part: Any) -> Any:  # noqa: ANN401 - JSON on the way in, any key type out
    if kind is int:
        if type(part) is not int or abs(part) >= 2**31:
            raise ValueError
        return part
    if kind is datetime:
        instant = datetime.fromisoformat(part)
        if instant.tzinfo is None:
            raise ValueError
        return instant.astimezone(UTC)
    return kind(part)
