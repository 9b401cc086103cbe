"""Scalars whose meaning the API narrows."""

from datetime import UTC, datetime

import orjson
import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition


def write_instant(value: datetime) -> str:
    """As `isoformat`, in a quarter of its time."""
    return orjson.dumps(value.astimezone(UTC), option=orjson.OPT_UTC_Z)[1:-1].decode()


def read_instant(value: object) -> datetime:
    """Refuses an instant without a zone: nobody could say when it is."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant is not None and instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise GraphQLError("A DateTime is an RFC 3339 string with a zone: 2026-11-23T12:00:00Z.")


DATE_TIME: ScalarDefinition = strawberry.scalar(
    name="DateTime",
    description="An instant, RFC 3339, always UTC on the way out.",
    specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
    serialize=write_instant,
    parse_value=read_instant,
)
