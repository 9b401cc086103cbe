"""HaloPSA: private and public notes ("actions") on tickets.

Signs in with a client's id and secret for an hour at a time. Actions are posted as a list, and each needs
an outcome by name.
"""

import asyncio
from http import HTTPStatus
from time import monotonic
from typing import TypeVar
from urllib.parse import urlencode

import orjson
from pydantic import BaseModel, TypeAdapter

from models.delivery import DeliveryFailure, DeliveryGuarantee
from services.destinations.http import (
    LONGEST_PAUSE,
    Answer,
    Call,
    Outgoing,
    demand,
    failure_of,
    told_by,
)
from services.destinations.port import (
    Connection,
    DeliveryFailed,
    Dispatch,
    Plan,
    PlannedRequest,
    Receipt,
    Ticket,
)
from services.destinations.rendering import as_html, ticket_number

T = TypeVar("T")

EARLY = 120.0
"""Seconds before its end, at which a token is renewed."""

LONGEST_NOTE = 60_000

INTERNAL_OUTCOME = "Internal note"
VISIBLE_OUTCOME = "Public note"
"""Unless the integration names others: they are the tenant's own."""

HIDDEN = "Hidden from the user: only agents see it."
SHOWN = "Shown to the user in the portal. Nobody is mailed."


class HaloPsa:
    name = "HaloPSA"
    guarantee = DeliveryGuarantee.EXACTLY_ONCE

    def __init__(self, connection: Connection, outgoing: Outgoing) -> None:
        self._base = connection.base_url
        self._outgoing = outgoing
        self._settings = connection.settings
        self._login = {
            "grant_type": "client_credentials",
            "client_id": connection.credentials["client_id"],
            "client_secret": connection.credentials["client_secret"],
            "scope": "all",
        }
        if "tenant" in connection.settings:
            self._login["tenant"] = connection.settings["tenant"]
        self._token = ""
        self._renewed_at = 0.0
        self._signing_in = asyncio.Lock()

    async def plan(self, dispatch: Dispatch) -> Plan:
        visible = dispatch.is_client_visible
        outcome = (
            self._settings.get("visible_outcome", VISIBLE_OUTCOME)
            if visible
            else self._settings.get("internal_outcome", INTERNAL_OUTCOME)
        )
        action = {
            "ticket_id": ticket_number(dispatch.ticket_id),
            "outcome": outcome,
            "note_html": as_html(dispatch, LONGEST_NOTE),
            "hiddenfromuser": not visible,
            "sendemail": False,
            "timetaken": 0,
        }
        request = PlannedRequest(
            "POST", f"{self._base}/api/Actions", orjson.dumps([action]).decode()
        )
        return Plan((request,), SHOWN if visible else HIDDEN)

    async def deliver(self, dispatch: Dispatch) -> Receipt:
        request = (await self.plan(dispatch)).requests[0]
        made = await self._ask("POST", request.url, MADE, request.body.encode())
        action = made[0] if isinstance(made, list) else made
        return Receipt(str(action.id))

    async def find(self, dispatch: Dispatch) -> Receipt | None:
        number = ticket_number(dispatch.ticket_id)
        url = f"{self._base}/api/Actions?ticket_id={number}&includehtmlnote=true"
        found = await self._ask("GET", url, ACTIONS)
        for action in found if isinstance(found, list) else found.actions:
            if dispatch.marker in f"{action.note or ''}{action.note_html or ''}":
                return Receipt(str(action.id))
        return None

    async def read_ticket(self, ticket_id: str) -> Ticket:
        url = f"{self._base}/api/Tickets/{ticket_number(ticket_id)}?includedetails=true"
        ticket = await self._ask("GET", url, TICKET)
        return Ticket(str(ticket.id), ticket.summary or "", ticket.details or "")

    async def check(self) -> None:
        await self._ask("GET", f"{self._base}/api/Tickets?count=1", ANYTHING)

    async def _ask(self, method: str, url: str, shape: TypeAdapter[T], body: bytes = b"") -> T:
        """A token that is refused is renewed once: it may have been revoked before its end."""
        token = await self._signed_in()
        call, answer = await self._send(method, url, body, token)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            call, answer = await self._send(method, url, body, await self._signed_in(but=token))
        if not answer.is_success:
            raise _refusal(answer, call)
        return demand(answer, call, shape)

    async def _send(self, method: str, url: str, body: bytes, token: str) -> tuple[Call, Answer]:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/json"
        call = Call(method, url, headers, body, changes=method == "POST")
        return call, await self._outgoing.send(call)

    async def _signed_in(self, but: str | None = None) -> str:
        """A token that is good for a while, and is not the one given."""
        async with self._signing_in:
            if not self._token or self._token == but or monotonic() > self._renewed_at:
                call = Call(
                    "POST",
                    f"{self._base}/auth/token",
                    {
                        "Content-Type": "application/x-www-form-urlencoded",
                        "Accept": "application/json",
                    },
                    urlencode(self._login).encode(),
                )
                answer = await self._outgoing.send(call)
                if answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
                    raise DeliveryFailed(DeliveryFailure.AUTH, "It did not accept the credentials.")
                token = demand(answer, call, TOKEN)
                self._token = token.access_token
                self._renewed_at = monotonic() + max(token.expires_in - EARLY, 0.0)
            return self._token


class _Token(BaseModel):
    access_token: str
    expires_in: float = 3600.0


class _Made(BaseModel):
    id: int


class _Action(BaseModel):
    id: int
    note: str | None = None
    note_html: str | None = None


class _Actions(BaseModel):
    actions: list[_Action]


class _Ticket(BaseModel):
    id: int
    summary: str | None = None
    details: str | None = None


TOKEN = TypeAdapter(_Token)
MADE = TypeAdapter(_Made | list[_Made])
ACTIONS = TypeAdapter(_Actions | list[_Action])
TICKET = TypeAdapter(_Ticket)
ANYTHING = TypeAdapter(object)


def _refusal(answer: Answer, call: Call) -> DeliveryFailed:
    """`{errors: […]}`, `{message, retry_after}` or a text."""
    failure = failure_of(answer, call, told_by(answer, "errors", "message"))
    data = answer.data()
    wait = data.get("retry_after") if isinstance(data, dict) else None
    if failure.retry_after is None and isinstance(wait, int | float):
        failure.retry_after = float(min(max(wait, 0), LONGEST_PAUSE))
    return failure
