"""Dockerfile and .dockerignore, read as a build reads them."""

import os
import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]

NEVER_SENT = {".git", ".venv", "node_modules", ".mypy_cache", ".ruff_cache"}
"""Large folders that nobody needs to look into."""

Instruction = tuple[str, str]


def stages() -> list[list[Instruction]]:
    """Of the Dockerfile, each from its FROM on."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    found: list[list[Instruction]] = []
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line:
            name, _, rest = line.partition(" ")
            if name == "FROM":
                found.append([])
            found[-1].append((name, rest))
    return found


IMAGE = stages()[-1]


def of_image(name: str) -> list[str]:
    return [rest for instruction, rest in IMAGE if instruction == name]


def environment() -> dict[str, str]:
    return dict(word.split("=", 1) for rest in of_image("ENV") for word in shlex.split(rest))


def copies(stage: list[Instruction]) -> Iterator[tuple[str | None, list[str], str]]:
    """The stage that each COPY takes from, if any, what it takes, and where it goes."""
    for name, rest in stage:
        if name == "COPY":
            words = rest.split()
            origin = words.pop(0).removeprefix("--from=") if words[0].startswith("--") else None
            *sources, target = words
            yield origin, sources, target


def is_sent(path: str) -> bool:
    """Whether a build may see this file: of .dockerignore, the last line that fits decides."""
    ways = [path, *(str(parent) for parent in PurePosixPath(path).parents)][:-1]
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!")
            if any(fits(way, pattern) for way in ways):
                sent = line.startswith("!")
    return sent


def fits(way: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatchcase(PurePosixPath(way).name, pattern[3:])
    names, patterns = way.split("/"), pattern.split("/")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))


def context() -> list[str]:
    """What is sent to a build."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NEVER_SENT]
        here = Path(folder).relative_to(ROOT)
        found += [path for name in files if is_sent(path := (here / name).as_posix())]
    return found
