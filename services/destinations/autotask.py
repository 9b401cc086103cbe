"""Autotask: notes on tickets.

Each tenant lives in a zone, which is looked up, and has values of its own for a note's type and for who
sees it, which are read too: what means "internal" here publishes to clients elsewhere. What it finds wrong
with a note comes as status 500 with a list of errors, so that is no reason to try again.
"""

import asyncio
from http import HTTPStatus
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import orjson
from pydantic import BaseModel, TypeAdapter

from models.delivery import DeliveryFailure, DeliveryGuarantee
from services.destinations.addresses import AddressRefused, checked_url
from services.destinations.http import Answer, Call, Outgoing, demand, failure_of, told_by
from services.destinations.port import (
    Connection,
    DeliveryFailed,
    Dispatch,
    Plan,
    PlannedRequest,
    Receipt,
    Ticket,
)
from services.destinations.rendering import as_text, as_title, ticket_number

T = TypeVar("T")

AT_ONCE = 3
"""Calls of one integration that the service takes at the same time."""

LISTS_LAST = 3600.0
"""Seconds for which the tenant's values are believed."""

LONGEST_TITLE = 250
LONGEST_NOTE = 32_000


class Autotask:
    name = "Autotask"
    guarantee = DeliveryGuarantee.EXACTLY_ONCE

    def __init__(self, connection: Connection, outgoing: Outgoing) -> None:
        self._base = connection.base_url
        self._user = connection.settings["user_name"]
        self._outgoing = outgoing
        self._headers = {
            "ApiIntegrationCode": connection.credentials["integration_code"],
            "UserName": self._user,
            "Secret": connection.credentials["secret"],
            "Accept": "application/json",
        }
        self._zone: str | None = None
        self._lists: dict[str, list[_Value]] = {}
        self._lists_read_at = 0.0
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def plan(self, dispatch: Dispatch) -> Plan:
        number = ticket_number(dispatch.ticket_id)
        publish = _published(await self._values("publish"), visible=dispatch.is_client_visible)
        note = {
            "ticketID": number,
            "title": as_title(dispatch, LONGEST_TITLE),
            "description": as_text(dispatch, LONGEST_NOTE),
            "noteType": _note_type(await self._values("noteType")),
            "publish": int(publish.value),
        }
        url = f"{await self._api()}/Tickets/{number}/Notes"
        visible_to = f"Published to: {publish.label}. Nobody is mailed by FlowPilot."
        return Plan((PlannedRequest("POST", url, orjson.dumps(note).decode()),), visible_to)

    async def deliver(self, dispatch: Dispatch) -> Receipt:
        request = (await self.plan(dispatch)).requests[0]
        made = await self._ask("POST", request.url, MADE, request.body.encode(), changes=True)
        return Receipt(str(made.itemId))

    async def find(self, dispatch: Dispatch) -> Receipt | None:
        wanted = {
            "filter": [
                {"op": "eq", "field": "ticketID", "value": ticket_number(dispatch.ticket_id)},
                {"op": "contains", "field": "description", "value": dispatch.marker},
            ]
        }
        url = f"{await self._api()}/TicketNotes/query"
        found = await self._ask("POST", url, NOTES, orjson.dumps(wanted))
        for note in found.items:
            if dispatch.marker in (note.description or ""):
                return Receipt(str(note.id))
        return None

    async def read_ticket(self, ticket_id: str) -> Ticket:
        """One that does not exist is told as null, with status 200."""
        url = f"{await self._api()}/Tickets/{ticket_number(ticket_id)}"
        ticket = (await self._ask("GET", url, TICKET)).item
        if ticket is None:
            raise DeliveryFailed(DeliveryFailure.NOT_FOUND, "It has no such ticket.")
        return Ticket(str(ticket.id), ticket.title or "", ticket.description or "")

    async def check(self) -> None:
        await self._ask("GET", f"{await self._api()}/ThresholdInformation", ANYTHING)

    async def _api(self) -> str:
        """Of the tenant's zone, which must be the same vendor's: it is sent the credentials."""
        if self._zone is None:
            path = f"/ATServicesRest/V1.0/zoneInformation?user={quote(self._user, safe='')}"
            call = Call("GET", self._base + path, {"Accept": "application/json"})
            answer = await self._outgoing.send(call)
            if not answer.is_success:
                raise _refusal(answer, call)
            self._zone = self._checked(demand(answer, call, ZONE).url)
        return f"{self._zone}/V1.0"

    def _checked(self, url: str) -> str:
        try:
            zone = checked_url(url, self._outgoing.allowed)
        except AddressRefused:
            zone = ""
        if not zone or _site(zone) != _site(self._base):
            raise DeliveryFailed(
                DeliveryFailure.VALIDATION, "It names a zone at an address that is not its own."
            )
        return zone

    async def _values(self, field: str) -> "list[_Value]":
        """Those of a list that are in use, in its order."""
        if not self._lists or monotonic() - self._lists_read_at > LISTS_LAST:
            url = f"{await self._api()}/TicketNotes/entityInformation/fields"
            told = await self._ask("GET", url, FIELDS)
            self._lists = {each.name: each.picklistValues or [] for each in told.fields}
            self._lists_read_at = monotonic()
        return [value for value in self._lists.get(field, []) if value.isActive]

    async def _ask(
        self,
        method: str,
        url: str,
        shape: TypeAdapter[T],
        body: bytes = b"",
        *,
        changes: bool = False,
    ) -> T:
        typed = {"Content-Type": "application/json"} if body else {}
        call = Call(method, url, {**self._headers, **typed}, body, changes=changes)
        async with self._turns:
            answer = await self._outgoing.send(call)
        if not answer.is_success:
            raise _refusal(answer, call)
        return demand(answer, call, shape)


class _Zone(BaseModel):
    url: str


class _Value(BaseModel):
    value: str
    label: str
    isActive: bool = True  # noqa: N815 - as it is sent


class _Field(BaseModel):
    name: str
    picklistValues: list[_Value] | None = None  # noqa: N815


class _Fields(BaseModel):
    fields: list[_Field]


class _Made(BaseModel):
    itemId: int  # noqa: N815


class _Note(BaseModel):
    id: int
    description: str | None = None


class _Notes(BaseModel):
    items: list[_Note]


class _Ticket(BaseModel):
    id: int
    title: str | None = None
    description: str | None = None


class _Item(BaseModel):
    item: _Ticket | None


ZONE = TypeAdapter(_Zone)
FIELDS = TypeAdapter(_Fields)
MADE = TypeAdapter(_Made)
NOTES = TypeAdapter(_Notes)
TICKET = TypeAdapter(_Item)
ANYTHING = TypeAdapter(object)


def _site(url: str) -> str:
    """The host without its first label, which is the zone's; an address or a short name as it is."""
    host = urlsplit(url).hostname or ""
    parent = host.partition(".")[2]
    return parent if "." in parent and not host.replace(".", "").isdigit() else host


def _published(values: list[_Value], *, visible: bool) -> _Value:
    """By its label. Raises DeliveryFailed where none of them says what is meant: nothing is guessed."""
    for value in values:
        words = value.label.lower().split()
        if ("internal" in words) is not visible and (not visible or "all" in words):
            return value
    wanted = "all users" if visible else "internal users"
    raise DeliveryFailed(
        DeliveryFailure.VALIDATION, f"Its list of who may see a note has no value for {wanted}."
    )


def _note_type(values: list[_Value]) -> int:
    """The one for notes of tickets or tasks, or else the first."""
    if not values:
        raise DeliveryFailed(DeliveryFailure.VALIDATION, "Its list of types of notes is empty.")
    fitting = [value for value in values if "note" in value.label.lower()]
    return int((fitting or values)[0].value)


def _refusal(answer: Answer, call: Call) -> DeliveryFailed:
    """`{errors: ["…"]}` or `{errors: [{message, field}]}`."""
    data = answer.data()
    errors: list[Any] = data.get("errors") or [] if isinstance(data, dict) else []
    told = told_by(answer, "errors")
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and errors:
        fields = {
            str(error["field"]): str(error.get("message"))
            for error in errors
            if isinstance(error, dict) and error.get("field")
        }
        sentence = f"It did not accept what was sent. It says: {told}"
        return DeliveryFailed(DeliveryFailure.VALIDATION, sentence, fields=fields)
    return failure_of(answer, call, told)
