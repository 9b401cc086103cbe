"""Several server processes on one listening socket.

The parent starts them, starts another where one dies, and hands on what it is told by signals. It serves
nobody itself. Why not uvicorn's own supervisor: docs/decisions/0028-several-processes.md.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from time import monotonic

from cli.listening import metrics_ports
from cli.problems import CommandFailed
from server import Server, end_with_success
from services.telemetry import logs
from settings import Settings

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds before a process that died is replaced; doubles while the replacements die young."""

OLD = 60.0
"""Seconds after which a process has shown that it can live."""

UNSHARED = (
    "each of %d processes counts calls and sign-ins for itself, so callers may do as many times what the "
    "limits say; with FLOWPILOT_LIMITS_URL they count together"
)

log = logging.getLogger("flowpilot.processes")
spawn = multiprocessing.get_context("spawn")


@dataclass
class Child:
    process: SpawnProcess
    greeting: Connection
    """Readable once the process serves, and when it is gone."""
    began: float = field(default_factory=monotonic)

    async def serves(self) -> bool:
        """Waits until it does, or is gone."""
        await _readable(self.greeting.fileno())
        with suppress(EOFError):
            self.greeting.recv_bytes()
            log.info("a server process serves", extra={"pid": self.process.pid})
            return True
        return False

    async def gone(self) -> None:
        await _readable(self.process.sentinel)
        self.process.join()
        self.greeting.close()

    def tell(self, told: signal.Signals) -> None:
        if self.process.exitcode is None and self.process.pid is not None:
            os.kill(self.process.pid, told)


class Supervisor:
    def __init__(self, settings: Settings, url: str, listener: socket.socket) -> None:
        self.settings = settings
        self.url = url
        self.listener = listener
        self.ending = asyncio.Event()
        self.children: dict[int, Child] = {}

    async def run(self, greeting: str) -> None:
        for told in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(told, self.end, told)
        numbers = range(self.settings.workers)
        try:
            serve = await asyncio.gather(*(self.start(number).serves() for number in numbers))
            if not all(serve) and not self.ending.is_set():
                raise CommandFailed("A server process could not start; the log above says why.")
            if all(serve):
                print(greeting, flush=True)
            await asyncio.gather(*(self.keep(number) for number in numbers))
        finally:
            self.end(signal.SIGTERM)
            await asyncio.gather(*(child.gone() for child in self.children.values()))

    def start(self, number: int) -> Child:
        """In a fresh interpreter: this one has threads, which a fork would tear apart."""
        ports = metrics_ports(self.settings)
        own = self.settings.model_copy(update={"metrics_port": ports[number] if ports else None})
        greeting, greet = spawn.Pipe(duplex=False)
        with greet:
            process = spawn.Process(target=_serve, args=(own, self.url, self.listener, greet))
            process.start()
        child = self.children[number] = Child(process, greeting)
        return child

    def end(self, told: signal.Signals) -> None:
        """Whoever presses Ctrl-C a second time wants it to be quick."""
        told = told if self.ending.is_set() else signal.SIGTERM
        self.ending.set()
        self.listener.close()  # so that callers are refused once the last process has closed it
        for child in self.children.values():
            child.tell(told)

    async def keep(self, number: int) -> None:
        pause = FIRST_PAUSE
        while True:
            child = self.children[number]
            await child.gone()
            if self.ending.is_set():
                return
            log.error(
                "a server process died and is replaced",
                extra={"pid": child.process.pid, "exit_code": child.process.exitcode},
            )
            if monotonic() - child.began > OLD:
                pause = FIRST_PAUSE
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self.ending.wait()
                return
            pause = min(2 * pause, LONGEST_PAUSE)
            await self.start(number).serves()


def serve_together(settings: Settings, url: str, listener: socket.socket, greeting: str) -> None:
    """Until it is told to end and all have ended. Raises CommandFailed where one cannot start."""
    if settings.limits_url is None:
        log.warning(UNSHARED, settings.workers)
    asyncio.run(Supervisor(settings, url, listener).run(greeting))


def _serve(settings: Settings, url: str, listener: socket.socket, greet: Connection) -> None:
    logs.configure(settings.log_level, settings.log_format)
    end_with_success()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    Server(settings, url, lambda: greet.send_bytes(b"")).run(sockets=[listener])


def _end_with_parent() -> None:
    """Nobody would replace or end this process any more."""
    if parent := multiprocessing.parent_process():
        parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


async def _readable(descriptor: int) -> None:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
