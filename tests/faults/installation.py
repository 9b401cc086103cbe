"""Servers and a worker as processes of their own, which can be killed and started again."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]

STARTS_WITHIN = 90
"""Seconds, on a machine with everything else going on."""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Process:
    """`python -m cli <verb>`, writing to a log in `folder`."""

    def __init__(self, folder: Path, name: str, verb: str, **settings: object) -> None:
        self.verb = verb
        self.log = folder / f"{name}.log"
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self._environment = os.environ | environment(port=self.port, **settings)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "cli", self.verb),
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        if self.verb == "serve":
            await self._until_ready()

    async def _until_ready(self) -> None:
        async with asyncio.timeout(STARTS_WITHIN), httpx.AsyncClient() as client:
            while True:
                with suppress(httpx.TransportError):
                    answer = await client.get(f"http://{self.host}/readyz")
                    if answer.status_code == 200:
                        return
                assert self._process is not None
                assert self._process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.1)  # another process tells in no other way

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)
            await self._process.wait()


def environment(**settings: object) -> Mapping[str, str]:
    return {f"FLOWPILOT_{name.upper()}": str(value) for name, value in settings.items()}


@asynccontextmanager
async def running(*processes: Process) -> AsyncIterator[None]:
    """All of them, the first before the others, so that it makes the database."""
    first, *others = processes
    try:
        await first.start()
        await asyncio.gather(*(process.start() for process in others))
        yield
    finally:
        await asyncio.gather(*(process.stop() for process in processes))
