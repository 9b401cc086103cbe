"""The image, as far as a machine without containers can tell."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from tests.contract.dockerfile import (
    IMAGE,
    ROOT,
    context,
    copies,
    environment,
    is_sent,
    of_image,
    stages,
)


def of_every_stage(name: str) -> list[str]:
    return [rest for stage in stages() for instruction, rest in stage if instruction == name]


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        ".flowpilot/secret.key",
        ".venv/bin/python",
        "cli/__pycache__/serve.cpython-311.pyc",
        "compose.yaml",
        "tests/conftest.py",
        "web/dist/graphiql/index.html",
        "web/node_modules/vite/package.json",
    ],
)
def test_what_is_secret_or_made_elsewhere_stays_out_of_a_build(path: str) -> None:
    assert not is_sent(path)


def test_whatever_is_copied_is_there_and_sent() -> None:
    sent = context()
    names = {rest.split(" AS ")[1] for rest in of_every_stage("FROM") if " AS " in rest}
    taken = [copy for stage in stages() for copy in copies(stage)]
    assert {origin for origin, _, _ in taken if origin is not None} == names
    for origin, sources, target in taken:
        for source in sources if origin is None else []:
            assert any(path == source or path.startswith(f"{source}/") for path in sent), source
            if (ROOT / source).is_dir():  # COPY takes what is in a folder, not the folder
                assert target == source


def test_nothing_comes_from_anywhere_but_the_locked_requirements() -> None:
    assert [rest.split()[0] for rest in of_every_stage("FROM")] == ["python:3.11-slim"] * 3
    text = (ROOT / "Dockerfile").read_text()
    installs = re.findall(r"pip(?: --python \S+)? install[^&]*?-r (\S+)", text)
    assert installs == ["requirements/build.txt", "requirements/runtime.txt"]
    assert text.count("--require-hashes --only-binary :all: -r") == text.count(
        " install --no-cache"
    )
    assert not re.search(r"^ADD|https?://|curl|apt|--mount|ARG", text, re.MULTILINE)


def test_the_image_runs_as_nobody_and_keeps_its_data_in_one_place() -> None:
    names = [name for name, _ in IMAGE]
    assert of_image("USER") == ["10001:10001"]
    assert "--uid 10001" in of_image("RUN")[0]
    assert names.index("USER") > max(i for i, name in enumerate(names) if name in {"RUN", "COPY"})
    assert of_image("VOLUME") == ['["/data"]']
    assert of_image("STOPSIGNAL") == ["SIGTERM"]
    set_to = environment()
    assert set_to.pop("PATH") == "/venv/bin:$PATH"
    assert set_to == {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "FLOWPILOT_HOST": "0.0.0.0",
        "FLOWPILOT_PORT": "8000",
        "FLOWPILOT_DATA_DIR": "/data",
    }


def build(folder: Path) -> None:
    """Copies what the image has of us; what its first stage builds is taken from this checkout."""
    sent = context()
    for origin, sources, target in copies(IMAGE):
        for source in sources:
            if origin == "page":
                shutil.copytree(ROOT / source.removeprefix("/build/"), folder / target)
            elif origin is None:
                for path in sent:
                    if path == source or path.startswith(f"{source}/"):
                        (folder / path).parent.mkdir(parents=True, exist_ok=True)
                        shutil.copy(ROOT / path, folder / path)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


@contextmanager
def removable(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    try:
        yield folder
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(path.stat().st_mode | stat.S_IWUSR)


def words_of(line: str) -> list[str]:
    """Of a command in JSON, with this Python in place of the image's."""
    first, *others = orjson.loads(line.removeprefix(line.partition("[")[0]))
    assert first == "python"
    return [sys.executable, *others]


def confined() -> list[str]:
    """Before a command: without what root may beyond others, so that a file's mode binds it, too."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]


def test_the_image_serves_with_nothing_to_write_to_but_its_data(
    make_database: Callable[[str], str], tmp_path: Path
) -> None:
    data, temporary = tmp_path / "data", tmp_path / "tmp"
    data.mkdir()
    temporary.mkdir()
    variables = environment() | {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(temporary),
        "HOME": "/nowhere",
        "FLOWPILOT_HOST": "127.0.0.1",
        "FLOWPILOT_PORT": "0",
        "FLOWPILOT_DATA_DIR": str(data),
        "FLOWPILOT_DATABASE_URL": make_database("image"),
        "FLOWPILOT_POOL_SIZE": "5",
    }
    with removable(tmp_path / "app") as folder:
        build(folder)
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        assert subprocess.run([*confined(), "touch", folder / "x"], check=False).returncode == 1
        [start] = of_image("CMD")
        with subprocess.Popen(
            [*confined(), *words_of(start)],
            cwd=folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as server:
            try:
                assert server.stdout is not None
                greeting = server.stdout.readline()
                assert greeting.startswith("FlowPilot serves http://127.0.0.1:")
                address = greeting.split()[2].removesuffix("/")
                assert look(f"{address}/healthz") == '{"status":"ok"}'
                page = look(f"{address}/graphql", Accept="text/html")
                assert page == (ROOT / "web/dist/graphiql/index.html").read_text()
                [check] = of_image("HEALTHCHECK")
                port = {"FLOWPILOT_PORT": address.rpartition(":")[2]}
                healthy = [*confined(), *words_of(check)]
                assert subprocess.run(healthy, env=variables | port, check=False).returncode == 0
            finally:
                server.send_signal(signal.SIGTERM)
                _, log = server.communicate(timeout=60)
        assert server.returncode == 0, log
        silent = subprocess.run(healthy, env=variables | port, capture_output=True, check=False)
        assert silent.returncode == 1
        assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert {path.name for path in data.iterdir()} == {"secret.key", "uploads"}
    assert {orjson.loads(line)["level"] for line in log.splitlines()} <= {"info"}


def look(address: str, **headers: str) -> str:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(urllib.request.Request(address, headers=headers), timeout=20) as answer:
        text: str = answer.read().decode()
        return text
