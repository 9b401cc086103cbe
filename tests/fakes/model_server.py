"""A Messages API on 127.0.0.1 that says what a test told it to, and remembers what it was asked."""

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.fakes.prompt_cache import Counted, PromptCache, Refused, count

KEY = "sk-ant-of-the-fake"
LARGEST = 32_000_000
IMAGE_TYPES = {"image/jpeg", "image/png", "image/gif", "image/webp"}
GUIDE = {
    "step": {"kind": "question", "question": "Is it plugged in?"},
    "confidence": 0.5,
    "intake": {"summary": "Nothing works.", "domain": "general"},
}


# ------------------------------------------------------------------ what it can be told to do


@dataclass(frozen=True)
class Answer:
    """`tools` holds inputs of tools by name, a text as it is written; None is the one that is asked for."""

    text: str = "First look at the cable. Is it plugged in?"
    tools: Mapping[str, Any] | None = None
    stop_reason: str | None = None
    stop_details: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Status:
    """An error instead of an answer."""

    code: int
    type: str = "api_error"
    message: str = "Told to fail."
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Silence:
    """Never answers."""


@dataclass(frozen=True)
class HangUp:
    """Closes the connection instead of answering."""


@dataclass(frozen=True)
class Page:
    """HTML with status 200, as of a proxy."""


@dataclass(frozen=True)
class Broken:
    """`answer` up to its second piece of text, then its end: the connection `cut`, or the stream `early`
    without `message_stop`, or an event of that `error`'s type, or half an event.
    """

    how: str
    answer: Answer = Answer()


@dataclass(frozen=True)
class Held:
    """`answer` up to its first piece of text; the rest once `event` is set. Given `first`, not even that
    piece before `first` is set.
    """

    event: asyncio.Event
    answer: Answer = Answer()
    first: asyncio.Event | None = None


Behaviour = Answer | Status | Silence | HangUp | Page | Broken | Held


@dataclass
class Asked:
    headers: Mapping[str, str]
    body: dict[str, Any]
    counted: Counted = field(default_factory=Counted)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client went away before the end."""
    spoke_at: float = 0.0
    """When the first piece of text was written, by `time.perf_counter`."""


# ------------------------------------------------------------------ the server


class ModelServer:
    """`now` is its clock, in seconds, and moves only when it is told to."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.forget()

    def forget(self) -> None:
        """Begins anew, for the next test."""
        self.now = 0.0
        self.cache = PromptCache()
        self.asked: list[Asked] = []
        self._script: deque[Behaviour] = deque()

    def script(self, *items: Behaviour) -> None:
        """One for each request to come; then the default answer again."""
        self._script.extend(items)

    async def answer(self, request: Request) -> "Response | _Reply":
        raw = await request.body()
        body = json.loads(raw)
        asked = Asked(dict(request.headers), body)
        self.asked.append(asked)
        item = self._script.popleft() if self._script else Answer()
        if isinstance(item, Page):
            return HTMLResponse("<html><body>Sign in to the guest network</body></html>")
        if isinstance(item, Silence | HangUp):
            return _Reply(asked, item, [])
        if isinstance(item, Status):
            return _error(item)
        if problem := self._problem(request, len(raw), asked):
            return _error(problem)
        answer = item if isinstance(item, Answer) else item.answer
        if body.get("stream"):
            return _Reply(asked, item, list(_events(asked, answer)))
        return JSONResponse(_message(asked, answer))

    async def count_tokens(self, request: Request) -> Response:
        return JSONResponse({"input_tokens": count(await request.json())})

    def _problem(self, request: Request, size: int, asked: Asked) -> Status | None:
        """What the service would refuse; what it takes is counted."""
        body = asked.body
        contents = [message["content"] for message in body["messages"]]
        blocks = [block for content in contents for block in content]
        texts = [block["text"] for block in blocks if block["type"] == "text"]
        kinds = {block["source"]["media_type"] for block in blocks if block["type"] == "image"}
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return Status(401, "authentication_error", "invalid bearer token")
        if not body["model"].startswith("claude-"):
            return Status(404, "not_found_error", f"model: {body['model']}")
        if size > LARGEST:
            return Status(413, "request_too_large", "Request exceeds the maximum size")
        try:
            if not all(contents) or not all(text.strip() for text in texts):
                raise Refused("messages: text content blocks must be non-empty")  # noqa: TRY301
            if not kinds <= IMAGE_TYPES:
                raise Refused("messages: media_type is none of those allowed")  # noqa: TRY301
            asked.counted = self.cache.account(body, self.now)
        except Refused as refusal:
            return Status(400, "invalid_request_error", str(refusal))
        return None


class _Connections(H11Protocol):
    """Lets the application close a connection in ways that HTTP has no words for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.config.app.state.open[transport.get_extra_info("peername")] = transport  # type: ignore[union-attr]


@asynccontextmanager
async def model_server() -> AsyncIterator[ModelServer]:
    app = Starlette()
    app.state.open = {}
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http=_Connections,
        lifespan="off",
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    socket = config.bind_socket()
    socket.listen()  # so that nobody is turned away before the server has begun
    server = ModelServer(f"http://127.0.0.1:{socket.getsockname()[1]}")
    app.routes.append(Route("/v1/messages", server.answer, methods=["POST"]))
    app.routes.append(Route("/v1/messages/count_tokens", server.count_tokens, methods=["POST"]))
    uvicorn_server = uvicorn.Server(config)
    serving = asyncio.create_task(uvicorn_server.serve(sockets=[socket]))
    try:
        yield server
    finally:
        uvicorn_server.should_exit = True
        await serving


# ------------------------------------------------------------------ what it writes


def _error(status: Status) -> Response:
    body = {"type": "error", "error": {"type": status.type, "message": status.message}}
    return JSONResponse(
        body, status.code, {"request-id": "req_of_the_fake", **dict(status.headers)}
    )


@dataclass
class _Reply:
    """Writes the events as they come, and sees when the client goes."""

    asked: Asked
    item: Behaviour
    events: list[dict[str, Any]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(self._gone(receive))
        with suppress(_Gone):
            await self._write(scope, send, gone)
        gone.cancel()

    async def _write(self, scope: Scope, send: Send, gone: "asyncio.Task[None]") -> None:
        transport = scope["app"].state.open[tuple(scope["client"])]
        if isinstance(self.item, HangUp):
            transport.close()
        if isinstance(self.item, HangUp | Silence):
            await gone
            raise _Gone
        headers = [(b"content-type", b"text/event-stream"), (b"request-id", b"req_of_the_fake")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        pieces = 0
        for event in self.events:
            if gone.done():
                raise _Gone
            is_piece = event["type"] == "content_block_delta"
            if is_piece and pieces == 0:
                if isinstance(self.item, Held) and self.item.first is not None:
                    await self._hold(self.item.first, gone)
                self.asked.spoke_at = time.perf_counter()
            await send(_chunk(_sse(event)))
            pieces += is_piece
            if isinstance(self.item, Held) and pieces == 1:
                await self._hold(self.item.event, gone)
            if isinstance(self.item, Broken) and pieces == 2:
                await self._break(self.item.how, send)
                if self.item.how == "cut":
                    transport.close()
                    await gone
                    raise _Gone
                break
        await send({"type": "http.response.body", "body": b""})

    async def _hold(self, event: asyncio.Event, gone: "asyncio.Task[None]") -> None:
        waiting = asyncio.create_task(event.wait())
        await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    async def _break(self, how: str, send: Send) -> None:
        if how == "half":
            await send(_chunk(b'event: content_block_delta\ndata: {"type": "content_bl\n\n'))
        elif how not in {"cut", "early"}:
            error = {"type": "error", "error": {"type": how, "message": "Told to fail."}}
            await send(_chunk(_sse(error)))

    async def _gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.asked.left.set()


class _Gone(Exception):
    """The connection is closed, and nothing more can be written."""


def _sse(event: Mapping[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _chunk(body: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": True}


def _events(asked: Asked, answer: Answer) -> Iterator[dict[str, Any]]:
    message = _message(asked, answer)
    end = {key: message[key] for key in ("stop_reason", "stop_sequence", "stop_details")}
    usage = {**message["usage"], "output_tokens": 1}
    begun = {**message, "content": [], "stop_reason": None, "stop_details": None, "usage": usage}
    yield {"type": "message_start", "message": begun}
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        is_text = block["type"] == "text"
        empty = {**block, "text": ""} if is_text else {**block, "input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        whole = block["text"] if is_text else _written(block["input"])
        for piece in re.findall(r"\S+\s*|\s+", whole):
            delta = (
                {"type": "text_delta", "text": piece}
                if is_text
                else {"type": "input_json_delta", "partial_json": piece}
            )
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    output = {"output_tokens": message["usage"]["output_tokens"]}
    yield {"type": "message_delta", "delta": end, "usage": output}
    yield {"type": "message_stop"}


def _message(asked: Asked, answer: Answer) -> dict[str, Any]:
    wanted = _wanted(asked.body)
    tools = answer.tools
    if tools is None:
        tools = {} if wanted is None else {wanted: _fitting(asked.body, wanted)}
    text = "" if wanted not in {None, "guide"} and answer == Answer() else answer.text
    content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    for name, given in tools.items():
        content.append({"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": given})
    counted = asked.counted
    return {
        "id": "msg_of_the_fake",
        "type": "message",
        "role": "assistant",
        "model": asked.body["model"],
        "content": content,
        "stop_reason": answer.stop_reason or ("tool_use" if tools else "end_turn"),
        "stop_sequence": None,
        "stop_details": answer.stop_details,
        "usage": {
            "input_tokens": counted.input,
            "cache_read_input_tokens": counted.read,
            "cache_creation_input_tokens": counted.write_5m + counted.write_1h,
            "cache_creation": {
                "ephemeral_5m_input_tokens": counted.write_5m,
                "ephemeral_1h_input_tokens": counted.write_1h,
            },
            "output_tokens": len(json.dumps(content)) // 4,
        },
    }


def _written(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given)


def _wanted(body: Mapping[str, Any]) -> str | None:
    """The tool that is forced, or that the last message asks for, or the guide."""
    choice = body.get("tool_choice") or {}
    offered = {tool["name"] for tool in body.get("tools", ())}
    if choice.get("type") == "tool":
        return str(choice["name"])
    order = re.search(r"Call `(\w+)` now", body["messages"][-1]["content"][-1].get("text", ""))
    name = order[1] if order else "guide"
    return name if name in offered else None


def _fitting(body: Mapping[str, Any], name: str) -> Any:
    if name == "guide":
        return GUIDE
    schema = next(tool["input_schema"] for tool in body["tools"] if tool["name"] == name)
    return _sample(schema, schema.get("$defs", {}))


def _sample(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    """The least that fits."""
    if "$ref" in schema:
        return _sample(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {
                key: _sample(schema["properties"][key], definitions)
                for key in schema.get("required", ())
            }
        case "array":
            return [_sample(schema["items"], definitions)] * schema.get("minItems", 0)
        case "string":
            return "Nothing known."
    raise ValueError(f"No sample of {schema}")
