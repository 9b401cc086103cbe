"""HaloPSA: tokens that end, tickets and their actions."""

import itertools
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.fakes.far_ends.behaviour import Closed, Script, Status

CLIENT, SECRET = "client-of-the-fake", "client-secret-of-the-fake"
LOGIN = {"clientId": CLIENT, "clientSecret": SECRET, "tenant": "first"}


class HaloPsa:
    """Actions by ticket. `tokens` are those that are good; `issued` counts them."""

    def __init__(self) -> None:
        self.tickets: dict[str, dict[str, Any]] = {}
        self.notes: dict[str, list[dict[str, Any]]] = {}
        self.tokens: set[str] = set()
        self.issued = 0
        self.lasts = 3600
        """Seconds that a token is said to last."""
        self.script = Script()
        self._ids = itertools.count(2001)

    def new_ticket(self, summary: str = "Mail is down", text: str = "Nobody gets mail.") -> str:
        number = next(self._ids)
        self.tickets[str(number)] = {"id": number, "summary": summary, "details": text}
        self.notes[str(number)] = []
        return str(number)

    def vanish_once(self, ticket: str) -> None:
        self.script.add(ticket, Status(404, {"message": "No such ticket"}))

    def told(self, ticket: str) -> list[dict[str, Any]]:
        return self.notes[ticket]

    def routes(self) -> list[Route]:
        return [
            Route("/auth/token", self._sign_in, methods=["POST"]),
            Route("/api/Tickets", self._list, methods=["GET"]),
            Route("/api/Tickets/{id}", self._ticket, methods=["GET"]),
            Route("/api/Actions", self._actions, methods=["GET"]),
            Route("/api/Actions", self._add, methods=["POST"]),
        ]

    async def _sign_in(self, request: Request) -> Response:
        form = dict(await request.form())
        wanted = {
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scope": "all",
            "tenant": "first",
        }
        if form != wanted:
            return JSONResponse({"error": "invalid_client"}, 400)
        self.issued += 1
        token = f"token-{self.issued}"
        self.tokens.add(token)
        told = {"access_token": token, "token_type": "Bearer", "expires_in": self.lasts}
        return JSONResponse({**told, "scope": "all"})

    async def _list(self, request: Request) -> Response:
        tickets = list(self.tickets.values())[:1]
        return self._refused(request) or JSONResponse({"record_count": 1, "tickets": tickets})

    async def _ticket(self, request: Request) -> Response:
        ticket = self.tickets.get(request.path_params["id"])
        refused = self._refused(request)
        if refused is None and ticket is None:
            return JSONResponse({"message": "Not found"}, 404)
        return refused or JSONResponse(ticket)

    async def _actions(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        rows = self.notes.get(request.query_params["ticket_id"])
        if rows is None:
            return JSONResponse({"message": "Not found"}, 404)
        return JSONResponse({"record_count": len(rows), "actions": rows})

    async def _add(self, request: Request) -> Response | Closed:
        if (refused := self._refused(request)) is not None:
            return refused
        body = await request.json()
        if not isinstance(body, list) or len(body) != 1:
            return PlainTextResponse("Cannot deserialize the current JSON object", 400)
        (action,) = body
        ticket = str(action["ticket_id"])

        async def store() -> Response:
            if not action.get("outcome"):
                return JSONResponse({"errors": ["Outcome is required"]}, 400)
            kept = {"id": next(self._ids), **action}
            self.notes[ticket].append(kept)
            return JSONResponse(kept, 201)

        return await self.script.play(ticket, store)

    def _refused(self, request: Request) -> Response | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return None if token in self.tokens else Response(status_code=401)
