"""The providers there are: what people enter for each, and what its integrations become."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from models.delivery import DeliveryFailure
from models.delivery import Destination as DestinationKind
from models.integration import Integration, IntegrationProvider
from services.destinations.autotask import Autotask
from services.destinations.connectwise import ConnectWise
from services.destinations.email import Email, address_problem
from services.destinations.halopsa import HaloPsa
from services.destinations.http import Outgoing
from services.destinations.hudu import Hudu
from services.destinations.it_glue import ItGlue
from services.destinations.port import Connection, DeliveryFailed, Destination, TicketSystem
from services.destinations.webhook import Webhook, key_problem
from services.sealing import Seal, Unsealable

KEPT_OPEN = 500
"""Integrations of which one process remembers tokens and the like."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One of the things that people enter."""

    name: str
    is_secret: bool = False
    is_required: bool = True
    is_number: bool = False
    problem: Callable[[str], str | None] | None = None
    """What is wrong with a value, in a sentence."""


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    """As people call it."""
    destination: DestinationKind
    entries: tuple[Entry, ...]
    open: Callable[[Connection, Outgoing], Destination]
    schemes: tuple[str, ...] = ("https",)
    plain: str | None = "http"
    """See `checked_url`."""
    example: str = "https://psa.example.com"
    rotating: str | None = None
    """A secret whose predecessor is good for a day more, as `previous_` and its name."""

    @property
    def secrets(self) -> list[str]:
        return [entry.name for entry in self.entries if entry.is_secret]


PROVIDERS: Mapping[IntegrationProvider, Provider] = {
    IntegrationProvider.CONNECTWISE: Provider(
        ConnectWise.name,
        DestinationKind.PSA,
        (
            Entry("company_id"),
            Entry("client_id"),
            Entry("public_key", is_secret=True),
            Entry("private_key", is_secret=True),
        ),
        ConnectWise,
    ),
    IntegrationProvider.HALOPSA: Provider(
        HaloPsa.name,
        DestinationKind.PSA,
        (
            Entry("client_id", is_secret=True),
            Entry("client_secret", is_secret=True),
            Entry("tenant", is_required=False),
            Entry("internal_outcome", is_required=False),
            Entry("visible_outcome", is_required=False),
        ),
        HaloPsa,
    ),
    IntegrationProvider.AUTOTASK: Provider(
        Autotask.name,
        DestinationKind.PSA,
        (
            Entry("user_name"),
            Entry("secret", is_secret=True),
            Entry("integration_code", is_secret=True),
        ),
        Autotask,
    ),
    IntegrationProvider.HUDU: Provider(
        Hudu.name,
        DestinationKind.HUDU,
        (
            Entry("api_key", is_secret=True),
            Entry("company_id", is_required=False, is_number=True),
            Entry("folder_id", is_required=False, is_number=True),
        ),
        Hudu,
    ),
    IntegrationProvider.IT_GLUE: Provider(
        ItGlue.name,
        DestinationKind.IT_GLUE,
        (Entry("api_key", is_secret=True), Entry("organization_id", is_number=True)),
        ItGlue,
    ),
    IntegrationProvider.SMTP: Provider(
        Email.name,
        DestinationKind.EMAIL,
        (
            Entry("sender", problem=address_problem),
            Entry("sender_name", is_required=False),
            Entry("username", is_required=False),
            Entry("password", is_secret=True, is_required=False),
        ),
        Email,
        schemes=("smtps", "smtp"),
        plain=None,
        example="smtps://mail.example.com or smtp://mail.example.com:587",
    ),
    IntegrationProvider.WEBHOOK: Provider(
        Webhook.name,
        DestinationKind.WEBHOOK,
        (Entry("secret", is_secret=True, problem=key_problem),),
        Webhook,
        rotating="secret",
    ),
}


def owner(account_id: UUID, integration_id: UUID) -> bytes:
    """Whom an integration's credentials are sealed for."""
    return account_id.bytes + integration_id.bytes


class Destinations:
    """Integrations as destinations. Each is kept open until it is changed: what it has learnt of the far
    end (a token, a zone, the values of a list) costs calls."""

    def __init__(self, outgoing: Outgoing, seal: Seal) -> None:
        self.outgoing = outgoing
        self.seal = seal
        self._open: OrderedDict[tuple[UUID, UUID, int], Destination] = OrderedDict()

    def of(self, integration: Integration) -> Destination:
        """Raises DeliveryFailed where its credentials cannot be read."""
        key = (integration.account_id, integration.id, integration.version)
        if key not in self._open:
            connection = Connection(
                integration.base_url, integration.settings, self._credentials(integration)
            )
            self._open[key] = PROVIDERS[integration.provider].open(connection, self.outgoing)
            if len(self._open) > KEPT_OPEN:
                self._open.popitem(last=False)
        self._open.move_to_end(key)
        return self._open[key]

    def tickets_of(self, integration: Integration) -> TicketSystem:
        """Of one whose provider is a ticket system; raises DeliveryFailed as `of` does."""
        return self.of(integration)  # type: ignore[return-value]

    def _credentials(self, integration: Integration) -> dict[str, str]:
        try:
            return self.seal.open(
                owner(integration.account_id, integration.id), integration.credentials or b""
            )
        except Unsealable:
            raise DeliveryFailed(
                DeliveryFailure.AUTH,
                "Its credentials were encrypted under another key of this server: enter them again.",
            ) from None
