"""`backup` and `restore`: the database in a file."""

import argparse
from pathlib import Path

from cli.database import database
from services import backup as backups
from services.schema_revision import State
from settings import Settings


def add_to(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    saving = verbs.add_parser(
        "backup",
        help="write the whole database to a file",
        description="Writes the whole database to a new file, as it is at one moment, while servers "
        "go on. The file is a pg_dump archive; it does not hold the secret key.",
    )
    saving.add_argument("file", type=Path, metavar="FILE", help="must not exist yet")
    saving.set_defaults(run=back_up)
    loading = verbs.add_parser(
        "restore",
        help="fill an empty database from such a file",
        description="Fills an empty database from a backup, in one transaction. Stop all servers and "
        "workers first.",
    )
    loading.add_argument("file", type=Path, metavar="FILE")
    loading.add_argument(
        "--replace", action="store_true", help="drop what the database holds; it is lost"
    )
    loading.add_argument(
        "--reset-feeds",
        action="store_true",
        help="for a backup older than what clients have seen: each is told to query again, instead "
        "of missing events that get the numbers of lost ones",
    )
    loading.set_defaults(run=restore)


def back_up(settings: Settings, file: Path) -> None:
    with database(settings) as url:
        size = backups.back_up(url, file)
    print(f"{file} holds the whole database ({size:,} bytes).")
    print(_about_the_key(settings))


def restore(settings: Settings, file: Path, *, replace: bool, reset_feeds: bool) -> None:
    with database(settings) as url:
        state = backups.restore(url, file, replace=replace, reset_feeds=reset_feeds)
    print(f"The database is as it was when {file} was made.")
    if state is State.OLDER:
        print("It is of an older FlowPilot: `python -m cli migrate` (or `serve`) brings it up.")


def _about_the_key(settings: Settings) -> str:
    if settings.secret_key is not None:
        return "The secret key is not in it: keep FLOWPILOT_SECRET_KEY elsewhere."
    return (
        f"The secret key is not in it: keep a copy of {settings.data_dir / 'secret.key'} elsewhere. "
        "With another key, access tokens given before a restore are refused; people and API keys "
        "get in as before."
    )
