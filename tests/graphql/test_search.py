"""What may be written into a search."""

import pytest

from tests.client import Client
from tests.factories import Colleagues

CASES = ["The printer jams on heavy paper", "The printer prints blank paper", "Mail arrives late"]
LIST = """query($search: String) { sessions(filter: {search: $search}) {
  edges { node { intake { text } } }
} }"""


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("printer paper", [1, 0]),
        ("PRINTED papers", [1]),
        ('"heavy paper"', [0]),
        ('"paper heavy"', []),
        ("jams or mail", [2, 0]),
        ("paper -blank", [0]),
        (" \u200b", [2, 1, 0]),
    ],
)
async def test_words_phrases_alternatives_and_exclusions(
    client: Client, colleagues: Colleagues, search: str, found: list[int]
) -> None:
    engineer = client.as_(colleagues.engineer)
    for case in CASES:
        started = await engineer.mutate("startSession", "reply { id }", intake={"text": case})
        await engineer.answered(started["reply"]["id"])
    edges = (await engineer.run(LIST, search=search))["sessions"]["edges"]
    assert [edge["node"]["intake"]["text"] for edge in edges] == [CASES[at] for at in found]
