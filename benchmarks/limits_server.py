"""The served side of benchmarks.limits: FlowPilot and, at /bare, the same without its counting."""

import copy
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from strawberry.extensions import ParserCache, ValidationCache

from benchmarks.tree_server import application
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


def main() -> None:
    config = uvicorn.Config(
        with_bare(application(sys.argv[1], Path(sys.argv[2]))),
        host="127.0.0.1",
        port=0,
        log_level="warning",
        access_log=False,
    )
    socket = config.bind_socket()
    socket.listen()  # so that nobody is turned away who read the address
    print(f"http://127.0.0.1:{socket.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[socket])


if __name__ == "__main__":
    main()
