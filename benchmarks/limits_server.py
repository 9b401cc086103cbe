"""The served side of benchmarks.limits: FlowPilot and, at /bare, the same without its counting."""

import copy
import sys
from functools import lru_cache
from pathlib import Path

from graphql import parse, validate
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionContext

from benchmarks.tree_server import application, serve
from schema.root import graphql_schema
from schema.transport.endpoint import GraphQLEndpoint

read = lru_cache(parse)


class Bare:
    """The same schema, runtime and transport; documents are read once, nothing is measured or charged."""

    def __init__(self) -> None:
        self.schema = copy.copy(graphql_schema)
        setattr(self.schema, "_prepare_operation_async", self.prepare)  # noqa: B010
        self.valid: set[str] = set()

    async def prepare(self, context: ExecutionContext, _: object) -> None:
        context.context = context.context.renewed()
        text = context.query or ""
        context.graphql_document = read(text)
        if text not in self.valid:
            core = self.schema._schema  # noqa: SLF001 - the one way to it
            assert not validate(core, context.graphql_document)
            self.valid.add(text)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = GraphQLEndpoint(self.schema, scope["app"].state.runtime)
        await endpoint(scope, receive, send)


def with_bare(app: Starlette) -> Starlette:
    app.routes.append(Route("/bare", Bare()))
    return app


if __name__ == "__main__":
    serve(with_bare(application(sys.argv[1], Path(sys.argv[2]))))
