"""The playbook's documents hold what was recorded, each sentence with its source, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from models.branch import BranchStatus
from models.finding import FindingKind
from services.ai.document_tasks import (
    ArticleDraft,
    Case,
    CaseFinding,
    ClientSummary,
    DocumentTask,
    Sentence,
    TicketNotes,
    WriteArticle,
    WriteClientSummary,
    WriteTicketNotes,
)
from services.ai.playbook_documents import write
from services.ai.port import Conversation, HypothesisFacts, SessionFacts

CASE = Case(
    Conversation(SessionFacts("Mail bounces.", domain="mail")),
    "The record was set.",
    "Mail does not arrive",
    "H1",
    (
        HypothesisFacts("H1", "DNS", "The record is old.", BranchStatus.SOLVED, "Set."),
        HypothesisFacts("H2", "Quota", "It is full.", BranchStatus.DEAD_END, "Half is free."),
        HypothesisFacts("H3", "Filter", "It eats mail.", BranchStatus.UNTRIED),
    ),
    (
        CaseFinding("F1", "Trunk", FindingKind.OBSERVED, "Since noon."),
        CaseFinding("F2", "DNS", FindingKind.CONFIRMED, "The record is old."),
    ),
)


def said(text: str, *sources: str) -> Sentence:
    return Sentence(text=text, sources=list(sources))


def test_ticket_notes() -> None:
    assert write(WriteTicketNotes(CASE)) == TicketNotes(
        problem=[said("Mail bounces.", "M1")],
        diagnostic_steps=[
            said("Since noon.", "F1"),
            said("DNS: The record is old.", "F2"),
            said("Given up: Quota: Half is free.", "H2"),
        ],
        resolution=[said("The record was set.", "R"), said("DNS: Set.", "H1")],
    )


def test_article() -> None:
    assert write(WriteArticle(CASE)) == ArticleDraft(
        title="Mail does not arrive",
        symptoms=[said("Mail bounces.", "M1"), said("Since noon.", "F1")],
        root_cause=[said("DNS: Set.", "H1")],
        steps=[said("The record was set.", "R")],
        rule_out_first=[said("Quota: Half is free.", "H2")],
        tags=["mail"],
    )


def test_client_summary() -> None:
    assert write(WriteClientSummary(CASE)) == ClientSummary(
        what_happened=[said("Mail bounces.", "M1")],
        what_was_done=[said("The record was set.", "R")],
    )


def test_a_session_without_a_dead_end_has_none_in_its_article() -> None:
    """Nor a cause where no branch solved it."""
    case = Case(Conversation(SessionFacts("Mail bounces.\nSince noon.")), "It went away.")
    article = write(WriteArticle(case))
    assert article == ArticleDraft(
        title="Mail bounces.",
        symptoms=[said("Mail bounces.\nSince noon.", "M1")],
        steps=[said("It went away.", "R")],
    )


LABELS = st.text(min_size=1, max_size=200).filter(lambda text: text.strip())


@given(
    st.lists(st.tuples(LABELS, st.sampled_from(BranchStatus), LABELS), max_size=6),
    st.lists(LABELS, max_size=6),
    st.sampled_from([WriteTicketNotes, WriteArticle, WriteClientSummary]),
)
def test_every_sentence_names_something_of_the_case(
    hypotheses: list[tuple[str, BranchStatus, str]],
    claims: list[str],
    kind: type[DocumentTask[TicketNotes]],
) -> None:
    case = Case(
        Conversation(SessionFacts("It fails.")),
        "It was mended.",
        hypotheses=tuple(
            HypothesisFacts(f"H{number}", label, "", status, reason)
            for number, (label, status, reason) in enumerate(hypotheses, start=1)
        ),
        findings=tuple(
            CaseFinding(f"F{number}", "Trunk", FindingKind.OBSERVED, claim)
            for number, claim in enumerate(claims, start=1)
        ),
    )
    names = {"M1", "R", *(h.ref for h in case.hypotheses), *(f.ref for f in case.findings)}
    for part in dict(write(kind(case))).values():
        for sentence in part if isinstance(part, list) else ():
            if isinstance(sentence, Sentence):
                assert sentence.sources
                assert set(sentence.sources) <= names
