"""`reseal`: the last step of changing the server's secret."""

import argparse
import asyncio

from cli.database import current_database
from services.resealing import reseal as encrypt_anew
from services.sealing import Seal
from settings import Settings


def add_to(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verbs.add_parser(
        "reseal",
        help="encrypt credentials of integrations under the present secret key",
        description="After FLOWPILOT_SECRET_KEY was changed: reads what was encrypted under "
        "FLOWPILOT_PREVIOUS_SECRET_KEY and encrypts it under the present key, so that the previous "
        "one is not needed any more. May run while servers do, once all have the present key.",
    ).set_defaults(run=reseal)


def reseal(settings: Settings) -> None:
    seal = Seal(settings.secret(), *settings.previous_secrets())
    with current_database(settings) as url:
        done = asyncio.run(encrypt_anew(url, seal))
    print(f"integrations: {done.count:,} encrypted under the present key")
    if done.unreadable:
        print(f"{done.unreadable:,} are of another key: enter their credentials again")
