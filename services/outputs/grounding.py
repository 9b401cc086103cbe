"""What each sentence of a document rests on, and whether that carries it. Pure.

A source is believed only if it was shown and says the hard facts that the sentence says: codes, numbers,
addresses, names with digits. A sentence is never changed; one that rests on nothing is kept and says so.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.branch import BranchStatus
from services.outputs.text import EMPTY, as_told

MOST_SOURCES = 10
"""Messages that one sentence names."""

_FACT = re.compile(r"(?=[\w.:\\/-]*\d)[\w\\/](?:[\w.:\\/-]*[\w\\/])")


class SentenceBasis(StrEnum):
    MESSAGES = "messages"
    BRANCH_STATUS = "branch_status"
    RESOLUTION_SUMMARY = "resolution_summary"
    ABSENCE = "absence"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Source:
    """Something recorded that a sentence may name, and the messages behind it."""

    basis: SentenceBasis
    says: str
    messages: tuple[UUID, ...] = ()
    status: BranchStatus | None = None
    """Of a hypothesis."""


@dataclass(frozen=True, slots=True)
class Grounds:
    basis: SentenceBasis
    messages: tuple[UUID, ...] = ()


UNSUPPORTED = Grounds(SentenceBasis.NONE)

_RANK = (
    SentenceBasis.MESSAGES,
    SentenceBasis.BRANCH_STATUS,
    SentenceBasis.RESOLUTION_SUMMARY,
)


def ground(
    sentence: str,
    named: Iterable[str],
    sources: Mapping[str, Source],
    *,
    only: BranchStatus | None = None,
) -> Grounds:
    """With `only`, at least one of the sources is a hypothesis of that status."""
    known = [sources[name] for name in dict.fromkeys(named) if name in sources]
    if only is not None and not any(source.status is only for source in known):
        return UNSUPPORTED
    if not known or not _says(known, sentence):
        return UNSUPPORTED
    messages = dict.fromkeys(key for source in known for key in source.messages)
    basis = min((source.basis for source in known), key=_RANK.index)
    return Grounds(basis, tuple(messages)[:MOST_SOURCES])


def _says(sources: Sequence[Source], sentence: str) -> bool:
    said = {fact.casefold() for source in sources for fact in _FACT.findall(source.says)}
    return all(fact.casefold() in said for fact in _FACT.findall(sentence))


def remember(sentence: str, grounds: Grounds) -> dict[str, dict[str, object]]:
    """As an output stores it; a text of several sentences gives its grounds to each."""
    stored: dict[str, object] = {
        "basis": grounds.basis.value,
        "messages": [str(key) for key in grounds.messages],
    }
    return dict.fromkeys(map(_key, as_told(sentence)), stored)


def recall(stored: Mapping[str, Any], sentence: str) -> Grounds:
    """What is known of a sentence; of one that a person wrote, nothing."""
    found = stored.get(_key(sentence))
    if found is not None:
        return Grounds(SentenceBasis(found["basis"]), tuple(map(UUID, found["messages"])))
    return Grounds(SentenceBasis.ABSENCE) if sentence in EMPTY else UNSUPPORTED


def _key(sentence: str) -> str:
    return " ".join(sentence.casefold().split())
