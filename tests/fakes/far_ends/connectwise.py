"""ConnectWise PSA: tickets and their notes."""

import itertools
from base64 import b64decode
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.far_ends.behaviour import Closed, Script, Status

COMPANY, CLIENT, PUBLIC, PRIVATE = "first", "0192f3c1-guid", "public-key", "private-key-of-the-fake"
SHARED = "1000"
"""A ticket that is always there."""

LOGIN = {
    "companyId": COMPANY,
    "clientId": CLIENT,
    "publicKey": PUBLIC,
    "privateKey": PRIVATE,
}


class ConnectWise:
    """Notes by ticket. `asked` holds method and path of every request that was let in."""

    def __init__(self) -> None:
        self.tickets: dict[str, dict[str, Any]] = {SHARED: {"id": 1000, "summary": "Shared"}}
        self.notes: dict[str, list[dict[str, Any]]] = {SHARED: []}
        self.asked: list[tuple[str, str]] = []
        self.script = Script()
        self._ids = itertools.count(1001)

    def new_ticket(self, summary: str = "Mail is down", text: str = "Nobody gets mail.") -> str:
        number = next(self._ids)
        self.tickets[str(number)] = {"id": number, "summary": summary}
        described = {"text": text, "detailDescriptionFlag": True, "internalAnalysisFlag": False}
        self.notes[str(number)] = [{"id": next(self._ids), **described}] if text else []
        return str(number)

    def vanish_once(self, ticket: str) -> None:
        """The next note to it is refused, as if it had been deleted."""
        self.script.add(ticket, Status(404, {"code": "NotFound", "message": "No such ticket"}))

    def told(self, ticket: str) -> list[dict[str, Any]]:
        """The notes that were added to it."""
        return [note for note in self.notes[ticket] if "processNotifications" in note]

    def routes(self) -> list[Route]:
        tickets = "/v4_6_release/apis/3.0/service/tickets"
        return [
            Route(tickets, self._list, methods=["GET"]),
            Route(f"{tickets}/{{id}}", self._ticket, methods=["GET"]),
            Route(f"{tickets}/{{id}}/notes", self._notes, methods=["GET"]),
            Route(f"{tickets}/{{id}}/notes", self._add, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse(list(self.tickets.values())[:1])

    async def _ticket(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse(self.tickets[request.path_params["id"]])

    async def _notes(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        asked = request.query_params
        rows = sorted(
            self.notes[request.path_params["id"]],
            key=lambda note: note["id"],
            reverse=asked["orderBy"] == "id desc",
        )
        size = int(asked["pageSize"])
        start = (int(asked["page"]) - 1) * size
        return JSONResponse(rows[start : start + size])

    async def _add(self, request: Request) -> Response | Closed:
        if (refused := self._refused(request)) is not None:
            return refused
        ticket = request.path_params["id"]
        note = await request.json()

        async def store() -> Response:
            flags = ("internalAnalysisFlag", "detailDescriptionFlag", "resolutionFlag")
            if not note.get("text") or not any(note.get(flag) for flag in flags):
                return _error(400, "InvalidObject", "serviceNote object is invalid", "text")
            kept = {"id": next(self._ids), "ticketId": int(ticket), **note}
            self.notes[ticket].append(kept)
            # Whatever was sent, both are told as true.
            return JSONResponse({**kept, "internalFlag": True, "externalFlag": True}, 201)

        return await self.script.play(ticket, store)

    def _refused(self, request: Request) -> Response | None:
        kind, _, encoded = request.headers.get("authorization", "").partition(" ")
        login = b64decode(encoded).decode() if kind == "Basic" else ""
        if login != f"{COMPANY}+{PUBLIC}:{PRIVATE}" or request.headers.get("clientid") != CLIENT:
            return _error(401, "Unauthorized", "Verify that your credentials are correct.")
        if "application/vnd.connectwise.com+json" not in request.headers.get("accept", ""):
            return _error(406, "NotAcceptable", "Name a version.")
        self.asked.append((request.method, request.url.path))
        ticket = request.path_params.get("id")
        if ticket is not None and ticket not in self.tickets:
            return _error(404, "NotFound", f"Ticket {ticket} not found")
        return None


def _error(status: int, code: str, message: str, field: str | None = None) -> Response:
    errors = [{"code": "Wrong", "message": "It is wrong.", "field": field}] if field else []
    return JSONResponse({"code": code, "message": message, "errors": errors}, status)
