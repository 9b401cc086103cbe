"""Hudu: articles."""

import itertools
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.fakes.far_ends.behaviour import Closed, Script

KEY = "hudu-key-of-the-fake"


class Hudu:
    """Articles by company; those of no company are under "0"."""

    def __init__(self) -> None:
        self.articles: list[dict[str, Any]] = []
        self.script = Script()
        self._ids = itertools.count(4001)

    def told(self, company: str) -> list[dict[str, Any]]:
        return [each for each in self.articles if str(each.get("company_id") or 0) == company]

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/api_info", self._info, methods=["GET"]),
            Route("/api/v1/articles", self._list, methods=["GET"]),
            Route("/api/v1/articles", self._add, methods=["POST"]),
        ]

    async def _info(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse({"version": "2.30.0"})

    async def _list(self, request: Request) -> Response:
        name = request.query_params["name"]
        found = [each for each in self.articles if each["name"] == name]
        return self._refused(request) or JSONResponse({"articles": found})

    async def _add(self, request: Request) -> Response | Closed:
        if (refused := self._refused(request)) is not None:
            return refused
        article = (await request.json()).get("article")
        company = str((article or {}).get("company_id") or 0)

        async def store() -> Response:
            if not article:
                details = "param is missing or the value is empty: article"
                return JSONResponse({"error": "Parameter missing", "details": details}, 400)
            if not article.get("name"):
                return JSONResponse({"errors": {"name": ["can't be blank"]}}, 422)
            number = next(self._ids)
            kept = {"id": number, "url": f"/kba/{number}", "slug": f"a-{number}", **article}
            self.articles.append(kept)
            return JSONResponse({"article": kept})

        return await self.script.play(company, store)

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("x-api-key") == KEY:
            return None
        return PlainTextResponse("Invalid API key", 401)
