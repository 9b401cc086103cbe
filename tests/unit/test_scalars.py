"""Instants are written as they always were."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from schema.scalars import write_instant

EARLY, LATE = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 - hypothesis adds the zone
zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@settings(derandomize=True, deadline=None)
@given(st.datetimes(EARLY, LATE, timezones=zones))
def test_an_instant_is_rfc_3339_in_utc(instant: datetime) -> None:
    assert write_instant(instant) == instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
