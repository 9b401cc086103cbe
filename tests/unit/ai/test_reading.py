"""A reply rules a cause in or out only where it clearly says so."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ai.cards import load_cards
from services.ai.reading import is_undo, read_reply

NAMES = {True: "yes", False: "no", None: "open"}


def _table() -> list[tuple[str, str, str]]:
    rows, expected = [], ""
    for line in (Path(__file__).parent / "replies.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("> "):
            expected = line[2:]
        elif line and not line.startswith("#"):
            rows.append((line[:5].strip(), line[5:], expected))
    return rows


TABLE = _table()
EXPECTATIONS = sorted({expected for _, _, expected in TABLE})
CHECKS = [
    check for card in load_cards() for hypothesis in card.hypotheses for check in hypothesis.checks
]


def reading(reply: str, expected: str) -> str:
    return "undo" if is_undo(reply) else NAMES[read_reply(reply, expected)]


def test_the_table_is_long_enough_to_be_believed() -> None:
    assert len(TABLE) >= 120
    assert len(TABLE) == len({(reply, expected) for _, reply, expected in TABLE})


@pytest.mark.parametrize(("meant", "reply", "expected"), TABLE)
def test_each_reply_is_read_as_people_mean_it(meant: str, reply: str, expected: str) -> None:
    assert reading(reply, expected) == meant


PADDING = st.sampled_from(["", " ", "\n", "\t ", "  \n\n"])


@given(st.sampled_from(TABLE), PADDING, PADDING, st.sampled_from([str.upper, str.lower, str.title]))
def test_padding_and_case_change_nothing(
    row: tuple[str, str, str], before: str, after: str, written: Callable[[str], str]
) -> None:
    meant, reply, expected = row
    # A capital after an apostrophe, as str.title() writes it, is nobody's.
    cased = written(reply) if not {"'", "’"} & set(reply) else reply
    assert reading(f"{before}{cased}{after}", expected) == meant


@given(st.sampled_from(TABLE), st.sampled_from([".", "!", " .", "!!", "…", ")", "”"]))
def test_marks_at_the_end_change_nothing(row: tuple[str, str, str], mark: str) -> None:
    meant, reply, expected = row
    assert reading(f"{reply}{mark}", expected) == meant


@given(st.sampled_from(TABLE))
def test_a_question_mark_leaves_every_check_open(row: tuple[str, str, str]) -> None:
    assert read_reply(f"{row[1]}?", row[2]) is None


# Nothing of it is in an expectation above, and each sentence holds at least one of these.
_STRANGE = st.sampled_from(
    [
        "printer",
        "kitchen",
        "invoice",
        "2019",
        "Anna",
        "router",
        "yellow",
        "lawyer",
        "4711",
        "garden",
    ]
)
_COMMON = st.sampled_from(
    re.findall(
        r"\w+",
        """not never nothing no works working fails failed broken wrong fine good error it that she they is
        are was does the a with on for and opens password Outlook service stopped running ping name among
        them I we now still today later yesterday sorry all some""",
    )
)


@given(st.lists(_COMMON, max_size=9), _STRANGE, st.integers(0, 9), st.sampled_from(EXPECTATIONS))
def test_a_sentence_without_an_explicit_answer_never_gives_a_verdict(
    words: list[str], strange: str, place: int, expected: str
) -> None:
    sentence = " ".join([*words[:place], strange, *words[place:]])
    # "No" before "it", "that", "the" ... is an explicit answer.
    if words[:1] != ["no"] or place == 0:
        assert read_reply(sentence, expected) is None


@given(st.text(max_size=300), st.sampled_from(EXPECTATIONS))
def test_any_text_is_read(text: str, expected: str) -> None:
    assert read_reply(text, expected) in NAMES


def test_a_log_below_the_answer_is_not_read() -> None:
    log = "2024-01-01 later a customer tried, maybe failed?\n" * 20
    for meant, reply, expected in TABLE:
        if meant in {"yes", "no"} and "\n" not in reply:
            assert reading(f"{reply}\n{log}", expected) in {meant, "open"}
    assert read_reply(f"Yes.\n{log}", EXPECTATIONS[0]) is True
    assert read_reply(f"Hm.\n{log}", EXPECTATIONS[0]) is None


def test_every_shipped_expectation_is_understood_when_it_is_said_plainly() -> None:
    for check in CHECKS:
        plain = {"yes": True, "No.": False, "That is the case": True, "not so": False}
        said = {reply: read_reply(reply, check.expect) for reply in plain}
        assert said == plain, check.expect
        for vague in ("not yet", "I will look tomorrow", "she is on holiday", "no idea"):
            assert read_reply(vague, check.expect) is None, check.expect


def test_a_shipped_expectation_said_word_for_word_is_a_yes() -> None:
    said = {check.expect: read_reply(check.expect, check.expect) for check in CHECKS}
    assert said == dict.fromkeys(said, True)


@pytest.mark.parametrize("before", ["", "No, ", "no. ", "It is like this: "])
def test_what_a_shipped_check_takes_for_a_denial_is_never_a_yes(before: str) -> None:
    said = {check.denied: read_reply(before + check.denied, check.expect) for check in CHECKS}
    assert [denied for denied, reading in said.items() if reading is True] == []


@pytest.mark.parametrize("before", ["", "Yes, ", "yes. ", "It is like this: "])
def test_what_a_shipped_check_expects_is_never_a_no(before: str) -> None:
    said = {check.expect: read_reply(before + check.expect, check.expect) for check in CHECKS}
    assert [expect for expect, reading in said.items() if reading is False] == []


def test_a_no_before_what_a_shipped_check_expects_leaves_it_open() -> None:
    for check in CHECKS:
        for no in ("No. ", "no, ", "No – "):
            assert read_reply(no + check.expect, check.expect) is None, check.expect


_NOT = re.compile(r"\s(?:not|no longer)\b|\bNo ")


def test_a_shipped_expectation_with_or_without_its_not_is_never_a_yes() -> None:
    read = {}
    for check in CHECKS:
        if _NOT.search(check.expect):
            turned = _NOT.sub("", check.expect, count=1)
        else:
            turned = re.sub(r"\b(is|are|was|were|has|have|can)\b", r"\1 not", check.expect, count=1)
        if turned != check.expect:
            read[turned] = read_reply(turned, check.expect)
    assert len(read) >= 100
    assert [turned for turned, reading in read.items() if reading is True] == []
