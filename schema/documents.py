"""Documents that are kept: what comes again is neither parsed, nor validated, nor measured anew.

Kept is what has passed all checks twice, of callers who have signed in, each account within its share;
and what the installation trusts, for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from sys import getsizeof
from typing import Self
from uuid import UUID

from graphql import ASTValidationRule, DocumentNode, GraphQLError, parse

from schema.measure import Measured, PageSizes, measure
from services.shares import Shares

BYTES_PER_TOKEN = 550
"""Of a parsed document, at most: it holds its tokens, its nodes and their places."""

HEARD_OF = 10_000
"""Documents that are recognised when they come again."""

CASES = 16
"""Combinations of lengths of lists, for one document."""

Rules = tuple[type[ASTValidationRule], ...]


@dataclass(eq=False, slots=True)
class Known:
    """A parsed document, and what was found out about it."""

    document: DocumentNode
    valid_under: set[Rules] = field(default_factory=set)
    measured: dict[PageSizes, Measured] = field(default_factory=dict)

    def measure(self, sizes: PageSizes) -> Measured:
        if sizes not in self.measured:
            if len(self.measured) >= CASES:
                self.measured.clear()
            self.measured[sizes] = measure(self.document, sizes)
        return self.measured[sizes]

    @property
    def size(self) -> int:
        count, token = 0, self.document.loc and self.document.loc.start_token
        while token:
            count, token = count + 1, token.next
        return count * BYTES_PER_TOKEN


class Offered(str):
    """A document of which its client will send the hash alone from now on."""

    __slots__ = ()


class Missing(str):
    """In the place of a document, why there is none: a sentence that is told and never parsed.

    So a name that is no good is refused, counted and logged where a bad document is, whatever way it
    came.
    """

    __slots__ = ("code",)
    code: str

    def __new__(cls, sentence: str, code: str) -> Self:
        made = super().__new__(cls, sentence)
        made.code = code
        return made


class Documents:
    """Of one server."""

    def __init__(
        self, trusted: Mapping[str, str] | None = None, *, only_trusted: bool = False
    ) -> None:
        """`trusted` are documents by the names that their clients use; their hashes do as well."""
        named = trusted or {}
        self._trusted = frozenset(named.values())
        self._by_name = {hash_of(text): text for text in self._trusted} | dict(named)
        self._only_trusted = only_trusted
        self._pinned = {text: Known(parse_for_good(text)) for text in self._trusted}
        self.kept: Shares[str, Known] = Shares(most_bytes=8_000_000, most=250)
        """No more, or the collector would hold everybody up whenever it looks through them."""
        self.persisted: Shares[tuple[UUID, str], str] = Shares(most_bytes=8_000_000, most=4_000)
        self._heard_of: set[int] = set()

    def find(self, text: str) -> Known | None:
        return self._pinned.get(text) or self.kept.get(text)

    def keep(self, text: str, known: Known, account_id: UUID | None) -> None:
        """Strangers leave nothing behind, or they could push out what belongs to accounts."""
        if account_id is None or text in self._trusted:
            return
        if text not in self.kept and self._has_come_before(text):
            self.kept.put(account_id, text, known, known.size + getsizeof(text))
        if isinstance(text, Offered):
            key = (account_id, hash_of(text))
            self.persisted.put(account_id, key, text, getsizeof(text))

    def _has_come_before(self, text: str) -> bool:
        """What comes once only would keep the collector busy for nothing."""
        known = hash(text)
        if known in self._heard_of:
            return True
        if len(self._heard_of) >= HEARD_OF:
            self._heard_of.clear()
        self._heard_of.add(known)
        return False

    def called(self, name: str, account_id: UUID | None) -> str:
        """An account finds what it has offered itself: what others ask is not to be guessed at."""
        found = self._by_name.get(name)
        if found is None and account_id is not None:
            found = self.persisted.get((account_id, name))
        if found is not None:
            return found
        if self._only_trusted:
            return NOT_TRUSTED
        return Missing("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")

    def offered(self, text: str, name: str) -> str:
        if name == hash_of(text) or self._by_name.get(name) == text:
            return Offered(text)
        return Missing("provided sha does not match query", "PERSISTED_QUERY_HASH_MISMATCH")

    def refusal(self, text: str) -> GraphQLError | None:
        if self._only_trusted and text not in self._trusted and not isinstance(text, Missing):
            text = NOT_TRUSTED
        if isinstance(text, Missing):
            return GraphQLError(text, extensions={"code": text.code})
        return None


NOT_TRUSTED = Missing(
    "This server runs the documents it trusts, and no other.", "DOCUMENT_NOT_TRUSTED"
)


@cache
def parse_for_good(text: str) -> DocumentNode:
    """At the start, after which the collector skips what is there."""
    return parse(text)


def hash_of(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()
