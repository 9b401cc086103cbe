"""Compiled selections answer as graphql-core does: thousands of random documents over faulty objects."""

import pytest

from schema import execution
from schema.compiled import execution as compiled
from tests.compiled.adverse import ADVERSE
from tests.compiled.compare import compare_all
from tests.compiled.real import REAL


@pytest.fixture
def at_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns change the order in which errors of different lists are found."""
    for module in (execution, compiled):
        monkeypatch.setattr(module, "TURN", 10**9)


@pytest.mark.parametrize("faults", [0.0, 0.01, 0.05, 0.3])
@pytest.mark.usefixtures("at_one_go")
async def test_a_schema_made_to_be_hard(faults: float) -> None:
    tally = await compare_all(ADVERSE, range(400), faults=faults)
    assert tally.executions == 1600
    assert tally.compiled > 120
    assert tally.with_errors > (120 if faults else 0)


@pytest.mark.parametrize("faults", [0.0, 0.005, 0.05])
@pytest.mark.usefixtures("at_one_go")
async def test_our_own_schema(faults: float) -> None:
    tally = await compare_all(REAL, range(400), faults=faults, root_fields=6, resolvers=0.05)
    assert tally.executions == 1600
    assert tally.compiled > 150
    assert tally.with_errors > 120


async def test_turns_change_nothing_but_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without faults, for null may spread from another error first."""
    for module in (execution, compiled):
        monkeypatch.setattr(module, "TURN", 3)
    monkeypatch.setattr(compiled, "LIGHTER", 1)
    tally = await compare_all(REAL, range(100), faults=0.0, root_fields=6, resolvers=0.0)
    assert tally.compiled > 70
    assert tally.with_errors == 0
