"""`create-account`, `delete-account` and `demo`: the tenants of an installation."""

import argparse
import asyncio
import getpass
import sys

from app import file_store
from cli.database import current_database, database, migrate
from cli.problems import CommandFailed
from models.account import Plan, Role
from services import accounts, demo, removal
from services.files.sweep import remove_account
from services.ids import Kind, node_id
from settings import Settings


def add_to(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    new = verbs.add_parser(
        "create-account",
        help="make an account and its first admin",
        description="Makes an account and its first admin, whose password (12 characters or more) "
        "is asked for twice, or read from the first line of standard input if that is no terminal.",
    )
    new.add_argument("--name", required=True, help="of the account, such as your company's")
    new.add_argument(
        "--plan",
        choices=[plan.value for plan in Plan],
        default=Plan.TEAM.value,
        help="how many hypotheses a session may hold (default: %(default)s)",
    )
    new.add_argument("--email", required=True, help="the admin's address, to sign in with")
    new.add_argument("--admin", required=True, help="the admin's name, as others see it")
    new.set_defaults(run=create_account)
    gone = verbs.add_parser(
        "delete-account",
        help="delete an account and all it has",
        description="Deletes an account with its people, keys, sessions and everything else, in "
        "small transactions while servers go on. Everybody in it is shut out first. Stopped "
        "half-way it goes on when called again. Nothing brings it back but a backup.",
    )
    gone.add_argument("account", metavar="NAME_OR_ID", help="the id decides where names are alike")
    gone.add_argument("--yes", action="store_true", help="delete; without it only say what it is")
    gone.set_defaults(run=delete_account)
    verbs.add_parser(
        "demo",
        help="load the demo accounts",
        description="Brings the database up to date and loads three demo accounts, unless they are "
        "there. Their password is public unless FLOWPILOT_DEMO_PASSWORD says otherwise.",
    ).set_defaults(run=load_demo)


def load_demo(settings: Settings) -> None:
    with database(settings) as url:
        migrate(url)
        loaded = asyncio.run(demo.load_once(url, settings.demo_password))
        print("Demo data loaded." if loaded else "There is demo data already.")


def create_account(settings: Settings, name: str, plan: str, email: str, admin: str) -> None:
    password = read_password()
    with current_database(settings) as url:
        asyncio.run(
            accounts.create_account(
                url,
                name=name,
                plan=Plan(plan),
                people=[accounts.NewPerson(email, admin, Role.ADMIN, password)],
            )
        )
    print(f"Account {name} is there; {email} can sign in.")


def delete_account(settings: Settings, account: str, *, yes: bool) -> None:
    with current_database(settings) as url:
        found = asyncio.run(removal.find_accounts(url, account))
        if not found:
            raise CommandFailed(f"There is no account {account}.")
        if len(found) > 1:
            ids = ", ".join(node_id(Kind.ACCOUNT, each.account_id) for each in found)
            raise CommandFailed(f"Several accounts are named {account}; name one by its id: {ids}.")
        chosen = found[0]
        known_as = f"{chosen.name} ({node_id(Kind.ACCOUNT, chosen.account_id)})"
        if not yes:
            raise CommandFailed(f"Nothing was deleted. To delete {known_as} for good, add --yes.")
        asyncio.run(removal.delete_account(url, chosen.account_id, _tell))
        _tell("files", asyncio.run(remove_account(file_store(settings), chosen.account_id)))
    print(f"Account {known_as} is gone.")


def _tell(table: str, rows: int) -> None:
    if rows:
        print(f"{table}: {rows:,} deleted", flush=True)


def read_password() -> str:
    """Raises CommandFailed where the two do not match."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password of the admin: ")
    if getpass.getpass("The same again: ") != password:
        raise CommandFailed("The two passwords differ: nothing was made.")
    return password
