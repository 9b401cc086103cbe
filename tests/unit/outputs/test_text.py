"""What is put into Markdown is found in it again, whatever it says."""

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.output import ResolutionOutputType
from services.destinations.rendering import html
from services.outputs.text import (
    FORMS,
    article_parts,
    as_plain_text,
    inert,
    render,
    sentences,
)

KNOWLEDGE_BASE = ResolutionOutputType.KNOWLEDGE_BASE

ARTICLE = """# Mail does not arrive

## Symptoms

- No mail since noon.
- Senders get 5.7.1.

## Root cause

The MX record named a server that is gone. Nobody had told DNS.

## Resolution steps

1. Set the record.
2. Wait an hour.

## Things to rule out first

- Quota: The mailbox is half empty."""

words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")),
    min_size=1,
    max_size=40,
).filter(lambda text: text.strip(" -*_=#\\"))


def test_an_article_is_put_together_and_taken_apart() -> None:
    parts = article_parts(ARTICLE)
    assert (parts.title, parts.root_cause) == (
        "Mail does not arrive",
        "The MX record named a server that is gone. Nobody had told DNS.",
    )
    assert parts.symptoms == ("No mail since noon.", "Senders get 5.7.1.")
    assert parts.steps == ("Set the record.", "Wait an hour.")
    assert parts.rule_out_first == ("Quota: The mailbox is half empty.",)
    told = {
        "symptoms": parts.symptoms,
        "root_cause": [
            "The MX record named a server that is gone.",
            "Nobody had told DNS.",
        ],
        "steps": parts.steps,
        "rule_out_first": parts.rule_out_first,
    }
    assert render(KNOWLEDGE_BASE, told, parts.title) == ARTICLE


def test_an_empty_part_says_so_and_is_read_as_empty() -> None:
    text = render(KNOWLEDGE_BASE, {"steps": ["Restart it."]}, "A title")
    parts = article_parts(text)
    assert (parts.symptoms, parts.root_cause, parts.rule_out_first) == ((), None, ())
    assert parts.steps == ("Restart it.",)
    assert sentences(text) == [
        "No symptoms were recorded.",
        "The root cause was not recorded.",
        "Restart it.",
        "No dead ends were recorded: nothing was ruled out first.",
    ]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ("# no heading", r"\# no heading"),
        ("- no list", r"\- no list"),
        ("1. no number", r"1\. no number"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_sentence_is_never_taken_for_structure(told: str, line: str) -> None:
    text = render(ResolutionOutputType.CLIENT_SUMMARY, {"what_happened": [told]}, None)
    assert text.splitlines()[0] == line
    assert sentences(text)[0] == told.replace("\n", " ")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Dr. Amato called. It failed.", ["Dr. Amato called.", "It failed."]),
        ("J. Doe called! It failed.", ["J. Doe called!", "It failed."]),
        ('She said "no." Then it failed.', ['She said "no."', "Then it failed."]),
        ("Ping 10.0.0.1 e.g. from here.", ["Ping 10.0.0.1 e.g. from here."]),
        ("Es ging. Über Nacht.", ["Es ging.", "Über Nacht."]),
    ],
)
def test_sentences_end_where_people_end_them(line: str, told: list[str]) -> None:
    assert sentences(line) == told


@given(st.lists(words, min_size=1, max_size=5), st.sampled_from(ResolutionOutputType))
def test_what_was_said_is_said_in_the_same_order(
    told: list[str], kind: ResolutionOutputType
) -> None:
    """Perhaps in more sentences, never in fewer words."""
    parts = dict.fromkeys(FORMS[kind], told)
    read = " ".join(sentences(render(kind, parts, None)))
    written = " ".join(" ".join(line.split()) for line in told * len(parts))
    assert read.split() == written.split()


@pytest.mark.parametrize(
    "told",
    [
        "![x](https://evil.example/t.png) came",
        "[Sign in](https://phish.example) now",
        "[ref]: https://phish.example",
        "<https://phish.example> and <img src=x>",
        r"C:\Users\(x86) and \\srv\share and \\(a",
        "a ](b) c",
    ],
)
def test_what_somebody_wrote_is_shown_and_not_obeyed(told: str) -> None:
    text = render(ResolutionOutputType.CLIENT_SUMMARY, {"what_happened": [told]}, None)
    line = text.splitlines()[0]
    shown = html(line)
    assert "<a " not in shown
    assert "<img" not in shown
    assert unescape(shown) == f"<p>{told}</p>\n"
    assert as_plain_text(line) == told


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=60)
)
def test_plain_text_is_what_was_written(told: str) -> None:
    assert as_plain_text(inert(told)) == told or told[:1] == "\\" or told[:1].isdigit()
