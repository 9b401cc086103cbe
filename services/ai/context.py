"""What a branch is told besides its own conversation. No database, no network.

It may differ at every call, stands before the question in the last message, and is never stored with the
conversation. It is carried as it was written until services.ai.prompts has taken the secrets out; only
then entries are cut, fitted into their room and delimited. Each step would hide secrets from the one
before it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from models.branch import BranchStatus
from services.ai.material import one_line
from services.ai.port import (
    Article,
    HypothesisFacts,
    Known,
    MergedFinding,
    RevivalFacts,
    SolvedSession,
    Volatile,
)

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


def volatile(
    *,
    revivals: Iterable[RevivalFacts] = (),
    merged: Iterable[MergedFinding] = (),
    others: Iterable[HypothesisFacts] = (),
) -> Volatile:
    """As many as can be told at all. Revivals come newest first, `others` in the order of the tree."""
    ordered = sorted(others, key=lambda branch: _USEFULNESS.index(branch.status))
    told = (replace(one, findings=one.findings[-MOST_FINDINGS:]) for one in ordered[:MOST_BRANCHES])
    return Volatile(
        tuple(islice(revivals, MOST_REVIVALS)),
        tuple(islice(merged, MOST_MERGED)),
        tuple(told),
        more=max(0, len(ordered) - MOST_BRANCHES),
    )


@dataclass(frozen=True, slots=True)
class Block:
    """Entries of one kind, the most useful first; `more` of them are left out."""

    heading: str
    source: str
    entries: tuple[str, ...]
    more: int = 0

    @property
    def text(self) -> str:
        return "\n".join((*self.entries, *([f"- and {self.more} more"] if self.more else ())))


def blocks(told: Volatile, known: Known) -> tuple[Block, ...]:
    """What there is to tell, without secrets as it is given. What concerns the branch itself comes first,
    what is known from elsewhere last.
    """
    every = (
        Block("## Branch Revival", "evidence", tuple(map(_revival, told.revivals))),
        Block("## Findings Brought In", "findings of other branches", tuple(map(_merged, told.merged))),
        Block("## Cross-Branch Context", "branches", tuple(map(_branch, told.others)), told.more),
        Block("## Similar Sessions, Solved", "earlier sessions", tuple(map(_solved, known.sessions))),
        Block(
            "## Articles Of The Library That May Help",
            "articles",
            tuple(map(_article, known.articles)),
        ),
    )  # fmt: skip
    return tuple(block for block in every if block.entries)


def _revival(revival: RevivalFacts) -> str:
    return f"- **{_label(revival.evidence_from)}**: {_entry(revival.description)}"


def _merged(finding: MergedFinding) -> str:
    return f"- **{_label(finding.found_on)}**: {_entry(finding.claim)}"


def _branch(branch: HypothesisFacts) -> str:
    found = (f"\n  - Found: {_entry(claim)}" for claim in branch.findings)
    line = f"- **{_label(branch.label)}** [{branch.status.value}]: {_summary(branch)}"
    return "".join((line, *found))


def _summary(branch: HypothesisFacts) -> str:
    return " ".join(_said_of(branch)) or "No summary yet."


def _said_of(branch: HypothesisFacts) -> Iterator[str]:
    tried = _entry(", ".join(one_line(item) for item in branch.tried))
    if tried:
        yield f"Tried: {tried.rstrip('.')}."
    if branch.concluded:
        yield _entry(branch.concluded)
    if branch.reason and branch.status in {BranchStatus.DEAD_END, BranchStatus.SOLVED}:
        yield f"Reason: {_entry(branch.reason)}"


def _solved(session: SolvedSession) -> str:
    solved = (
        f"- {_entry(session.problem)} Solved by: **{_label(session.solved_by or 'no branch')}**."
    )
    return solved + (f" {_entry(session.how)}" if session.how else "")


def _article(article: Article) -> str:
    """That it bears on the question is a matter of shared words."""
    body = article.body
    told = body if len(body) <= ARTICLE else f"{body[: ARTICLE - 1]}…"
    return f"### {one_line(article.title)}\n{told}"


def _entry(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _label(text: str) -> str:
    # A label must not end its own bold face, or it could name itself another status.
    return re.sub(r"([\\*])", r"\\\1", _entry(text))
