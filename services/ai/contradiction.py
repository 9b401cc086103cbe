"""Whether two sentences are about the same and say the opposite, by their words alone.

Good enough to propose that a person looks; never to decide.
"""

import re

from services.ai.retrieval import stem, stems

SHARED_NEEDED = 2
SHARE_NEEDED = 0.5
"""Of the words that the shorter of both consists of."""

_NEGATION = re.compile(
    r"\b(?:not?|never|none|nothing|neither|without|no longer|not so)\b|n't\b", re.IGNORECASE
)

_OPPOSITES = (
    ("open", "closed"),
    ("works", "fails"),
    ("working", "broken"),
    ("up", "down"),
    ("online", "offline"),
    ("valid", "expired"),
    ("valid", "invalid"),
    ("enabled", "disabled"),
    ("running", "stopped"),
    ("reachable", "unreachable"),
    ("healthy", "degraded"),
    ("good", "bad"),
    ("correct", "wrong"),
    ("right", "wrong"),
    ("passes", "fails"),
    ("allowed", "blocked"),
    ("allowed", "denied"),
    ("present", "missing"),
    ("same", "different"),
    ("connected", "disconnected"),
    ("old", "current"),
    ("full", "free"),
    ("on", "off"),
    ("fine", "faulty"),
    ("clean", "infected"),
    ("locked", "unlocked"),
)
_POSITIVE = {stem(word) for word, _ in _OPPOSITES}
_NEGATIVE = {stem(word) for _, word in _OPPOSITES}
_POLAR = _POSITIVE | _NEGATIVE
_WORD = re.compile(r"[a-z]+")


def contradicts(one: str, other: str) -> bool:
    """Any sentence of the one against any of the other."""
    return any(_against(first, second) for first in _parts(one) for second in _parts(other))


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[.!?;\n]+(?:\s|$)", text[:4_000]) if part.strip()][:20]


def _against(one: str, other: str) -> bool:
    first, second = set(stems(one)) - _POLAR, set(stems(other)) - _POLAR
    shared = first & second
    if len(shared) < SHARED_NEEDED or len(shared) < SHARE_NEEDED * min(len(first), len(second)):
        return False
    return _polarity(one) != _polarity(other)


def _polarity(sentence: str) -> bool:
    """Whether it affirms: an odd number of negations and negative words turns it round."""
    words = {stem(word) for word in _WORD.findall(sentence.casefold())}
    turns = len(_NEGATION.findall(sentence.replace("’", "'"))) + len(words & _NEGATIVE)
    return turns % 2 == 0
