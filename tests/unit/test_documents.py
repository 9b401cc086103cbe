"""How much memory documents take that are kept."""

import gc
import tracemalloc
from random import Random
from uuid import UUID, uuid4

import pytest
from graphql import parse

from schema.documents import Documents, Known, Missing, Offered, hash_of

SHAPES = {
    "the smallest": "{ a }",
    "names": "{" + " a" * 990 + "}",
    "fields with arguments": "{" + " a(b: 1)" * 160 + "}",
    "texts": '{ a(b: ["' + '", "'.join("x" * 10 for _ in range(480)) + '"]) }',
    "operations": " ".join(f"query A{place} {{ a }}" for place in range(190)),
    "variables": "query(" + " ".join(f"$a{place}: Int" for place in range(190)) + ") { a }",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_document_is_no_larger_than_it_counts_as(shape: str) -> None:
    parse(SHAPES[shape])
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        documents = [parse(SHAPES[shape]) for _ in range(5)]
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 5 <= Known(documents[0]).size


def keep(documents: Documents, text: str, account: UUID) -> None:
    for _ in range(2):
        documents.keep(text, Known(parse(text)), account)


def test_what_comes_once_is_not_kept() -> None:
    documents, account = Documents(), uuid4()
    for place in range(10):
        text = f"{{ a{place} }}"
        documents.keep(text, Known(parse(text)), account)
        assert documents.find(text) is None
    assert documents.kept.bytes == 0


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_sent_the_memory_has_an_end(seed: int) -> None:
    dice, documents = Random(seed), Documents()
    accounts = [uuid4() for _ in range(5)]
    for _ in range(1_500):
        names = " ".join(f"a{dice.randrange(10**9)}" for _ in range(dice.randrange(1, 300)))
        text = Offered(f"{{ {names} }}")
        keep(documents, text, dice.choice(accounts))
    kept, persisted = documents.kept, documents.persisted
    assert 6_000_000 < kept.bytes <= 8_000_000
    assert len(kept) <= 250
    assert 1_000_000 < persisted.bytes <= 8_000_000
    assert len(persisted) <= 4_000


def test_a_document_goes_and_its_name_stays() -> None:
    """By its name it is then read again, as any other."""
    documents, account = Documents(), uuid4()
    first = Offered("{ first }")
    keep(documents, first, account)
    assert documents.find(first) is not None
    for place in range(300):
        keep(documents, f"{{ a{place} }}", account)
    assert documents.find(first) is None
    assert documents.called(hash_of(first), account) == first


def test_what_has_no_document_is_never_one() -> None:
    problem = Missing("{ viewer { scopes } }", "SOME_CODE")
    refused = Documents().refusal(problem)
    assert refused is not None
    assert refused.extensions == {"code": "SOME_CODE"}
