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
    fitted_request,
    fitted_task,
    tokens,
    turn_tokens,
)
from services.ai.port import (
    Attachment,
    Conversation,
    Hypothesis,
    Image,
    Segment,
    SessionFacts,
    Turn,
    TurnRequest,
)
from services.ai.prompts import SYSTEM, task_prompt, turn_prompt
from services.ai.tasks import AnalyseBranch, HypothesisFacts

BUDGET = Budget()
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
@given(TEXTS, FILES, st.lists(TEXTS, max_size=3))
def test_any_question_fits(text: str, files: list[Attachment], volatile: list[str]) -> None:
    asked = Turn(1, MessageRole.USER, text, attachments=tuple(files))
    request = TurnRequest(Conversation(SessionFacts("Mail")), asked, volatile=tuple(volatile))

    kept = fitted_request(request, BUDGET)

    assert turn_tokens(kept.question) <= QUESTION
    assert sum(tokens(block) for block in kept.volatile) <= VOLATILE
    if turn_tokens(asked) <= QUESTION:
        assert kept.question == asked


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
