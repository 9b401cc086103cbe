"""Finds the card that a text is about: BM25 in plain Python, over a handful of cards in memory.

The score of document d for the distinct words t of a query:

    sum over t of  idf(t) * f(t, d) * (K1 + 1) / (f(t, d) + K1 * (1 - B + B * |d| / average |d|))
    idf(t) = ln(1 + (N - n(t) + 0.5) / (n(t) + 0.5))

f counts a word in d, |d| is d's length in words, n(t) is how many of the N documents hold t.
BM25 alone always finds something. What keeps silly matches out is that two neighbouring sentences must
name a card's subject and its complaint, that the card must know what else they name (services.ai.topics),
and that it must hold enough of their words: of their number, and of their rarity, idf(t) summed up. A word
that no card holds counts as little as one that nearly half of them hold; it may be a name.

"Wifi not working" names no complaint of a card. Where nothing was found, a short text may complain of a
card's subject in such general words, if the card holds nearly all the others.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from services.ai.cards import Card, CardHypothesis
from services.ai.complaints import GENERAL_COMPLAINTS
from services.ai.port import Hypothesis
from services.ai.topics import TOPICS

K1 = 1.2
B = 0.75

# Set by hand on short tickets and long support articles, between what is a card's and what is not, and
# looked at again with seventy cards: what keeps most of the others out is the subject and the complaint.
SCORE_NEEDED = 4.5
SHARE_NEEDED = 0.25
RARITY_NEEDED = 0.38
UNKNOWN_RARITY = 1.0
SHARE_ENOUGH = 0.75  # of a few plain words, whatever they score
SECURITY = "security"  # a domain whose cards alarm; they need a complaint of their own
SHORT = 12  # words of every kind
PLAIN_SCORE_NEEDED = 3.5  # more than "server" or "PC", which many cards speak of
MOST_TELLING = 3.0
HYPOTHESIS_SCORE_NEEDED = 5.0
HYPOTHESIS_SHARE_NEEDED = 0.4
LABEL_SHARE_NEEDED = 0.75

# Words of any support request, which say nothing about its subject.
_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """about after again all also although an and any are as at be because been before but by
    can could did do does during each error even every few for from get gets getting go goes got had
    has have he help her here hello hi his how however if in into is issue it its just keep keeps
    let like made make may me more most my need needs no nobody not nothing now of off on one only
    or other our out over please problem re same say says she since so some still stopped stops
    suddenly than thank thanks that the their them then there these they this those time times to
    today too try trying up us use used user users using very was way we were what when where
    which while who why will with without wo work worked working works would yesterday yet you
    your
    additionally third twice following microsoft organization receive received receives symptom symptoms
    afternoon ago evening friday hour hours last minute minutes monday month morning night noon
    saturday sunday thursday tuesday wednesday week weeks""",
    )
)
_DENYING = frozenset(("not", "no", "never", "without", "neither", "nor"))
_ALIKE = (("wi-fi", "wifi"), ("e-mail", "email"), ("outlook on the web", "owa"))
_WORD = re.compile(r"[a-z0-9_]+(?:[.\-][a-z0-9_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\n+")
_ENDINGS = ("ing", "ed", "es", "s", "e")
_SHORTEST_STEM = 3
_KEPT_DOUBLE = "lsz"


@dataclass(frozen=True, slots=True)
class Match:
    """`words` are the stems that the query and the document share."""

    index: int
    score: float
    words: frozenset[str]


class Bm25:
    """Ranks a fixed list of documents."""

    def __init__(self, documents: Sequence[str]) -> None:
        counted = [Counter(stems(document)) for document in documents]
        average = sum(counts.total() for counts in counted) / max(1, len(documents))
        holders = Counter(word for counts in counted for word in counts)
        self._rarity = {
            word: math.log(1 + (len(documents) - held + 0.5) / (held + 0.5))
            for word, held in holders.items()
        }
        self._weights: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        """By word: the documents that hold it, and what it adds to the score of each."""
        for index, counts in enumerate(counted):
            length = counts.total() / average if average else 1.0
            for word, frequency in counts.items():
                share = frequency * (K1 + 1) / (frequency + K1 * (1 - B + B * length))
                self._weights[word].append((index, self._rarity[word] * share))

    def rank(self, query: str) -> list[Match]:
        """Documents that share a word with the query, best first, then in the given order."""
        return self.rank_stems(stems(query))

    def rank_stems(self, words: Iterable[str]) -> list[Match]:
        scores: defaultdict[int, float] = defaultdict(float)
        shared: defaultdict[int, list[str]] = defaultdict(list)
        for word in dict.fromkeys(words):
            for index, weight in self._weights.get(word, ()):
                scores[index] += weight
                shared[index].append(word)
        matches = (Match(i, scores[i], frozenset(shared[i])) for i in sorted(scores))
        return sorted(matches, key=lambda match: -match.score)

    def rarity(self, words: Iterable[str]) -> float:
        """Of all of them."""
        return sum(self._rarity.get(word, UNKNOWN_RARITY) for word in words)


@dataclass(frozen=True, slots=True)
class Rated:
    hypothesis: CardHypothesis
    likelihood: float


@dataclass(frozen=True, slots=True)
class CardMatch:
    """`words` are the text's own, in its order, that speak for the card; `rated` has the card's hypotheses
    as likely as they are for this text, the likelier first.
    """

    card: Card
    score: float
    words: tuple[str, ...]
    rated: tuple[Rated, ...] = ()


class CardIndex:
    """Finds cards and their hypotheses by a person's words."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self._cards = tuple(cards)
        self._by_card = Bm25([_card_text(card) for card in cards])
        self._subjects = [[phrase(word) for word in card.subject] for card in cards]
        self._complaints = [[phrase(word) for word in card.complaint] for card in cards]
        self._known_topics = [_topics_in(phrase(_all_text(card))) for card in cards]
        self._hypotheses = [(card, h) for card in cards for h in card.hypotheses]
        self._by_hypothesis = Bm25(
            [f"{card.title}\n{h.label}\n{h.label}\n{h.description}" for card, h in self._hypotheses]
        )

    def card_for(self, text: str) -> CardMatch | None:
        """The card that the text matches best."""
        best = max(self._found(text), key=lambda match: match.score, default=None)
        return best and replace(best, rated=rated(best.card, text))

    def hypothesis_for(self, wanted: Hypothesis, told: str) -> tuple[Card, CardHypothesis] | None:
        """The card's own, as it was proposed or with its label slightly reworded. Whose description is
        another is the card's only if the card is about what was told: a label may mean many things.
        """
        for card, known in self._hypotheses:
            if _nearly_the_same(known.label, wanted.label) and (
                _same(known.description, wanted.description) or card.id in self._about(told)
            ):
                return card, known
        return None

    def nearest_to(self, wanted: Hypothesis, told: str) -> tuple[Card, CardHypothesis] | None:
        """What shares words with a hypothesis that no card has, on a card about what was told. It is
        something else: its checks say nothing about the hypothesis.
        """
        text = f"{wanted.label}\n{wanted.description}"
        about = self._about(told)
        needed = HYPOTHESIS_SHARE_NEEDED * len(set(stems(text)))
        for match in self._by_hypothesis.rank(text):
            if match.score < HYPOTHESIS_SCORE_NEEDED:
                return None
            near = self._hypotheses[match.index]
            if len(match.words) >= needed and near[0].id in about:
                return near
        return None

    def _about(self, told: str) -> set[str]:
        """The ids of the cards that the text matches well enough."""
        return {match.card.id for match in self._found(told)}

    def _found(self, text: str) -> list[CardMatch]:
        """What any two neighbouring sentences match; if nothing, what a short text complains of."""
        found = [match for breath in breaths(text) for match in self._matches(breath)]
        return found or list(self._plain_matches(text))

    def _matches(self, breath: str) -> Iterator[CardMatch]:
        """The best first."""
        words = frozenset(stems(breath))
        said = phrase(breath)
        topics: frozenset[str] | None = None
        for match in self._by_card.rank_stems(words):
            if not _any_in(self._subjects[match.index], said):
                continue
            if not _any_in(self._complaints[match.index], said):
                continue
            topics = _topics_in(said) if topics is None else topics
            if topics <= self._known_topics[match.index] and self._is_enough(match, words):
                shared = words_of(breath, match.words)
                yield CardMatch(self._cards[match.index], match.score, tuple(shared))

    def _plain_matches(self, text: str) -> Iterator[CardMatch]:
        """For a complaint in words that fit every card, which then say nothing about the subject."""
        said = phrase(text)
        complained = [general for general in _GENERAL_COMPLAINTS if general in said]
        if not complained or len(_words(text)) > SHORT:
            return
        words = frozenset(stems(text)).difference(*(general.split() for general in complained))
        topics = _topics_in(said)
        for match in self._by_card.rank_stems(words):
            if (
                match.score >= PLAIN_SCORE_NEEDED
                and self._cards[match.index].domain != SECURITY
                and len(match.words) >= SHARE_ENOUGH * len(words)
                and _any_in(self._subjects[match.index], said)
                and topics <= self._known_topics[match.index]
            ):
                shared = words_of(text, match.words)
                yield CardMatch(self._cards[match.index], match.score, tuple(shared))

    def _is_enough(self, match: Match, words: frozenset[str]) -> bool:
        share = len(match.words) / len(words)
        if share >= SHARE_ENOUGH:
            return True
        rarity = self._by_card.rarity(match.words) / self._by_card.rarity(words)
        return share >= SHARE_NEEDED and rarity >= RARITY_NEEDED and match.score >= SCORE_NEEDED


def rated(card: Card, text: str) -> tuple[Rated, ...]:
    """Each likelihood of the card times 2 ** the BM25 score of the text for that hypothesis among the
    card's own, brought back to the sum that the card gives them. Where the best score is above 3 all are
    made smaller in proportion, so that a long text does not make all equal. A rule of thumb.
    """
    known = card.hypotheses
    factors = [1.0] * len(known)
    matches = Bm25([_hypothesis_text(h) for h in known]).rank(text)
    scale = min(1.0, MOST_TELLING / matches[0].score) if matches else 1.0
    for match in matches:
        factors[match.index] = 2.0 ** (match.score * scale)
    weights = [h.likelihood * factor for h, factor in zip(known, factors, strict=True)]
    share = sum(h.likelihood for h in known) / sum(weights)
    found = [Rated(h, round(weight * share, 2)) for h, weight in zip(known, weights, strict=True)]
    return tuple(sorted(found, key=lambda one: -one.likelihood))


def stems(text: str) -> list[str]:
    """The words that carry meaning, in order, without their English endings."""
    return [stem(word) for word in _words(text) if word not in _STOP_WORDS]


def phrase(text: str) -> str:
    """Every word's stem, "not" and its like included, each between blanks."""
    return f" {' '.join(stem(word) for word in _words(text))} "


def words_of(text: str, wanted: frozenset[str]) -> list[str]:
    """The words of the text, in its order, whose stems are wanted."""
    found = (word for word in _words(text) if word not in _STOP_WORDS and stem(word) in wanted)
    return list(dict.fromkeys(found))


def breaths(text: str) -> list[str]:
    """Every two sentences that follow each other; a single one stands alone."""
    sentences = [part for part in _SENTENCE_END.split(text) if part.strip()]
    return ["\n".join(pair) for pair in pairwise(sentences)] or sentences


@lru_cache(10_000)
def stem(word: str) -> str:
    for ending in _ENDINGS:
        rest = word.removesuffix(ending)
        if rest == word or len(rest) < _SHORTEST_STEM or word.endswith("ss"):
            continue
        doubled = ending in {"ing", "ed"} and rest[-1] == rest[-2] and rest[-1] not in _KEPT_DOUBLE
        return rest[:-1] if doubled else rest
    return word


def _words(text: str) -> list[str]:
    folded = (
        text.casefold().replace("’", "'").replace("cannot", "can not").replace("can't", "can not")
    )
    folded = folded.replace("n't", " not")
    for written, meant in _ALIKE:
        folded = folded.replace(written, meant)
    return [word for word in _WORD.findall(folded) if len(word) > 1]


def _hypothesis_text(hypothesis: CardHypothesis) -> str:
    checks = (f"{check.do}\n{check.expect}" for check in hypothesis.checks)
    return "\n".join((hypothesis.label, hypothesis.description, *checks))


def _card_text(card: Card) -> str:
    # What a person would say of the trouble counts twice, the author's explanations once.
    told = "\n".join((card.title, *card.symptoms, *card.keywords))
    explained = "\n".join(f"{h.label}\n{h.description}" for h in card.hypotheses)
    return f"{told}\n{told}\n{explained}"


def _all_text(card: Card) -> str:
    return "\n".join((_card_text(card), *card.subject, *card.complaint))


def _topics_in(said: str) -> frozenset[str]:
    return frozenset(topic for topic in _TOPICS if topic in said)


def _any_in(phrases: Sequence[str], said: str) -> bool:
    return any(wanted in said for wanted in phrases)


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _nearly_the_same(one: str, other: str) -> bool:
    """Of the words of both, most are shared, and what one denies the other denies."""
    first, second = set(stems(one)), set(stems(other))
    if first == second:
        shared = 1.0 if first or _same(one, other) else 0.0
    else:
        shared = len(first & second) / len(first | second)
    return shared >= LABEL_SHARE_NEEDED and _denials(one) == _denials(other)


def _denials(text: str) -> int:
    return sum(word in _DENYING for word in _words(text)) % 2


_TOPICS = tuple(phrase(topic) for topic in TOPICS)
_GENERAL_COMPLAINTS = tuple(phrase(complaint) for complaint in GENERAL_COMPLAINTS)
