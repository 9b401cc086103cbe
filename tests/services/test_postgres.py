"""The embedded server: shared by processes, survived by data, and deaf to strangers' pids."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from services.postgres import EmbeddedPostgres, PostgresUnavailable

ROOT = Path(__file__).parents[2]
FAST = {"fsync": "off"}

HOLDER = """
import sys
from pathlib import Path
from services.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Whatever a test leaves running below it is stopped."""
    yield tmp_path / "data"
    with EmbeddedPostgres(tmp_path / "data"):
        pass


class Holder:
    """Another process that needs the server."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def url(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("\n", timeout=30)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


def postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().split()[0])


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def remember(url: str, text: str) -> None:
    with psycopg.connect(url) as db:
        db.execute("CREATE TABLE IF NOT EXISTS notes (body text)")
        db.execute("INSERT INTO notes VALUES (%s)", (text,))


def notes(url: str) -> list[str]:
    with psycopg.connect(url) as db:
        return [body for (body,) in db.execute("SELECT body FROM notes ORDER BY body")]


def test_it_starts_serves_and_is_gone_afterwards(folder: Path) -> None:
    with EmbeddedPostgres(folder, settings=FAST) as url:
        pid = postmaster(folder)
        with psycopg.connect(url) as db:
            version, encoding, addresses = db.execute(
                "SELECT current_setting('server_version_num')::int / 10000, "
                "current_setting('server_encoding'), current_setting('listen_addresses')"
            ).fetchone() or (0, "", "?")
        assert (version, encoding, addresses) == (18, "UTF8", "")
        assert (folder / "socket").stat().st_mode & 0o777 == 0o700
    assert not lives(pid)


def test_processes_that_start_at_once_share_one_server(folder: Path) -> None:
    holders = [Holder(folder) for _ in range(3)]
    urls = {holder.url() for holder in holders}
    assert len(urls) == 1
    pid = postmaster(folder)
    holders[0].leave()
    holders[1].leave()
    assert lives(pid)
    remember(urls.pop(), "still here")
    holders[2].leave()
    assert not lives(pid)


def test_a_killed_holder_lets_go(folder: Path) -> None:
    holder = Holder(folder)
    holder.url()
    pid = postmaster(folder)
    holder.kill()
    assert lives(pid)
    with EmbeddedPostgres(folder) as url:
        assert postmaster(folder) == pid
        remember(url, "adopted")
    assert not lives(pid)


def test_what_was_committed_survives_the_servers_death(folder: Path) -> None:
    with EmbeddedPostgres(folder) as url:
        remember(url, "committed")
        pid = postmaster(folder)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not lives(pid))
        with EmbeddedPostgres(folder) as again:
            assert notes(again) == ["committed"]


def test_a_server_that_was_killed_is_started_again(folder: Path) -> None:
    with EmbeddedPostgres(folder) as url:
        remember(url, "committed")
        pid = postmaster(folder)
        os.kill(pid, signal.SIGKILL)

        def answers() -> bool:
            try:
                return notes(url) == ["committed"] and postmaster(folder) != pid
            except (psycopg.OperationalError, FileNotFoundError):
                return False

        until(answers)


def test_a_strangers_process_under_a_stale_pid_is_left_alone(folder: Path) -> None:
    with EmbeddedPostgres(folder) as url:
        remember(url, "before")
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        stale = folder / "postgres" / "postmaster.pid"
        stale.write_text(f"{stranger.pid}\n{folder / 'postgres'}\n1\n5432\n\n\n")
        with EmbeddedPostgres(folder) as url:
            assert notes(url) == ["before"]
            assert stranger.poll() is None
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_link_to_the_folder_leads_to_the_same_server(folder: Path) -> None:
    with EmbeddedPostgres(folder) as url:
        pid = postmaster(folder)
        link = folder.with_name("link")
        link.symlink_to(folder)
        with EmbeddedPostgres(link) as same:
            assert (same, postmaster(folder)) == (url, pid)
        assert (postmaster(folder), lives(pid)) == (pid, True)


def test_a_half_made_cluster_is_made_anew(folder: Path) -> None:
    (folder / "initdb-killed" / "postgres").mkdir(parents=True)
    with EmbeddedPostgres(folder) as url:
        remember(url, "whole")


def test_a_very_deep_folder_works(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-name"] * 8)
    server = EmbeddedPostgres(deep)
    with server as url:
        assert len(url) < 150
        remember(url, "deep")
    shutil.rmtree(server.sockets)


def test_a_folder_of_another_version_is_refused_in_a_sentence(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        pass
    version = folder / "postgres" / "PG_VERSION"
    version.write_text("14\n")
    with pytest.raises(PostgresUnavailable, match="belongs to PostgreSQL 14, not 18"):
        EmbeddedPostgres(folder).start()
    version.write_text("18\n")
