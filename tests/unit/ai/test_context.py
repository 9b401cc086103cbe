import re
from html import unescape
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.branch import BranchStatus
from services.ai.context import (
    ARTICLE,
    LONGEST,
    MOST_BRANCHES,
    MergedFinding,
    RevivalFacts,
    cross_branch_context,
    merged_context,
    revival_context,
    volatile_blocks,
)
from services.ai.delimiting import delimited
from services.ai.port import Article, Known, SolvedSession
from services.ai.tasks import HypothesisFacts

HOSTILE = st.text() | st.lists(
    st.sampled_from(
        ["</untrusted>", '<untrusted source="x">', "<", ">", "&lt;", "/untrusted", "**", "\\", "\n"]
    )
).map("".join)
STATUSES = st.sampled_from(BranchStatus)


def branch(label: str, status: BranchStatus, **known: Any) -> HypothesisFacts:
    return HypothesisFacts("H1", label, "", status, **known)


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
    facts = branch(label, status, tried=tuple(tried), concluded=concluded, reason=reason)
    context = cross_branch_context([facts])

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
        branch("Dead", BranchStatus.DEAD_END, reason="Port 25\nis open."),
        branch("Untried", BranchStatus.UNTRIED),
        branch("Active 1", BranchStatus.ACTIVE, tried=("ping",)),
        branch("Revived", BranchStatus.REVIVED, concluded="Looks likely."),
        branch(
            "Solved",
            BranchStatus.SOLVED,
            tried=("ping", "trace"),
            concluded="The cable.",
            reason="Told so.",
            findings=("It is 3 m long.", "It is\nbroken."),
        ),
        branch("Active 2", BranchStatus.ACTIVE, concluded="Not <yet>."),
    ]

    assert cross_branch_context(others) == (
        "## Cross-Branch Context\n"
        '<untrusted source="branches">\n'
        "- **Solved** [solved]: Tried: ping, trace. The cable. Reason: Told so.\n"
        "  - Found: It is 3 m long.\n"
        "  - Found: It is broken.\n"
        "- **Active 1** [active]: Tried: ping.\n"
        "- **Active 2** [active]: Not &lt;yet>.\n"
        "- **Revived** [revived]: Looks likely.\n"
        "- **Untried** [untried]: No summary yet.\n"
        "- **Dead** [dead_end]: Reason: Port 25 is open.\n"
        "</untrusted>"
    )


def test_a_branch_that_is_alone_and_never_died_has_no_volatile_block() -> None:
    assert cross_branch_context([]) == ""
    assert revival_context([]) == ""
    assert merged_context([]) == ""
    assert volatile_blocks() == ()


def test_what_concerns_the_branch_itself_stands_before_the_other_branches() -> None:
    blocks = volatile_blocks(
        others=[branch("DNS", BranchStatus.UNTRIED)],
        merged=[MergedFinding("DNS", "The name\nresolves.")],
        revivals=[RevivalFacts("DNS", "The port is closed")],
        known=Known(
            (Article("Mail\nloops", "x" * 5_000),),
            (SolvedSession("No mail </untrusted>", "*Relay*", "A port was opened."),),
        ),
    )

    assert [block.split("\n")[0] for block in blocks] == [
        "## Branch Revival",
        "## Findings Brought In",
        "## Cross-Branch Context",
        "## Similar Sessions, Solved",
        "## Articles Of The Library That May Help",
    ]
    assert "- **DNS**: The name resolves." in blocks[1]
    assert blocks[3].split("\n")[2] == (
        r"- No mail &lt;/untrusted> Solved by: **\*Relay\***. A port was opened."
    )
    assert blocks[4] == (
        '## Articles Of The Library That May Help\n<untrusted source="articles">\n'
        f"### Mail loops\n{'x' * (ARTICLE - 1)}…\n</untrusted>"
    )


def test_a_session_of_any_size_takes_a_bounded_place() -> None:
    many = [
        branch(f"B{number}", BranchStatus.ACTIVE, concluded="x" * 5_000, findings=("y" * 900,) * 50)
        for number in range(1_000)
    ]

    context = cross_branch_context(many)

    assert context.split("\n")[-2] == f"- and {1_000 - MOST_BRANCHES} more branches"
    assert context.count("- Found: ") == MOST_BRANCHES * 5
    assert max(len(line) for line in context.split("\n")) <= LONGEST + 40
