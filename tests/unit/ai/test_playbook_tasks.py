"""What the offline provider keeps book of: only what was recorded, and never more."""

from dataclasses import replace
from typing import Any

import pytest

from models.branch import BranchStatus
from models.finding import Bearing, FindingKind
from models.handoff import Confidence, HandoffIntent
from models.message import MessageRole
from services.ai.contradiction import contradicts
from services.ai.playbook import PlaybookProvider
from services.ai.port import (
    Attachment,
    Conversation,
    Hypothesis,
    HypothesisFacts,
    Image,
    Segment,
    SessionFacts,
    Turn,
    TurnRequest,
    Usage,
)
from services.ai.tasks import (
    AnalyseBranch,
    Analysis,
    DescribeFile,
    GiveSecondOpinion,
    PrepareHandoff,
)
from tests.unit.ai.test_playbook import CARDS, FUSE, INTAKE, PLUG, ask

INTAKE_TURN = Turn(1, MessageRole.USER, INTAKE)
FUSE_FACTS = HypothesisFacts(
    "H1", FUSE.label, FUSE.description, BranchStatus.ACTIVE, likelihood=0.3, prior=0.3
)
PLUG_FACTS = HypothesisFacts(
    "H2", PLUG.label, PLUG.description, BranchStatus.ACTIVE, likelihood=0.6, prior=0.6
)


def playbook() -> PlaybookProvider:
    return PlaybookProvider(CARDS)


async def walked(hypothesis: Hypothesis, *replies: str) -> Conversation:
    """A branch on which the playbook's checks were answered so."""
    turns: list[Turn] = []
    for reply in ("Go.", *replies):
        asked = Turn(len(turns) + 2, MessageRole.USER, reply)
        conversation = talk(hypothesis, turns)
        text, _ = await ask(playbook(), TurnRequest(conversation, asked))
        turns += [asked, Turn(asked.position + 1, MessageRole.ASSISTANT, text)]
    return talk(hypothesis, turns)


def talk(hypothesis: Hypothesis | None, turns: list[Turn]) -> Conversation:
    trunk = Segment((INTAKE_TURN,))
    if hypothesis is None:
        return Conversation(SessionFacts(INTAKE), (Segment((INTAKE_TURN, *turns)),))
    return Conversation(SessionFacts(INTAKE), (trunk, Segment(tuple(turns), hypothesis)))


async def analysed(conversation: Conversation, **given: Any) -> Analysis:
    task = AnalyseBranch(conversation, given.pop("since", 0), **given)
    outcome = await playbook().perform(task)
    assert (outcome.model, outcome.usage) == ("playbook", Usage())
    return outcome.result


# ------------------------------------------------------------------ findings and ranking


async def test_each_answered_check_is_a_finding_with_its_message_and_its_bearing() -> None:
    conversation = await walked(FUSE, "yes", "no")

    analysis = await analysed(conversation, hypotheses=(FUSE_FACTS, PLUG_FACTS), own="H1")

    told = [
        (one.kind, one.claim, one.evidence, [(b.hypothesis, b.bearing) for b in one.bearings])
        for one in analysis.findings
    ]
    assert told == [
        (FindingKind.OBSERVED, "The lamp is lit.", [4], [("H1", Bearing.NEUTRAL)]),
        (FindingKind.CONFIRMED, "The wire has burnt through.", [6], [("H1", Bearing.EXPLAINS)]),
    ]
    assert analysis.tried == [
        "Switch the lamp on. Expected: The lamp is lit. Answered: yes",
        "Look at the fuse. Expected: The wire is whole. Answered: no",
    ]
    assert analysis.concluded == "Check 2 supports “Fuse”. The wire has burnt through."
    assert analysis.contradictions == []


async def test_a_verdict_ranks_the_hypotheses_by_fixed_odds() -> None:
    conversation = await walked(FUSE, "yes", "no")

    analysis = await analysed(conversation, hypotheses=(FUSE_FACTS, PLUG_FACTS), own="H1")

    # 0.3 x 20 = 6 beside 0.6 and the 0.1 that is left to other causes.
    ranked = [(one.hypothesis, one.likelihood, one.next_check) for one in analysis.ranking]
    assert ranked == [("H1", 0.896, None), ("H2", 0.09, "Push the plug in.")]
    assert {one.why for one in analysis.ranking} == {"Check 2 supports “Fuse”."}


async def ranked(conversation: Conversation, **given: Any) -> dict[str, float]:
    analysis = await analysed(conversation, own="H1", **given)
    return {one.hypothesis: one.likelihood for one in analysis.ranking}


async def test_the_same_record_gives_the_same_ranking_whatever_was_ranked_before() -> None:
    conversation = await walked(FUSE, "yes", "no", "undo", "yes", "undo", "no")
    for likelihood in (0.3, 0.896, 0.016, 0.001):
        facts = (replace(FUSE_FACTS, likelihood=likelihood), PLUG_FACTS)
        for since in (0, len(list(conversation.turns))):
            assert await ranked(conversation, hypotheses=facts, since=since) == {
                "H1": 0.896,
                "H2": 0.09,
            }


async def test_an_answer_that_was_taken_back_leaves_the_likelihoods_that_the_fork_gave() -> None:
    conversation = await walked(FUSE, "yes", "no", "undo")
    moved = (replace(FUSE_FACTS, likelihood=0.896), replace(PLUG_FACTS, likelihood=0.09))

    assert await ranked(conversation, hypotheses=moved) == {"H1": 0.3, "H2": 0.6}
    assert await ranked(conversation, hypotheses=(FUSE_FACTS, PLUG_FACTS)) == {}


async def test_other_branches_weigh_by_what_is_held_of_them() -> None:
    conversation = await walked(FUSE, "yes")
    given_up = replace(PLUG_FACTS, status=BranchStatus.DEAD_END)
    # 0.6 / 20 = 0.03 beside 0.3 and the 0.1 that is left to other causes.
    assert await ranked(conversation, hypotheses=(FUSE_FACTS, given_up)) == {"H1": 0.698}

    of_a_check = ("The wire has burnt through.",)
    plug = await analysed(
        await walked(PLUG, "no"),
        hypotheses=(replace(FUSE_FACTS, findings=of_a_check), PLUG_FACTS),
        own="H2",
    )
    # 0.3 x 20 = 6 beside 0.6 and 0.1, since a check of the other branch says so.
    assert [one.likelihood for one in plug.ranking] == [0.896, 0.09]


async def test_findings_that_an_answer_gave_are_withdrawn_with_it() -> None:
    known = ("Somebody smelt smoke.", "the lamp is lit.", "The wire is whole.")
    for replies, withdrawn in (
        (("yes", "yes"), []),
        (("yes", "yes", "undo"), [3]),
        (("yes", "yes", "undo", "no"), [3]),
        (("yes", "yes", "undo", "undo"), [2, 3]),
        (("yes", "yes", "undo", "undo", "no"), [2, 3]),
    ):
        analysis = await analysed(await walked(FUSE, *replies), known=known, own="H1")
        assert analysis.withdrawn == withdrawn, replies


async def test_without_a_card_or_an_answer_there_is_nothing_to_tell() -> None:
    of_ones_own = Hypothesis("Poltergeist", "Somebody walks at night.")
    for conversation in (await walked(of_ones_own, "yes"), await walked(FUSE), talk(None, [])):
        assert await analysed(conversation) == Analysis(
            artifacts=["0x80070057"] if conversation.hypothesis is None else []
        )


async def test_notes_are_findings_but_the_products_own_are_not() -> None:
    notes = ["The plug is\nbrand new.", "[Branch Revived] New evidence"]
    turns = [Turn(2 + place, MessageRole.NOTE, note) for place, note in enumerate(notes)]

    analysis = await analysed(talk(None, turns))

    found = [(one.kind, one.claim, one.evidence) for one in analysis.findings]
    assert found == [(FindingKind.OBSERVED, "The plug is brand new.", [2])]


async def test_what_was_read_in_logs_is_a_finding_with_its_message() -> None:
    log = Attachment("a.log", "text/plain", "Log of 9 lines; 2 errors.", "Lines: 9", "09:14 ERROR")
    plain = Attachment("b.txt", "text/plain", "Text of 1 line.", None, "Hello")
    turns = [
        Turn(2, MessageRole.USER, "Earlier", attachments=(log,)),
        Turn(4, MessageRole.USER, "Here", attachments=(plain, log)),
    ]

    analysis = await analysed(talk(None, turns), since=2)

    found = [(one.kind, one.claim, one.subject, one.evidence) for one in analysis.findings]
    claim = "a.log: Log of 9 lines; 2 errors."
    assert found == [(FindingKind.OBSERVED, claim, "File", [4])]


async def test_what_is_known_is_not_found_again() -> None:
    conversation = await walked(FUSE, "yes")

    analysis = await analysed(conversation, known=("the lamp is lit.",))

    assert analysis.findings == []


# ------------------------------------------------------------------ contradictions


async def test_a_word_against_the_reason_of_a_dead_end_is_a_doubt_with_its_message() -> None:
    dead = HypothesisFacts(
        "H2", "Plug", "", BranchStatus.DEAD_END, reason="The plug in the kitchen is connected."
    )
    said = "I looked again. The plug in the kitchen is not connected!"
    turns = [Turn(2, MessageRole.USER, said)]

    analysis = await analysed(talk(FUSE, turns), hypotheses=(FUSE_FACTS, dead), own="H1")

    (finding,) = analysis.findings
    assert (finding.claim, finding.evidence) == (
        "The plug in the kitchen is not connected!",
        [2],
    )
    (doubt,) = analysis.contradictions
    assert (doubt.hypothesis, doubt.finding) == ("H2", 0)
    assert doubt.why == "It was given up because: The plug in the kitchen is connected."


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Port 25 is closed.", "Port 25 is open from outside.", True),
        ("The backup service isn't running.", "The backup service is running", True),
        ("The MX record is wrong", "We checked. The MX record is correct.", True),
        ("The certificate has expired", "certificate of the gateway valid", False),
        ("Port 25 is open", "Port 25 is open from outside.", False),
        ("Port 25 is not closed", "Port 25 is open", False),
        ("The printer is offline.", "Port 25 is open.", False),
        ("", "Port 25 is open.", False),
        ("not", "not", False),
    ],
)
def test_opposite_words_about_the_same_thing(one: str, other: str, expected: bool) -> None:
    assert contradicts(one, other) is expected
    assert contradicts(other, one) is expected


# ------------------------------------------------------------------ handoffs, opinions, files


async def test_a_handoff_is_put_together_from_the_record() -> None:
    dead = HypothesisFacts(
        "H2", "Plug", "The plug is loose.", BranchStatus.DEAD_END, reason="It sits tight."
    )
    leader = HypothesisFacts(
        "H1",
        "Fuse",
        FUSE.description,
        BranchStatus.ACTIVE,
        likelihood=0.95,
        findings=("It is dark.",),
    )
    task = PrepareHandoff(
        await walked(FUSE, "yes"), HandoffIntent.ESCALATE, "Hurry.", (leader, dead)
    )

    draft = (await playbook().perform(task)).result

    assert (draft.likely_cause, draft.confidence) == ("Fuse", Confidence.HIGH)
    assert draft.suggested_steps == ["Look at the fuse."]
    assert draft.next_step == "Look at the fuse."
    assert (draft.waiting_on, draft.watch_out) == (None, [])
    assert draft.briefing == (
        f"Problem: {INTAKE}\n"
        "Likeliest so far: Fuse\n"
        "Found: It is dark.\n"
        "Ruled out: Plug. It sits tight.\n"
        "Notes: Hurry.\n"
        "Put together from the record by the offline playbook, without AI."
    )


async def test_where_nothing_was_recorded_nothing_is_claimed() -> None:
    task = PrepareHandoff(talk(None, []), HandoffIntent.PARK)

    draft = (await playbook().perform(task)).result

    assert (draft.likely_cause, draft.confidence) == ("Not recorded.", Confidence.LOW)
    assert (draft.next_step, draft.waiting_on, draft.watch_out) == (None, None, [])


async def test_an_opinion_comes_from_a_card_or_there_is_none() -> None:
    kettle = GiveSecondOpinion(SessionFacts("Help please."), ("The kettle stays cold.",))
    radio = GiveSecondOpinion(SessionFacts("The radio is silent."), ())

    matched = (await playbook().perform(kettle)).result
    unmatched = (await playbook().perform(radio)).result

    assert (matched.likely_cause, matched.alternatives) == ("Plug", ["Fuse"])
    assert matched.suggested_steps == ["Push the plug in.", "Switch the lamp on."]
    assert "it is no AI" in matched.reasoning
    assert unmatched.likely_cause == "No matching playbook."
    assert {matched.confidence, unmatched.confidence} == {Confidence.LOW}


async def test_a_file_is_described_by_what_is_known_of_it() -> None:
    log = Attachment("a.log", "text/plain", text="12 lines, 3 errors")
    picture = Attachment("b.png", "image/png", image=Image("image/png", b""))

    described = [(await playbook().perform(DescribeFile(file))).result for file in (log, picture)]

    assert [(one.description, one.summary) for one in described] == [
        ("a.log, text/plain.", "12 lines, 3 errors"),
        ("b.png, image/png; its content was not looked at.", None),
    ]
