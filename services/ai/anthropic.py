"""Claude, over the Messages API. The only importer of its SDK.

Every request begins with the same bytes: the tools in a fixed order, the system prompt, the history. Up to
four markers in it say how far it is to be kept, and for how long, so that the next request reads it
instead of sending it anew.
"""

import asyncio
import logging
import math
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Literal, cast

import anthropic
import httpx2
import orjson
from anthropic.types import (
    CacheControlEphemeralParam,
    ImageBlockParam,
    MessageParam,
    RawMessageStreamEvent,
    TextBlockParam,
    ToolChoiceParam,
    ToolParam,
)
from pydantic import BaseModel, ValidationError

from services.ai.document_tasks import (
    DocumentTask,
    WriteArticle,
    WriteClientSummary,
    WriteTicketNotes,
)
from services.ai.guidance import Guide, read_guide
from services.ai.port import (
    Done,
    FailureKind,
    Image,
    Outcome,
    ProviderError,
    R,
    Task,
    TextDelta,
    TurnRequest,
    Usage,
)
from services.ai.prompts import GUIDE, Part, Prompt, task_prompt, turn_prompt
from services.ai.tasks import AnalyseBranch, DescribeFile, GiveSecondOpinion, PrepareHandoff

log = logging.getLogger("flowpilot.model")

PATIENCE = 2.0
"""Seconds that the SDK may wait before its one retry; longer waits are left to the job."""


class AnthropicProvider:
    name = "anthropic"
    is_offline = False

    def __init__(
        self,
        api_key: str,
        *,
        model: str,
        base_url: str = "https://api.anthropic.com",
        max_tokens: int = 8_000,
        timeout: float = 100.0,
    ) -> None:
        """`timeout` is the seconds of one call with its retry, from the request to the last token."""
        self._model = model
        self._max_tokens = max_tokens
        self._timeout = timeout
        self._client = anthropic.AsyncAnthropic(
            api_key=api_key,
            base_url=base_url,
            timeout=anthropic.Timeout(timeout, connect=5.0),
            max_retries=1,
            middleware=[_leave_long_waits_to_the_job],
            open_telemetry=False,  # what is traced, and with what content, is FlowPilot's to say
        )

    async def aclose(self) -> None:
        await self._client.close()

    async def stream_turn(
        self, request: TurnRequest
    ) -> AsyncGenerator[TextDelta | Usage | Done, None]:
        prompt = turn_prompt(request)
        answer = _Answer()
        async with aclosing(self._events(prompt, request.conversation.median_gap)) as events:
            used = answer.usage
            async for event in events:
                if text := answer.hear(event):
                    yield TextDelta(text)
                if answer.usage != used:
                    used = answer.usage
                    yield used
        answer.demand_end(may_be_cut=GUIDE in answer.calls)
        if not answer.has_text:
            raise _failure("misfit")
        guidance = read_guide(answer.given_to(GUIDE))
        yield Done(
            self._model,
            answer.usage,
            guidance.step,
            guidance.confidence,
            guidance.fork,
            guidance.intake if request.purpose == "intake" else None,
        )

    async def perform(self, task: Task[R]) -> Outcome[R]:
        gap = (
            task.conversation.median_gap
            if isinstance(task, AnalyseBranch | PrepareHandoff | DocumentTask)
            else None
        )
        prompt = task_prompt(task)
        answer = _Answer()
        try:
            async with aclosing(self._events(prompt, gap, task.name)) as events:
                async for event in events:
                    answer.hear(event)
            answer.demand_end()
            result = task.result.model_validate(answer.given_to(task.name))
        except ValidationError as error:
            failure = _failure("misfit")
            failure.usage = answer.usage
            raise failure from error
        except ProviderError as failure:
            failure.usage = answer.usage
            raise
        return Outcome(cast("R", result), self._model, answer.usage)

    async def _events(
        self, prompt: Prompt, median_gap: float | None, tool: str = GUIDE
    ) -> AsyncGenerator[RawMessageStreamEvent, None]:
        """Ends early, without an error, where the stream does. Closing this closes the connection."""
        deadline = asyncio.get_running_loop().time() + self._timeout
        system, messages = _marked(prompt, median_gap)
        with _told_apart():
            async with asyncio.timeout_at(deadline):
                stream = await self._client.messages.create(
                    model=self._model,
                    max_tokens=self._max_tokens,
                    tools=TOOLS,
                    tool_choice=_tool_choice(prompt, tool),
                    system=system,
                    messages=messages,
                    stream=True,
                )
            async with stream:
                while True:
                    async with asyncio.timeout_at(deadline):  # never around a yield
                        event = await anext(stream, None)
                    if event is None:
                        return
                    yield event


# ------------------------------------------------------------------ the request

_RESULTS: Mapping[str, type[BaseModel]] = {
    task.name: task.result
    for task in (
        AnalyseBranch,
        DescribeFile,
        GiveSecondOpinion,
        PrepareHandoff,
        WriteArticle,
        WriteClientSummary,
        WriteTicketNotes,
    )
}
TOOLS = sorted(
    [
        ToolParam(
            name=GUIDE,
            description="Records what kind of move the answer makes. Called once, after its text.",
            input_schema=Guide.model_json_schema(),
        ),
        *(
            ToolParam(
                name=name,
                description=f"Called only when the last message asks for `{name}`.",
                input_schema=result.model_json_schema(),
            )
            for name, result in _RESULTS.items()
        ),
    ],
    key=lambda tool: tool["name"],
)

_HOUR = CacheControlEphemeralParam(type="ephemeral", ttl="1h")
_MINUTES = CacheControlEphemeralParam(type="ephemeral", ttl="5m")
_QUICK = 120.0
"""Seconds between questions, below which five minutes are long enough and cost less to write."""
_LOOK_BACK = 20
"""Blocks before a marker among which the service looks for what an earlier request has written."""

_IMAGE_TYPES: Mapping[str, Literal["image/jpeg", "image/png", "image/gif", "image/webp"]] = {
    "image/jpeg": "image/jpeg",
    "image/png": "image/png",
    "image/gif": "image/gif",
    "image/webp": "image/webp",
}
_LARGEST_IMAGE = 3_750_000
"""Bytes, of which base64 makes the 5 MB that the service takes. It would refuse the branch for good."""

_Block = TextBlockParam | ImageBlockParam


def _tool_choice(prompt: Prompt, tool: str) -> ToolChoiceParam:
    """Another choice than before costs the cached messages, so it is forced only where there are none."""
    if tool != GUIDE and prompt.settled == 0:
        return {"type": "tool", "name": tool, "disable_parallel_tool_use": True}
    return {"type": "auto", "disable_parallel_tool_use": True}


def _marked(
    prompt: Prompt, median_gap: float | None
) -> tuple[list[TextBlockParam], list[MessageParam]]:
    """Marks the product's prompt, the end of what siblings share and the end of what is settled.

    A long tail has a mark in its middle besides, so that what was written twice the look-back ago is
    found. Marks that last longer must come first.
    """
    system = [TextBlockParam(type="text", text=text) for text in prompt.system]
    system[0]["cache_control"] = _HOUR
    contents = [_blocks(message.parts) for message in prompt.messages]
    history = [block for blocks in contents[: prompt.settled] for block in blocks]
    shared = sum(len(blocks) for blocks in contents[: prompt.shared])
    tail = _MINUTES if median_gap is not None and median_gap < _QUICK else _HOUR
    if shared:
        history[shared - 1]["cache_control"] = _HOUR
    if len(history) > shared:
        history[-1]["cache_control"] = tail
    if len(history) - shared > _LOOK_BACK:
        history[-1 - _LOOK_BACK]["cache_control"] = tail
    messages: list[MessageParam] = [
        {"role": "user", "content": blocks}
        if message.role == "user"
        else {"role": "assistant", "content": blocks}
        for message, blocks in zip(prompt.messages, contents, strict=True)
    ]
    return system, messages


def _blocks(parts: tuple[Part, ...]) -> list[_Block]:
    """At least one; the service refuses messages and texts that are empty."""
    blocks = [
        _text(part.text) if part.image is None else _image(part.image)
        for part in parts
        if part.image is not None or part.text.strip()
    ]
    return blocks or [_text("(no text)")]


def _text(text: str) -> TextBlockParam:
    return TextBlockParam(type="text", text=text)


def _image(image: Image) -> _Block:
    media_type = _IMAGE_TYPES.get(image.media_type)
    if media_type is None:
        return _text(f"(An image of type {image.media_type}, which cannot be shown here.)")
    if len(image.data) > _LARGEST_IMAGE:
        return _text(f"(An image of {len(image.data):,} bytes, too large to be shown here.)")
    data = b64encode(image.data).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


# ------------------------------------------------------------------ the answer


class _Answer:
    """What has been heard of an answer. `calls` holds each called tool's input as it was written."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.calls: dict[str, str] = {}
        self.has_text = False
        self._tools: dict[int, str] = {}
        self._begun = False
        self._ended = False
        self._stop_reason: str | None = None

    def hear(self, event: RawMessageStreamEvent) -> str:
        """The text that this event adds."""
        text = ""
        if event.type == "message_start":
            self._begun = True
            self._count(event.message.usage)
        elif event.type == "content_block_start":
            block = event.content_block
            if block.type == "text":
                text = block.text
            elif block.type == "tool_use" and block.name not in self.calls:
                self._tools[event.index] = block.name
                self.calls[block.name] = ""
        elif event.type == "content_block_delta":
            if event.delta.type == "text_delta":
                text = event.delta.text
            elif event.delta.type == "input_json_delta" and event.index in self._tools:
                self.calls[self._tools[event.index]] += event.delta.partial_json
        elif event.type == "message_delta":
            self._stop_reason = event.delta.stop_reason
            self._count(event.usage)
        elif event.type == "message_stop":
            self._ended = True
        self.has_text = self.has_text or bool(text.strip())
        return _storable(text)

    def _count(self, usage: anthropic.types.Usage | anthropic.types.MessageDeltaUsage) -> None:
        """Counts are totals so far; those of the input may be told at the beginning only."""
        told = self.usage
        self.usage = Usage(
            _first(usage.input_tokens, told.input),
            _first(usage.output_tokens, told.output),
            _first(usage.cache_read_input_tokens, told.cache_read),
            _first(usage.cache_creation_input_tokens, told.cache_write),
        )

    def given_to(self, tool: str) -> object:
        """None, which fits nothing, if it was not called or its input is no JSON."""
        with suppress(KeyError, orjson.JSONDecodeError):
            return orjson.loads(self.calls[tool] or "{}")
        return None

    def demand_end(self, *, may_be_cut: bool = False) -> None:
        """Raises ProviderError unless the answer is whole, or cut after all that matters."""
        if not self._begun:
            raise _failure("unavailable")
        if not self._ended or self._stop_reason is None:
            raise _failure("broke_off")
        if self._stop_reason == "refusal":
            raise _failure("refused")
        if self._stop_reason == "max_tokens" and not may_be_cut:
            raise _failure("truncated")
        if self._stop_reason == "model_context_window_exceeded" and not may_be_cut:
            raise _failure("too_large")


def _first(count: int | None, otherwise: int) -> int:
    return otherwise if count is None else count


def _storable(text: str) -> str:
    """Without what no text in PostgreSQL may hold."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


# ------------------------------------------------------------------ failures

_SENTENCES: Mapping[FailureKind, str] = {
    "unavailable": "The model cannot be reached at the moment.",
    "overloaded": "The model has too much to do at the moment.",
    "timeout": "The model did not answer in time.",
    "broke_off": "The answer broke off.",
    "truncated": "The answer grew longer than it may be.",
    "refused": "The model declined to answer this.",
    "misfit": "The model's answer did not have the form that was asked for.",
    "rejected": "The model's service did not accept the request.",
    "too_large": "The conversation and its files are too large for the model.",
    "configuration": "The assistant is not set up correctly: its key and model have to be checked.",
}
_RETRYABLE = frozenset[FailureKind]({"unavailable", "overloaded", "timeout", "broke_off", "misfit"})
_BY_STATUS: Mapping[int, FailureKind] = {
    401: "configuration",
    402: "configuration",
    403: "configuration",
    404: "configuration",
    408: "timeout",
    409: "unavailable",
    413: "too_large",
    429: "overloaded",
    504: "timeout",
    529: "overloaded",
}
_BY_TYPE: Mapping[str, FailureKind] = {
    "authentication_error": "configuration",
    "billing_error": "configuration",
    "permission_error": "configuration",
    "not_found_error": "configuration",
    "rate_limit_error": "overloaded",
    "overloaded_error": "overloaded",
    "timeout_error": "timeout",
    "api_error": "unavailable",
    "invalid_request_error": "rejected",
}
"""For an error in the middle of a stream, whose status is 200."""


def _failure(kind: FailureKind, retry_after: float | None = None) -> ProviderError:
    return ProviderError(
        _SENTENCES[kind], retryable=kind in _RETRYABLE, kind=kind, retry_after=retry_after
    )


@contextmanager
def _told_apart() -> Iterator[None]:
    """Failures of the SDK, and of its transport where the SDK lets them through, as ProviderError."""
    try:
        yield
    except anthropic.APIStatusError as error:
        log.warning(
            "The model's service answered with an error",
            extra={
                "status": error.status_code,
                "type": error.type,
                "error_code": error.error_code,
                "request": error.request_id,
            },
        )
        raise _failure(_kind(error), _wait_asked_for(error.response.headers)) from error
    except (TimeoutError, anthropic.APITimeoutError, httpx2.TimeoutException) as error:
        raise _failure("timeout") from error
    except anthropic.AnthropicError as error:
        raise _failure("unavailable") from error
    except (httpx2.RequestError, ValueError) as error:  # half an event is no JSON
        raise _failure("broke_off") from error


def _kind(error: anthropic.APIStatusError) -> FailureKind:
    status = error.status_code
    if status < HTTPStatus.BAD_REQUEST:
        return _BY_TYPE.get(error.type or "", "unavailable")
    # No code tells it apart; should the wording change, it counts as rejected.
    if status == HTTPStatus.BAD_REQUEST and "prompt is too long" in (error.api_message or ""):
        return "too_large"
    at_fault = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return _BY_STATUS.get(status, "unavailable" if at_fault else "rejected")


async def _leave_long_waits_to_the_job(
    request: anthropic.APIRequest, call_next: anthropic.AsyncCallNext
) -> anthropic.AsyncAPIResponse[Any]:
    """The SDK would sleep as long as `Retry-After` says, an hour if need be."""
    response = await call_next(request)
    if (_wait_asked_for(response.headers) or 0.0) > PATIENCE:
        response.headers["x-should-retry"] = "false"
    return response


def _wait_asked_for(headers: httpx2.Headers) -> float | None:
    """Seconds, from any of the three forms that the SDK obeys."""
    wait = math.nan
    given = headers.get("retry-after", "")
    with suppress(ValueError):
        wait = parsedate_to_datetime(given).timestamp() - time.time()
    with suppress(ValueError):
        wait = float(given)
    with suppress(KeyError, ValueError):
        wait = float(headers["retry-after-ms"]) / 1000
    return wait if math.isfinite(wait) and wait > 0 else None
