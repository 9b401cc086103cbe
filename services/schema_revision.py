"""Which revision of the tables a database has, held against the newest one there is here."""

from enum import Enum
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from services.database import sync_url

ROOT = Path(__file__).parents[1]


class State(Enum):
    EMPTY = "empty"
    """Never migrated."""
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    """Of a revision that is not known here."""


def config(url: str | None = None) -> Config:
    """For Alembic's commands."""
    found = Config(ROOT / "alembic.ini")
    found.attributes["database_url"] = url
    return found


def state(url: str) -> State:
    """Raises OperationalError where the database cannot be reached."""
    engine = create_engine(sync_url(url), poolclass=NullPool)
    with engine.connect() as db:
        revision = MigrationContext.configure(db).get_current_revision()
    return state_of(revision)


def state_of(revision: str | None) -> State:
    scripts = ScriptDirectory.from_config(config())
    if revision is None:
        return State.EMPTY
    if revision == scripts.get_current_head():
        return State.CURRENT
    known = {script.revision for script in scripts.walk_revisions()}
    return State.OLDER if revision in known else State.NEWER
