"""IT Glue: documents that are drafts until they are published, and whose text is in sections."""

import itertools
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.far_ends.behaviour import Closed, Script

KEY = "ITG.key-of-the-fake"
WITHOUT_DOCUMENTS = "9"
"""An organisation whose documents module is off."""


class ItGlue:
    """`script` takes an organisation, `organisation:section` and `organisation:publish`."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.script = Script()
        self._ids = itertools.count(5001)

    def told(self, organization: str, *, drafts: bool = False) -> list[dict[str, Any]]:
        return [
            each
            for each in self.documents.values()
            if each["organization"] == organization and each["draft"] is drafts
        ]

    def routes(self) -> list[Route]:
        documents = "/organizations/{org}/relationships/documents"
        return [
            Route("/organizations/{org}", self._organization, methods=["GET"]),
            Route(documents, self._list, methods=["GET"]),
            Route(documents, self._add, methods=["POST"]),
            Route("/documents/{id}/relationships/sections", self._sections, methods=["GET"]),
            Route("/documents/{id}/relationships/sections", self._write, methods=["POST"]),
            Route("/documents/{id}/publish", self._publish, methods=["PATCH"]),
        ]

    async def _organization(self, request: Request) -> Response:
        found = _resource("organizations", request.path_params["org"], {"name": "First"})
        return self._refused(request) or JSONResponse({"data": found})

    async def _list(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        name, organization = request.query_params["filter[name]"], request.path_params["org"]
        rows = [
            _resource("documents", id, {"name": each["name"]})
            for id, each in self.documents.items()
            if each["organization"] == organization and each["name"] == name
        ]
        return JSONResponse({"data": rows})

    async def _add(self, request: Request) -> Response | Closed:
        if (refused := self._refused(request)) is not None:
            return refused
        data = (await request.json())["data"]
        organization = request.path_params["org"]

        async def store() -> Response:
            id = str(next(self._ids))
            name = data["attributes"]["name"]
            self.documents[id] = {
                "organization": organization,
                "name": name,
                "sections": [],
                "draft": True,
            }
            return JSONResponse({"data": _resource("documents", id, {"name": name})}, 201)

        return await self.script.play(organization, store)

    async def _sections(self, request: Request) -> Response:
        sections = self.documents[request.path_params["id"]]["sections"]
        rows = [
            _resource("document-sections", str(number), {"content": content})
            for number, content in enumerate(sections, 1)
        ]
        return self._refused(request) or JSONResponse({"data": rows})

    async def _write(self, request: Request) -> Response | Closed:
        if (refused := self._refused(request)) is not None:
            return refused
        attributes = (await request.json())["data"]["attributes"]
        document = self.documents[request.path_params["id"]]

        async def store() -> Response:
            if attributes.get("resource-type") != "Document::Text":
                return _error(422, "Unprocessable Entity", "resource-type is invalid")
            document["sections"].append(attributes["content"])
            return JSONResponse({"data": _resource("document-sections", "1", attributes)}, 201)

        return await self.script.play(f"{document['organization']}:section", store)

    async def _publish(self, request: Request) -> Response | Closed:
        if (refused := self._refused(request)) is not None:
            return refused
        id = request.path_params["id"]
        document = self.documents[id]

        async def store() -> Response:
            document["draft"] = False
            url = f"https://first.itglue.example/{document['organization']}/docs/{id}"
            return JSONResponse({"data": _resource("documents", id, {"resource-url": url})})

        return await self.script.play(f"{document['organization']}:publish", store)

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("x-api-key") != KEY:
            return _error(401, "Unauthorized", "The API key is invalid.")
        if request.headers.get("content-type") != "application/vnd.api+json":
            return _error(415, "Unsupported Media Type", "Send application/vnd.api+json.")
        if request.path_params.get("org") == WITHOUT_DOCUMENTS:
            return _error(404, "Not Found", "The requested resource does not exist.")
        return None


def _resource(kind: str, id: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {"id": id, "type": kind, "attributes": attributes}


def _error(status: int, title: str, detail: str) -> Response:
    return JSONResponse(
        {"errors": [{"status": str(status), "title": title, "detail": detail}]}, status
    )
