"""A memory that is full takes from whoever holds most."""

from random import Random

import pytest

from services.shares import LARGEST, Shares


def test_what_is_unused_for_longest_goes_first() -> None:
    shares: Shares[int, str] = Shares(most_bytes=80, most=80)
    for key in range(8):
        shares.put("one", key, str(key), 10)
    assert shares.get(0) == "0"
    shares.put("one", 8, "8", 10)
    assert [key for key in range(9) if key in shares] == [0, 2, 3, 4, 5, 6, 7, 8]


def test_whoever_holds_most_makes_room() -> None:
    shares: Shares[str, int] = Shares(most_bytes=80, most=80)
    for key in "abcdef":
        shares.put("many", key, 1, 10)
    for key in "xyz":
        shares.put("few", key, 1, 10)
    assert [key for key in "abcdefxyz" if key in shares] == list("bcdefxyz")
    for key in "123456":
        shares.put("another", key, 1, 10)
    assert sorted(key for key in "abcdefxyz123456" if key in shares) == sorted("efxyz456")


def test_what_is_there_stays_its_first_holders() -> None:
    shares: Shares[str, int] = Shares(most_bytes=80, most=80)
    shares.put("one", "a", 1, 10)
    shares.put("two", "a", 2, 10)
    assert (shares.get("a"), shares.bytes, len(shares)) == (1, 10, 1)


def test_small_ones_are_no_more_than_so_many_and_a_large_one_stays_out() -> None:
    shares: Shares[int, int] = Shares(most_bytes=1_000, most=20)
    for key in range(100):
        shares.put("one", key, key, 1)
    assert (len(shares), shares.bytes) == (20, 1_000)
    shares.put("one", 100, 100, 1_000 // LARGEST + 1)
    assert 100 not in shares
    assert len(shares) == 20


@pytest.mark.parametrize("seed", range(20))
def test_nobody_loses_within_an_equal_share(seed: int) -> None:
    """Whatever the others do, and however they take turns with it."""
    dice = Random(seed)
    shares: Shares[int, int] = Shares(most_bytes=10_000, most=100)
    sizes: dict[int, tuple[int, int]] = {}
    modest, held = 0, 0
    for key in range(2_000):
        holder, size = dice.randrange(4), dice.randrange(1, 1_250)
        if holder == modest:
            counted = max(size, shares.least)
            if held + counted > 10_000 // 4:
                continue
            held += counted
        sizes[key] = holder, size
        shares.put(holder, key, key, size)
        assert shares.bytes <= 10_000
        assert len(shares) <= 100
        if dice.random() < 0.5:
            shares.get(dice.randrange(key + 1))
    kept = [key for key in sizes if key in shares]
    assert shares.bytes == sum(max(sizes[key][1], shares.least) for key in kept)
    own = [key for key, (holder, _) in sizes.items() if holder == modest]
    assert own
    assert set(own) <= set(kept)
