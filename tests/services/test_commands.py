"""The commands as a shell or a service manager runs them."""

import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from cli import migrate
from services.database import sync_url
from services.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
ADDRESS = "write it as postgresql://user:password@host:5432/name"


def command(*words: str, **settings: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env=os.environ | {f"FLOWPILOT_{name.upper()}": value for name, value in settings.items()},
        stdin=subprocess.DEVNULL,
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


def refusal(*words: str, **settings: str) -> str:
    """What a command says on standard error that ends with 2."""
    with command(*words, **settings) as process:
        output, problems = process.communicate(timeout=60)
    assert (process.returncode, output) == (2, "")
    assert "Traceback" not in problems
    return problems.strip()


def examined(**settings: str) -> tuple[int, list[str]]:
    """What the doctor says."""
    with command("doctor", **settings) as process:
        output, problems = process.communicate(timeout=60)
    assert problems == ""
    return process.returncode, output.splitlines()


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def test_a_taken_port_is_told_before_anything_is_made(tmp_path: Path, taken_port: str) -> None:
    home = tmp_path / "home"
    assert refusal("serve", data_dir=str(home), port=taken_port) == (
        f"Port {taken_port} of 127.0.0.1 is taken, perhaps by another FlowPilot: stop what listens "
        "there, or name another port in FLOWPILOT_PORT."
    )
    assert not (home / "postgres").exists()


@pytest.mark.parametrize("verb", ["serve", "worker"])
def test_a_taken_port_of_the_metrics_is_told_too(
    verb: str, tmp_path: Path, taken_port: str
) -> None:
    home = tmp_path / "home"
    told = (
        f"Port {taken_port} of 127.0.0.1 is taken, perhaps by another FlowPilot: stop what listens "
        "there, or name another port in FLOWPILOT_METRICS_PORT."
    )
    settings = {"data_dir": str(home), "port": free_port(), "metrics_port": taken_port}
    assert refusal(verb, **settings) == told
    assert not (home / "postgres").exists()
    assert examined(**settings) == (1, [told])


def test_every_server_process_needs_a_port_for_its_metrics(tmp_path: Path, taken_port: str) -> None:
    settings = {"data_dir": str(tmp_path / "home"), "port": free_port()}
    second = {"metrics_port": str(int(taken_port) - 1)}
    assert refusal("serve", "--workers", "2", **settings, **second).startswith(
        f"Port {taken_port} of 127.0.0.1 is taken"
    )
    told = (
        "There is no port 65536 for the metrics of the last server process: name a lower one in "
        "FLOWPILOT_METRICS_PORT, from which each process has the next."
    )
    assert refusal("serve", workers="2", metrics_port="65535", **settings) == told
    assert not (tmp_path / "home" / "postgres").exists()


@pytest.mark.parametrize("typed", ["0", "65", "two"])
def test_so_many_server_processes_are_not_started(typed: str) -> None:
    said = refusal("serve", "--workers", typed)
    assert said.endswith("argument --workers: write a whole number from 1 to 64")


def test_a_document_that_cannot_be_trusted_is_told(tmp_path: Path) -> None:
    home, listed = tmp_path / "home", tmp_path / "documents.json"
    listed.write_text('{"mine": "{ nothing }"}')
    told = (
        "FLOWPILOT_TRUSTED_DOCUMENTS cannot be used: The document mine cannot be run: "
        "Cannot query field 'nothing' on type 'Query'."
    )
    settings = {"data_dir": str(home), "port": free_port(), "trusted_documents": str(listed)}
    assert refusal("serve", **settings) == told
    assert not (home / "postgres").exists()
    assert examined(**settings) == (1, [told])


def test_the_doctor_asks_the_store_of_limits(tmp_path: Path) -> None:
    settings = {"data_dir": str(tmp_path), "port": "0", "limits_url": "redis://127.0.0.1:1/0"}
    code, said = examined(**settings)
    assert code == 1
    (line,) = said
    assert line.startswith("The store of limits in FLOWPILOT_LIMITS_URL does not answer (")


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("nowhere.invalid", "which no address is known for"),
        ("192.0.2.1", "which is no address of this machine"),
        ("a..b", "which no address is known for"),
    ],
)
def test_a_host_that_is_none_of_ours_is_told(host: str, sentence: str, tmp_path: Path) -> None:
    said = refusal("serve", data_dir=str(tmp_path), host=host, port="0")
    assert said.startswith(f"FLOWPILOT_HOST is {host}, {sentence}: write ")


@pytest.mark.parametrize("verb", ["serve", "worker", "migrate"])
def test_a_data_folder_that_cannot_be_used_is_told(verb: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    said = refusal(verb, data_dir=str(file / "home"), port="0")
    assert said.startswith(f"The data folder {file / 'home'} cannot be used (Not a directory): ")


def test_a_database_that_is_behind_or_ahead_is_told(
    make_database: Callable[[str], str], tmp_path: Path
) -> None:
    settings = {"database_url": make_database("stages"), "data_dir": str(tmp_path), "port": "0"}
    behind = "The database is not up to date: run `python -m cli migrate` (or `serve`) first."
    for words in (["worker"], ["retain", "--events", "9"], ["delete-account", "x"]):
        assert refusal(*words, **settings) == behind
    migrate(settings["database_url"])
    engine = create_engine(sync_url(settings["database_url"]))
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for verb in ("worker", "serve", "migrate"):
        said = refusal(verb, **settings)
        assert said.startswith("The database was brought up to date by a newer FlowPilot than ")


def test_empty_settings_count_as_unset_and_wrong_ones_are_told_in_plain_words() -> None:
    wrong = {
        "port": "99999",
        "max_depth": "deep",
        "pool_size": "1",
        "secret_key": "short",
        "log_level": "loud",
        "reply_timeout": "0",
        "database_url": "postgresql://@:x/",
        "host": "",
        "broadcast_url": "",
    }
    said = refusal("migrate", **wrong)
    assert set(said.splitlines()) == {
        "FLOWPILOT_PORT cannot be used as it is: write a number of at most 65535.",
        "FLOWPILOT_MAX_DEPTH cannot be used as it is: write a whole number.",
        "FLOWPILOT_POOL_SIZE cannot be used as it is: write a number of at least 2.",
        "FLOWPILOT_SECRET_KEY cannot be used as it is: write at least 32 characters.",
        "FLOWPILOT_LOG_LEVEL cannot be used as it is: write debug, info, warning or error.",
        "FLOWPILOT_REPLY_TIMEOUT cannot be used as it is: write a number above 0.0.",
        f"FLOWPILOT_DATABASE_URL cannot be used as it is: {ADDRESS}.",
    }


def test_the_doctor_is_content_with_what_works_and_names_each_thing_that_does_not(
    make_database: Callable[[str], str], tmp_path: Path, taken_port: str
) -> None:
    url = make_database("patient")
    settings = {"database_url": url, "data_dir": str(tmp_path), "port": "0"}
    assert examined(**settings) == (
        1,
        [
            "The database holds no tables of FlowPilot yet: run `python -m cli migrate` (or `serve`)."
        ],
    )
    migrate(url)
    assert examined(**settings) == (0, ["Nothing is wrong."])
    code, (line,) = examined(**settings, workers="64", pool_size="200")
    assert (code, line[:59]) == (1, "The servers set up here may want 13184 connections, and the")
    engine = create_engine(sync_url(url))
    with engine.begin() as db:
        db.execute(text("ALTER TABLE findings DISABLE ROW LEVEL SECURITY"))
        db.execute(text("DROP TABLE message_articles"))
        db.execute(text("GRANT CREATE ON SCHEMA public TO flowpilot_app"))
        db.execute(text("ALTER TABLE teams OWNER TO flowpilot_app"))
        db.execute(text("INSERT INTO procrastinate_jobs (task_name, queue_name) VALUES ('t', 'q')"))
        db.execute(text("UPDATE procrastinate_events SET at = now() - interval '2 minutes'"))
        db.execute(
            text(
                "INSERT INTO procrastinate_jobs (task_name, queue_name, status) "
                "VALUES ('t', 'q', 'doing')"
            )
        )
    engine.dispose()
    code, said = examined(**settings | {"port": taken_port})
    assert code == 1
    assert [line.split(":")[0] for line in said] == [
        f"Port {taken_port} of 127.0.0.1 is taken, perhaps by another FlowPilot",
        "The role flowpilot_app owns 3 tables or indexes, so that no wall stops it there",
        "Tables are missing, restore a backup",
        "Row-level security is off, so that accounts see each other",
        "The role flowpilot_app has the rights of the tables' owner",
        "1 jobs were left by a worker that died",
        "Nobody works on jobs, and 1 wait",
    ]


def test_the_doctor_knows_a_flowpilot_by_its_answer(tmp_path: Path) -> None:
    port = free_port()
    settings = {"data_dir": str(tmp_path / "home"), "port": port}
    with command("serve", **settings) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith(f"FlowPilot serves http://127.0.0.1:{port}/")
        wait_for_worker(tmp_path / "home")
        assert examined(**settings) == (0, ["Nothing is wrong."])
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)
    assert server.returncode == 0
    assert examined(**settings | {"broadcast_url": "postgresql://nobody@127.0.0.1:1/x"})[0] == 1


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def wait_for_worker(home: Path) -> None:
    with EmbeddedPostgres(home) as url:
        engine = create_engine(sync_url(url))
        count = text("SELECT count(*) FROM procrastinate_workers")
        while True:
            with engine.connect() as db:
                if db.execute(count).scalar_one():
                    break
        engine.dispose()


def test_an_account_is_deleted_only_when_told_twice(
    make_database: Callable[[str], str], tmp_path: Path
) -> None:
    url = make_database("twice")
    migrate(url)
    settings = {"database_url": url, "data_dir": str(tmp_path)}
    assert refusal("delete-account", "Nobody", **settings) == "There is no account Nobody."
    engine = create_engine(sync_url(url))
    with engine.begin() as db:
        for number in (1, 2):
            db.execute(
                text("INSERT INTO accounts (id, name, plan) VALUES (:id, 'Twin', 'team')"),
                {"id": f"{number:032x}"},
            )
    ids = [f"ac_{number:032x}" for number in (1, 2)]
    assert refusal("delete-account", "Twin", "--yes", **settings) == (
        f"Several accounts are named Twin; name one by its id: {ids[0]}, {ids[1]}."
    )
    assert refusal("delete-account", ids[0], **settings) == (
        f"Nothing was deleted. To delete Twin ({ids[0]}) for good, add --yes."
    )
    with command("delete-account", ids[0], "--yes", **settings) as process:
        output, _ = process.communicate(timeout=60)
    assert output.splitlines() == ["accounts: 1 deleted", f"Account Twin ({ids[0]}) is gone."]
    with engine.connect() as db:
        assert db.execute(text("SELECT id::text FROM accounts")).scalars().all() == [
            "00000000-0000-0000-0000-000000000002"
        ]
    engine.dispose()


def test_retention_and_backup_say_what_they_did(
    make_database: Callable[[str], str], tmp_path: Path
) -> None:
    url = make_database("said")
    migrate(url)
    settings = {"database_url": url, "data_dir": str(tmp_path)}
    assert refusal("retain", **settings).startswith("Say what to delete: ")
    with command("retain", "--dry-run", "--jobs", "3", retention_days="9", **settings) as process:
        output, _ = process.communicate(timeout=60)
    assert output.splitlines() == [
        f"{kind}: 0 would go"
        for kind in ("events", "sessions", "tokens", "idempotency keys", "jobs")
    ]
    file = tmp_path / "file.dump"
    with command("backup", str(file), **settings) as process:
        output, _ = process.communicate(timeout=60)
    assert output.startswith(f"{file} holds the whole database ({file.stat().st_size:,} bytes).\n")
    assert f"keep a copy of {tmp_path / 'secret.key'} elsewhere" in output
    assert refusal("restore", str(file), **settings).startswith("The database is not empty")


def typed(answers: list[str], *words: str, **settings: str) -> tuple[int, str]:
    """Exit code and screen of a command whose questions somebody answers at a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.environ.update({f"FLOWPILOT_{name.upper()}": value for name, value in settings.items()})
        os.execv(sys.executable, [sys.executable, "-m", "cli", *words])
    screen = ""
    with suppress(OSError), os.fdopen(terminal, "r+b", buffering=0) as file:  # EIO is its end
        while True:
            screen += file.read(1000).decode()
            if screen.endswith(": ") and answers:
                file.write(f"{answers.pop(0)}\n".encode())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen


def test_a_password_is_asked_for_twice(make_database: Callable[[str], str], tmp_path: Path) -> None:
    settings = {"database_url": make_database("typed"), "data_dir": str(tmp_path)}
    migrate(settings["database_url"])
    words = ["create-account", "--name", "MSP", "--email", "a@msp.example", "--admin", "Ada"]
    code, screen = typed(["correct horse battery", "correct horse"], *words, **settings)
    assert (code, screen.splitlines()[-1]) == (2, "The two passwords differ: nothing was made.")
    assert refusal("delete-account", "MSP", **settings) == "There is no account MSP."
    code, screen = typed(["correct horse battery"] * 2, *words, **settings)
    assert (code, screen.splitlines()[-1]) == (
        0,
        "Account MSP is there; a@msp.example can sign in.",
    )
    assert "horse" not in screen
