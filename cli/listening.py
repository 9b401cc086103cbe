"""Taking the address before anything is started for it."""

import errno
import socket
from collections.abc import Sequence

from cli.problems import CommandFailed
from settings import Settings

BACKLOG = 2048
LAST_PORT = 65535


def listen(host: str, port: int, settings: str = "FLOWPILOT_") -> socket.socket:
    """A socket that holds its callers until somebody answers them. Raises CommandFailed.

    `settings` begins the names of those that the address comes from.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        raise CommandFailed(
            f"{settings}HOST is {host}, which no address is known for: write an address of this "
            "machine, such as 127.0.0.1, or 0.0.0.0 for all of them."
        ) from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CommandFailed(_why_not(error, host, port, settings)) from None
    return listener


def _why_not(error: OSError, host: str, port: int, settings: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is taken, perhaps by another FlowPilot: stop what listens "
            f"there, or name another port in {settings}PORT."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{settings}HOST is {host}, which is no address of this machine: write one that is, "
            "such as 127.0.0.1, or 0.0.0.0 for all of them."
        )
    if error.errno == errno.EACCES:
        return (
            f"This user may not listen on port {port}: name one above 1023 in {settings}PORT, or "
            "give the right to."
        )
    return f"FlowPilot cannot listen on port {port} of {host}: {error.strerror}."


def metrics_ports(settings: Settings) -> Sequence[int]:
    """Of the server processes, one each; none where there are no metrics."""
    first = settings.metrics_port
    return () if first is None else range(first, first + settings.workers)


def require_metrics_address(host: str, port: int) -> None:
    """Raises CommandFailed where the metrics cannot be served."""
    if port > LAST_PORT:
        raise CommandFailed(
            f"There is no port {port} for the metrics of the last server process: name a lower one in "
            "FLOWPILOT_METRICS_PORT, from which each process has the next."
        )
    listen(host, port, "FLOWPILOT_METRICS_").close()
