"""Autotask: a zone, lists of values of this tenant's own, tickets and their notes."""

import itertools
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.far_ends.behaviour import Closed, Script, Status

USER, SECRET, CODE = "api@first.example", "secret-of-the-fake", "integration-code-of-the-fake"
LOGIN = {"userName": USER, "secret": SECRET, "integrationCode": CODE}

ALL, INTERNAL, NOTE = 7, 9, 23
"""This tenant's values: elsewhere 1 is "all" and 2 is "internal"."""

FIELDS = [
    {"name": "id", "isPickList": False},
    {
        "name": "noteType",
        "isPickList": True,
        "picklistValues": [
            {"value": "3", "label": "Task Detail", "isActive": False},
            {"value": "13", "label": "Workflow Rule", "isActive": True},
            {"value": str(NOTE), "label": "Ticket Notes", "isActive": True},
        ],
    },
    {
        "name": "publish",
        "isPickList": True,
        "picklistValues": [
            {"value": "1", "label": "Internal (old)", "isActive": False},
            {"value": str(ALL), "label": "All Autotask Users", "isActive": True},
            {"value": str(INTERNAL), "label": "Internal Project Team", "isActive": True},
        ],
    },
]


class Autotask:
    """Notes by ticket. `most_at_once` is the largest number of calls that were under way together."""

    def __init__(self) -> None:
        self.url = ""
        """Where its zone is; set by whoever serves it."""
        self.zone_url: str | None = None
        """Told instead."""
        self.tickets: dict[str, dict[str, Any]] = {}
        self.notes: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[str] = []
        self.script = Script()
        self._ids = itertools.count(3001)

    def new_ticket(self, summary: str = "Mail is down", text: str = "Nobody gets mail.") -> str:
        number = next(self._ids)
        self.tickets[str(number)] = {"id": number, "title": summary, "description": text}
        self.notes[str(number)] = []
        return str(number)

    def vanish_once(self, ticket: str) -> None:
        self.script.add(ticket, Status(404, {"errors": ["No such ticket"]}))

    def told(self, ticket: str) -> list[dict[str, Any]]:
        return self.notes[ticket]

    def routes(self) -> list[Route]:
        return [
            Route("/ATServicesRest/V1.0/zoneInformation", self._zone, methods=["GET"]),
            Route("/zone/V1.0/ThresholdInformation", self._threshold, methods=["GET"]),
            Route("/zone/V1.0/TicketNotes/entityInformation/fields", self._fields),
            Route("/zone/V1.0/TicketNotes/query", self._query, methods=["POST"]),
            Route("/zone/V1.0/Tickets/{id}", self._ticket, methods=["GET"]),
            Route("/zone/V1.0/Tickets/{id}/Notes", self._add, methods=["POST"]),
        ]

    async def _zone(self, request: Request) -> Response:
        if request.query_params["user"] != USER:
            return JSONResponse({"errors": ["Zone information could not be determined"]}, 500)
        zone = self.zone_url or f"{self.url}/zone/"
        return JSONResponse({"zoneName": "Test", "url": zone, "webUrl": "", "ci": 1})

    async def _threshold(self, request: Request) -> Response:
        counts = {"currentTimeframeRequestCount": 1, "externalRequestThreshold": 10_000}
        return self._refused(request) or JSONResponse(counts)

    async def _fields(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse({"fields": FIELDS})

    async def _ticket(self, request: Request) -> Response:
        found = self.tickets.get(request.path_params["id"])
        return self._refused(request) or JSONResponse({"item": found})

    async def _query(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        ticket, text = (each["value"] for each in (await request.json())["filter"])
        rows = [note for note in self.notes[str(ticket)] if text in note["description"]]
        return JSONResponse({"items": rows, "pageDetails": {"count": len(rows)}})

    async def _add(self, request: Request) -> Response | Closed:
        if (refused := self._refused(request)) is not None:
            return refused
        ticket = request.path_params["id"]
        note = await request.json()

        async def store() -> Response:
            if ticket not in self.tickets:
                return JSONResponse({"errors": ["No such ticket"]}, 404)
            problems = []
            if len(note["title"]) > 250:
                problems.append("Title exceeds maximum length of 250")
            if len(note["description"]) > 32_000:
                problems.append("Description exceeds maximum length of 32000")
            if note["noteType"] != NOTE or note["publish"] not in {ALL, INTERNAL}:
                problems.append("Value does not exist for the required picklist")
            if problems:
                return JSONResponse({"errors": problems}, 500)
            kept = {"id": next(self._ids), **note}
            self.notes[ticket].append(kept)
            return JSONResponse({"itemId": kept["id"]})

        return await self.script.play(ticket, store)

    def _refused(self, request: Request) -> Response | None:
        self.asked.append(request.url.path)
        given = [request.headers.get(name) for name in ("username", "secret", "apiintegrationcode")]
        if given != [USER, SECRET, CODE]:
            return JSONResponse({"errors": ["The logon username or password is incorrect."]}, 401)
        return None
