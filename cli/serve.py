"""`serve` and `worker`: what runs until it is told to stop."""

import argparse
import asyncio
import signal
from contextlib import suppress

from app import documents_of, limits_of, open_runtime
from cli.database import current_database, database, migrate, require_usable
from cli.listening import listen, metrics_ports, require_metrics_address
from cli.processes import serve_together
from server import Server, end_with_success
from services import demo
from services.jobs import worker
from settings import MOST_WORKERS, Settings


def add_to(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serving = verbs.add_parser(
        "serve",
        help="serve the API and work on jobs",
        description="Brings the database up to date, serves the API and works on jobs until it is "
        "interrupted. Without FLOWPILOT_DATABASE_URL it starts a database of its own in the data "
        "folder, with demo data in it.",
    )
    serving.add_argument(
        "--workers",
        type=number_of_workers,
        metavar="N",
        help="server processes on the one port, instead of FLOWPILOT_WORKERS",
    )
    serving.set_defaults(run=serve)
    verbs.add_parser(
        "worker",
        help="work on jobs only",
        description="Works on jobs until it is interrupted. Any number of these may run on any "
        "machine that reaches the database, which must be up to date.",
    ).set_defaults(run=work)


def number_of_workers(typed: str) -> int:
    with suppress(ValueError):
        if 1 <= int(typed) <= MOST_WORKERS:
            return int(typed)
    raise argparse.ArgumentTypeError(f"write a whole number from 1 to {MOST_WORKERS}")


def serve(settings: Settings, workers: int | None) -> None:
    settings = settings.model_copy(update={"workers": workers or settings.workers})
    require_secret(settings)
    for port in metrics_ports(settings):
        require_metrics_address(settings.metrics_host, port)
    documents_of(settings, limits_of(settings))  # raises before anything is made
    with listen(settings.host, settings.port) as listener, database(settings) as url:
        migrate(url)
        if settings.database_url is None:
            asyncio.run(demo.load_once(url, settings.demo_password))
        greeting = welcome(settings, listener.getsockname()[1])
        if settings.workers > 1:
            serve_together(settings, url, listener, greeting)
            return
        end_with_success()  # the embedded database must be let go first
        Server(settings, url, lambda: print(greeting, flush=True)).run(sockets=[listener])


def require_secret(settings: Settings) -> None:
    """Raises CommandFailed where the key that signs access tokens can be neither read nor made."""
    if settings.secret_key is None:
        require_usable(settings.data_dir)


def welcome(settings: Settings, port: int) -> str:
    first = f"FlowPilot serves http://{settings.host}:{port}/ and its API at /graphql"
    if settings.database_url is not None:
        return first
    return (
        f"{first}\nOpen it in a browser and sign in as engineer@first.example, password "
        f"{settings.demo_password}.\nThere are engineer2@, lead@ and admin@, too, and the same at "
        "second.example and third.example."
    )


def work(settings: Settings) -> None:
    if settings.metrics_port is not None:
        require_metrics_address(settings.metrics_host, settings.metrics_port)

    async def run(url: str) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        concurrency = max(1, settings.worker_concurrency)
        async with (
            open_runtime(settings, url) as runtime,
            worker(url, runtime, concurrency=concurrency, grace=settings.shutdown_seconds),
        ):
            print("FlowPilot works on jobs.", flush=True)
            await stop.wait()

    require_secret(settings)
    with current_database(settings) as url:
        asyncio.run(run(url))
