"""Reading files whose reading may not end, or take all memory: by a process of its own that can be ended.

Run as a program it confines itself and then runs the program that it is given, which reads the file from
standard input and prints what it found.
"""

import asyncio
import runpy
import sys
from contextlib import suppress
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"

SECONDS = 20
MEMORY = 1_000_000_000
"""Bytes, where the system can limit them."""


class Unreadable(Exception):
    """A sentence: why it has nothing for us."""


async def read_apart(program: str, content: bytes, what: str) -> bytes:
    """What a program of services.files.evidence.programs prints. `what` is the subject of the sentence with
    which this raises Unreadable.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        __file__,
        str(PROGRAMS / f"{program}.py"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(SECONDS):
            printed, _ = await process.communicate(content)
    except TimeoutError:
        raise Unreadable(f"{what} could not be read within {SECONDS} seconds.") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Unreadable(f"{what} could not be read: it is damaged, too large or encrypted.")
    return printed


def main() -> None:
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    runpy.run_path(sys.argv[1], run_name="__main__")


if __name__ == "__main__":
    main()
