"""ConnectWise PSA (Manage): notes on service tickets.

Nothing is mailed to anybody (`processNotifications` is false). The answer to a new note shows it as both
internal and external whatever was sent, so it is not believed.
"""

from base64 import b64encode
from typing import TypeVar

import orjson
from pydantic import BaseModel, TypeAdapter

from models.delivery import DeliveryFailure, DeliveryGuarantee
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
from services.destinations.rendering import as_text, ticket_number

T = TypeVar("T")

API = "/v4_6_release/apis/3.0"
ACCEPT = "application/vnd.connectwise.com+json; version=2021.1, application/json"

LONGEST_NOTE = 32_000
"""Characters, of which the service takes more; nobody reads as many."""

PAGE = 100
PAGES_BACK = 5
"""So many notes of a ticket, newest first, are looked at for a marker."""

INTERNAL = "Internal analysis: only technicians see it."
DISCUSSION = "Discussion: the client sees it in the portal. Nobody is mailed."


class ConnectWise:
    name = "ConnectWise"
    guarantee = DeliveryGuarantee.EXACTLY_ONCE

    def __init__(self, connection: Connection, outgoing: Outgoing) -> None:
        self._base = connection.base_url + API
        self._outgoing = outgoing
        user = f"{connection.settings['company_id']}+{connection.credentials['public_key']}"
        login = f"{user}:{connection.credentials['private_key']}"
        self._headers = {
            "Authorization": f"Basic {b64encode(login.encode()).decode()}",
            "clientId": connection.settings["client_id"],
            "Accept": ACCEPT,
        }

    async def plan(self, dispatch: Dispatch) -> Plan:
        note = {
            "text": as_text(dispatch, LONGEST_NOTE),
            "internalAnalysisFlag": not dispatch.is_client_visible,
            "detailDescriptionFlag": dispatch.is_client_visible,
            "resolutionFlag": False,
            "processNotifications": False,
        }
        url = f"{self._base}{_ticket_path(dispatch.ticket_id)}/notes"
        request = PlannedRequest("POST", url, orjson.dumps(note).decode())
        return Plan((request,), DISCUSSION if dispatch.is_client_visible else INTERNAL)

    async def deliver(self, dispatch: Dispatch) -> Receipt:
        plan = await self.plan(dispatch)
        request = plan.requests[0]
        note = await self._ask("POST", request.url, NOTE, request.body.encode())
        return Receipt(str(note.id))

    async def find(self, dispatch: Dispatch) -> Receipt | None:
        notes = f"{self._base}{_ticket_path(dispatch.ticket_id)}/notes"
        for page in range(1, PAGES_BACK + 1):
            url = f"{notes}?orderBy=id%20desc&pageSize={PAGE}&page={page}"
            found = await self._ask("GET", url, NOTES)
            for note in found:
                if dispatch.marker in (note.text or ""):
                    return Receipt(str(note.id))
            if len(found) < PAGE:
                break
        return None

    async def read_ticket(self, ticket_id: str) -> Ticket:
        url = f"{self._base}{_ticket_path(ticket_id)}"
        ticket = await self._ask("GET", url, TICKET)
        notes = await self._ask(
            "GET", f"{url}/notes?orderBy=id%20asc&pageSize={PAGE}&page=1", NOTES
        )
        described = [note.text or "" for note in notes if note.detailDescriptionFlag]
        return Ticket(str(ticket.id), ticket.summary or "", described[0] if described else "")

    async def check(self) -> None:
        await self._ask("GET", f"{self._base}/service/tickets?pageSize=1&fields=id", ANYTHING)

    async def _ask(self, method: str, url: str, shape: TypeAdapter[T], body: bytes = b"") -> T:
        typed = {"Content-Type": "application/json"} if body else {}
        call = Call(method, url, {**self._headers, **typed}, body, changes=method == "POST")
        answer = await self._outgoing.send(call)
        if not answer.is_success:
            raise _refusal(answer, call)
        return demand(answer, call, shape)


class _Note(BaseModel):
    id: int
    text: str | None = None
    detailDescriptionFlag: bool = False  # noqa: N815 - as it is sent


class _Ticket(BaseModel):
    id: int
    summary: str | None = None


NOTE = TypeAdapter(_Note)
NOTES = TypeAdapter(list[_Note])
TICKET = TypeAdapter(_Ticket)
ANYTHING = TypeAdapter(object)


def _ticket_path(ticket_id: str | None) -> str:
    """Raises DeliveryFailed."""
    return f"/service/tickets/{ticket_number(ticket_id)}"


def _refusal(answer: Answer, call: Call) -> DeliveryFailed:
    """`{code, message, errors: [{code, message, field}]}`, where it is the service that answers."""
    data = answer.data()
    if not isinstance(data, dict):
        return failure_of(answer, call)
    errors = [error for error in data.get("errors") or [] if isinstance(error, dict)]
    if data.get("code") == "RecordLocked":
        return DeliveryFailed(DeliveryFailure.CONFLICT, "Somebody else has the ticket open.")
    fields = {
        str(error["field"]): str(error.get("message")) for error in errors if "field" in error
    }
    return failure_of(answer, call, told_by(answer, "message", "errors"), fields)
