"""A prompt keeps within its budget, and moves as seldom as it can."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from models.branch import BranchStatus
from models.message import MessageRole
from services.ai.budget import (
    FIXED,
    IMAGE,
    LONGEST_TURN,
    QUESTION,
    VOLATILE,
    Budget,
    conversation_tokens,
    fitted,
    fitted_blocks,
    fitted_request,
    fitted_task,
    tokens,
    turn_tokens,
)
from services.ai.context import Block, volatile
from services.ai.material import delimited
from services.ai.port import (
    Article,
    Attachment,
    Conversation,
    Hypothesis,
    HypothesisFacts,
    Image,
    Known,
    Segment,
    SessionFacts,
    SolvedSession,
    Turn,
    TurnRequest,
)
from services.ai.prompts import SYSTEM, task_prompt, turn_prompt
from services.ai.tasks import AnalyseBranch

BUDGET = Budget()
FRAME = 60
"""At most that many tokens around the entries of a block."""
SIZES = st.sampled_from([0, 1, 50, 900, 9_000, 30_000])
LETTERS = st.sampled_from(["a", "<", "&", "é", "🎉", "\n", "word "])
TEXTS = st.builds(lambda size, letter: letter * size, SIZES, LETTERS)
FILES = st.lists(
    st.builds(
        Attachment,
        filename=TEXTS,
        content_type=st.just("text/plain"),
        description=st.none() | TEXTS,
        summary=st.none() | TEXTS,
        text=st.none() | TEXTS,
        image=st.none() | st.just(Image("image/png", b"x")),
    ),
    max_size=3,
)
TURNS = st.lists(st.tuples(TEXTS, FILES), max_size=8)
FEW = settings(max_examples=40, deadline=None)


def segment(said: list[tuple[str, list[Attachment]]], first: int, of: Hypothesis | None) -> Segment:
    turns = tuple(
        Turn(first + place, MessageRole.USER, text, attachments=tuple(files))
        for place, (text, files) in enumerate(said)
    )
    return Segment(turns, of)


def talk(count: int, text: str, *, own: int = 0, hypotheses: int = 1) -> Conversation:
    """So many equal turns on the trunk, and on the branch below it."""
    trunk = segment([(text, [])] * count, 1, None)
    branch = segment([(text, [])] * own, count + 1, Hypothesis("DNS", "The name is wrong."))
    return Conversation(SessionFacts("Mail"), (trunk, branch) if hypotheses else (trunk,))


@FEW
@given(st.lists(TURNS, min_size=1, max_size=4), st.integers(0, 28))
def test_any_conversation_fits_and_its_last_word_is_heard(
    said: list[list[tuple[str, list[Attachment]]]], empty: int
) -> None:
    named = Hypothesis("<" * 200, "&" * 500)
    lineage = [segment(turns, 1, named if place else None) for place, turns in enumerate(said)]
    lineage = [*lineage[:-1], *[Segment((), named)] * empty, lineage[-1]]

    kept = fitted(Conversation(SessionFacts("Mail"), tuple(lineage)), BUDGET)

    assert conversation_tokens(kept) <= BUDGET.history
    assert len(kept.lineage) == len(lineage)
    if said[-1]:
        assert kept.lineage[-1].turns[-1].position == lineage[-1].turns[-1].position
    assert all(turn_tokens(turn) <= LONGEST_TURN for turn in kept.turns)


@FEW
@given(TEXTS, FILES)
def test_any_question_fits(text: str, files: list[Attachment]) -> None:
    asked = Turn(1, MessageRole.USER, text, attachments=tuple(files))
    request = TurnRequest(Conversation(SessionFacts("Mail")), asked)

    kept = fitted_request(request, BUDGET)

    assert turn_tokens(kept.question) <= QUESTION
    if turn_tokens(asked) <= QUESTION:
        assert kept.question == asked


BLOCKS = st.lists(
    st.builds(
        Block,
        st.sampled_from(["## Branch Revival", "## Articles Of The Library That May Help"]),
        st.sampled_from(["evidence", "findings of other branches"]),
        st.lists(TEXTS, min_size=1, max_size=8).map(tuple),
        st.integers(0, 900),
    ),
    max_size=5,
).map(tuple)


@FEW
@given(BLOCKS, st.sampled_from([0, 200, 3_000, VOLATILE]))
def test_blocks_are_trimmed_by_entry_and_each_is_told_where_something_fits(
    blocks: tuple[Block, ...], room: int
) -> None:
    kept = fitted_blocks(blocks, room)

    written = (f"{block.heading}\n{delimited(block.source, block.text)}" for block in kept)
    assert sum(len(text.encode()) for text in written) <= 3 * room
    told = {id(block): [one for one in kept if one.heading == block.heading] for block in blocks}
    for block in blocks:
        smallest = min(tokens(entry) for entry in block.entries)
        if smallest + FRAME <= room // len(blocks):
            assert told[id(block)]
    if any(min(tokens(entry) for entry in b.entries) + FRAME <= room for b in blocks):
        assert kept
    for block in kept:
        assert block.entries
        assert any(
            one.more + len(one.entries) == block.more + len(block.entries)
            and set(block.entries) <= set(one.entries)
            for one in blocks
        )


def test_what_fits_into_the_room_is_told_whole() -> None:
    blocks = (
        Block("## Branch Revival", "evidence", ("x" * 9_000, "y" * 9_000)),
        Block("## Cross-Branch Context", "branches", ("z" * 900,) * 10),
    )

    assert fitted_blocks(blocks) == blocks


def test_many_branches_with_full_entries_leave_room_for_what_is_known() -> None:
    full = HypothesisFacts(
        "H1", "l" * 200, "d" * 500, BranchStatus.ACTIVE, "r" * 2_000, 0.5,
        ("t" * 300,) * 12, "c" * 1_000, ("f" * 300,) * 9,
    )  # fmt: skip
    named = [replace(full, label=f"B{number}") for number in range(60)]
    known = Known((Article("Mail loops", "x" * 9_000),), (SolvedSession("No mail", "Relay", None),))
    request = TurnRequest(
        talk(2, "word"),
        Turn(3, MessageRole.USER, "And now?"),
        volatile=volatile(others=named),
        known=known,
    )

    branches, sessions, library, _ = (part.text for part in turn_prompt(request).messages[-1].parts)

    told = [line for line in branches.split("\n") if line.startswith("- **")]
    assert len(told) >= 10
    assert [line.split("**")[1] for line in told] == [f"B{number}" for number in range(len(told))]
    assert f"- and {60 - len(told)} more" in branches
    assert "No mail" in sessions
    assert "### Mail loops" in library
    assert tokens(branches) + tokens(sessions) + tokens(library) <= VOLATILE + 3


@FEW
@given(st.integers(0, 60), st.integers(0, 60), SIZES)
def test_a_written_prompt_is_no_larger_than_its_budget(trunk: int, own: int, size: int) -> None:
    request = TurnRequest(
        talk(trunk, "<w&" * (size // 3), own=own), Turn(999, MessageRole.USER, "& " * 60_000)
    )

    prompt = turn_prompt(request)

    written = "".join(part.text for message in prompt.messages for part in message.parts)
    assert len(written.encode()) // 3 <= BUDGET.total - FIXED
    assert len(SYSTEM.encode()) // 3 < FIXED // 2


def test_what_fits_is_left_alone() -> None:
    conversation = talk(100, "word " * 20, own=50)

    assert fitted(conversation, BUDGET) == conversation


def test_what_is_left_out_is_told_in_a_line_each() -> None:
    kept = fitted(talk(0, "word " * 900, own=40), BUDGET)

    own = kept.lineage[-1]
    lines = own.digest.split("\n")
    assert lines[0].startswith("1 (user): word word")
    assert len(lines[0]) < 200
    assert len(lines) + len(own.turns) == 40
    assert [turn.position for turn in own.turns] == list(range(41 - len(own.turns), 41))


def test_siblings_share_what_is_left_of_their_ancestors() -> None:
    short, long = talk(300, "word " * 200), talk(300, "word " * 200, own=300)
    assert conversation_tokens(short) > BUDGET.ancestors

    assert fitted(short, BUDGET).lineage[0] == fitted(long, BUDGET).lineage[0]


def test_a_growing_branch_is_cut_seldom_and_begins_with_what_it_was_in_between() -> None:
    cuts, before = 0, fitted(talk(4, "word " * 300), BUDGET).lineage[-1]
    for own in range(1, 301):
        now = fitted(talk(4, "word " * 300, own=own), BUDGET).lineage[-1]
        if now.digest != before.digest:
            cuts += 1
        else:
            assert now.turns[: len(before.turns)] == before.turns
        before = now
    # A turn is 508 tokens and the room 47,936: 94 of them, then half as many again and again.
    assert cuts == 5


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    text = f"begin {'x' * 200_000} end"
    turn = Turn(1, MessageRole.USER, text)

    kept = fitted_request(TurnRequest(Conversation(SessionFacts("Mail")), turn), BUDGET).question

    assert kept.text.startswith("begin ")
    assert kept.text.endswith(" end")
    assert "characters left out …]" in kept.text


def test_an_image_counts_and_gives_way_last() -> None:
    picture = Attachment("a.png", "image/png", image=Image("image/png", b"x"))
    log = replace(picture, text="x" * 300_000)
    turn = Turn(1, MessageRole.USER, "Look", attachments=(log, picture))

    kept = fitted_request(TurnRequest(Conversation(SessionFacts("Mail")), turn), BUDGET).question

    assert turn_tokens(replace(turn, attachments=(picture,))) > IMAGE
    assert [file.image is not None for file in kept.attachments] == [True, True]
    assert turn_tokens(kept) <= QUESTION


def test_an_analysis_of_a_huge_session_fits() -> None:
    facts = HypothesisFacts(
        "H1", "l" * 200, "d" * 500, BranchStatus.DEAD_END, "r" * 2_000, 0.5,
        ("t" * 300,) * 12, "c" * 1_000, ("f" * 300,) * 200,
    )  # fmt: skip
    task = AnalyseBranch(
        talk(900, "word " * 60, hypotheses=0), 0, (facts,) * 500, "H1", ("k" * 300,) * 200
    )

    prompt = task_prompt(task)

    written = sum(len(part.text.encode()) for m in prompt.messages for part in m.parts)
    assert written // 3 <= BUDGET.total - FIXED
    assert len(fitted_task(task).hypotheses) == 60
