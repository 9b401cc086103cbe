"""IT Glue: documents of an organisation, in three steps.

A document is made empty and as a draft; its text is a section of its own (a text among its attributes would
be dropped without a word); then it is published. What is cut short in between stays behind as a draft.
"""

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote

import orjson
from pydantic import BaseModel, Field, TypeAdapter

from models.delivery import DeliveryFailure, DeliveryGuarantee
from services.destinations.http import Call, Outgoing, demand, failure_of, told_by
from services.destinations.port import (
    Connection,
    DeliveryFailed,
    Dispatch,
    Plan,
    PlannedRequest,
    Receipt,
)
from services.destinations.rendering import as_html, as_title

T = TypeVar("T")

LONGEST_TITLE = 250
LONGEST_ARTICLE = 200_000
NO_DOCUMENTS = "It has no documents for that organisation: its module is off, or the id is wrong."
MEDIA_TYPE = "application/vnd.api+json"


class ItGlue:
    name = "IT Glue"
    guarantee = DeliveryGuarantee.AT_LEAST_ONCE

    def __init__(self, connection: Connection, outgoing: Outgoing) -> None:
        self._base = connection.base_url
        self._organization = f"{self._base}/organizations/{connection.settings['organization_id']}"
        self._outgoing = outgoing
        self._headers = {
            "x-api-key": connection.credentials["api_key"],
            "Accept": MEDIA_TYPE,
            "Content-Type": MEDIA_TYPE,
        }

    async def plan(self, dispatch: Dispatch) -> Plan:
        document = {
            "type": "documents",
            "attributes": {"name": as_title(dispatch, LONGEST_TITLE)},
        }
        section = {
            "type": "document-sections",
            "attributes": {
                "resource-type": "Document::Text",
                "content": as_html(dispatch, LONGEST_ARTICLE),
            },
        }
        requests = (
            PlannedRequest(
                "POST", f"{self._organization}/relationships/documents", _body(document)
            ),
            PlannedRequest(
                "POST", f"{self._base}/documents/{{id}}/relationships/sections", _body(section)
            ),
            PlannedRequest("PATCH", f"{self._base}/documents/{{id}}/publish", ""),
        )
        return Plan(requests, "Everybody who reads that organisation's documents in IT Glue.")

    async def deliver(self, dispatch: Dispatch) -> Receipt:
        make, write, publish = (await self.plan(dispatch)).requests
        try:
            made = await self._ask(make.method, make.url, ONE, make.body)
        except DeliveryFailed as failure:
            if failure.kind is DeliveryFailure.NOT_FOUND:
                raise DeliveryFailed(failure.kind, NO_DOCUMENTS) from None
            raise
        document_id = made.data.id
        await self._ask(write.method, write.url.format(id=document_id), ONE, write.body)
        return await self._published(publish, document_id)

    async def _published(self, publish: PlannedRequest, document_id: str) -> Receipt:
        done = await self._ask(publish.method, publish.url.format(id=document_id), ONE)
        return Receipt(done.data.attributes.resource_url or document_id)

    async def find(self, dispatch: Dispatch) -> Receipt | None:
        """Publishes what an earlier try has written and left as a draft."""
        name = quote(as_title(dispatch, LONGEST_TITLE), safe="")
        url = f"{self._organization}/relationships/documents?filter[name]={name}"
        for document in (await self._ask("GET", url, MANY)).data:
            sections = f"{self._base}/documents/{document.id}/relationships/sections"
            for section in (await self._ask("GET", sections, MANY)).data:
                if dispatch.marker in (section.attributes.content or ""):
                    publish = (await self.plan(dispatch)).requests[2]
                    return await self._published(publish, document.id)
        return None

    async def check(self) -> None:
        await self._ask("GET", self._organization, ONE)

    async def _ask(self, method: str, url: str, shape: TypeAdapter[T], body: str = "") -> T:
        call = Call(method, url, self._headers, body.encode(), changes=method != "GET")
        answer = await self._outgoing.send(call)
        if not answer.is_success:
            raise failure_of(answer, call, told_by(answer, "errors"))
        return demand(answer, call, shape)


class _Attributes(BaseModel):
    content: str | None = None
    resource_url: str | None = Field(default=None, alias="resource-url")


class _Resource(BaseModel):
    id: str
    attributes: _Attributes = _Attributes()


class _One(BaseModel):
    data: _Resource


class _Many(BaseModel):
    data: list[_Resource]


ONE = TypeAdapter(_One)
MANY = TypeAdapter(_Many)


def _body(data: Mapping[str, object]) -> str:
    return orjson.dumps({"data": data}).decode()
