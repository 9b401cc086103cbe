"""A sentence is believed for what was recorded, and for nothing else."""

from uuid import uuid4

import pytest

from models.branch import BranchStatus
from services.outputs.grounding import (
    UNSUPPORTED,
    Grounds,
    SentenceBasis,
    Source,
    ground,
    recall,
    remember,
)

FIRST, SECOND = uuid4(), uuid4()
SOURCES = {
    "M1": Source(SentenceBasis.MESSAGES, "Mail bounces with 5.7.1 from SRV-02.", (FIRST,)),
    "F1": Source(SentenceBasis.MESSAGES, "The record is old.", (SECOND, FIRST)),
    "H1": Source(SentenceBasis.BRANCH_STATUS, "Quota: 12 GB free.", (), BranchStatus.DEAD_END),
    "H2": Source(SentenceBasis.BRANCH_STATUS, "DNS", (), BranchStatus.SOLVED),
    "R": Source(SentenceBasis.RESOLUTION_SUMMARY, "The record was set."),
}


@pytest.mark.parametrize(
    ("sentence", "named", "grounds"),
    [
        ("Mail bounced.", ["M1"], Grounds(SentenceBasis.MESSAGES, (FIRST,))),
        ("Mail bounced with 5.7.1.", ["M1"], Grounds(SentenceBasis.MESSAGES, (FIRST,))),
        ("Mail bounced with 5.7.2.", ["M1"], UNSUPPORTED),
        ("The server srv-02 bounced it.", ["M1"], Grounds(SentenceBasis.MESSAGES, (FIRST,))),
        ("The server SRV-03 bounced it.", ["M1"], UNSUPPORTED),
        ("It was old.", ["F1", "M1", "F1"], Grounds(SentenceBasis.MESSAGES, (SECOND, FIRST))),
        ("The quota was fine.", ["H1"], Grounds(SentenceBasis.BRANCH_STATUS)),
        ("It was set.", ["R"], Grounds(SentenceBasis.RESOLUTION_SUMMARY)),
        (
            "It was set, for it was old.",
            ["R", "F1"],
            Grounds(SentenceBasis.MESSAGES, (SECOND, FIRST)),
        ),
        ("It was set.", [], UNSUPPORTED),
        ("It was set.", ["M99", "H7", "nonsense"], UNSUPPORTED),
    ],
)
def test_sources_must_be_known_and_say_the_same(
    sentence: str, named: list[str], grounds: Grounds
) -> None:
    assert ground(sentence, named, SOURCES) == grounds


def test_only_a_dead_end_is_to_be_ruled_out() -> None:
    dead = BranchStatus.DEAD_END
    assert ground("Not the quota.", ["H1"], SOURCES, only=dead).basis is SentenceBasis.BRANCH_STATUS
    assert ground("Not the record.", ["H2"], SOURCES, only=dead) == UNSUPPORTED
    assert ground("Not the record.", ["F1"], SOURCES, only=dead) == UNSUPPORTED


def test_a_sentence_is_known_again_until_somebody_changes_it() -> None:
    grounds = Grounds(SentenceBasis.MESSAGES, (FIRST,))
    stored = remember("It failed. Then it worked.", grounds)
    assert recall(stored, "It failed.") == recall(stored, "then  it worked.") == grounds
    assert recall(stored, "It failed twice.") == UNSUPPORTED
    assert recall(stored, "No symptoms were recorded.") == Grounds(SentenceBasis.ABSENCE)
