"""`python -m tests.fakes.far_ends`: all far ends on loopback until interrupted, with a page at /.

Mail is taken at the port after it."""

import argparse
import asyncio
import signal

from tests.fakes.far_ends.mail import serving_mail
from tests.fakes.far_ends.serving import FarEnds, serving


async def run(port: int) -> None:
    far_ends = FarEnds()
    for vendor in (far_ends.connectwise, far_ends.halopsa, far_ends.autotask):
        for summary in ("Mail is down", "The VPN drops"):
            vendor.new_ticket(summary, "Since this morning, for everybody.")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(far_ends, port), serving_mail(far_ends.mail, port + 1 if port else 0):
        print(f"What arrives is shown at {far_ends.url}/", flush=True)  # noqa: T201
        await stop.wait()


arguments = argparse.ArgumentParser(prog="python -m tests.fakes.far_ends", description=__doc__)
arguments.add_argument("--port", type=int, default=8090)
asyncio.run(run(arguments.parse_args().port))
