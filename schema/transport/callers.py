"""Who calls. A wrong token names nobody, and says so only to fields that need somebody."""

from starlette.requests import HTTPConnection

from schema.context import Context, Presumption
from services.authentication import authenticate, presume
from services.errors import Unauthenticated
from services.runtime import Runtime


async def identify(runtime: Runtime, authorization: str | None, address: str) -> Context:
    """The context of whoever sent this header, with the rights they have now."""
    if not authorization:
        return Context(runtime, None, address=address)
    token = _token(authorization)
    if not token:
        problem = "Write `Authorization: Bearer <token>`."
        return Context(runtime, None, problem=problem, address=address)
    try:
        caller = await authenticate(runtime, token)
    except Unauthenticated as refused:
        return Context(runtime, None, problem=refused.message, address=address)
    return Context(runtime, caller, token=token, address=address)


def presumed(runtime: Runtime, authorization: str | None, address: str) -> Context | None:
    """The context of whoever sent this header last time, who may have other rights by now, or none."""
    token = _token(authorization or "")
    caller = presume(runtime, token)
    if caller is None:
        return None
    return Context(runtime, caller, token=token, address=address, presumption=Presumption())


async def stands(context: Context) -> bool:
    """Whether what was done as somebody presumed holds, which what was read may have said already."""
    try:
        await context.confirm()
    except Unauthenticated:
        return False
    return True


def _token(authorization: str) -> str:
    """Empty where the header has none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def address_of(connection: HTTPConnection) -> str:
    """The peer, or whom a trusted proxy named: the server has put that in its place."""
    return connection.client.host if connection.client else ""
