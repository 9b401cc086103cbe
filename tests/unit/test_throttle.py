"""What a process counts by itself is what the library would count."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits.aio.storage import MemoryStorage

from services.throttle import MINUTE, Memory

BUDGET = 100
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 7.0, 31.0, 59.5, 60.0, 61.0, 200.0]),
        st.sampled_from(["one", "other"]),
        st.integers(1, BUDGET + 1),
    ),
    max_size=30,
)


@given(STEPS)
async def test_a_minute_slides_as_the_library_has_it(steps: list[tuple[float, str, int]]) -> None:
    ours, theirs, now = Memory(), MemoryStorage(), 1_000_000.25
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: now)
        for passing, who, cost in steps:
            now += passing
            asked = (who, BUDGET, MINUTE, cost)
            fits = await ours.acquire_sliding_window_entry(*asked)
            assert fits == await theirs.acquire_sliding_window_entry(*asked)
            window = await ours.get_sliding_window(who, MINUTE)
            assert window == pytest.approx(await theirs.get_sliding_window(who, MINUTE))
