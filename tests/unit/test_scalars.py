"""Instants are written as they always were."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.scalars import write_instant
from schema.transport.encoding import encode

EARLY, LATE = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 - hypothesis adds the zone
zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@settings(derandomize=True, deadline=None)
@given(st.datetimes(EARLY, LATE, timezones=zones))
def test_an_instant_is_rfc_3339_in_utc(instant: datetime) -> None:
    assert write_instant(instant) == instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("beside", ["", "half a pair: \ud83d"], ids=["quickly", "as a last resort"])
def test_an_instant_in_an_answer_is_written_so_too(beside: str) -> None:
    for instant in (datetime(2026, 1, 2, tzinfo=UTC), datetime(987, 1, 2, 3, 4, 5, 60, tzinfo=UTC)):
        told = {"at": instant, "beside": beside}
        assert encode(told) == encode({**told, "at": write_instant(instant)})
