import json

import pytest

from models.session import StepType
from services.ai.port import (
    ActionStep,
    ForkDraft,
    ForkOption,
    InfoRequestStep,
    IntakeAnalysisStep,
    NoteStep,
    QuestionStep,
    ScriptStep,
    StepDraft,
    VerificationStep,
    step_from_json,
    step_to_json,
)

STEPS = [
    IntakeAnalysisStep("Mail is missing", "email", ("NDR", "5.7.1")),
    QuestionStep("Since when?", ("today", "longer")),
    ActionStep("Restart the spooler", None),
    VerificationStep("ping 10.0.0.1", "It answers"),
    InfoRequestStep("The log, please"),
    ScriptStep("powershell", "Get-Service", "to see services", "none"),
    NoteStep("Noted"),
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.kind)
def test_a_step_survives_storage(step: StepDraft) -> None:
    stored = json.loads(json.dumps(step_to_json(step)))

    assert step_from_json(step.kind, stored) == step


def test_every_step_type_but_the_fork_is_a_step_of_the_port() -> None:
    assert {step.kind for step in STEPS} == set(StepType) - {StepType.FORK}


def test_the_stored_step_has_the_contracts_fields() -> None:
    assert step_to_json(QuestionStep("Since when?", ("today",))) == {
        "question": "Since when?",
        "choices": ["today"],
    }


@pytest.mark.parametrize(
    ("kind", "content", "complaint"),
    [
        (StepType.FORK, {}, "Not written by a provider: fork"),
        (StepType.NOTE, {}, "Incomplete note step"),
        (StepType.NOTE, {"text": None}, "Not a valid value of text: None"),
        (StepType.QUESTION, {"question": "Why?", "choices": "ab"}, "Not a valid value of choices"),
        (StepType.QUESTION, {"question": "Why?", "choices": [1]}, "Not a valid value of choices"),
    ],
)
def test_what_is_no_step_is_refused(
    kind: StepType, content: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        step_from_json(kind, content)


def options(*labels: str) -> tuple[ForkOption, ...]:
    return tuple(ForkOption(label, "Because.") for label in labels)


def test_a_fork_at_its_limits_is_stored_as_fork_branch_takes_it() -> None:
    fork = ForkDraft("r" * 5, (ForkOption("a" * 200, "d" * 500, 1.0), ForkOption("b", "d")))

    assert fork.to_json() == {
        "reason": "rrrrr",
        "options": [
            {"label": "a" * 200, "description": "d" * 500, "likelihood": 1.0},
            {"label": "b", "description": "d", "likelihood": None},
        ],
    }


@pytest.mark.parametrize(
    ("reason", "labels"),
    [
        ("four", ("a", "b")),
        ("    four    ", ("a", "b")),
        ("r" * 2_001, ("a", "b")),
        ("A good reason", ("a",)),
        ("A good reason", tuple("abcdefghijk")),
        ("A good reason", ("DNS", " dns")),
    ],
)
def test_a_fork_that_fork_branch_would_refuse_cannot_be_drafted(
    reason: str, labels: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="fork"):
        ForkDraft(reason, options(*labels))


@pytest.mark.parametrize(
    ("label", "description", "likelihood"),
    [
        ("", "d", None),
        (" ", "d", None),
        ("a" * 201, "d", None),
        ("a", "\n", None),
        ("a", "d" * 501, None),
        ("a", "d", 1.01),
        ("a", "d", float("nan")),
    ],
)
def test_an_option_out_of_bounds_cannot_be_drafted(
    label: str, description: str, likelihood: float | None
) -> None:
    with pytest.raises(ValueError, match=r"option|likelihood"):
        ForkOption(label, description, likelihood)
