from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.session import ConfidenceTier, StepType
from services.ai.guidance import Guidance, Guide, read_guide
from services.ai.port import (
    ActionStep,
    ForkDraft,
    ForkOption,
    InfoRequestStep,
    IntakeAnalysis,
    IntakeAnalysisStep,
    NoteStep,
    QuestionStep,
    ScriptStep,
    StepDraft,
    VerificationStep,
)

STEPS: list[tuple[dict[str, object], StepDraft]] = [
    (
        {
            "kind": "intake_analysis",
            "summary": "Mail is missing.",
            "domain": "email",
            "signals": ["NDR"],
        },
        IntakeAnalysisStep("Mail is missing.", "email", ("NDR",)),
    ),
    (
        {"kind": "question", "question": "Since when?", "choices": ["Today", "Longer"]},
        QuestionStep("Since when?", ("Today", "Longer")),
    ),
    (
        {"kind": "action", "instruction": "Restart the spooler."},
        ActionStep("Restart the spooler."),
    ),
    (
        {"kind": "verification", "check": "ping 10.0.0.1", "expected": "It answers."},
        VerificationStep("ping 10.0.0.1", "It answers."),
    ),
    ({"kind": "info_request", "request": "The log."}, InfoRequestStep("The log.")),
    (
        {
            "kind": "script_generation",
            "language": "powershell",
            "code": "Get-Service\n",
            "purpose": "To see services.",
            "risk": "None.",
        },
        ScriptStep("powershell", "Get-Service\n", "To see services.", "None."),
    ),
    ({"kind": "note", "text": "It was the cable."}, NoteStep("It was the cable.")),
]
DNS = {"label": "DNS", "description": "The name is wrong."}
PORT = {"label": "Port", "description": "It is closed.", "likelihood": 0.25}


@pytest.mark.parametrize(("written", "step"), STEPS, ids=[step.kind for _, step in STEPS])
def test_a_step_is_read_as_its_kind(written: dict[str, object], step: StepDraft) -> None:
    assert read_guide({"step": written}) == Guidance(step=step)


def test_every_kind_of_step_is_offered_but_the_fork() -> None:
    assert {step.kind for _, step in STEPS} == set(StepType) - {StepType.FORK}
    definitions = Guide.model_json_schema()["$defs"].values()
    kinds = [one.get("properties", {}).get("kind") for one in definitions]
    offered = {kind["const"] for kind in kinds if kind}
    assert offered == set(StepType) - {StepType.FORK}


def test_a_whole_guide_is_read() -> None:
    guide = {
        "step": {"kind": "note", "text": "Read."},
        "confidence": 0.75,
        "fork": {"reason": "Two ways.", "options": [DNS, PORT]},
        "intake": {"summary": "No mail.", "domain": "email", "signals": ["NDR"], "tier": "guided"},
    }

    assert read_guide(guide) == Guidance(
        NoteStep("Read."),
        0.75,
        ForkDraft(
            "Two ways.",
            (ForkOption("DNS", "The name is wrong."), ForkOption("Port", "It is closed.", 0.25)),
        ),
        IntakeAnalysis("No mail.", "email", ("NDR",), ConfidenceTier.GUIDED),
    )


@pytest.mark.parametrize(
    "broken",
    [
        {"step": "restart it"},
        {"step": {"kind": "fork"}},
        {"step": {"kind": "action", "instruction": " "}},
        {"step": {"kind": "action", "instruction": 7}},
        {"step": {"kind": "question", "question": "Why?", "choices": "ab"}},
        {
            "step": {
                "kind": "script_generation",
                "language": "sh",
                "code": "x" * 20_001,
                "purpose": "p",
            }
        },
        {"step": {"kind": "script_generation", "language": "sh", "code": "\0", "purpose": "p"}},
        {"confidence": 75},
        {"confidence": float("nan")},
        {"confidence": "high"},
        {"fork": {"reason": "Hm.", "options": [DNS, PORT]}},
        {"fork": {"reason": "Two ways.", "options": [DNS]}},
        {"fork": {"reason": "Two ways.", "options": [DNS, {**PORT, "label": " dns"}]}},
        {"fork": {"reason": "Two ways.", "options": "DNS or port"}},
        {"fork": {"reason": "Two ways.", "options": [DNS, {"label": "Port"}, "Cable"]}},
        {"intake": {"summary": "No mail."}},
        {"intake": {"summary": "", "domain": "email"}},
    ],
)
def test_a_part_that_does_not_fit_is_dropped_alone(broken: dict[str, object]) -> None:
    assert read_guide(broken) == Guidance()
    sound = {"step": {"kind": "note", "text": "Read."}, "confidence": 0.5}
    kept = read_guide({**sound, **broken})
    assert kept == Guidance(
        step=None if "step" in broken else NoteStep("Read."),
        confidence=None if "confidence" in broken else 0.5,
    )


@pytest.mark.parametrize("given", [None, [], "guide", 3, {}, {"unknown": 1}])
def test_what_is_no_guide_says_nothing(given: object) -> None:
    assert read_guide(given) == Guidance()


def test_what_is_too_long_is_clipped() -> None:
    long = "x" * 5_000
    guide = read_guide(
        {
            "step": {"kind": "question", "question": long, "choices": [long] * 20},
            "fork": {
                "reason": long,
                "options": [{"label": f"{n}{long}", "description": long} for n in range(12)],
            },
            "intake": {"summary": long, "domain": long, "signals": [long] * 20, "tier": "sure"},
        }
    )

    assert isinstance(guide.step, QuestionStep)
    assert guide.step.question == "x" * 1_999 + "…"
    assert guide.step.choices == ("x" * 299 + "…",) * 12
    assert guide.fork is not None
    assert guide.fork.reason == "x" * 1_999 + "…"
    assert len(guide.fork.options) == 10
    assert guide.fork.options[3] == ForkOption("3" + "x" * 198 + "…", "x" * 499 + "…")
    assert guide.intake == IntakeAnalysis(
        "x" * 299 + "…", "x" * 99 + "…", ("x" * 299 + "…",) * 12, ConfidenceTier.DISCOVERY
    )


def test_what_a_part_can_do_without_is_dropped_within_it() -> None:
    guide = read_guide(
        {
            "step": {"kind": "action", "instruction": "Do\0 it.", "expected": 7},
            "fork": {
                "reason": "Two ways.",
                "options": [DNS, {**PORT, "likelihood": 25}, {"label": "x"}],
            },
            "intake": {"summary": "s", "domain": "d", "signals": [1, "NDR"]},
        }
    )

    assert guide == Guidance(
        ActionStep("Do it."),
        None,
        ForkDraft(
            "Two ways.",
            (ForkOption("DNS", "The name is wrong."), ForkOption("Port", "It is closed.")),
        ),
        IntakeAnalysis("s", "d", ("NDR",)),
    )


FIELDS = st.sampled_from(
    ["step", "confidence", "fork", "intake", "kind", "text", "reason", "options", "label", "tier"]
) | st.text(max_size=3)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(FIELDS, inner),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(["step", "confidence", "fork", "intake"]), JSON))
def test_no_guide_raises(guide: dict[str, Any]) -> None:
    read_guide(guide)
