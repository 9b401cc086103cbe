"""Hudu: articles of its knowledge base, in a company or for all."""

from typing import TypeVar
from urllib.parse import quote

import orjson
from pydantic import BaseModel, TypeAdapter

from models.delivery import DeliveryGuarantee
from services.destinations.http import Call, Outgoing, demand, failure_of, told_by
from services.destinations.port import Connection, Dispatch, Plan, PlannedRequest, Receipt
from services.destinations.rendering import as_html, as_title

T = TypeVar("T")

LONGEST_TITLE = 250
LONGEST_ARTICLE = 200_000


class Hudu:
    name = "Hudu"
    guarantee = DeliveryGuarantee.AT_LEAST_ONCE
    """Articles are found by their name, and somebody may have changed it."""

    def __init__(self, connection: Connection, outgoing: Outgoing) -> None:
        self._base = f"{connection.base_url}/api/v1"
        self._outgoing = outgoing
        self._place = {
            name: int(connection.settings[name])
            for name in ("company_id", "folder_id")
            if name in connection.settings
        }
        self._headers = {
            "x-api-key": connection.credentials["api_key"],
            "Accept": "application/json",
        }

    async def plan(self, dispatch: Dispatch) -> Plan:
        article = {
            "name": as_title(dispatch, LONGEST_TITLE),
            "content": as_html(dispatch, LONGEST_ARTICLE),
            **self._place,
        }
        body = orjson.dumps({"article": article}).decode()
        where = "one company" if "company_id" in self._place else "all companies"
        visible_to = f"Everybody who reads the articles of {where} in Hudu."
        return Plan((PlannedRequest("POST", f"{self._base}/articles", body),), visible_to)

    async def deliver(self, dispatch: Dispatch) -> Receipt:
        request = (await self.plan(dispatch)).requests[0]
        made = await self._ask("POST", request.url, MADE, request.body.encode())
        return _receipt(made.article)

    async def find(self, dispatch: Dispatch) -> Receipt | None:
        name = quote(as_title(dispatch, LONGEST_TITLE), safe="")
        found = await self._ask("GET", f"{self._base}/articles?name={name}", FOUND)
        for article in found.articles:
            if dispatch.marker in (article.content or ""):
                return _receipt(article)
        return None

    async def check(self) -> None:
        await self._ask("GET", f"{self._base}/api_info", ANYTHING)

    async def _ask(self, method: str, url: str, shape: TypeAdapter[T], body: bytes = b"") -> T:
        typed = {"Content-Type": "application/json"} if body else {}
        call = Call(method, url, {**self._headers, **typed}, body, changes=method == "POST")
        answer = await self._outgoing.send(call)
        if not answer.is_success:
            raise failure_of(answer, call, told_by(answer, "error", "details", "errors"))
        return demand(answer, call, shape)


class _Article(BaseModel):
    id: int
    url: str | None = None
    content: str | None = None


class _Made(BaseModel):
    article: _Article


class _Found(BaseModel):
    articles: list[_Article]


MADE = TypeAdapter(_Made)
FOUND = TypeAdapter(_Found)
ANYTHING = TypeAdapter(object)


def _receipt(article: _Article) -> Receipt:
    return Receipt(article.url or str(article.id))
