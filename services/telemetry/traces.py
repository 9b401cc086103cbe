"""Spans for OpenTelemetry; nothing of it is loaded here unless somebody collects them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span

EXPORT_TIMEOUT = 5.0
"""Seconds; also of the last export, which the end of the process waits for."""

_otel: Any = None
"""What `exporting` has loaded. One per process, as OpenTelemetry's own is."""


class _OpenTelemetry:
    def __init__(self, processor: SpanProcessor) -> None:
        # Loaded here, because only who exports should pay for it.
        from opentelemetry import context, propagate, trace  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

        self.api = trace
        self.context = context
        self.propagate = propagate
        self.provider = TracerProvider(resource=Resource.create({"service.name": "flowpilot"}))
        self.provider.add_span_processor(processor)
        self.tracer = self.provider.get_tracer("flowpilot")


def over_http(endpoint: str) -> SpanProcessor:
    """To a collector's base address, as http://127.0.0.1:4318."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT)
    return BatchSpanProcessor(exporter)


@asynccontextmanager
async def exporting(processor: SpanProcessor) -> AsyncIterator[None]:
    """Makes spans meanwhile, and sends the last of them on the way out."""
    global _otel  # noqa: PLW0603
    _otel = _OpenTelemetry(processor)
    try:
        yield
    finally:
        provider, _otel = _otel.provider, None
        await asyncio.to_thread(provider.shutdown)


def continue_from(headers: Mapping[str, str]) -> None:
    """What this task does from now on is part of its caller's trace (W3C `traceparent`)."""
    if _otel is not None and "traceparent" in headers:
        _otel.context.attach(_otel.propagate.extract(headers))


def begin(name: str) -> Span | None:
    """A span that is not current yet."""
    if _otel is None:
        return None
    span: Span = _otel.tracer.start_span(name)
    return span


def within(span: Span | None) -> AbstractContextManager[object]:
    """Makes it the parent of the spans inside."""
    return nullcontext() if span is None else _within(span)


@contextmanager
def _within(span: Span) -> Iterator[None]:
    with _otel.api.use_span(span, record_exception=False, set_status_on_exception=False):
        yield


def inner(name: str) -> AbstractContextManager[object]:
    """A part of the current span; nothing where there is none."""
    if _otel is None or not _otel.api.get_current_span().is_recording():
        return nullcontext()
    return whole(name)


def whole(name: str) -> AbstractContextManager[object]:
    """A span of its own, or a part of the current one."""
    return nullcontext() if _otel is None else _whole(name)


@contextmanager
def _whole(name: str) -> Iterator[None]:
    """Of an exception only the class is told: its text may have a client's in it."""
    start = _otel.tracer.start_as_current_span
    with start(name, record_exception=False, set_status_on_exception=False) as span:
        try:
            yield
        except Exception as error:
            fail(span, type(error).__name__)
            raise


def fail(span: Span, reason: str) -> None:
    if _otel is not None:
        span.set_status(_otel.api.Status(_otel.api.StatusCode.ERROR, reason))
