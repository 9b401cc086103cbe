"""Reads what was typed and runs it; whatever goes wrong by the user's hand ends in a sentence."""

import argparse
import sys
from collections.abc import Callable

from sqlalchemy.exc import OperationalError

import settings as configuration
from cli import accounts, backup, doctor, reseal, retain, schema, serve
from cli.problems import CommandFailed
from services.backup import BackupFailed
from services.errors import DomainError
from services.postgres import PostgresUnavailable
from services.retention import RetentionUnclear
from services.telemetry import logs
from settings import WrongSetting

DESCRIPTION = """\
FlowPilot: a GraphQL server on which support engineers find out what is wrong by following several
hypotheses at once. To try it: `python -m cli serve`, then open the address that it prints.
"""
EPILOG = """\
`python -m cli COMMAND --help` tells more of a command. Settings are environment variables named
FLOWPILOT_*; docs/operations.md lists them. A command exits with 0 when it did what it says, with 1
when `doctor` found something, and with 2 when it could not be done; then it says why.
"""


REFUSALS = (
    BackupFailed,
    CommandFailed,
    DomainError,
    PostgresUnavailable,
    RetentionUnclear,
    WrongSetting,
)
"""Exceptions whose text is for the user."""


def parser() -> argparse.ArgumentParser:
    commands = argparse.ArgumentParser(
        prog="python -m cli",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = commands.add_subparsers(dest="verb", required=True, metavar="COMMAND", title="commands")
    for family in (serve, doctor, schema, accounts, backup, retain, reseal):
        family.add_to(verbs)
    return commands


def main() -> int:
    arguments = vars(parser().parse_args())
    verb = arguments.pop("verb")
    run: Callable[..., int | None] = arguments.pop("run")
    try:
        settings = configuration.load()
        logs.configure(settings.log_level, settings.log_format)
        return run(settings, **arguments) or 0
    except REFUSALS as refused:
        print(refused, file=sys.stderr)
    except OperationalError as error:
        print(
            f"The database in FLOWPILOT_DATABASE_URL cannot be used: {error.orig}", file=sys.stderr
        )
    return 1 if verb == "doctor" else 2


if __name__ == "__main__":
    sys.exit(main())
