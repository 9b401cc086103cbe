"""What is handed to a destination, what it hands back, and how it fails. Knows no provider."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from models.delivery import DeliveryFailure, DeliveryGuarantee

RETRYABLE = frozenset(
    {
        DeliveryFailure.RATE_LIMITED,
        DeliveryFailure.CONFLICT,
        DeliveryFailure.UNAVAILABLE,
        DeliveryFailure.AMBIGUOUS,
    }
)


class DocumentKind(StrEnum):
    HANDOFF_NOTE = "handoff_note"
    TICKET_NOTES = "ticket_notes"
    ARTICLE = "article"
    CLIENT_SUMMARY = "client_summary"


@dataclass(frozen=True, slots=True)
class ArticleParts:
    symptoms: Sequence[str] = ()
    root_cause: str | None = None
    steps: Sequence[str] = ()
    rule_out_first: Sequence[str] = ()
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """Without secrets: whoever makes it has had them taken out."""

    title: str
    markdown: str
    kind: DocumentKind
    parts: ArticleParts | None = None
    """For articles."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One document on its way to one place."""

    delivery_id: UUID
    document: Document
    is_client_visible: bool = False
    ticket_id: str | None = None
    recipients: Sequence[str] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    """Node ids of what it tells of, by the names that the API has for them."""
    pushed_at: str = "1970-01-01T00:00:00.000Z"
    """RFC 3339, the same over all tries."""

    @property
    def marker(self) -> str:
        """By which it is found again at the far end. Stays the same over all tries."""
        return f"[ref fp-{self.delivery_id.hex}]"


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """What is going to be sent, to the letter, but for credentials. `{name}` in a URL stands for what an
    earlier request's answer tells."""

    method: str
    url: str
    body: str


@dataclass(frozen=True, slots=True)
class Plan:
    requests: Sequence[PlannedRequest]
    visible_to: str
    """In the far end's words, as a sentence."""


@dataclass(frozen=True, slots=True)
class Receipt:
    reference: str
    """The id or address at the far end, at most 200 characters."""
    detail: str | None = None
    """What did not go well all the same, in a sentence."""


@dataclass(frozen=True, slots=True)
class Ticket:
    id: str
    title: str
    text: str


class DeliveryFailed(Exception):
    """A try that did not arrive, or perhaps did (AMBIGUOUS). Its sentence is shown to users, and holds
    nothing of credentials."""

    def __init__(
        self,
        kind: DeliveryFailure,
        sentence: str,
        *,
        fields: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        switches_off: bool = False,
    ) -> None:
        """`fields` are those that the far end found wrong; `retry_after` in seconds. `switches_off` where
        nothing more is to be sent there."""
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence
        self.fields = dict(fields or {})
        self.retry_after = retry_after
        self.switches_off = switches_off

    @property
    def is_retryable(self) -> bool:
        return self.kind in RETRYABLE


class Destination(Protocol):
    """Every method may take as long as a few calls over the network do, and raises DeliveryFailed."""

    guarantee: DeliveryGuarantee
    """EXACTLY_ONCE only where `find` tells for sure whether a dispatch has arrived."""

    async def plan(self, dispatch: Dispatch) -> Plan:
        """Changes nothing at the far end."""

    async def deliver(self, dispatch: Dispatch) -> Receipt:
        """Sends it, whether or not it has arrived before."""

    async def find(self, dispatch: Dispatch) -> Receipt | None:
        """Whether an earlier try has arrived; None also where that cannot be known."""

    async def check(self) -> None:
        """Whether address and credentials are right."""


class TicketSystem(Destination, Protocol):
    name: str
    """As people call it."""

    async def read_ticket(self, ticket_id: str) -> Ticket: ...


@dataclass(frozen=True, slots=True)
class Connection:
    """What a destination needs to know of its integration."""

    base_url: str
    settings: Mapping[str, str]
    credentials: Mapping[str, str] = field(repr=False)
