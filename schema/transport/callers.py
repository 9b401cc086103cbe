"""Who calls. A wrong token names nobody, and says so only to fields that need somebody."""

from starlette.requests import HTTPConnection

from schema.context import Context
from services.authentication import authenticate
from services.errors import Unauthenticated
from services.runtime import Runtime


async def identify(runtime: Runtime, authorization: str | None, address: str) -> Context:
    """The context of whoever sent this header, with the rights they have now."""
    if not authorization:
        return Context(runtime, None, address=address)
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        problem = "Write `Authorization: Bearer <token>`."
        return Context(runtime, None, problem=problem, address=address)
    token = token.strip()
    try:
        caller = await authenticate(runtime, token)
    except Unauthenticated as refused:
        return Context(runtime, None, problem=refused.message, address=address)
    return Context(runtime, caller, token=token, address=address)


def address_of(connection: HTTPConnection) -> str:
    """The peer, or whom a trusted proxy named: the server has put that in its place."""
    return connection.client.host if connection.client else ""
