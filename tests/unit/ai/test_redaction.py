"""Secrets do not reach a model; what only looks like one does."""

import re
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.branch import BranchStatus
from models.finding import FindingKind
from models.handoff import HandoffIntent
from models.message import MessageRole
from services.ai.document_tasks import Case, CaseFinding, WriteArticle
from services.ai.port import (
    Attachment,
    Conversation,
    Hypothesis,
    Segment,
    SessionFacts,
    Turn,
    TurnRequest,
)
from services.ai.redaction import Redactor, find_secrets, redacted_request, redacted_task
from services.ai.tasks import (
    AnalyseBranch,
    DescribeFile,
    GiveSecondOpinion,
    HypothesisFacts,
    PrepareHandoff,
)

_LINES = (Path(__file__).parent / "secrets.txt").read_text("utf-8").splitlines()[1:]
_BREAK = _LINES.index("----")
POSITIVE = [line for line in _LINES[:_BREAK] if "«»" not in line]
NEGATIVE = _LINES[_BREAK + 1 :]
SECRET = "password: hunter2-very-secret"


def redacted(text: str) -> str:
    return Redactor().redact(text)


@pytest.mark.parametrize("line", POSITIVE)
def test_a_secret_and_nothing_else_is_taken_out(line: str) -> None:
    pieces = re.split("[«»]", line)
    expected = "".join(
        re.escape(piece) if place % 2 == 0 else r"\[[A-Z-]+-[12]\]"
        for place, piece in enumerate(pieces)
    )
    assert re.fullmatch(expected, redacted("".join(pieces))), redacted("".join(pieces))


@pytest.mark.parametrize("line", NEGATIVE)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redacted(line) == line


def test_a_private_key_goes_whole_and_its_certificate_stays() -> None:
    body = "\n".join(["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"] * 20)
    pem = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\nAb==\n-----END RSA PRIVATE KEY-----"
    certificate = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"

    assert redacted(f"key:\n{pem}\n{certificate}") == f"key:\n[PRIVATE-KEY-1]\n{certificate}"
    assert redacted(pem[:200]) == "[PRIVATE-KEY-1]"


def test_one_secret_has_one_name_and_is_known_from_then_on() -> None:
    redactor = Redactor()

    assert redactor.redact("I tried hunter2-b") == "I tried hunter2-b"
    assert redactor.redact("password: hunter2-b") == "password: [PASSWORD-1]"
    assert redactor.redact("pwd=other-9 pwd=hunter2-b") == "pwd=[PASSWORD-2] pwd=[PASSWORD-1]"
    assert redactor.redact("hunter2-b again") == "[PASSWORD-1] again"


def test_every_text_of_a_request_is_redacted() -> None:
    file = Attachment(SECRET, "text/plain", SECRET, SECRET, SECRET)
    hypothesis = Hypothesis(SECRET, SECRET)
    turn = Turn(1, MessageRole.USER, SECRET, attachments=(file,))
    lineage = (Segment((turn,)), Segment((turn,), hypothesis, SECRET))
    conversation = Conversation(SessionFacts(SECRET, reference=SECRET), lineage)
    facts = HypothesisFacts(
        "H1", SECRET, SECRET, BranchStatus.ACTIVE, SECRET, None, (SECRET,), SECRET, (SECRET,)
    )
    request = TurnRequest(conversation, turn, volatile=(SECRET,))
    tasks = [
        AnalyseBranch(conversation, 0, (facts,), known=(SECRET,)),
        PrepareHandoff(conversation, HandoffIntent.PARK, SECRET, (facts,)),
        GiveSecondOpinion(SessionFacts(SECRET), (SECRET,)),
        DescribeFile(file),
        WriteArticle(
            Case(
                conversation,
                SECRET,
                hypotheses=(facts,),
                findings=(CaseFinding("F1", SECRET, FindingKind.OBSERVED, SECRET),),
                problem=SECRET,
            )
        ),
    ]

    assert "hunter2" not in repr(redacted_request(request))
    assert repr(redacted_request(request)).count("password: [PASSWORD-1]") == repr(request).count(
        SECRET
    )
    for task in tasks:
        assert "hunter2" not in repr(redacted_task(task))


TEXTS = st.lists(
    st.sampled_from([*POSITIVE[:12], *NEGATIVE[:8], "hunter2", "plain words"]),
    min_size=1,
    max_size=8,
).map(lambda lines: "\n".join(lines).replace("«", "").replace("»", ""))


@given(st.lists(TEXTS, max_size=5), TEXTS, TEXTS)
def test_a_text_is_redacted_by_what_stands_before_it(
    before: list[str], text: str, other: str
) -> None:
    one, another = Redactor(), Redactor()
    said = [one.redact(part) for part in (*before, text)]

    assert [another.redact(part) for part in (*before, text, other)][:-1] == said


@pytest.mark.parametrize(
    "unit",
    [
        "password ",
        "password changed ",
        "changed from x1! to ",
        "login a/",
        "a1! is the ",
        "pin is ",
        "1",
    ],
)
def test_the_time_grows_with_the_text_alone(unit: str) -> None:
    text = f"password {unit * (200_000 // len(unit))}"
    began = process_time()
    find_secrets(text)
    assert process_time() - began < 5


@given(st.text(max_size=300))
def test_any_text_is_read_and_found_secrets_lie_apart(text: str) -> None:
    end = 0
    for found in find_secrets(text):
        assert end <= found.start < found.end <= len(text)
        end = found.end
