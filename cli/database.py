"""Which database a command works on, and bringing it up to date."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from alembic import command

from cli.problems import CommandFailed
from services import schema_revision
from services.postgres import EmbeddedPostgres
from settings import Settings

NEWER = (
    "The database was brought up to date by a newer FlowPilot than this one: run that version, or "
    "restore a backup made by this one."
)
OLDER = "The database is not up to date: run `python -m cli migrate` (or `serve`) first."


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The URL of the given database, or of the embedded one while this process holds it."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    require_usable(settings.data_dir)
    with EmbeddedPostgres(settings.data_dir) as url:
        yield url


@contextmanager
def current_database(settings: Settings) -> Iterator[str]:
    """The same with the tables of this version: only the embedded database is brought to it unasked.

    Raises CommandFailed.
    """
    with database(settings) as url:
        if settings.database_url is None:
            migrate(url)
        else:
            _require_current(url)
        yield url


def require_usable(folder: Path) -> None:
    """Raises CommandFailed where FlowPilot cannot write; makes the folder where there is none."""
    problem = folder_problem(folder, make=True)
    if problem is not None:
        raise CommandFailed(problem)


def folder_problem(folder: Path, *, make: bool) -> str | None:
    """Why the data folder cannot be used. One that is not there yet is judged by its parent."""
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=nearest(folder)) as file:
            file.write(b"FlowPilot can write here.")
    except OSError as error:
        return (
            f"The data folder {folder.absolute()} cannot be used ({error.strerror}): name another "
            "in FLOWPILOT_DATA_DIR, or give the user that runs FlowPilot the right to write there."
        )
    return None


def nearest(folder: Path) -> Path:
    """The folder, or what is there of the way to it."""
    return next(way for way in (folder, *folder.absolute().parents) if way.exists())


def migrate(url: str) -> None:
    """Raises CommandFailed where the database is ahead of this FlowPilot."""
    if schema_revision.state(url) is schema_revision.State.NEWER:
        raise CommandFailed(NEWER)
    command.upgrade(schema_revision.config(url), "head")


def _require_current(url: str) -> None:
    """Raises CommandFailed where the tables are not those of this FlowPilot."""
    match schema_revision.state(url):
        case schema_revision.State.NEWER:
            raise CommandFailed(NEWER)
        case schema_revision.State.EMPTY | schema_revision.State.OLDER:
            raise CommandFailed(OLDER)
