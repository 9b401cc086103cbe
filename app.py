"""Composition root: settings in, a Starlette application out. Everything is opened and closed here."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from models.account import Plan
from schema.documents import Documents
from schema.page import (
    CONSOLE,
    CONSOLE_DOCUMENTS,
    CONSOLE_HEADERS,
    CONSOLE_PAGE,
    CONSOLE_POLICY,
    GRAPHIQL,
    POLICY,
)
from schema.root import graphql_schema
from schema.transport.downloads import download
from schema.transport.endpoint import GraphQLEndpoint
from schema.transport.exports import export
from schema.transport.forms import PREFLIGHT
from schema.transport.request_log import RequestLog
from schema.transport.security_headers import SecurityHeaders
from schema.trusted import Untrustworthy, read_list, require_sound
from services.ai.anthropic import AnthropicProvider
from services.ai.cards import load_cards
from services.ai.discretion import Discreet
from services.ai.playbook import PlaybookProvider
from services.ai.port import Provider
from services.database import connect_pool, plain_url
from services.destinations.addresses import Allowed
from services.destinations.http import Outgoing
from services.destinations.providers import Destinations
from services.feed import Feed
from services.files.store import FileStore
from services.jobs import worker
from services.origin import ADDRESS, LONGEST_ADDRESS
from services.runtime import Limits, Runtime, TokenLifetimes
from services.sealing import Seal
from services.telemetry import traces
from services.telemetry.exposition import exposed
from services.throttle import Throttle
from services.wakebus import WakeBus
from settings import Settings, WrongSetting

CONSOLE_PATHS = (
    "/",
    "/queue",
    "/sessions",
    "/sessions/{path:path}",
    "/library",
    "/library/{path:path}",
    "/settings",
    "/settings/{path:path}",
)


def _claude(settings: Settings) -> AnthropicProvider | None:
    """None without a key: then the offline playbook answers."""
    if settings.anthropic_api_key is None:
        return None
    return AnthropicProvider(
        settings.anthropic_api_key.get_secret_value(),
        model=settings.model,
        base_url=settings.anthropic_base_url,
        max_tokens=settings.model_max_tokens,
        timeout=settings.model_timeout,
    )


def limits_of(settings: Settings) -> Limits:
    return Limits(
        max_branches=settings.max_branches,
        max_depth=settings.max_depth,
        reply_timeout=settings.reply_timeout,
        operation_timeout=settings.operation_timeout,
        body_timeout=settings.body_timeout,
        init_timeout=settings.init_timeout,
        max_body=settings.max_body,
        max_upload=settings.max_upload,
        upload_timeout=settings.upload_timeout,
        max_operations=settings.max_operations,
        max_connections=settings.max_connections,
        max_tokens=settings.max_tokens,
        max_fields=settings.max_fields,
        max_cost=settings.max_cost,
        cost_per_minute=settings.cost_per_minute,
        sign_in_attempts=settings.sign_in_attempts,
        sign_ins_per_address=settings.sign_ins_per_address,
        claim_lease=timedelta(minutes=settings.claim_lease_minutes),
        token_budgets={
            Plan.FREE: settings.budget_free,
            Plan.PRO: settings.budget_pro,
            Plan.TEAM: settings.budget_team,
            Plan.ENTERPRISE: settings.budget_enterprise,
        },
    )


def documents_of(settings: Settings, limits: Limits) -> Documents:
    """Raises WrongSetting for a list with a document that cannot be run."""
    trusted = read_list(CONSOLE_DOCUMENTS) if CONSOLE_DOCUMENTS.exists() else {}
    if settings.trusted_documents is not None:
        try:
            given = read_list(settings.trusted_documents)
            require_sound(graphql_schema._schema, limits, given)  # noqa: SLF001 - the one way to it
        except Untrustworthy as wrong:
            raise WrongSetting(f"FLOWPILOT_TRUSTED_DOCUMENTS cannot be used: {wrong}") from None
        trusted |= given
    return Documents(trusted, only_trusted=settings.only_trusted)


@asynccontextmanager
async def open_runtime(
    settings: Settings,
    database_url: str,
    provider: Provider | None = None,
    limits: Limits | None = None,
    documents: Documents | None = None,
) -> AsyncIterator[Runtime]:
    """The pool, the bus and the feed, started in this order and stopped in reverse."""
    claude = None if provider else _claude(settings)
    engine = connect_pool(database_url, size=settings.pool_size)
    bus = WakeBus(settings.broadcast_url or plain_url(database_url), engine)
    throttle = Throttle(settings.limits_url)
    outgoing = Outgoing(Allowed.of(settings.outgoing_allowed))
    try:
        async with bus, outgoing:
            runtime = Runtime(
                engine=engine,
                bus=bus,
                feed=Feed(engine, bus),
                provider=Discreet(provider or claude or PlaybookProvider(load_cards())),
                limits=limits or limits_of(settings),
                secret=settings.secret(),
                throttle=throttle,
                files=file_store(settings),
                destinations=Destinations(
                    outgoing, Seal(settings.secret(), *settings.previous_secrets())
                ),
                documents=documents or Documents(),
                token_lifetimes=TokenLifetimes(
                    timedelta(minutes=settings.access_token_minutes),
                    timedelta(days=settings.refresh_token_days),
                ),
                compiled=settings.executor == "compiled",
            )
            async with observed(settings, runtime):
                yield runtime
    finally:
        await throttle.aclose()
        await engine.dispose()
        if claude is not None:
            await claude.aclose()


def file_store(settings: Settings) -> FileStore:
    """The bucket or folder of the settings, or one beside the database."""
    url = settings.uploads_url
    if url is None:
        return FileStore.in_folder(settings.data_dir / "uploads")
    if url.startswith("file://"):
        return FileStore.in_folder(Path(unquote(url.removeprefix("file://"))))
    return FileStore.at(url)


@asynccontextmanager
async def observed(settings: Settings, runtime: Runtime) -> AsyncIterator[None]:
    """Metrics and traces, where the settings say who takes them."""
    async with AsyncExitStack() as stack:
        if settings.metrics_port is not None:
            await stack.enter_async_context(
                exposed(runtime, settings.metrics_host, settings.metrics_port)
            )
        if settings.otlp_endpoint is not None:
            processor = traces.over_http(settings.otlp_endpoint)
            await stack.enter_async_context(traces.exporting(processor))
        yield


def create_app(
    settings: Settings,
    database_url: str,
    provider: Provider | None = None,
    limits: Limits | None = None,
) -> Starlette:
    """Serves one database; with `worker_concurrency` above 0 it works on jobs, too.

    Raises WrongSetting for documents that are to be trusted and cannot be run.
    """
    limits = limits or limits_of(settings)
    documents = documents_of(settings, limits)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            runtime = await stack.enter_async_context(
                open_runtime(settings, database_url, provider, limits, documents)
            )
            app.state.runtime = runtime
            app.state.endpoint = GraphQLEndpoint(graphql_schema, runtime, settings.allowed_origins)
            if settings.worker_concurrency:
                await stack.enter_async_context(
                    worker(
                        database_url,
                        runtime,
                        concurrency=settings.worker_concurrency,
                        grace=settings.shutdown_seconds,
                    )
                )
            let_the_collector_skip_what_stays()
            yield

    return Starlette(
        lifespan=lifespan,
        exception_handlers={404: not_found},
        middleware=[
            Middleware(RequestLog),
            Middleware(SecurityHeaders),
            *cross_origin(settings),
        ],
        routes=[
            # The first that fits is taken, and most ask for this one.
            Route("/graphql", Endpoint()),
            *(Route(path, console) for path in CONSOLE_PATHS),
            Mount("/assets", GZipMiddleware(Assets(CONSOLE / "assets", CONSOLE_POLICY))),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Mount("/graphql/assets", GZipMiddleware(Assets(GRAPHIQL / "assets", POLICY))),
            Route("/uploads/{upload_id}", download),
            Route("/exports/{session_id}", export),
            WebSocketRoute("/graphql", Endpoint()),
        ],
    )


def let_the_collector_skip_what_stays() -> None:
    """A full collection looks at every object, which would hold all callers up for a fifth of a second
    now and then. Nearly all of them are the program itself. What large documents leave behind is gone
    with the first generation if that is as large as they are, and need not pile up to a full one.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 5, 10)


def cross_origin(settings: Settings) -> list[Middleware]:
    """Lets pages of the named sites call, and nothing else."""
    if not settings.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type", "X-Request-Id", *PREFLIGHT),
            expose_headers=("Retry-After", "X-Request-Id"),
        )
    ]


class Assets(StaticFiles):
    """Files whose names change with their content, so that a browser asks once."""

    def __init__(self, folder: Path, policy: str) -> None:
        super().__init__(directory=folder, check_dir=False)
        self._policy = policy

    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - starlette's
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["Content-Security-Policy"] = self._policy
        return response


class Endpoint:
    """Hands over to the GraphQL endpoint, which exists once the lifespan has begun."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        ADDRESS.set(client[0][:LONGEST_ADDRESS] if client else None)
        await scope["app"].state.endpoint(scope, receive, send)


async def console(_: Request) -> Response:
    """One page for all paths of the console, which it reads itself."""
    return FileResponse(CONSOLE_PAGE, headers=CONSOLE_HEADERS)


async def not_found(request: Request, _: Exception) -> Response:
    """Whoever reads pages is told by the console, and finds a way on."""
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return FileResponse(CONSOLE_PAGE, 404, headers=CONSOLE_HEADERS)
    return PlainTextResponse("Not Found", 404)


async def healthz(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """The database answers, too, and the process is to stay."""
    runtime: Runtime = request.app.state.runtime
    if runtime.draining.is_set():
        return JSONResponse({"status": "closing"}, status_code=503)
    try:
        async with asyncio.timeout(2), runtime.engine.connect() as db:
            await db.execute(text("SELECT 1"))
    except (OSError, TimeoutError, SQLAlchemyError):
        return JSONResponse({"status": "no database"}, status_code=503)
    return JSONResponse({"status": "ready"})
