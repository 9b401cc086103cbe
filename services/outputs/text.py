"""A document as Markdown, and back: its parts to text, a text to its sentences and its parts. Pure.

Headings are structure, everything else is a sentence: so a text that somebody edited is read the same way
as one that was put together here.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from models.output import ResolutionOutputType


class Layout(Enum):
    PARAGRAPH = "paragraph"
    BULLETS = "bullets"
    NUMBERS = "numbers"


@dataclass(frozen=True, slots=True)
class PartForm:
    """`empty` is what the document says where nothing was recorded; None: it leaves the part out."""

    heading: str | None
    layout: Layout
    empty: str | None


_P, _B, _N = Layout.PARAGRAPH, Layout.BULLETS, Layout.NUMBERS

FORMS: Mapping[ResolutionOutputType, Mapping[str, PartForm]] = {
    ResolutionOutputType.PSA_TICKET_NOTES: {
        "problem": PartForm("Problem", _P, "The problem was not recorded."),
        "diagnostic_steps": PartForm("Diagnostic steps", _N, "No diagnostic steps were recorded."),
        "resolution": PartForm("Resolution", _P, "The resolution was not recorded."),
        "recommendations": PartForm("Recommendations", _B, "No recommendations were recorded."),
    },
    ResolutionOutputType.KNOWLEDGE_BASE: {
        "symptoms": PartForm("Symptoms", _B, "No symptoms were recorded."),
        "root_cause": PartForm("Root cause", _P, "The root cause was not recorded."),
        "steps": PartForm("Resolution steps", _N, "No resolution steps were recorded."),
        "rule_out_first": PartForm(
            "Things to rule out first",
            _B,
            "No dead ends were recorded: nothing was ruled out first.",
        ),
    },
    ResolutionOutputType.CLIENT_SUMMARY: {
        "what_happened": PartForm(None, _P, "What happened was not recorded."),
        "what_was_done": PartForm(None, _P, "What was done was not recorded."),
        "what_comes_next": PartForm(None, _P, None),
    },
}
"""The parts of each document, in their order."""

EMPTY = frozenset(
    form.empty for forms in FORMS.values() for form in forms.values() if form.empty is not None
)

_HEADING = re.compile(r"#{1,6}\s+(?P<title>.+?)\s*#*\s*")
_MARKER = re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)])\s+")
_STARTS_MARKUP = re.compile(r"^(\d{0,9})(?=[-*+#>|`~=\[]|(?<=\d)[.)]\s)")
_ESCAPED_START = re.compile(r"^(\d{0,9})\\(?=[-*+#>|`~=\[.)])")
_READ_TWICE = re.compile(r"\\(?=[\\(<\[])")
_BEGINS_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ESCAPED = re.compile(r"\\([\\(<])")
_BREAK = re.compile(
    r"(?<!\b[A-Z]\.)(?<!\b[A-Z][a-z]\.)(?<!\bMrs\.)"  # J. Dr. Mrs.
    r"(?<=[.!?…])[\"”’)\]]*\s+(?=[^\sa-z])"
)


def render(
    output_type: ResolutionOutputType, parts: Mapping[str, Sequence[str]], title: str | None
) -> str:
    """The document as Markdown. Sentences are told in one line each, whatever they hold."""
    blocks = [f"# {inert(_one_line(title))}"] if title else []
    for name, form in FORMS[output_type].items():
        told = [_plain(sentence) for sentence in parts.get(name, ()) if sentence.strip()]
        if not told and form.empty is None:
            continue
        if form.heading:
            blocks.append(f"## {form.heading}")
        blocks.append(_laid_out(told, form.layout) if told else form.empty or "")
    return "\n\n".join(blocks)


def _laid_out(sentences: Sequence[str], layout: Layout) -> str:
    if layout is Layout.BULLETS:
        return "\n".join(f"- {sentence}" for sentence in sentences)
    if layout is Layout.NUMBERS:
        return "\n".join(f"{place}. {told}" for place, told in enumerate(sentences, start=1))
    text = sentences[0]
    for sentence in sentences[1:]:  # on a line of its own where the break could not be found again
        text += (
            " " if _BREAK.search(f"{text} {sentence[:1]}", max(0, len(text) - 1)) else "\n"
        ) + sentence
    return text


def _plain(sentence: str) -> str:
    """Never a heading or a list by accident."""
    return _STARTS_MARKUP.sub(r"\1\\", inert(_one_line(sentence)), count=1)


def inert(text: str) -> str:
    """Shown as it is, where Markdown would make links, pictures and tags of it or take backslashes away."""
    doubled = _READ_TWICE.sub(r"\\\\", text)
    return _BEGINS_TAG.sub(r"\\<", doubled.replace("](", "]\\("))


def as_plain_text(markdown: str) -> str:
    """For readers who know no Markdown: without what `inert` and the beginning of a line needed."""
    lines = (_ESCAPED_START.sub(r"\1", line, count=1) for line in markdown.split("\n"))
    return "\n".join(_ESCAPED.sub(r"\1", line) for line in lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def as_told(sentence: str) -> list[str]:
    """The sentences that `sentences` finds in it once it is part of a document."""
    return sentences(_plain(sentence))


def sentences(markdown: str) -> list[str]:
    """In their order; headings, list markers and rules are none."""
    return [sentence for line in markdown.splitlines() for sentence in _of_line(line)]


def _of_line(line: str) -> Iterator[str]:
    if not line.strip(" -*_=#\t") or _HEADING.fullmatch(line.strip()):
        return
    text = as_plain_text(_MARKER.sub("", line, count=1).strip())
    start = 0
    for gap in _BREAK.finditer(text):
        yield text[start : gap.end()].strip()
        start = gap.end()
    if text[start:].strip():
        yield text[start:].strip()


@dataclass(frozen=True, slots=True)
class ArticleParts:
    """`title` is None where the text has no heading of the first level."""

    title: str | None
    symptoms: tuple[str, ...]
    root_cause: str | None
    steps: tuple[str, ...]
    rule_out_first: tuple[str, ...]


def article_parts(markdown: str) -> ArticleParts:
    """By the headings of an article, whatever stands below others; what says that it is empty is."""
    title: str | None = None
    names = {
        (form.heading or "").casefold(): name
        for name, form in FORMS[ResolutionOutputType.KNOWLEDGE_BASE].items()
    }
    told: defaultdict[str | None, list[str]] = defaultdict(list)
    part: str | None = None
    for line in markdown.splitlines():
        heading = _HEADING.fullmatch(line.strip())
        if heading is None:
            told[part].extend(_items(line))
        elif line.lstrip().startswith("# ") and title is None:
            title = as_plain_text(heading["title"])
        else:
            part = names.get(heading["title"].casefold())
    return ArticleParts(
        title,
        tuple(told["symptoms"]),
        " ".join(told["root_cause"]) or None,
        tuple(told["steps"]),
        tuple(told["rule_out_first"]),
    )


def without_title(markdown: str) -> str:
    """For places that ask for the title apart."""
    first, _, rest = markdown.partition("\n")
    return rest.strip() if first.startswith("# ") else markdown


def _items(line: str) -> Iterator[str]:
    item = " ".join(_of_line(line))
    if item and item not in EMPTY:
        yield item
