"""`migrate` and `print-schema`: the tables, and the API's contract."""

import argparse

from cli.database import database
from cli.database import migrate as upgrade
from schema.root import graphql_schema
from settings import Settings


def add_to(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verbs.add_parser(
        "migrate",
        help="bring the database up to date",
        description="Makes the tables, or changes them to those of this version. Any number of "
        "processes may do so at once. Back up first.",
    ).set_defaults(run=migrate)
    verbs.add_parser(
        "print-schema",
        help="print the API's schema (SDL)",
        description="Prints the GraphQL schema as it is in schema/schema.graphql.",
    ).set_defaults(run=print_schema)


def migrate(settings: Settings) -> None:
    with database(settings) as url:
        upgrade(url)
    print("The database is up to date.")


def print_schema(_: Settings) -> None:
    print(graphql_schema.as_str())
