import re
from html import unescape
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.branch import BranchStatus
from models.message import MessageRole
from services.ai.context import ARTICLE, LONGEST, MOST_BRANCHES, blocks, volatile
from services.ai.material import delimited
from services.ai.port import (
    NOTHING_KNOWN,
    Article,
    Conversation,
    HypothesisFacts,
    Known,
    MergedFinding,
    RevivalFacts,
    SessionFacts,
    SolvedSession,
    Turn,
    TurnRequest,
    Volatile,
)
from services.ai.prompts import turn_prompt

HOSTILE = st.text() | st.lists(
    st.sampled_from(
        ["</untrusted>", '<untrusted source="x">', "<", ">", "&lt;", "/untrusted", "**", "\\", "\n"]
    )
).map("".join)
STATUSES = st.sampled_from(BranchStatus)


def told(volatile: Volatile, known: Known = NOTHING_KNOWN, question: str = "And now?") -> list[str]:
    """What stands before the question, as it is sent."""
    asked = Turn(3, MessageRole.USER, question)
    request = TurnRequest(Conversation(SessionFacts("Mail")), asked, volatile=volatile, known=known)
    return [part.text for part in turn_prompt(request).messages[-1].parts][:-1]


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
    (block,) = blocks(volatile(others=[facts]), NOTHING_KNOWN)
    context = f"{block.heading}\n{delimited(block.source, block.text)}"

    heading, opening, line, closing = context.split("\n")
    assert heading == "## Cross-Branch Context"
    assert (opening, closing) == ('<untrusted source="branches">', "</untrusted>")
    found = re.match(r"- \*\*((?:\\.|[^\\*])*)\*\* \[(\w+)\]: .", line)
    assert found is not None
    assert found[2] == status.value
    written = " ".join(label.split()).replace("&", "&amp;").replace("<", "&lt;")
    assert len(label) > LONGEST or unescape(re.sub(r"\\(.)", r"\1", found[1])) == unescape(written)


@given(HOSTILE, HOSTILE)
def test_revival_evidence_cannot_end_its_block(label: str, description: str) -> None:
    (context,) = told(Volatile(revivals=(RevivalFacts(label, description),)))

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

    assert told(volatile(others=others)) == [
        (
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
    ]


def test_a_branch_that_is_alone_and_never_died_has_no_volatile_block() -> None:
    assert told(volatile()) == []


def test_what_concerns_the_branch_itself_stands_before_the_other_branches() -> None:
    texts = told(
        volatile(
            others=[branch("DNS", BranchStatus.UNTRIED)],
            merged=[MergedFinding("DNS", "The name\nresolves.")],
            revivals=[RevivalFacts("DNS", "The port is closed")],
        ),
        Known(
            (Article("Mail\nloops", "x" * 5_000),),
            (SolvedSession("No mail </untrusted>", "*Relay*", "A port was opened."),),
        ),
    )

    assert [text.split("\n")[0] for text in texts] == [
        "## Branch Revival",
        "## Findings Brought In",
        "## Cross-Branch Context",
        "## Similar Sessions, Solved",
        "## Articles Of The Library That May Help",
    ]
    assert "- **DNS**: The name resolves." in texts[1]
    assert texts[3].split("\n")[2] == (
        r"- No mail &lt;/untrusted> Solved by: **\*Relay\***. A port was opened."
    )
    assert texts[4] == (
        '## Articles Of The Library That May Help\n<untrusted source="articles">\n'
        f"### Mail loops\n{'x' * (ARTICLE - 1)}…\n</untrusted>"
    )


def test_a_session_of_any_size_takes_a_bounded_place() -> None:
    many = [
        branch(f"B{number}", BranchStatus.ACTIVE, concluded="x" * 5_000, findings=("y" * 900,) * 50)
        for number in range(1_000)
    ]

    (block,) = blocks(volatile(others=many), NOTHING_KNOWN)

    assert block.more == 1_000 - MOST_BRANCHES
    assert block.text.split("\n")[-1] == f"- and {1_000 - MOST_BRANCHES} more"
    assert block.text.count("- Found: ") == MOST_BRANCHES * 5
    assert max(len(line) for line in block.text.split("\n")) <= LONGEST + 40


# ------------------------------------------------------------------ secrets in it


def test_a_secret_is_recognised_before_it_is_written_or_cut() -> None:
    """Written, `&` and `<` are longer than they were; cut, a secret has lost what says that it is one."""
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 30
    texts = "\n".join(
        told(
            volatile(
                revivals=[RevivalFacts("password=Tr0ub4<dor&3", f"{'x' * 380} {key}")],
                merged=[MergedFinding("DNS", "The admin password: Ab&c9xyz!Q")],
                others=[branch("a", BranchStatus.ACTIVE, concluded="Hx&7*kQ2 is not it.")],
            ),
            Known((Article("Keys", f"{'y' * (ARTICLE - 40)}\n{key}"),)),
            question="My password: Hx&7*kQ2",
        )
    )

    for part in ("c9xyz", "dor", "kQ2", "MIIE", "PRIVATE KEY-"):
        assert part not in texts
    assert "- **password=[PASSWORD-2]**: " in texts
    assert "The admin password: [PASSWORD-3]\n" in texts
    assert "[active]: [PASSWORD-1] is not it." in texts


def test_what_the_last_message_names_late_is_taken_out_of_its_beginning() -> None:
    dead = branch("a", BranchStatus.DEAD_END, reason="password: Hx&7kkQ2")
    request = TurnRequest(
        Conversation(SessionFacts("Mail")),
        Turn(3, MessageRole.USER, "Is it Hx&7kkQ2?"),
        volatile=volatile(others=[dead]),
    )

    *_, question = turn_prompt(request).messages[-1].parts

    assert question.text == "Is it [PASSWORD-1]?"
