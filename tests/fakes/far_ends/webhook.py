"""A receiver of webhooks: what it heard, by the path it was sent to."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.fakes.far_ends.behaviour import Closed, Script


@dataclass(frozen=True)
class Heard:
    headers: Mapping[str, str]
    body: str


class WebhookReceiver:
    def __init__(self) -> None:
        self.heard: defaultdict[str, list[Heard]] = defaultdict(list)
        self.script = Script()

    def routes(self) -> list[Route]:
        return [Route("/{name}", self._take, methods=["POST"])]

    async def _take(self, request: Request) -> Response | Closed:
        name = request.path_params["name"]
        self.heard[name].append(Heard(request.headers, (await request.body()).decode()))

        async def answer() -> Response:
            return PlainTextResponse("taken", 202)

        return await self.script.play(name, answer)
