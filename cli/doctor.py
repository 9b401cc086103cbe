"""`doctor`: what is wrong with a set-up, before or after somebody notices."""

import argparse
import asyncio
import json
import shutil
import sys
import urllib.request
from http.client import HTTPException

from sqlalchemy.exc import SQLAlchemyError

from app import documents_of, limits_of
from cli.database import database, folder_problem, nearest
from cli.listening import listen, metrics_ports, require_metrics_address
from cli.problems import CommandFailed
from schema.page import GRAPHIQL
from services.database import plain_url
from services.diagnosis import bus_problem, database_problems, limits_problem
from services.postgres import PostgresUnavailable
from settings import Settings, WrongSetting

OLDEST_PYTHON = (3, 11)
LEAST_SPACE = 1_000_000_000
"""Bytes."""

BESIDE_THE_POOL = 6
"""Connections of a process to the database that carry hints and jobs."""

PATIENCE = 2.0
"""Seconds for a server on our port to answer."""


def add_to(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verbs.add_parser(
        "doctor",
        help="say what is wrong with the set-up, and what to do",
        description="Looks at the settings, the trusted documents, the data folder, the ports, the "
        "database, the carrier of hints, the store of limits and the workers; changes nothing. "
        "Exits with 1 when something is wrong.",
    ).set_defaults(run=examine)


def examine(settings: Settings) -> int:
    problems = _problems(settings)
    for problem in problems:
        print(problem)
    if not problems:
        print("Nothing is wrong.")
    return 1 if problems else 0


def _problems(settings: Settings) -> list[str]:
    problems = []
    if sys.version_info < OLDEST_PYTHON:
        problems.append(f"This is Python {sys.version.split()[0]}: FlowPilot needs 3.11 or newer.")
    if not (GRAPHIQL / "index.html").exists():
        problems.append("The page at /graphql is not built: run `make run` once.")
    problems += _document_problems(settings)
    problems += _folder_problems(settings)
    serving, problem = _port(settings)
    problems += [problem] if problem else []
    problems += _metrics_problems(settings)
    if settings.limits_url is not None:
        problem = asyncio.run(limits_problem(settings.limits_url))
        problems += [problem] if problem else []
    return problems + _database_problems(settings, serving=serving)


def _document_problems(settings: Settings) -> list[str]:
    try:
        documents_of(settings, limits_of(settings))
    except WrongSetting as wrong:
        return [str(wrong)]
    return []


def _folder_problems(settings: Settings) -> list[str]:
    if settings.database_url is not None and settings.secret_key is not None:
        return []  # nothing is kept there
    problem = folder_problem(settings.data_dir, make=False)
    if problem is not None:
        return [problem]
    free = shutil.disk_usage(nearest(settings.data_dir)).free
    problem = (
        f"The disk of the data folder {settings.data_dir.absolute()} has {free // 1_000_000:,} MB "
        "left: make room, or name another folder in FLOWPILOT_DATA_DIR."
    )
    return [problem] if free < LEAST_SPACE else []


def _port(settings: Settings) -> tuple[bool, str | None]:
    """Whether a FlowPilot answers there, and what is wrong."""
    try:
        listen(settings.host, settings.port).close()
    except CommandFailed as taken:
        if _answers(settings):
            return True, None
        return False, str(taken)
    return False, None


def _metrics_problems(settings: Settings) -> list[str]:
    problems = []
    for port in metrics_ports(settings):
        try:
            require_metrics_address(settings.metrics_host, port)
        except CommandFailed as taken:
            if b"flowpilot_" not in _read(settings.metrics_host, port, "/metrics"):
                problems.append(str(taken))
    return problems


def _answers(settings: Settings) -> bool:
    try:
        return bool(json.loads(_read(settings.host, settings.port, "/healthz")) == {"status": "ok"})
    except ValueError:
        return False


def _read(host: str, port: int, path: str) -> bytes:
    """Nothing where nobody answers."""
    host = f"[{host}]" if ":" in host else host
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://{host}:{port}{path}", timeout=PATIENCE) as answer:
            found: bytes = answer.read()
            return found
    except (OSError, HTTPException):
        return b""


def _database_problems(settings: Settings, *, serving: bool) -> list[str]:
    if settings.database_url is None and not (settings.data_dir / "postgres").exists():
        return []  # the first start makes it
    try:
        with database(settings) as url:
            connections = settings.workers * (settings.pool_size + BESIDE_THE_POOL)
            problems = asyncio.run(database_problems(url, serving=serving, connections=connections))
            bus = asyncio.run(bus_problem(settings.broadcast_url or plain_url(url)))
            return problems + ([bus] if bus else [])
    except (PostgresUnavailable, CommandFailed) as problem:
        return [str(problem)]
    except (SQLAlchemyError, OSError) as error:
        why = getattr(error, "orig", None) or error
        return [
            f"The database cannot be used ({why}): start it, or correct FLOWPILOT_DATABASE_URL."
        ]
