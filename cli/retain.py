"""`retain`: deleting what is old enough, as a timer would call it every night."""

import argparse
import asyncio

from app import file_store
from cli.database import current_database
from services.batches import owner_engine
from services.files.store import FileStore
from services.files.sweep import sweep
from services.retention import Periods, count_old
from services.retention import retain as forget
from settings import Settings

KINDS = {
    "events": "events that clients replay; an older cursor is answered with a reset",
    "sessions": "sessions that are resolved or abandoned, with their trees and messages",
    "tokens": "refresh tokens, counted from when they ended by themselves",
    "idempotency-keys": "keys of creates; a repeat after that creates anew",
    "jobs": "jobs that failed or were cancelled",
}


def add_to(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    retention = verbs.add_parser(
        "retain",
        help="delete what is older than it must be kept",
        description="Deletes what has ended more than FLOWPILOT_RETENTION_DAYS days ago, in small "
        "transactions while servers go on. Each kind may have days of its own; without the setting "
        "only the kinds that are named go. People, library articles and the audit are always kept.",
    )
    retention.add_argument(
        "--dry-run", action="store_true", help="only say how many of each kind would go"
    )
    for kind, about in KINDS.items():
        retention.add_argument(f"--{kind}", type=_days, metavar="DAYS", help=about)
    retention.set_defaults(run=retain)


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 36_500:  # noqa: PLR2004 - as FLOWPILOT_RETENTION_DAYS
        raise argparse.ArgumentTypeError("write 1 to 36500 days")
    return days


async def _sweep(url: str, files: FileStore) -> int:
    async with owner_engine(url) as engine:
        return await sweep(engine, files)


def retain(settings: Settings, *, dry_run: bool, **days: int | None) -> None:
    fallback = settings.retention_days
    periods = Periods(**{kind: value or fallback for kind, value in days.items()})
    with current_database(settings) as url:
        counts = asyncio.run((count_old if dry_run else forget)(url, periods))
        if counts.get("sessions") and not dry_run:
            counts["files"] = asyncio.run(_sweep(url, file_store(settings)))
    for kind, count in counts.items():
        print(f"{kind.replace('_', ' ')}: {count:,} {'would go' if dry_run else 'deleted'}")
