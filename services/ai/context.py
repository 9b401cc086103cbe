"""What a branch is told besides its own conversation. No database, no network.

These blocks may differ at every call; they stand before the question in the last message, and are never
stored with it. Each is bounded, whatever the session holds.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from models.branch import BranchStatus
from services.ai.delimiting import delimited, one_line
from services.ai.port import NOTHING_KNOWN, Article, Known, SolvedSession
from services.ai.tasks import HypothesisFacts

# Most useful to a sibling first: what is known to work, then what is under way.
_USEFULNESS = (
    BranchStatus.SOLVED,
    BranchStatus.ACTIVE,
    BranchStatus.REVIVED,
    BranchStatus.UNTRIED,
    BranchStatus.DEAD_END,
)

MOST_BRANCHES = 40
MOST_FINDINGS = 5
"""Of one other branch: the newest."""
MOST_MERGED = 50
MOST_REVIVALS = 5
LONGEST = 400
"""Characters of one entry."""
ARTICLE = 3_000
"""Characters of one article: enough for its symptoms and its steps."""


@dataclass(frozen=True, slots=True)
class RevivalFacts:
    """Why this branch came back; `evidence_from` is the label of the branch that showed it."""

    evidence_from: str
    description: str


@dataclass(frozen=True, slots=True)
class MergedFinding:
    """A finding that an engineer brought into this branch, with the label of where it was made."""

    found_on: str
    claim: str


def volatile_blocks(
    *,
    revivals: Iterable[RevivalFacts] = (),
    merged: Iterable[MergedFinding] = (),
    others: Iterable[HypothesisFacts] = (),
    known: Known = NOTHING_KNOWN,
) -> tuple[str, ...]:
    """Revivals come newest first, `others` in the order of the tree, what is known best first.

    What is known comes last: it gives way where there is no room.
    """
    blocks = (
        revival_context(revivals),
        merged_context(merged),
        cross_branch_context(others),
        solved_context(known.sessions),
        library_context(known.articles),
    )
    return tuple(block for block in blocks if block)


def cross_branch_context(others: Iterable[HypothesisFacts]) -> str:
    """An entry for every other branch, the most useful first; empty for a branch that is alone."""
    ordered = sorted(others, key=lambda branch: _USEFULNESS.index(branch.status))
    lines = [line for branch in ordered[:MOST_BRANCHES] for line in _branch_lines(branch)]
    if len(ordered) > MOST_BRANCHES:
        lines.append(f"- and {len(ordered) - MOST_BRANCHES} more branches")
    return _block("## Cross-Branch Context", "branches", lines)


def revival_context(revivals: Iterable[RevivalFacts]) -> str:
    """The evidence that brought this branch back; empty if it never was a dead end."""
    return _block(
        "## Branch Revival",
        "evidence",
        (
            f"- **{_label(revival.evidence_from)}**: {_entry(revival.description)}"
            for revival in islice(revivals, MOST_REVIVALS)
        ),
    )


def merged_context(merged: Iterable[MergedFinding]) -> str:
    """What was brought in from other branches; it holds here as if it had been found here."""
    return _block(
        "## Findings Brought In",
        "findings of other branches",
        (
            f"- **{_label(finding.found_on)}**: {_entry(finding.claim)}"
            for finding in islice(merged, MOST_MERGED)
        ),
    )


def solved_context(solved: Iterable[SolvedSession]) -> str:
    """Earlier sessions that were like this one, and what solved them."""
    return _block(
        "## Similar Sessions, Solved",
        "earlier sessions",
        (
            f"- {_entry(session.problem)} Solved by: **{_label(session.solved_by or 'no branch')}**."
            + (f" {_entry(session.how)}" if session.how else "")
            for session in solved
        ),
    )


def library_context(articles: Iterable[Article]) -> str:
    """Of the account's own library; that they bear on the question is a matter of shared words."""
    return _block(
        "## Articles Of The Library That May Help",
        "articles",
        (f"### {one_line(article.title)}\n{_beginning(article.body)}" for article in articles),
    )


def _beginning(body: str) -> str:
    return body if len(body) <= ARTICLE else f"{body[: ARTICLE - 1]}…"


def _block(heading: str, source: str, lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    return f"{heading}\n{delimited(source, text)}" if text else ""


def _branch_lines(branch: HypothesisFacts) -> Iterator[str]:
    yield f"- **{_label(branch.label)}** [{branch.status.value}]: {_summary(branch)}"
    for claim in branch.findings[-MOST_FINDINGS:]:
        yield f"  - Found: {_entry(claim)}"


def _summary(branch: HypothesisFacts) -> str:
    tried = _entry(", ".join(one_line(item) for item in branch.tried))
    parts = [f"Tried: {tried.rstrip('.')}."] if tried else []
    if branch.concluded:
        parts.append(_entry(branch.concluded))
    if branch.reason and branch.status in {BranchStatus.DEAD_END, BranchStatus.SOLVED}:
        parts.append(f"Reason: {_entry(branch.reason)}")
    return " ".join(parts) or "No summary yet."


def _entry(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _label(text: str) -> str:
    # A label must not end its own bold face, or it could name itself another status.
    return re.sub(r"([\\*])", r"\\\1", one_line(text))
