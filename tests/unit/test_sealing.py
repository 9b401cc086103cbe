"""What is sealed opens with its key, for its owner, and whole, or not at all."""

import pytest

from services.sealing import Seal, Unsealable

OLD, NEW = b"o" * 32, b"n" * 32
LOGIN = {"secret": "correct horse", "ключ": "🔑"}


def test_what_is_sealed_tells_nothing_and_opens_again() -> None:
    sealed = [Seal(OLD).close(b"owner", LOGIN) for _ in range(2)]
    assert sealed[0] != sealed[1]
    assert b"correct horse" not in sealed[0]
    assert [Seal(OLD).open(b"owner", each) for each in sealed] == [LOGIN, LOGIN]


def test_a_previous_secret_opens_and_seals_no_more() -> None:
    sealed = Seal(OLD).close(b"owner", LOGIN)
    both = Seal(NEW, OLD)
    assert both.open(b"owner", sealed) == LOGIN
    assert Seal(NEW).open(b"owner", both.close(b"owner", LOGIN)) == LOGIN
    with pytest.raises(Unsealable):
        Seal(OLD).open(b"owner", both.close(b"owner", LOGIN))


def test_nothing_else_opens_it() -> None:
    sealed = Seal(OLD).close(b"owner", LOGIN)
    damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for seal, owner, text in (
        (Seal(NEW), b"owner", sealed),
        (Seal(OLD), b"other", sealed),
        (Seal(OLD), b"owner", damaged),
        (Seal(OLD), b"owner", b"\x02" + sealed[1:]),
        (Seal(OLD), b"owner", sealed[:10]),
        (Seal(OLD), b"owner", b""),
    ):
        with pytest.raises(Unsealable):
            seal.open(owner, text)
