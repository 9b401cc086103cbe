"""The served side of benchmarks.limits: FlowPilot and, at /bare, the same without its counting."""

import copy
import sys
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from strawberry.extensions import ParserCache, ValidationCache

from benchmarks.tree_server import application, serve
from schema.limits import Admission
from schema.root import graphql_schema
from schema.transport.endpoint import GraphQLEndpoint


class Bare:
    """The same schema, runtime and transport with Strawberry's caches; nothing is measured or charged."""

    def __init__(self) -> None:
        self.schema = copy.copy(graphql_schema)
        self.schema.extensions = (
            *(one for one in graphql_schema.extensions if one is not Admission),
            ParserCache,
            ValidationCache,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = GraphQLEndpoint(self.schema, scope["app"].state.runtime)
        await endpoint(scope, receive, send)


def with_bare(app: Starlette) -> Starlette:
    app.routes.append(Route("/bare", Bare()))
    return app


if __name__ == "__main__":
    serve(with_bare(application(sys.argv[1], Path(sys.argv[2]))))
