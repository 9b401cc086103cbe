"""The command as a service manager runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def command(verb: str, **settings: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "cli", verb],
        cwd=ROOT,
        env=os.environ | {f"FLOWPILOT_{name.upper()}": value for name, value in settings.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_terminated_server_takes_its_database_with_it(tmp_path: Path) -> None:
    home = tmp_path / "with a space"
    with command("serve", data_dir=str(home), port="0") as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("FlowPilot serves")
        assert (home / "postgres" / "postmaster.pid").exists()
        server.send_signal(signal.SIGTERM)
        _, problems = server.communicate(timeout=30)
        assert (server.returncode, problems) == (0, "")
    assert not (home / "postgres" / "postmaster.pid").exists()
    assert list((home / "holders").iterdir()) == []


def test_a_database_that_nobody_serves_is_told_in_a_sentence() -> None:
    with command(
        "migrate", database_url="postgresql://somebody:secret@127.0.0.1:1/none"
    ) as migrate:
        _, problems = migrate.communicate(timeout=30)
        assert migrate.returncode == 2
    assert problems.startswith("The database in FLOWPILOT_DATABASE_URL cannot be used: ")
    assert "Traceback" not in problems
    assert "secret" not in problems
