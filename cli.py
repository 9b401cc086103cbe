"""The commands: `python -m cli --help`."""

import argparse
import asyncio
import getpass
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette

import settings as configuration
from app import create_app, open_runtime
from models.account import Plan, Role
from schema.root import graphql_schema
from services import accounts, demo
from services.errors import DomainError
from services.jobs import worker
from services.postgres import EmbeddedPostgres, PostgresUnavailable
from settings import Settings, WrongSetting

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The URL of the given database, or of the embedded one while this process holds it."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    with EmbeddedPostgres(settings.data_dir) as url:
        yield url


def migrate(url: str) -> None:
    config = Config(Path(__file__).parent / "alembic.ini")
    config.attributes["database_url"] = url
    command.upgrade(config, "head")


def serve(settings: Settings) -> None:
    """Migrates, loads demo data into a new embedded database, and answers until interrupted."""
    with database(settings) as url:
        migrate(url)
        if settings.database_url is None:
            asyncio.run(demo.load_once(url, settings.demo_password))
        config = http_config(settings, create_app(settings, url))
        # uvicorn repeats the signal that ended it; the embedded database must be let go first.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        Server(config, welcome(settings)).run()


def http_config(settings: Settings, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=settings.max_body,
        proxy_headers=settings.trusted_proxies is not None,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=10,
    )


class Server(uvicorn.Server):
    """Says where to go once it answers."""

    def __init__(self, config: uvicorn.Config, greeting: str) -> None:
        super().__init__(config)
        self.greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self.greeting, flush=True)


def welcome(settings: Settings) -> str:
    first = f"FlowPilot serves http://{settings.host}:{settings.port}/graphql"
    if settings.database_url is not None:
        return first
    return (
        f"{first}\nOpen it in a browser and sign in as engineer@first.example, password "
        f"{settings.demo_password}.\nThere are engineer2@, lead@ and admin@, too, and the same at "
        "second.example and third.example."
    )


def work(settings: Settings) -> None:
    """Runs jobs only; any number of these may run on any number of machines."""

    async def run(url: str) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        concurrency = max(1, settings.worker_concurrency)
        async with (
            open_runtime(settings, url) as runtime,
            worker(url, runtime, concurrency=concurrency),
        ):
            print("FlowPilot works on jobs.")
            await stop.wait()

    with database(settings) as url:
        asyncio.run(run(url))


def load_demo(settings: Settings) -> None:
    with database(settings) as url:
        migrate(url)
        loaded = asyncio.run(demo.load_once(url, settings.demo_password))
        print("Demo data loaded." if loaded else "There is demo data already.")


def create_account(settings: Settings, name: str, plan: str, email: str, admin: str) -> None:
    """An account and its first admin, whose password is asked for or read from standard input."""
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with database(settings) as url:
        asyncio.run(
            accounts.create_account(
                url,
                name=name,
                plan=Plan(plan),
                people=[accounts.NewPerson(email, admin, Role.ADMIN, password)],
            )
        )
    print(f"Account {name} is there; {email} can sign in.")


def parser() -> argparse.ArgumentParser:
    commands = argparse.ArgumentParser(prog="python -m cli")
    verbs = commands.add_subparsers(dest="verb", required=True)
    verbs.add_parser("serve", help="migrate, then serve the API and work on jobs")
    verbs.add_parser("worker", help="work on jobs only")
    verbs.add_parser("migrate", help="bring the database up to date")
    verbs.add_parser("demo", help="load the demo accounts")
    verbs.add_parser("print-schema", help="print the API's SDL")
    new = verbs.add_parser("create-account", help="make an account and its first admin")
    new.add_argument("--name", required=True)
    new.add_argument("--plan", choices=[plan.value for plan in Plan], default=Plan.TEAM.value)
    new.add_argument("--email", required=True)
    new.add_argument("--admin", required=True, help="the admin's display name")
    return commands


def main() -> int:
    arguments = vars(parser().parse_args())
    verb = arguments.pop("verb")
    if verb == "print-schema":
        print(graphql_schema.as_str())
        return 0
    try:
        settings = configuration.load()
        logging.basicConfig(level=settings.log_level.upper(), format=LOG_FORMAT)
        for chatty in ("alembic", "procrastinate", "uvicorn.error"):
            logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.root.level))
        match verb:
            case "serve":
                serve(settings)
            case "worker":
                work(settings)
            case "demo":
                load_demo(settings)
            case "create-account":
                create_account(settings, **arguments)
            case "migrate":
                with database(settings) as url:
                    migrate(url)
    except (WrongSetting, PostgresUnavailable, DomainError) as refused:
        print(refused, file=sys.stderr)
        return 2
    except OperationalError as error:
        print(
            f"The database in FLOWPILOT_DATABASE_URL cannot be used: {error.orig}", file=sys.stderr
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
