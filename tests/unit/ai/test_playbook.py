from dataclasses import replace
from unittest.mock import ANY

import pytest

from models.message import MessageRole
from models.session import ConfidenceTier
from services.ai.cards import Card, load_cards
from services.ai.playbook import PlaybookProvider
from services.ai.port import (
    ActionStep,
    Article,
    Attachment,
    Done,
    Hypothesis,
    InfoRequestStep,
    IntakeAnalysis,
    IntakeAnalysisStep,
    Known,
    NoteStep,
    SessionFacts,
    SolvedSession,
    TextDelta,
    Turn,
    TurnRequest,
    Usage,
    VerificationStep,
)
from tests.unit.ai.requests import intake_turn, reply_turn

KETTLE = Card.model_validate(
    {
        "id": "kettle",
        "title": "The kettle stays cold",
        "domain": "kitchen",
        "symptoms": ["The kettle stays cold when it is switched on"],
        "keywords": ["kettle", "boil", "0x80070057"],
        "subject": ["kettle"],
        "complaint": ["cold", "not boil"],
        "hypotheses": [
            {
                "label": "Fuse",
                "description": "The fuse has blown.",
                "likelihood": 0.3,
                "checks": [
                    {
                        "do": "Switch the lamp on.",
                        "expect": "The lamp is lit.",
                        "denied": "The lamp is dark.",
                        "if_yes": "There is power.",
                        "if_no": "The whole kitchen is dark.",
                    },
                    {
                        "do": "Look at the fuse.",
                        "expect": "The wire is whole.",
                        "denied": "The wire has burnt through.",
                        "if_yes": "The fuse is good.",
                        "if_no": "Put in a new one.",
                        "yes_means": "refuted",
                        "no_means": "confirmed",
                    },
                ],
            },
            {
                "label": "Plug",
                "description": "The plug is loose.",
                "likelihood": 0.6,
                "checks": [
                    {
                        "kind": "action",
                        "do": "Push the plug in.",
                        "expect": "The kettle warms up.",
                        "denied": "The kettle stays cold with its plug pushed in.",
                        "if_yes": "It was the plug.",
                        "if_no": "It was in already.",
                    }
                ],
            },
        ],
        "resolution": "Boil a litre.",
        "rule_out": ["There is no water in it."],
    }
)
CARDS = (KETTLE, *load_cards())
INTAKE = "The kettle stays cold. It shows 0x80070057."
FUSE = Hypothesis("Fuse", "The fuse has blown.")
PLUG = Hypothesis("Plug", "The plug is loose.")


async def ask(provider: PlaybookProvider, request: TurnRequest) -> tuple[str, Done]:
    *deltas, done = [item async for item in provider.stream_turn(request)]
    assert isinstance(done, Done)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), done


class Talk:
    """A branch, or the trunk, on which every message gets its answer."""

    def __init__(
        self,
        hypothesis: Hypothesis | None = None,
        intake: str = INTAKE,
        cards: tuple[Card, ...] = CARDS,
    ) -> None:
        self.provider = PlaybookProvider(cards)
        self.session = SessionFacts(intake)
        self.hypothesis = hypothesis
        self.lineage: list[Turn] = []

    def add(self, role: MessageRole, text: str) -> None:
        self.lineage.append(Turn(len(self.lineage) + 1, role, text))

    async def open(self) -> tuple[str, Done]:
        text, done = await ask(self.provider, intake_turn(self.session))
        self.add(MessageRole.USER, self.session.intake)
        self.add(MessageRole.ASSISTANT, text)
        return text, done

    async def say(self, text: str) -> tuple[str, Done]:
        request = reply_turn(self.session, self.lineage, text, hypothesis=self.hypothesis)
        self.add(MessageRole.USER, text)
        answer, done = await ask(self.provider, request)
        self.add(MessageRole.ASSISTANT, answer)
        return answer, done


async def test_the_first_answer_says_what_it_is_and_proposes_the_cards_causes() -> None:
    text, done = await Talk().open()

    analysis = ("The kettle stays cold. It shows 0x80070057.", "kitchen")
    assert text.startswith("This is the offline playbook: fixed troubleshooting cards, no AI.")
    assert "The kettle stays cold** (kettle, stays, cold, 0x80070057)" in text
    assert "- There is no water in it." in text
    assert done.model == "playbook"
    assert done.usage == Usage()
    assert done.confidence is None
    assert done.intake is not None
    assert (done.intake.summary, done.intake.domain) == analysis
    assert done.intake.confidence_tier == ConfidenceTier.GUIDED
    assert done.intake.signals == ("0x80070057", "kettle", "stays", "cold")
    assert done.step == IntakeAnalysisStep(*analysis, done.intake.signals)
    assert done.fork is not None
    assert done.fork.to_json() == {
        "reason": "The card “The kettle stays cold” knows 2 causes of this.",
        "options": [
            {"label": "Plug", "description": "The plug is loose.", "likelihood": 0.7},
            {"label": "Fuse", "description": "The fuse has blown.", "likelihood": 0.2},
        ],
    }


async def test_without_a_card_it_says_so_and_asks_what_was_not_told() -> None:
    text, done = await Talk(intake="The radio is silent since Monday.").open()

    assert text.startswith("This is the offline playbook: fixed troubleshooting cards, no AI.")
    assert "No matching playbook for this description." in text
    assert done.fork is None
    assert done.intake == IntakeAnalysis("The radio is silent since Monday.", "general")
    assert isinstance(done.step, InfoRequestStep)
    questions = done.step.request.split("\n")
    assert [question.split()[1] for question in questions] == ["What", "Who", "Is"]


async def test_what_is_known_of_the_domain_is_kept_without_a_card() -> None:
    session = SessionFacts("The radio is silent.", "audio")

    _, done = await ask(PlaybookProvider(CARDS), intake_turn(session))

    assert done.intake == IntakeAnalysis("The radio is silent.", "audio")


async def test_the_trunk_never_asks_twice_and_then_admits_that_it_is_at_its_end() -> None:
    talk = Talk(intake="The radio is silent.")
    first, _ = await talk.open()
    second, _ = await talk.say("I cannot tell.")
    third, done = await talk.say("Neither this.")

    asked = [line for text in (first, second) for line in text.split("\n") if line[:2] == "- "]
    assert len(asked) == len(set(asked)) == 5
    assert "no more questions" in third
    assert isinstance(done.step, NoteStep)


async def test_the_trunk_finds_the_card_in_what_is_told_later_and_offers_it_once() -> None:
    talk = Talk(intake="Help please.")
    await talk.open()
    talk.add(MessageRole.NOTE, "She means the kettle.")
    offered, found = await talk.say("The kettle stays cold when switched on.")
    again, after = await talk.say("And now?")

    assert "match the card **The kettle stays cold**" in offered
    assert found.fork is not None
    assert isinstance(found.step, IntakeAnalysisStep)
    assert found.intake is None
    assert after.fork is None
    assert again.startswith("The card **The kettle stays cold** still fits best.")


async def test_a_branch_goes_through_its_checks_one_by_one() -> None:
    talk = Talk(FUSE)

    text, done = await talk.say("Let us see.")
    assert text.startswith("Offline playbook, no AI. Card **The kettle stays cold**")
    assert "**Check 1 of 2**\nSwitch the lamp on.\n\nExpected: The lamp is lit." in text
    assert done.step == VerificationStep("Switch the lamp on.", "The lamp is lit.")

    text, done = await talk.say("Yes, it is.")
    assert text.startswith("Check 1: yes. There is power.\n\n**Check 2 of 2**\nLook at the fuse.")
    assert done.step == VerificationStep("Look at the fuse.", "The wire is whole.")

    text, done = await talk.say("no")
    assert text.startswith("Check 2: no. Put in a new one.\n\n**Conclusion**\n")
    assert "Check 2 supports “Fuse”.\n- Check 1, “The lamp is lit.”: yes\n" in text
    assert text.endswith(
        "**Proposal**\nBefore you close: Boil a litre. If that holds, mark this branch as solved. "
        "That is a proposal; the decision is yours."
    )
    assert isinstance(done.step, NoteStep)


async def test_the_answer_chooses_what_it_means() -> None:
    talk = Talk(FUSE)
    for reply in ("Go.", "It isn't lit."):
        text, _ = await talk.say(reply)
    assert text.startswith("Check 1: no. The whole kitchen is dark.")

    text, _ = await talk.say("The wire is whole")
    assert "Check 2 speaks against “Fuse”." in text
    assert "Mark this branch as a dead end, with the reason: “The wire is whole.” That" in text


async def test_an_unclear_reply_leaves_the_check_open() -> None:
    talk = Talk(FUSE)
    await talk.say("Go.")

    text, done = await talk.say("The lamp is from 1970.")

    assert text.startswith("That was no clear yes or no, so the check stays open.")
    assert done.step == VerificationStep("Switch the lamp on.", "The lamp is lit.")


async def test_checks_that_settle_nothing_end_without_a_verdict() -> None:
    talk = Talk(PLUG)
    _, done = await talk.say("Go.")
    assert done.step == ActionStep("Push the plug in.", "The kettle warms up.")

    text, _ = await talk.say("It doesn't work")

    assert "All 1 checks are done; none settles “Plug”." in text
    assert "Mark this branch as a dead end if you have no test of your own left" in text


async def test_undo_takes_the_last_answer_back_even_after_the_conclusion() -> None:
    talk = Talk(FUSE)
    for reply in ("Go.", "yes", "yes"):
        concluded, _ = await talk.say(reply)
    assert "speaks against" in concluded

    text, done = await talk.say("Undo!")
    assert text.startswith("The answer to check 2 is taken back.\n\n**Check 2 of 2**")
    assert done.step == VerificationStep("Look at the fuse.", "The wire is whole.")

    text, _ = await talk.say("no")
    assert "Check 2 supports “Fuse”." in text


async def test_after_the_conclusion_further_words_change_nothing() -> None:
    talk = Talk(FUSE)
    for reply in ("Go.", "yes", "no"):
        await talk.say(reply)

    for further in ("Yes, thanks!", "No idea", "What now?"):
        text, done = await talk.say(further)
        assert text == (
            "The checks of this card are done, and the playbook can say no more here. Check 2 supports "
            "“Fuse”. You can mark this branch as solved once the repair has held; undo takes the last "
            "answer back."
        )
        assert done.step == NoteStep(text)

    await talk.say("undo")
    await talk.say("yes")
    text, _ = await talk.say("What now?")
    assert "Check 2 speaks against “Fuse”. You can mark this branch as a dead end and open" in text


async def test_a_person_or_a_note_cannot_pose_as_the_playbook() -> None:
    talk = Talk(FUSE)
    talk.add(MessageRole.USER, "**Check 2 of 2**\nyes")
    talk.add(MessageRole.NOTE, "**Check 2 of 2**\nyes")

    _, done = await talk.say("no")

    assert done.step == VerificationStep("Switch the lamp on.", "The lamp is lit.")


async def test_a_hypothesis_of_ones_own_gets_no_invented_checks() -> None:
    text, done = await Talk(Hypothesis("Poltergeist", "Somebody walks at night.")).say("Go.")

    assert text.startswith("No card covers the hypothesis “Poltergeist”")
    assert isinstance(done.step, InfoRequestStep)
    assert done.fork is None


async def test_something_near_is_offered_by_name_and_answers_settle_nothing() -> None:
    own = Hypothesis(
        "The fuse of the kettle is too weak", "The fuse of the kettle has blown twice."
    )
    talk = Talk(own)
    text, _ = await talk.say("Go.")

    assert text.startswith("No card covers the hypothesis “The fuse of the kettle is too weak”")
    assert "knows a check for something near it, “Fuse”: Switch the lamp on." in text
    assert "**Check" not in text
    for reply in ("yes", "no"):
        again, done = await talk.say(reply)
        assert "**Check" not in again
        assert "**Conclusion**" not in again
        assert done.fork is None


@pytest.mark.parametrize("reply", ["yes", "no"])
async def test_every_shipped_hypothesis_is_walked_to_a_conclusion(reply: str) -> None:
    cards = load_cards()
    for card in cards:
        for known in card.hypotheses:
            talk = Talk(Hypothesis(known.label, known.description), cards=cards)
            text, _ = await talk.say("Go.")
            assert f"**Check 1 of {len(known.checks)}**\n{known.checks[0].do}" in text
            said = [(await talk.say(reply))[0] for _ in known.checks]
            assert sum("**Conclusion**" in text for text in said) == 1, known.label


RECORDS = Known(
    (Article("Descaling", "Use vinegar."),),
    (SolvedSession("Tea was cold", "Fuse", "A new fuse."), SolvedSession("No tea", None, None)),
)
TOLD_OF_RECORDS = (
    "\n\nYour own records share words with this:\n"
    "- **Descaling**, an article of your library\n"
    "- “Tea was cold”, a session that was solved by **Fuse**: A new fuse.\n"
    "- “No tea”, a session that was solved"
)


@pytest.mark.parametrize("intake", ["The kettle is cold", "The samovar leaks"])
async def test_what_the_account_has_itself_is_named_with_a_card_and_without(intake: str) -> None:
    plain = intake_turn(SessionFacts(intake))
    text, done = await ask(PlaybookProvider(CARDS), replace(plain, known=RECORDS))
    alone, without = await ask(PlaybookProvider(CARDS), plain)
    assert text == alone + TOLD_OF_RECORDS
    assert done == without


async def test_what_was_named_once_is_not_named_again() -> None:
    said = [
        Turn(1, MessageRole.USER, "The samovar leaks"),
        Turn(2, MessageRole.ASSISTANT, "No matching playbook." + TOLD_OF_RECORDS),
    ]
    again = reply_turn(SessionFacts("The samovar leaks"), said, "What now?")
    text, _ = await ask(PlaybookProvider(CARDS), replace(again, known=RECORDS))
    assert "Your own records" not in text
    more = Known((*RECORDS.articles, Article("Leaks", "")), RECORDS.sessions)
    text, _ = await ask(PlaybookProvider(CARDS), replace(again, known=more))
    assert text.endswith("with this:\n- **Leaks**, an article of your library")


LOG = Attachment("kettle.log", "text/plain", "Log of 9 lines; with 0x80070057.", "Lines: 9")


@pytest.mark.parametrize("intake", ["The kettle is cold", "The samovar leaks"])
async def test_what_was_read_in_files_is_told_first(intake: str) -> None:
    plain = intake_turn(SessionFacts(intake))
    sent = replace(plain, question=replace(plain.question, attachments=(LOG,)))
    alone, _ = await ask(PlaybookProvider(CARDS), plain)
    text, done = await ask(PlaybookProvider(CARDS), sent)
    told = "In your files:\n- **kettle.log**: Log of 9 lines; with 0x80070057.\n\n"
    opening, rest = alone.split("\n\n", 1)
    assert text == f"{opening}\n\n{told}{rest}"
    assert done.intake is not None
    assert done.intake.signals[0] == "0x80070057"

    later = reply_turn(SessionFacts(intake), [], "Look")
    alone, _ = await ask(PlaybookProvider(CARDS), later)
    later = replace(later, question=replace(later.question, attachments=(LOG,)))
    assert await ask(PlaybookProvider(CARDS), later) == (told + alone, ANY)


async def test_only_the_first_and_the_newest_of_a_long_trunk_are_looked_through() -> None:
    talk = Talk(intake="Something is wrong in the kitchen.")
    await talk.open()
    talk.add(MessageRole.USER, "The kettle stays cold.")
    for number in range(3):
        talk.add(MessageRole.NOTE, f"Note {number}. {'and so on, ' * 720}")

    text, _ = await talk.say("What now?")
    assert "Still no matching playbook." in text
    text, _ = await talk.say("The kettle stays cold.")
    assert "Your words match the card **The kettle stays cold**" in text


@pytest.mark.parametrize(
    ("room", "causes", "said"),
    [
        (None, 3, "Fork into these hypotheses; each branch"),
        (3, 3, "Fork into these hypotheses; each branch"),
        (2, 2, "Fork into the 2 likeliest, for which your plan has room; each branch"),
        (1, 0, "No fork is proposed: your plan leaves room for one more hypothesis only"),
        (0, 0, "No fork is proposed: your plan leaves room for no more hypothesis in"),
    ],
)
async def test_no_more_causes_are_proposed_than_the_plan_has_room_for(
    room: int | None, causes: int, said: str
) -> None:
    request = intake_turn(SessionFacts("Emails missing from inbox"))
    text, done = await ask(PlaybookProvider(load_cards()), replace(request, fork_room=room))
    _, unbound = await ask(PlaybookProvider(load_cards()), request)

    assert unbound.fork is not None
    assert (done.fork.options if done.fork else ()) == unbound.fork.options[:causes]
    assert said in text
