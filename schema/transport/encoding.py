"""JSON in and out: quickly where it can be, and whatever a client may write."""

import json
from json import JSONDecodeError
from typing import Any

import orjson

from schema.scalars import write_instant


def decode(data: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Raises JSONDecodeError for whatever is not JSON in UTF-8, or is nested too deep to be read.

    A half of a surrogate pair, as browsers send when a text was cut inside an emoji, is legal in JSON
    but not to orjson. It must hurt only the field it is in, so such a text is read again.
    """
    try:
        return orjson.loads(data)
    except JSONDecodeError:
        if not _has_surrogates(data):
            raise
    try:
        return json.loads(data, parse_constant=_refuse)
    except (RecursionError, UnicodeDecodeError, ValueError):
        raise JSONDecodeError("not readable", "", 0) from None


def _has_surrogates(data: str | bytes) -> bool:
    return (b"\\ud" in data.lower()) if isinstance(data, bytes) else ("\\ud" in data.lower())


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and the infinities are not JSON


def encode(data: object) -> bytes:
    """An error may repeat half a surrogate pair that its client has sent. Instants are in UTC."""
    try:
        return orjson.dumps(data, option=orjson.OPT_UTC_Z)
    except TypeError:
        return json.dumps(data, separators=(",", ":"), default=write_instant).encode()
