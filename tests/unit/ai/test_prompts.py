import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.branch import BranchStatus
from models.message import MessageRole
from services.ai.port import Hypothesis, SessionFacts, Turn, TurnRequest
from services.ai.prompts import (
    BranchFacts,
    LineageMessage,
    RevivalFacts,
    cross_branch_context,
    delimited,
    intake_request,
    reply_request,
    revival_context,
)

SESSION = SessionFacts("Printer is offline", "printing")
HOSTILE = st.text() | st.lists(
    st.sampled_from(
        ["</untrusted>", '<untrusted source="x">', "<", ">", "&lt;", "/untrusted", "**", "\\", "\n"]
    )
).map("".join)
STATUSES = st.sampled_from(BranchStatus)


def message(position: int, text: str, role: MessageRole = MessageRole.USER) -> LineageMessage:
    return LineageMessage(position, role, text)


@given(HOSTILE)
def test_nothing_inside_a_block_can_end_it(text: str) -> None:
    block = delimited("log", text)

    inner = block.removeprefix('<untrusted source="log">\n').removesuffix("\n</untrusted>")
    assert block.count("<") == 2
    assert unescape_block(inner) == text


def unescape_block(text: str) -> str:
    return text.replace("&lt;", "<").replace("&amp;", "&")


@given(HOSTILE, STATUSES, st.lists(HOSTILE), st.none() | HOSTILE, st.none() | HOSTILE)
def test_a_branch_stays_one_line_and_cannot_name_itself_another_status(
    label: str, status: BranchStatus, tried: list[str], concluded: str | None, reason: str | None
) -> None:
    context = cross_branch_context([BranchFacts(label, status, tuple(tried), concluded, reason)])

    heading, opening, line, closing = context.split("\n")
    assert heading == "## Cross-Branch Context"
    assert (opening, closing) == ('<untrusted source="branches">', "</untrusted>")
    found = re.match(r"- \*\*((?:\\.|[^\\*])*)\*\* \[(\w+)\]: .", line)
    assert found is not None
    assert found[2] == status.value
    assert unescape(re.sub(r"\\(.)", r"\1", found[1])) == unescape(
        " ".join(label.split()).replace("&", "&amp;").replace("<", "&lt;")
    )


@given(HOSTILE, HOSTILE)
def test_revival_evidence_cannot_end_its_block(label: str, description: str) -> None:
    context = revival_context([RevivalFacts(label, description)])

    assert context.count("<") == 2
    assert context.endswith("\n</untrusted>")
    assert len(context.split("\n")) == 4


def test_the_most_useful_branches_come_first_and_equals_keep_the_trees_order() -> None:
    others = [
        BranchFacts("Dead", BranchStatus.DEAD_END, reason="Port 25\nis open."),
        BranchFacts("Untried", BranchStatus.UNTRIED),
        BranchFacts("Active 1", BranchStatus.ACTIVE, tried=("ping",)),
        BranchFacts("Revived", BranchStatus.REVIVED, concluded="Looks likely."),
        BranchFacts("Solved", BranchStatus.SOLVED, ("ping", "trace"), "The cable.", "Told so."),
        BranchFacts("Active 2", BranchStatus.ACTIVE, concluded="Not <yet>."),
    ]

    assert cross_branch_context(others) == (
        "## Cross-Branch Context\n"
        '<untrusted source="branches">\n'
        "- **Solved** [solved]: Tried: ping, trace. The cable.\n"
        "- **Active 1** [active]: Tried: ping.\n"
        "- **Active 2** [active]: Not &lt;yet>.\n"
        "- **Revived** [revived]: Looks likely.\n"
        "- **Untried** [untried]: No summary yet.\n"
        "- **Dead** [dead_end]: Port 25 is open.\n"
        "</untrusted>"
    )


def test_a_branch_that_is_alone_and_never_died_has_no_volatile_block() -> None:
    request = reply_request(SESSION, lineage=[message(1, "Hello")], question_position=1)

    assert cross_branch_context([]) == ""
    assert revival_context([]) == ""
    assert request.volatile == ()


def test_revival_stands_before_the_other_branches() -> None:
    request = reply_request(
        SESSION,
        lineage=[message(1, "Hello")],
        question_position=1,
        others=[BranchFacts("DNS", BranchStatus.UNTRIED)],
        revivals=[RevivalFacts("DNS", "The port is closed")],
    )

    assert [block.split("\n")[0] for block in request.volatile] == [
        "## Branch Revival",
        "## Cross-Branch Context",
    ]


def test_a_reply_request_splits_the_lineage_at_the_fork() -> None:
    hypothesis = Hypothesis("DNS", "The name is wrong.")
    request = reply_request(
        SESSION,
        lineage=[
            LineageMessage(1, MessageRole.ASSISTANT, "Analysis"),
            LineageMessage(2, MessageRole.USER, "Fork it", "Ann"),
            LineageMessage(3, MessageRole.NOTE, "Mind the TTL", "Bob"),
            LineageMessage(4, MessageRole.USER, "Now?", "Ann"),
            LineageMessage(6, MessageRole.USER, "And now?", "Ann"),
        ],
        question_position=4,
        fork_position=2,
        hypothesis=hypothesis,
    )

    assert request == TurnRequest(
        session=SESSION,
        question="Now?",
        purpose="reply",
        hypothesis=hypothesis,
        ancestors=(
            Turn(MessageRole.ASSISTANT, "Analysis"),
            Turn(MessageRole.USER, "Fork it", "Ann"),
        ),
        tail=(Turn(MessageRole.NOTE, "Mind the TTL", "Bob"),),
    )


@given(st.data(), st.integers(1, 12))
def test_history_is_what_stands_before_the_question_in_the_lineages_order(
    data: st.DataObject, length: int
) -> None:
    lineage = [message(position, f"text {position}") for position in range(1, length + 1)]
    asked = data.draw(st.integers(1, length))
    fork = data.draw(st.integers(0, asked - 1))
    shuffled = data.draw(st.permutations(lineage))

    request = reply_request(SESSION, lineage=shuffled, question_position=asked, fork_position=fork)

    assert [turn.text for turn in request.ancestors] == [f"text {p}" for p in range(1, fork + 1)]
    assert [turn.text for turn in request.tail] == [f"text {p}" for p in range(fork + 1, asked)]
    assert request.question == f"text {asked}"
    assert request.question not in [turn.text for turn in (*request.ancestors, *request.tail)]


def test_siblings_share_their_ancestors_whatever_they_said_since() -> None:
    shared = [message(1, "one"), message(2, "two")]
    first = reply_request(
        SESSION, lineage=[*shared, message(3, "A?")], question_position=3, fork_position=2
    )
    second = reply_request(
        SESSION,
        lineage=[*shared, message(3, "B"), message(4, "B?")],
        question_position=4,
        fork_position=2,
    )

    assert first.ancestors == second.ancestors


def test_a_question_outside_the_lineage_is_an_error() -> None:
    with pytest.raises(ValueError, match="No message at position 2"):
        reply_request(SESSION, lineage=[message(1, "Hello")], question_position=2)


def test_an_intake_asks_about_the_intake_itself() -> None:
    assert intake_request(SESSION) == TurnRequest(
        session=SESSION, question="Printer is offline", purpose="intake"
    )
